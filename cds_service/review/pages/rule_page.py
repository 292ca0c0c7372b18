"""The page of one rule: everything a reviewer needs to agree or disagree with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cds_service.clinical import basis
from cds_service.clinical.attributes import attributes, facts_of, inputs_of, sources
from cds_service.clinical.limits import known_limits
from cds_service.clinical.profiles import switches
from cds_service.kernel.rules import Kind, Level, Rule, Status, Verdict
from cds_service.kernel.thresholds import Source
from cds_service.review.pages.book import CHECKS, Book
from cds_service.review.pages.decision_table import decision_table
from cds_service.review.pages.examples import card_text, without_each_look_up, worked_examples
from cds_service.review.pages.markdown import bullets, link, page, pairs, section, table
from cds_service.review.pages.numbers import CHECK_LEGEND, numbers_table, shared_list
from cds_service.review.pages.reads import RuleReads, facts_table
from cds_service.review.pages.valuesets import Places
from cds_service.review.vignettes import Case

PARTS = ("What it looks for", "Why it matters", "When it stays silent", "Sources")
STATUS = {
    "stable": "stable: signed off as it is",
    "unsigned": "unsigned: no clinician has signed it off as it is now",
    "preview": "preview: off unless a profile names it, since its wording is recalled and not yet read in a source",
}
_KINDS = {
    Kind.ACTION: "action: asks somebody to do something",
    Kind.DEFINITION: "definition: classifies, adjusts a number or advises against something; gives no card of its own",
}
_CODE = "../../../cds_service/clinical/rules"
_VIGNETTES = "../../../tests/vignettes"


def rule_page(book: Book, rule: Rule, places: Places, telling: Sequence[Case], read: RuleReads) -> tuple[str, str]:
    """Path and text of the page.

    Args:
        book: what is written about.
        rule: the rule.
        places: where codes are shown.
        telling: the vignettes that show what the rule does.
        read: what it reads in them.
    """
    start, examples = worked_examples(book, rule)
    own, shared = book.numbers_of(rule)
    definition = rule.kind is Kind.DEFINITION
    beside = f"{_BESIDE}\n\n{shared_list(book, shared)}" if shared else ""
    return f"rules/{rule.id}.md", page(
        f"{rule.id}: {statement(rule)}",
        pairs(_facts(book, rule)),
        section("What it says", *(f"**{name}.** {text}" for name, text in parts_of(rule))),
        section(
            "Decision table", _COLUMNS if definition else f"{_COLUMNS} {_WHEN}", decision_table(book, rule, telling)
        ),
        section("Numbers", numbers_table(book, own), f"Check: {CHECK_LEGEND}." if own else "", beside),
        section("Choices of a site", *_choices(book, rule)),
        section("What it reads", facts_table(book, read, places)),
        section("When a look-up is missing", without_each_look_up(book, rule, read.needs)),
        section("The card", card_text(book, rule)),
        section("Worked examples", start, examples),
        section("Known limits", bullets(_limits(rule))),
        section("Patient attributes", _attributes(rule)),
        section("Basis", bullets(_cited(each) for each in sources(rule))),
        section("History", bullets(_history(book, rule))),
        section("Sign-off", _sign_off(book, rule)),
    )


# --- words of the declaration ----------------------------------------------------------------------------------------
def statement(rule: Rule) -> str:
    """The rule in one sentence, without its full stop."""
    return rule.doc.split("\n\n")[0].replace("\n", " ").rstrip(".")


def parts_of(rule: Rule) -> Iterator[tuple[str, str]]:
    """The parts of the documentation: heading and text, each paragraph on one line."""
    marks = "|".join(PARTS)
    _, *found = re.split(rf"^({marks}):", rule.doc, flags=re.MULTILINE)
    for name, text in zip(found[::2], found[1::2], strict=True):
        paragraphs = (" ".join(each.split()) for each in text.strip().split("\n\n"))
        yield name, "\n\n".join(f"{each[:1].upper()}{each[1:]}" for each in paragraphs)


def _facts(book: Book, rule: Rule) -> Iterator[tuple[str, str]]:
    yield "Finding", rule.name.replace("_", " ")
    yield "Status", STATUS[book.status(rule)]
    yield "Kind", _KINDS[rule.kind]
    yield "Version", rule.version
    yield "Guideline sets", ", ".join(link(name, f"../guidelines/{name}.md") for name in rule.sets)
    yield "Check", f"{rule.check}: {CHECKS[rule.check]}"
    yield "Strength", book.texts.strength[rule.strength]
    yield "Card", _card(book, rule)
    yield "Critical because", rule.critical_because
    on = [each.id for each in book.on_in(rule)]
    off = [each.id for each in book.profiles if each.id not in on]
    yield "Runs in profiles", ", ".join(link(each, f"../profiles/{each}.md") for each in on) or "none"
    yield "Does not run in", ", ".join(link(each, f"../profiles/{each}.md") for each in off)
    names = (
        link(f"{switches()[name].row} `{name}`", f"../switches.md#{switches()[name].row.lower()}")
        for name in rule.switches
    )
    yield "Choices that change it", ", ".join(names)
    module = rule.decide.__module__.rsplit(".", 1)[-1]
    yield "Source code", link(f"{module}.py", f"{_CODE}/{module}.py")
    if book.cases[rule.id]:
        yield (
            "Vignettes",
            link(f"{rule.id}.toml", f"{_VIGNETTES}/{rule.id}.toml") + f", {len(book.cases[rule.id])} cases",
        )


def _card(book: Book, rule: Rule) -> str:
    topic = book.texts.topics[rule.card]
    if rule.kind is Kind.DEFINITION:
        return f"stands behind the card “{topic.title}”"
    found = {o.finding.level for o in map(book.outcome, book.cases[rule.id]) if o.verdict is Verdict.RECOMMEND}
    levels = ", ".join(each.value for each in sorted(found, key=lambda level: level.rank))
    folded = ", ".join(f"“{book.texts.topics[each].title}”" for each in topic.absorbed_by if each in book.texts.topics)
    joins = f"; joins the card {folded} where there is one" if folded else ""
    return f"“{topic.title}”, {levels or Level.INFO.value}{joins}"


_BESIDE = "Through its facts and the criteria it shares with other rules it rests on these as well:"
_COLUMNS = (
    "Each column is one of the worked examples below; bold cells decide, an empty cell was not asked. *Unknown* is an "
    "answer: what was not looked at is never taken as absent."
)
_WHEN = (
    "The card comes when the first part holds and the second does not; when one of them is unknown and matters, the answer "
    "is *cannot tell*."
)
_UNSIGNED = (
    "**No clinician has signed this rule as it is now.** Any change to what it rests on changes its content hash"
)


def _choices(book: Book, rule: Rule) -> Iterator[str]:
    for name in rule.switches:
        switch = switches()[name]
        rows = [
            (
                f"`{option.value}`",
                option.means,
                ", ".join(s.id for s in book.profiles if s.choice(name) == option.value),
            )
            for option in switch.options
        ]
        yield f"**{switch.row}: {switch.question}**"
        yield table(("Reading", "Means", "Taken by"), rows)


# --- what a reviewer should know -------------------------------------------------------------------------------------
def _limits(rule: Rule) -> Iterator[str]:
    if rule.status is Status.PREVIEW:
        yield "Recalled wording: nobody has read it in the source yet."
    elif rule.check != "V":
        yield f"Check {rule.check}: {CHECKS[rule.check]}."
    types = dict.fromkeys(kind for kind, _ in inputs_of(rule).look_ups)
    yield from known_limits(sorted(facts_of(rule)), types)


def _attributes(rule: Rule) -> str:
    patient = [each for each in attributes(rule) if each.number > _FIRST_OF_USE]
    used = [(f"Use of {each.name}", each.value) for each in patient if each.used or each.value != "not used"]
    unused = ", ".join(each.name for each in patient if not each.used and each.value == "not used")
    return "\n\n".join(each for each in (pairs(used), f"Not used: {unused}." if unused else "") if each)


_FIRST_OF_USE = 4


def _cited(source: Source) -> str:
    return f"**{source.label}**: {link(source.title, source.url) if source.url else source.title}"


def _history(book: Book, rule: Rule) -> Iterator[str]:
    """The lines of the change log that name the rule."""
    named = re.compile(rf"(?<![\w-]){re.escape(rule.id)}(?![\w-])")
    found = False
    release = ""
    for line in book.changelog.splitlines():
        if line.startswith("## "):
            release = line.removeprefix("## ").strip()
        elif line.startswith("- ") and named.search(line):
            found = True
            yield f"{release}: {line.removeprefix('- ')}"
    if not found:
        yield f"Version {rule.version}; the change log names no change of this rule."


def _sign_off(book: Book, rule: Rule) -> str:
    signed = book.signature(rule)
    content = f"`{basis.content_hash(rule)}`"
    if signed is None:
        return "\n\n".join((
            f"{_UNSIGNED}, {content}.",
            table(("Agreed", "Name", "Role", "Date", "Remarks"), [("☐ yes ☐ no", "", "", "", "")]),
            f"To sign: `bonecds sign {rule.id} --reviewer NAME --role ROLE`.",
        ))  # fmt: skip
    rows = [(signed.reviewer, signed.role, signed.on.isoformat(), signed.note)]
    return f"{table(('Signed by', 'Role', 'On', 'Remarks'), rows)}\n\nContent: {content}."
