"""The rule book as FHIR: value sets, plan definitions and libraries say what the rules say, and no more."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from cds_service.cli.export import RuleBook, signatures
from cds_service.clinical import basis, content, signoffs
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.grades import grades
from cds_service.clinical.terminology import notices, terminology
from cds_service.engine.services import installed
from cds_service.fhir.codes import DMD, SNOMED, Entry
from cds_service.fhir.knowledge import rules
from cds_service.fhir.knowledge.content import Grade, SignOff
from cds_service.fhir.knowledge.valuesets import COMMENT
from cds_service.kernel.rules import Kind, Rule, Status
from cds_service.kernel.thresholds import Threshold, Thresholds
from tests.support.cases import all_cases
from tests.support.exported import BASE, RULES, TITLES, Json, artifact, strings

every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


@pytest.fixture(scope="module")
def book() -> RuleBook:
    """A stable and a preview rule, with no sign-off."""
    few = tuple(next(rule for rule in RULES.values() if rule.status is status) for status in Status)
    return RuleBook((replace(installed()[0], rules=few),), {})


# --- value sets ---------------------------------------------------------------------------------------------------------
def _listed(value_set: Json) -> Iterator[tuple[str, Json]]:
    for include in value_set["compose"]["include"]:
        yield from ((include["system"], concept) for concept in include.get("concept", ()))


def test_value_sets_list_the_codes_of_their_concept_and_names_only_where_we_have_them(
    exported: Mapping[str, Json],
) -> None:
    """dm+d identifiers are listed under SNOMED CT as well, as the service reads them."""
    for name in terminology().names():
        rows = [row for row in terminology().rows(name) if row.concept == name]
        listed = list(_listed(artifact(exported, "ValueSet", name.replace("_", "-"))))
        wanted = {(row.system, row.code, row.display) for row in rows}
        wanted |= {(SNOMED, row.code, row.display) for row in rows if row.system == DMD}

        assert {(system, each["code"], each.get("display", "")) for system, each in listed} == wanted


def test_a_code_that_stands_for_all_below_it_says_so_and_no_filter_is_made_up(exported: Mapping[str, Json]) -> None:
    """FHIR R4 describes no filter for ICD and ATC."""
    rows: dict[tuple[str, str, str], Entry] = {(r.concept, r.system, r.code): r for r in terminology().rows()}
    for name in terminology().names():
        value_set = artifact(exported, "ValueSet", name.replace("_", "-"))
        told = {}
        for system, each in _listed(value_set):
            comments = [e["valueString"] for e in each.get("extension", ()) if e["url"] == COMMENT]
            told[name, system, each["code"]] = any("every code that begins with it" in text for text in comments)
        by_prefix = {key: rows[key].match != "exact" for key in told if key in rows}

        assert {key: told[key] for key in by_prefix} == by_prefix
        assert any(by_prefix.values()) == ("extension" in value_set)
        assert "filter" not in json.dumps(value_set["compose"])


def test_value_sets_carry_the_terms_of_the_code_systems_they_use(exported: Mapping[str, Json]) -> None:
    for name in terminology().names():
        licences = {row.licence for row in terminology().rows(name) if row.concept == name}
        told = artifact(exported, "ValueSet", name.replace("_", "-"))["copyright"]

        assert {licence for licence, text in notices().items() if text in told} == licences


def test_editions_are_releases_only(exported: Mapping[str, Json]) -> None:
    """ "historic" and "us" are remarks about a code, no versions of a code system."""
    versions = {
        include["version"]
        for each in exported.values()
        for include in each.get("compose", {}).get("include", ())
        if "version" in include
    }
    assert [version for version in versions if not re.fullmatch(r"\d{4}-\d{2}", version)] == []


# --- rules --------------------------------------------------------------------------------------------------------------
@every_rule
def test_s6_a_rule_keeps_its_version_and_its_page(exported: Mapping[str, Json], rule: Rule) -> None:
    plan, library = (artifact(exported, kind, rule.id) for kind in ("PlanDefinition", "Library"))

    assert (plan["version"], library["version"]) == (rule.version, rule.version)
    assert plan["library"] == [f"{library['url']}|{rule.version}"]
    assert base64.b64decode(library["content"][0]["data"]).decode() == rule.doc
    assert library["url"] != plan["url"]


@every_rule
def test_s10_no_engine_can_take_a_rule_as_applicable(exported: Mapping[str, Json], rule: Rule) -> None:
    """An action without a condition would apply to everybody; ours names Python, which no FHIR engine runs."""
    (action,) = artifact(exported, "PlanDefinition", rule.id)["action"]

    assert [each["kind"] for each in action["condition"]] == ["applicability"]
    assert [each["expression"]["language"] for each in action["condition"]] == ["text/x-python"]
    assert {each["precheckBehavior"] for each in action.get("action", ())} <= {"no"}


def test_unsigned_rules_are_drafts_for_trial(exported: Mapping[str, Json]) -> None:
    for ident in RULES.keys() - signatures(RULES.values()).keys():
        for each in (artifact(exported, kind, ident) for kind in ("PlanDefinition", "Library")):
            assert (each["status"], each["experimental"]) == ("draft", True)
            assert {"approvalDate", "lastReviewDate"}.isdisjoint(each)


def test_a_signed_stable_rule_is_active_and_says_when_it_was_reviewed(book: RuleBook) -> None:
    signed = SignOff(approved=dt.date(2026, 3, 1), reviewed=dt.date(2026, 5, 2))
    plans = [rules.plan_definition(replace(told, signed=signed), TITLES) for told in book.told]

    assert [(each["status"], each["experimental"]) for each in plans] == [("active", False), ("draft", True)]
    assert {(each["approvalDate"], each["lastReviewDate"]) for each in plans} == {("2026-03-01", "2026-05-02")}


def test_only_a_sign_off_that_fits_the_rule_as_it_is_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that was changed since somebody signed is unsigned."""
    signed, changed, *_ = RULES.values()
    hashes = {signed: basis.content_hash(signed), changed: "0" * 64}
    days = (dt.date(2026, 5, 2), dt.date(2026, 3, 1))
    shipped = tuple(
        signoffs.SignOff(rule.id, rule.version, content_, "A. Reviewer", "neurologist", day)
        for rule, content_ in hashes.items()
        for day in days
    )
    monkeypatch.setattr(signoffs, "shipped", lambda: shipped)

    assert signatures(RULES.values()) == {signed.id: SignOff(approved=days[1], reviewed=days[0])}


def test_a_rule_without_page_parts_or_numbers_is_still_valid(book: RuleBook) -> None:
    told = book.told[0]
    bare = replace(told, rule=replace(told.rule, doc="A finding."), numbers=(), look_ups=(), orders=(), grade=None)
    plan, library = rules.plan_definition(bare, {}), rules.library(bare)

    assert (plan["title"], plan["description"]) == (f"{told.rule.id}: A finding", "A finding.")
    assert {"effectivePeriod", "purpose"}.isdisjoint(plan)
    assert {"parameter", "dataRequirement"}.isdisjoint(library)


def test_documents_have_an_address_only_where_somebody_opened_one(exported: Mapping[str, Json]) -> None:
    known = {source.title: source for source in content.sources().values()}
    told = [each for rule in RULES for each in artifact(exported, "PlanDefinition", rule)["relatedArtifact"]]

    assert {each["citation"] for each in told} <= set(known)
    assert [each for each in told if each.get("url", "") != known[each["citation"]].url] == []
    assert {each["type"] for each in told if known[each["citation"]].id == rules.POLICY} <= {"justification"}


def test_grades_are_the_mapped_ones_and_keep_the_words_of_the_guideline(exported: Mapping[str, Json]) -> None:
    texts = installed()[0].texts("en")
    for rule in RULES.values():
        (action,) = artifact(exported, "PlanDefinition", rule.id)["action"]
        told = {each["url"]: each["valueCodeableConcept"] for each in action.get("extension", ())}
        grade = grades().get(rule.strength, Grade())
        codes = {url: concept["coding"][0]["code"] for url, concept in told.items() if "coding" in concept}

        assert codes == {
            url: code for url, code in ((rules.STRENGTH, grade.strength), (rules.DIRECTION, grade.direction)) if code
        }
        assert told.get(rules.CERTAINTY, {"text": ""}) == {"text": grade.certainty}
        if rule.kind is Kind.ACTION:
            assert told[rules.STRENGTH]["text"] == texts.strength[rule.strength]


def test_every_mapped_strength_exists() -> None:
    assert sorted(set(grades()) - set(installed()[0].texts("en").strength)) == []


# --- what rules read ----------------------------------------------------------------------------------------------------
class _Reading(Thresholds):
    """The numbers in force, noting which are read."""

    def __init__(self, values: Thresholds, as_of: dt.date) -> None:
        super().__init__((values[key] for key in values), as_of)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Threshold:
        self.read.add(key)
        return super().__getitem__(key)

    def optional(self, key: str) -> Threshold | None:
        found = super().optional(key)
        self.read.update([key] if found else [])
        return found


def test_numbers_and_orders_of_every_vignette_are_among_those_of_its_rule(exported: Mapping[str, Json]) -> None:
    """A patient with whom a rule reads a number, or offers an order, that its artifacts do not name."""
    missing = set()
    for case in all_cases():
        numbers = _Reading(CLINIC.thresholds(case.as_of), case.as_of)
        # a change of an order that is being written is no artifact
        offered = {each.order for each in case.outcome(numbers).finding.propose if not each.target}
        (action,) = artifact(exported, "PlanDefinition", case.rule)["action"]
        named = {each["name"] for each in artifact(exported, "Library", case.rule).get("parameter", ())}
        named |= {each["definitionCanonical"].rsplit("/", 1)[1] for each in action.get("action", ())}
        missing |= {(case.rule, key) for key in (numbers.read | offered) - named}

    assert sorted(missing) == []


@every_rule
def test_numbers_are_those_of_the_guidelines(exported: Mapping[str, Json], rule: Rule) -> None:
    library = artifact(exported, "Library", rule.id)
    numbers = Thresholds(content.all_thresholds(), dt.date.max)
    for each in library.get("parameter", ()):
        number, quantity = numbers[each["name"]], each["extension"][0]["valueQuantity"]
        assert (Decimal(str(quantity["value"])), quantity["code"]) == (number.value, number.unit)
        assert number.source.label in each["documentation"]
    if "parameter" in library:
        since = max(numbers[each["name"]].since for each in library["parameter"])
        assert library["effectivePeriod"] == {"start": since.isoformat()}


def test_what_is_looked_for_is_asked_by_value_set(exported: Mapping[str, Json]) -> None:
    """MS-03 rests on the diagnosis of MS and on FRAX on record, and on nothing else but the patient."""
    asked = {
        (each["type"], filter_["path"], filter_["valueSet"])
        for each in artifact(exported, "Library", "MS-03")["dataRequirement"]
        for filter_ in each.get("codeFilter", ())
    }

    assert ("Condition", "code", f"{BASE}ValueSet/ms.condition") in asked
    assert ("Observation", "code", f"{BASE}ValueSet/fracture-risk.frax-mof") in asked
    assert {"type": "Patient"} in artifact(exported, "Library", "MS-03")["dataRequirement"]


# --- words --------------------------------------------------------------------------------------------------------------
_REASSURES = re.compile(
    r"no risk\b(?! (factor|score))|reassur|nothing to worry"
    r"|(bones?|bone health|patients?) (is|are|looks?) (normal|fine|safe|healthy)",
    re.IGNORECASE,
)


def test_s1_no_text_of_ours_reassures(exported: Mapping[str, Json]) -> None:
    """Terms of code systems and names of codes are not ours; what a score is called is no word about a person."""
    ours = ("title", "description", "purpose", "usage", "action", "parameter", "relatedArtifact")
    told = (strings({key: each[key] for key in ours if key in each}) for each in exported.values())

    assert {text for texts in told for text in texts if _REASSURES.search(text)} == set()


def test_s1_every_rule_says_that_silence_means_nothing(exported: Mapping[str, Json]) -> None:
    for rule in RULES:
        assert "gives no advice says nothing about the patient" in artifact(exported, "PlanDefinition", rule)["usage"]
