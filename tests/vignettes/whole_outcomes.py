"""The whole answer of every vignette, in `outcomes/<RULE>.txt`: what a vignette's `expect` leaves out is pinned here.

    python -m tests.vignettes.whole_outcomes

writes the files anew. Read the difference before committing it: each line is something that a card, an explanation or a page
may show. The first vignette of a file stands there in full, the others by the lines that change (`~`), come (`+`) and go (`-`)
against it: a criterion added to a rule is one line of difference and not one for each vignette.

    yes adult [acr2022.adult-age] 60                      a criterion: truth, key, number compared with, value compared
      : age 60 (Patient/p1)                               what shows it
      ? not-recorded: edss                                 why it is unknown
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from functools import lru_cache
from itertools import chain, groupby
from pathlib import Path
from typing import TypeAlias

from cds_service.kernel.criteria import Criterion
from cds_service.kernel.dates import DateSpan
from cds_service.kernel.facts import Evidence, Gap
from cds_service.kernel.rules import Outcome
from tests.support.cases import Case, all_cases

Lines: TypeAlias = tuple[str, ...]


# --- an answer in lines ----------------------------------------------------------------------------------------------
def lines_of(outcome: Outcome) -> Lines:
    """Verdict and level, what is offered and computed, and both trees of criteria with what shows them or lacks."""
    applies, done = outcome.finding.applies, outcome.finding.satisfied_by
    return (*_head(outcome), *_tree(applies), *(("nothing to do if", *_tree(done)) if done else ()))


def leaves_of(outcome: Outcome) -> Lines:
    """The same without the joints of the trees: every criterion once."""
    trees = filter(None, (outcome.finding.applies, outcome.finding.satisfied_by))
    leaves = dict.fromkeys(tuple(_node(leaf, "")) for tree in trees for leaf in tree.leaves())
    return (*_head(outcome), *chain.from_iterable(leaves))


def _head(outcome: Outcome) -> Iterator[str]:
    finding = outcome.finding
    yield f"answer = {outcome.verdict.value} ({finding.level.value})"
    for proposal in finding.propose:
        yield f"offers {proposal.order}"
    for name, value in finding.values.items():
        yield f"{name} = {json.dumps(value, ensure_ascii=False)}"


def _tree(criterion: Criterion, indent: str = "") -> Iterator[str]:
    yield from _node(criterion, indent)
    for part in criterion.parts:
        yield from _tree(part, f"{indent}  ")


def _node(criterion: Criterion, indent: str) -> Iterator[str]:
    limit = f"[{criterion.threshold.key}]" if criterion.threshold else ""
    yield indent + _joined(criterion.truth.value, criterion.key, limit, criterion.found)
    for shown in criterion.evidence:
        yield f"{indent}  : {_shown(shown)}"
    for kind, gaps in groupby(criterion.gaps, lambda gap: gap.kind.value):
        yield f"{indent}  ? {kind}: {', '.join(map(_gap, gaps))}"


def _shown(evidence: Evidence) -> str:
    note = f"«{evidence.note}»" if evidence.note else ""
    return _joined(evidence.kind, evidence.value, note, _when(evidence.on), _where(evidence.resource))


def _gap(gap: Gap) -> str:
    return _joined(gap.what, f"«{gap.detail}»" if gap.detail else "", _where(gap.resource))


def _when(on: DateSpan | None) -> str:
    if on is None:
        return ""
    days = f"{on.earliest} to {on.latest}"
    return on.text if (on.exact and on.text == str(on.latest)) or days in on.text else f"{on.text} = {days}"


def _where(resource: str) -> str:
    return f"({resource})" if resource else ""


def _joined(*words: str) -> str:
    return " ".join(filter(None, words))


# --- against another answer -------------------------------------------------------------------------------------------
def difference(first: Sequence[str], other: Sequence[str]) -> Lines:
    """How an answer differs from another one, in order."""
    _, _, *changes = unified_diff(first, other, n=0, lineterm="") if first != other else ("", "")
    hunks = (list(lines) for apart, lines in groupby(changes, lambda line: line.startswith("@@")) if not apart)
    return tuple(line for hunk in hunks for line in _changed(hunk))


def _changed(hunk: Iterable[str]) -> Iterator[str]:
    """A line that goes and one that comes instead, about the same thing, as one line that changes."""
    gone, come = ([line[1:] for line in hunk if line[0] == sign] for sign in "-+")
    replaced = Counter(map(_about, come)) & Counter(map(_about, gone))
    changed = replaced.copy()
    for line in gone:
        if replaced[_about(line)] > 0:
            replaced[_about(line)] -= 1
        else:
            yield f"-{line}"
    for line in come:
        yield f"{'~' if changed[_about(line)] > 0 else '+'}{line}"
        changed[_about(line)] -= 1


_ABOUT = re.compile(r"(?P<depth> *)(?:yes|no|unknown) (?P<key>\S+)|(?P<name>\w+) = ")


def _about(line: str) -> str | tuple[str | None, ...]:
    """What a line is about: a value, or a criterion at its depth; evidence and gaps are about themselves."""
    match = _ABOUT.match(line)
    return match.groups() if match else line


# --- files -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class GoldenFolder:
    """A folder with a file for each rule, and in it answers under their names.

    Attributes:
        path: the folder.
        how: how its files are written anew.
    """

    path: Path
    how: str

    def read(self) -> dict[str, Lines]:
        """What the files say, by rule and name ("GC-01: name")."""
        return {
            f"{file.stem}: {name}": tuple(filter(None, lines))
            for file in self.path.glob("*.txt")
            for name, *lines in map(str.splitlines, file.read_text("utf-8").split("\n# ")[1:])
        }

    def write(self, answers: Iterable[tuple[str, str, Lines]]) -> None:
        """Write all files: rule, name and lines of each answer."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir()
        for rule, told in groupby(answers, lambda each: each[0]):
            blocks = ("\n".join((f"# {name}", *lines)) for _, name, lines in told)
            text = "\n\n".join((f"Answers of {rule}. {self.how}", *blocks))
            (self.path / f"{rule}.txt").write_text(f"{text}\n", "utf-8")


# --- the vignettes as they are ---------------------------------------------------------------------------------------
WHOLE = GoldenFolder(
    Path(__file__).with_name("outcomes"),
    "Written by `python -m tests.vignettes.whole_outcomes`: write it anew and read the difference.",
)


@lru_cache(maxsize=1)
def written() -> dict[str, Lines]:
    """What the files say by vignette ("GC-01: name")."""
    return WHOLE.read()


def as_in_its_file(case: Case, outcome: Outcome) -> Lines:
    """The answer as the file of its rule would say it: against the first answer that is written there."""
    lines = lines_of(outcome)
    first = _first_of_each_rule()[case.rule]
    return lines if first is case else difference(written()[str(first)], lines)


@lru_cache(maxsize=1)
def _first_of_each_rule() -> dict[str, Case]:
    return {case.rule: case for case in reversed(all_cases())}


def _answers() -> Iterator[tuple[str, str, Lines]]:
    first = {rule: lines_of(case.outcome()) for rule, case in _first_of_each_rule().items()}
    for case in all_cases():
        lines = lines_of(case.outcome())
        whole = case is _first_of_each_rule()[case.rule]
        yield case.rule, case.name, lines if whole else difference(first[case.rule], lines)


if __name__ == "__main__":
    WHOLE.write(_answers())
