"""What pages and exports state about rules: sources, attributes, what is looked for, rows, limits, notices.

`stated.txt` holds what is stated of each rule, by statement, so that a difference is one line;

    python -m tests.unit.review.test_what_is_stated

writes it anew.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_service import __version__
from cds_service.clinical import attributes, content, limits, profiles, rows, terminology
from cds_service.clinical.clinic import CLINIC
from cds_service.kernel.errors import ContentError
from hooks.patient_view import SERVICE

_FILE = Path(__file__).with_name("stated.txt")
_CITATION = 1  # names documents of numbers as well: see tests/functional/test_knowledge.py


def stated() -> str:
    """Every statement, and the rules of which it is made."""
    rules: dict[str, list[str]] = defaultdict(list)
    for rule in SERVICE.rules:
        for line in _of(rule):
            rules[line].append(rule.id)
    every = len(SERVICE.rules)
    return "".join(
        f"{line}\n    {'every rule' if len(named) == every else ' '.join(named)}\n"
        for line, named in sorted(rules.items())
    )


def _of(rule: Any) -> Iterator[str]:
    for name in profiles.built_in():
        yield f"its card in {name} names {CLINIC.source(rule, profiles.profile(name)).label}"
    for each in attributes.attributes(rule):
        if each.number != _CITATION:
            yield f"{each.number:2} {each.name}: {each.value.replace(__version__, 'RELEASE')} ({'' if each.used else 'not '}used)"
    for kind, concept in attributes.inputs_of(rule).look_ups:
        yield f"looks for {kind} {concept or '(all)'}"


def test_everything_that_is_stated_of_a_rule() -> None:
    assert stated() == _FILE.read_text("utf-8")


def test_the_document_of_attributes_says_the_same_of_every_rule() -> None:
    told = attributes.document(SERVICE.rules)
    assert isinstance(told, dict)
    assert told.keys() == {"regulation", "release", "rules"}
    assert (told["regulation"], told["release"]) == ("45 CFR 170.315(b)(11)(iv)(A)", __version__)
    for rule, entry in zip(SERVICE.rules, told["rules"], strict=True):
        assert entry == {
            "rule": rule.id,
            "name": " ".join(rule.name.split("_")),
            "version": rule.version,
            "attributes": [
                {"number": each.number, "name": each.name, "used": each.used, "value": each.value}
                for each in attributes.attributes(rule)
            ],
        }


# --- documents -------------------------------------------------------------------------------------------------------
def test_a_document_that_somebody_opened_is_cited_with_its_address() -> None:
    opened = next(each for each in content.sources().values() if each.url)
    closed = next(each for each in content.sources().values() if not each.url)
    assert attributes.citation(opened) == f"{opened.title}. {opened.url}"
    assert attributes.citation(closed) == closed.title


def test_the_document_a_rule_names_comes_first_then_those_of_its_sets_and_none_twice() -> None:
    for rule in SERVICE.rules:
        found = attributes.sources(rule)
        named = [content.sources()[rule.source]] if rule.source else []
        named += [content.guideline_sets()[each].source for each in rule.sets]
        first = list(dict.fromkeys(named))
        assert list(found[: len(first)]) == first
        assert len(set(found)) == len(found)


def test_guideline_sets_and_sources_are_those_of_their_files() -> None:
    sets = tomllib.loads(content.read("guidelines/sets.toml"))
    assert {
        name: {"title": each.title, "source": each.source.id, "about": each.about}
        for name, each in content.guideline_sets().items()
    } == sets
    assert {each.name for each in content.guideline_sets().values()} == set(sets)
    for ident, told in tomllib.loads(content.read("guidelines/sources.toml")).items():
        found = content.sources()[ident]
        assert (found.id, found.label, found.title, found.url, found.year) == (
            ident, told["label"], told["title"], told.get("url", ""), told.get("year", 0),
        )  # fmt: skip


def test_a_guideline_set_from_a_document_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ContentError) as problem:
        _read_anew(
            content.guideline_sets,
            monkeypatch,
            "guidelines/sets.toml",
            '[x]\ntitle = "t"\nsource = "gone"\nabout = "a"\n',
        )
    assert str(problem.value) == "guidelines/sets.toml: x: unknown source 'gone'. Add it to sources.toml."


# --- rows and limits -------------------------------------------------------------------------------------------------
def test_rows_are_those_of_their_file_in_its_order() -> None:
    told = tomllib.loads(content.read("rules/rows.toml"))
    assert list(rows.families().items()) == [(family, each["title"]) for family, each in told.items()]
    assert [(key, each.id, each.family, each.title) for key, each in rows.rows().items()] == [
        (ident, ident, family, title)
        for family, each in told.items()
        for ident, title in each.items()
        if ident != "title"
    ]


def test_a_row_that_runs_no_rule_says_why() -> None:
    told = tomllib.loads(content.read("rules/not_computed.toml"))
    assert {
        ident: {"title": each.title, "why": each.why, "where": each.where}
        for ident, each in rows.not_computed().items()
    } == told


@pytest.mark.parametrize(("rule", "row"), [("GC-12a", "GC-12"), ("GC-01", "GC-01"), ("XX-99b", "XX-99")])
def test_a_rule_with_a_letter_of_its_own_belongs_to_the_row_without(rule: str, row: str) -> None:
    assert rows.row_of(rule) == (rule if rule in rows.rows() else row)


def test_disagreements_are_those_of_their_file() -> None:
    told = tomllib.loads(content.read("switches.toml"))
    assert {
        name: {
            "row": each.row,
            "question": each.question,
            "options": [{"value": o.value, "means": o.means, "sets": list(o.sets)} for o in each.options],
        }
        for name, each in profiles.switches().items()
    } == told
    assert [each.name for each in profiles.switches().values()] == list(told)


def test_limits_are_those_of_their_file() -> None:
    told = tomllib.loads(content.read("limits.toml"))
    assert limits.limits() == told
    (fact, of_fact), *_ = told["facts"].items()
    (kind, of_type), *_ = told["types"].items()
    assert limits.known_limits([fact], [kind]) == list(dict.fromkeys([*of_fact, *of_type, *told["every"]]))
    assert limits.known_limits(["no such fact"], ["no such type"]) == told["every"]


@pytest.mark.parametrize(
    ("read", "file", "text", "problem"),
    [
        (limits.limits, "limits.toml", 'every = ["x"]\n[facts]\n', "limits.toml"),
        (rows.rows, "rules/rows.toml", '[GC]\nGC-01 = "x"\n', "rules/rows.toml"),
        (rows.not_computed, "rules/not_computed.toml", '[GC-01]\ntitle = "x"\nwhy = "y"\n', "rules/not_computed.toml"),
        (profiles.switches, "switches.toml", '[x]\nrow = "D1"\nquestion = "?"\n', "switches.toml"),
        (content.sources, "guidelines/sources.toml", '[x]\nlabel = "l"\n', "guidelines/sources.toml"),
        (content.guideline_sets, "guidelines/sets.toml", '[x]\ntitle = "t"\n', "guidelines/sets.toml"),
        (attributes._told, "attributes.toml", 'regulation = "x"\n', "attributes.toml"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.endswith(".toml") else "",
)
def test_a_file_that_lacks_something_is_refused_by_name(
    read: Any, file: str, text: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ContentError) as refused:
        _read_anew(read, monkeypatch, file, text)
    assert str(refused.value).startswith(f"{problem}: ")


def _read_anew(read: Any, monkeypatch: pytest.MonkeyPatch, file: str, text: str) -> Any:
    """What a reader makes of another text, past its cache."""
    original = content.read
    monkeypatch.setattr(content, "read", lambda name: text if name == file else original(name))
    read.cache_clear()
    try:
        return read()
    finally:
        read.cache_clear()


# --- terms of the terminologies --------------------------------------------------------------------------------------
def test_the_terms_of_every_licence_are_told_each_paragraph_on_one_line() -> None:
    told = terminology.notices()
    assert {row.licence for row in terminology.terminology().rows()} <= set(told)
    assert told["loinc"].startswith(
        "This material contains content from LOINC (http://loinc.org). LOINC is copyright ©"
    )
    assert told["loinc"].split("\n\n")[1:] == [
        "Names are shipped unchanged; where we have not seen the full official name the cell is empty."
    ]
    assert not any(text.startswith("#") or text != text.strip() or "  " in text for text in told.values())


if __name__ == "__main__":
    _FILE.write_text(stated(), "utf-8")
