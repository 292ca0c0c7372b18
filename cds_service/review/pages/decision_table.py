"""The criteria of a rule as the rows of a table, its telling vignettes as the columns.

The rows are the trees of all vignettes of the rule laid over each other, so they show what the rule really compared, with the
numbers in force. The columns are few: one vignette for each answer, then those that show a criterion in a new light. What
decides stands out: in a group in which all have to hold what does not, elsewhere what does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cds_service.kernel.criteria import Criterion
from cds_service.kernel.rules import Kind, Outcome, Rule
from cds_service.kernel.truth import Truth
from cds_service.review.pages.book import VERDICTS, Book, answer_of
from cds_service.review.pages.markdown import bullets, table
from cds_service.review.vignettes import Case

MOST_COLUMNS = 8
_LONGEST_FOUND = 8
_GROUPS = {
    "all-of": "all of these",
    "any-of": "any of these",
    "none-of": "none of these",
    "not-all-of": "not all of these",
}
_USUAL = {"all-of": Truth.YES, "leaf": Truth.YES}
_FLIPPED = {"all-of": "not-all-of", "any-of": "none-of", "none-of": "any-of", "not-all-of": "all-of"}
_MOSTLY = 0.5
_TOP = {
    Kind.ACTION: ("It speaks about this person when", "There is nothing to do when"),
    Kind.DEFINITION: ("It holds when", ""),
}
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Node:
    """A criterion as a reader sees it: joints in joints of the same kind are one, `not` belongs to what it is about."""

    kind: str
    truth: Truth
    leaf: Criterion | None = None
    parts: tuple[_Node, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    """One row of one vignette.

    Attributes:
        key: where it stands in the tree.
        words: the criterion.
        truth: whether it holds.
        usual: the truth that decides nothing in the group it belongs to.
        found: the value that was compared.
    """

    key: Key
    words: str
    truth: Truth
    usual: Truth | None
    found: str = ""


def telling_cases(book: Book, rule: Rule) -> list[Case]:
    """The first vignette of every answer, then those that show most criteria in a way not seen yet."""
    return _telling(book, _asked(book, rule))


def decision_table(book: Book, rule: Rule, shown: Sequence[Case]) -> str:
    """The table with its legend; nothing for a rule without vignettes.

    Args:
        book: what is written about.
        rule: the rule.
        shown: the vignettes that make the columns, see `telling_cases`.
    """
    if not shown:
        return ""
    asked = _asked(book, rule)
    rows = _merged(list(asked.values()))
    letters = [chr(ord("A") + number) for number in range(len(shown))]
    cells = [{line.key: _cell(line) for line in asked[case]} for case in shown]
    body = [(words, *(column.get(key, "") for column in cells)) for key, words in rows]
    answers = ["**Answer**", *(f"**{answer_of(book.outcome(case))}**" for case in shown)]
    legend = bullets(f"**{letter}**: {case.name}" for letter, case in zip(letters, shown, strict=True))
    return f"{table(('Criterion', *letters), [*body, answers])}\n\n{legend}"


def _asked(book: Book, rule: Rule) -> dict[Case, list[_Line]]:
    groups = _Groups()
    return {case: list(_lines(book, book.outcome(case), groups.of_a_tree())) for case in book.cases[rule.id]}


# --- rows ------------------------------------------------------------------------------------------------------------
class _Groups:
    """Tells which group of one tree is that of another: in the same place, and made of mostly the same criteria."""

    def __init__(self) -> None:
        self._known: dict[Key, list[frozenset[str]]] = {}

    def of_a_tree(self) -> Callable[[Key, _Node], Key]:
        """Gives the groups of one more tree their keys; no two of one tree have the same."""
        taken: set[Key] = set()

        def place(above: Key, node: _Node) -> Key:
            keys = frozenset(_keys(node))
            known = self._known.setdefault((*above, node.kind), [])
            free = [n for n in range(len(known)) if (*above, f"{node.kind} {n}") not in taken]
            best = max(free, key=lambda n: _alike(known[n], keys), default=-1)
            if best < 0 or _alike(known[best], keys) < _MOSTLY:
                known.append(keys)
                best = len(known) - 1
            taken.add((*above, f"{node.kind} {best}"))
            return (*above, f"{node.kind} {best}")

        return place


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


def _lines(book: Book, outcome: Outcome, place: Callable[[Key, _Node], Key]) -> Iterator[_Line]:
    heads = _TOP[outcome.rule.kind]
    trees = (outcome.finding.applies, outcome.finding.satisfied_by)
    for head, tree in zip(heads, trees, strict=True):
        if tree is not None:
            node = _node(tree)
            told = _GROUPS.get(node.kind, "this") + (" hold" if node.kind == "all-of" else " holds")
            yield _Line((head,), f"**{head} {told}**", node.truth, None)
            for part in node.parts or (node,):
                yield from _below(book, part, (head,), node.kind, place)


def _below(book: Book, node: _Node, above: Key, group: str, place: Callable[[Key, _Node], Key]) -> Iterator[_Line]:
    pad, usual = "– " * (len(above) - 1), _USUAL.get(group, Truth.NO)
    if node.leaf is not None:
        words = book.sentence(node.leaf)
        yield _Line((*above, words), f"{pad}{words}", node.truth, usual, node.leaf.found)
        return
    key = place(above, node)
    yield _Line(key, f"{pad}*{_GROUPS[node.kind]}:*", node.truth, usual)
    for part in node.parts:
        yield from _below(book, part, key, node.kind, place)


def _node(criterion: Criterion) -> _Node:
    if criterion.key == "not":
        inner = _node(criterion.parts[0])
        if inner.kind == "none-of" and len(inner.parts) == 1:
            return inner.parts[0]
        kind, parts = _FLIPPED.get(inner.kind, "none-of"), inner.parts or (inner,)
        return _Node(kind, criterion.truth, None, parts)
    if not criterion.parts:
        return _Node("leaf", criterion.truth, criterion)
    joined: list[_Node] = []
    for each in map(_node, criterion.parts):
        joined.extend(each.parts if each.kind == criterion.key else (each,))
    return joined[0] if len(joined) == 1 else _Node(criterion.key, criterion.truth, None, tuple(joined))


def _keys(node: _Node) -> list[str]:
    """What a group is made of, whatever the numbers are."""
    return [node.leaf.key] if node.leaf else [node.kind, *(key for part in node.parts for key in _keys(part))]


def _merged(asked: Sequence[Sequence[_Line]]) -> list[tuple[Key, str]]:
    """All rows in one order: what only some vignettes have stands where they have it."""
    order: list[Key] = []
    words: dict[Key, str] = {}
    for lines in asked:
        at = 0
        for line in lines:
            if line.key not in words:
                words[line.key] = line.words
                order.insert(at, line.key)
            at = order.index(line.key) + 1
    return [(key, words[key]) for key in order]


def _cell(line: _Line) -> str:
    found = f" ({line.found})" if line.found and len(line.found) <= _LONGEST_FOUND else ""
    words = f"{line.truth.value}{found}"
    return words if line.truth is line.usual else f"**{words}**"


# --- columns ---------------------------------------------------------------------------------------------------------
def _telling(book: Book, asked: dict[Case, list[_Line]]) -> list[Case]:
    verdicts = {case: book.outcome(case).verdict for case in asked}
    chosen = [
        next(case for case in asked if verdicts[case] is verdict)
        for verdict in VERDICTS
        if verdict in verdicts.values()
    ]
    shows = {case: {(line.key, line.truth) for line in lines} for case, lines in asked.items()}
    seen = set().union(*(shows[case] for case in chosen))
    while asked and len(chosen) < MOST_COLUMNS:
        best = max(asked, key=lambda case: len(shows[case] - seen))
        if not shows[best] - seen:
            break
        chosen.append(best)
        seen |= shows[best]
    places = list(asked)
    return sorted(chosen, key=lambda case: (VERDICTS.index(verdicts[case]), places.index(case)))
