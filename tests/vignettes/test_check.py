"""`bonecds check` finds nothing in what we ship, and finds each kind of mistake when it is made."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cds_service.cli import check as command
from cds_service.cli.check import QUICK, SLOW, content_of
from cds_service.clinical import content
from cds_service.clinical.signoffs import SignOff
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.facts import Evidence
from cds_service.kernel.rules import Finding, Kind, Level, Proposal, Rule, Status, decide
from cds_service.kernel.truth import Truth
from cds_service.review.checks import book, codes, numbers, words
from cds_service.review.checks.problem import Content, Problem
from tests.support.cases import FOLDER, Case

TOLD = content_of(FOLDER)
# The slow ones are tested piece by piece: pins in test_thresholds_pinned.py, renderings rule by rule below.
_LINTS = [each for each in (*QUICK, *SLOW) if each[1] not in (numbers.unpinned, words.renderings)]


@pytest.mark.parametrize(("name", "lint"), _LINTS, ids=[name for name, _ in _LINTS])
def test_what_we_ship_holds_together(name: str, lint: Callable[[Content], Iterator[Problem]]) -> None:
    assert [str(each) for each in lint(TOLD) if not each.only_a_warning] == []


@pytest.mark.parametrize("rule", [rule.id for rule in TOLD.service.rules])
def test_every_card_fits_and_has_no_hole_whatever_the_profile(rule: str) -> None:
    told = dataclasses.replace(TOLD, cases=tuple(case for case in TOLD.cases if case.rule == rule))
    assert [str(each) for each in words.renderings(told)] == []


# --- each kind of mistake is found -----------------------------------------------------------------------------------
YES = Criterion("adult", Truth.YES, (Evidence("age", "60"),))
CASE = TOLD.cases[0]
RULE = next(rule for rule in TOLD.service.rules if rule.id == CASE.rule)


def with_rule(**changes: Any) -> Content:
    """The content with one rule changed."""
    made = dataclasses.replace(RULE, **changes)
    rules = tuple(made if rule is RULE else rule for rule in TOLD.service.rules)
    return dataclasses.replace(TOLD, service=dataclasses.replace(TOLD.service, rules=rules), cases=())


class Answers(Case):
    """A vignette whose rule answers what the test wants."""

    def outcome(self, thresholds: Any = None) -> Any:
        """The answer, whatever the patient."""
        return self.story["outcome"]


def that_answers(rule: Rule, finding: Finding) -> Content:
    """The content with a vignette in which a rule finds this."""
    made = dataclasses.replace(rule, decide=lambda _p, _t: finding)
    case = Answers(rule.id, "made up", CASE.sets, {"outcome": decide(made, None, numbers.in_force())}, {})
    return dataclasses.replace(TOLD, cases=(case,))


def found(lint: Callable[[Content], Iterator[Problem]], told: Content) -> list[str]:
    """What the lint says."""
    return [each.what for each in lint(told)]


LOOKS, MATTERS = "What it looks for: bone.", "Why it matters: it does."
SILENT, SOURCES = "When it stays silent: never.", "Sources: none."


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ((), "the docstring does not begin with one short sentence"),
        (("One.", LOOKS, SILENT, SOURCES), "the docstring has no 'Why it matters:'"),
        (("One.", MATTERS, LOOKS, SILENT, SOURCES), "the parts of the docstring are out of order"),
        (("One.", LOOKS, "Why it matters:", SILENT, SOURCES), "'Why it matters:' says nothing"),
    ],
)
def test_a_page_that_lacks_a_part(parts: tuple[str, ...], problem: str) -> None:
    assert problem in found(words.docstrings, with_rule(doc="\n\n".join(parts)))


def test_words_that_are_missing() -> None:
    told = with_rule(id="GC-01", strength="very", card="roof", check="X")
    assert found(words.texts_of_rules, told)[:3] == [
        "strength 'very' has no words",
        "card 'roof' is no topic",
        "check 'X' has no words",
    ]


def test_a_criterion_an_evidence_and_an_order_without_words() -> None:
    finding = Finding(
        Criterion("no-such-words", Truth.YES, (Evidence("no-such-kind"),)), propose=(Proposal("no-such-order"),)
    )
    problems = list(words.words_that_come_up(that_answers(RULE, finding)))
    assert {each.key for each in problems} == {"criteria.no-such-words", "evidence.no-such-kind", RULE.id}


@pytest.mark.parametrize("said", ["Bone health is fine", "You must treat", "A safe dose", "a reassuring result"])
def test_s1_e8_a_text_that_reassures_or_commands(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "text_files", lambda _language: {"texts/en/x.toml": f'[blocks]\nx = "{said}"'})
    assert len(found(words.reassurance, TOLD)) == 1


def test_s3_cannot_tell_without_a_gap_and_a_recommendation_without_evidence() -> None:
    silent = that_answers(RULE, Finding(Criterion("adult", Truth.UNKNOWN)))
    bare = that_answers(RULE, Finding(Criterion("adult", Truth.YES)))
    assert found(words.reasons, silent) == ["cannot tell, and does not say what is missing (made up)"]
    assert found(words.reasons, bare) == ["recommends without evidence (made up)"]


def test_a_row_that_is_no_row_and_a_row_that_nobody_explains() -> None:
    problems = {(each.key, each.what) for each in book.rows(with_rule(id="XX-01"))}
    file = book.rule_file
    assert file(RULE.id, TOLD.service).startswith("cds_service/clinical/rules/")
    assert ("XX-01", "is no row of the rule book") in problems
    assert (RULE.id, "is neither a rule nor explained") in problems


def test_critical_without_a_reason_and_recalled_but_not_preview() -> None:
    plain = next(rule for rule in TOLD.service.rules if rule.kind is Kind.ACTION and not rule.critical_because)
    critical = that_answers(plain, Finding(YES, level=Level.CRITICAL))
    assert "is critical without a reason" in found(book.urgency, critical)
    assert f"is {Status.STABLE.value} with check R" in found(book.urgency, with_rule(check="R", status=Status.STABLE))


def test_a_switch_that_is_declared_and_never_asked_about() -> None:
    assert "never asks about 'label'" in found(book.declared_switches, with_rule(switches=("label",)))


def test_a_signature_that_no_longer_fits_is_a_warning() -> None:
    stale = SignOff(RULE.id, "1", "0" * 64, "A. Clinician", "consultant", dt.date(2026, 6, 1))
    gone = dataclasses.replace(stale, rule="XX-01")
    site = dataclasses.replace(TOLD.sites[0], signatures=(stale, gone))
    problems = list(book.sign_offs(dataclasses.replace(TOLD, sites=(site,))))
    assert [(each.what, each.only_a_warning) for each in problems] == [
        ("A. Clinician signed another content on 2026-06-01", True),
        ("signs no rule of this release", False),
    ]


def test_a_number_that_nobody_reads_or_pins() -> None:
    nobody = dataclasses.replace(TOLD, cases=())
    key = numbers.to_pin()[0][0]
    assert key in {each.key for each in numbers.unread(nobody)}
    assert [each.what for each in numbers.unpinned(nobody) if each.key == key] == [
        "no vignette notices if it were larger",
        "no vignette notices if it were smaller",
    ]


def test_a_code_that_is_in_no_value_set() -> None:
    order = dataclasses.replace(
        next(iter(TOLD.service.orders.values())), codings=({"system": "http://loinc.org", "code": "0-0"},)
    )
    told = dataclasses.replace(TOLD, service=dataclasses.replace(TOLD.service, orders={"x": order}))
    assert found(codes.orders, told) == ["0-0 of http://loinc.org is in no value set"]


# --- the command -----------------------------------------------------------------------------------------------------
def test_the_command_says_file_key_problem_and_fix_and_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem("texts/en/", "rules.GC-01", "is missing", "Add it")
    monkeypatch.setattr(command, "QUICK", (("one", lambda _told: iter((problem,))),))
    monkeypatch.setattr(command, "content_of", lambda *_: TOLD)
    run = CliRunner().invoke(command.check, ["--quick", "--vignettes", str(FOLDER), "--format", "json"])
    assert run.exit_code == 1
    assert json.loads(run.stdout) == [
        {"level": "error", "file": "texts/en/", "key": "rules.GC-01", "problem": "is missing", "fix": "Add it"}
    ]


def test_warnings_alone_are_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem("reviews/", "GC-01", "was signed", "Sign again.", True)
    monkeypatch.setattr(command, "QUICK", (("one", lambda _told: iter((problem,))),))
    monkeypatch.setattr(command, "content_of", lambda *_: TOLD)
    run = CliRunner().invoke(command.check, ["--quick", "--vignettes", str(FOLDER)])
    assert (run.exit_code, run.stdout) == (0, "warning: reviews/: GC-01: was signed. Sign again.\n")


def test_a_site_file_is_checked_with_its_own_words(tmp_path: Path) -> None:
    file = tmp_path / "clinic.toml"
    file.write_text('base = "us"\n[wording]\n"rules.VD-05.summary" = "Bone health is fine."', "utf-8")
    told = content_of(FOLDER, file)
    told = dataclasses.replace(told, sites=told.sites[-1:], cases=tuple(c for c in told.cases if c.rule == "VD-05"))
    assert any("the card says 'is fine'" in each.what for each in words.renderings(told))
