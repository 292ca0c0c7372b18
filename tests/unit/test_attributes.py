"""The source attributes of every rule: complete, stated, and true: what is "not used" may change without anything changing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from cds_service.clinical import attributes
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.needs import PATIENT
from cds_service.clinical.terminology import terminology
from cds_service.formats import strict_toml
from cds_service.kernel.needs import Lookup, Records
from cds_service.kernel.rules import Rule, decide
from hooks.patient_view import SERVICE
from tests.support.cases import RULES, Case, all_cases

every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
SEX, HEALTH = 10, 13
HEALTH_STATUS = ("ms.EDSS", "mobility", "falls", "cond.pregnancy", "cond.frailty", "lifestyle", "smoking", "alcohol")
NAMES = [
    "bibliographic citation", "developer", "funding source", "release and revision dates", "race", "ethnicity", "language",
    "sexual orientation", "gender identity", "sex", "date of birth", "social determinants of health data",
    "health status assessments data",
]  # fmt: skip


# --- stated ----------------------------------------------------------------------------------------------------------
@every_rule
def test_the_thirteen_attributes_are_there_in_order_and_none_is_empty(rule: Rule) -> None:
    told = attributes.attributes(rule)

    assert [each.name for each in told] == NAMES
    assert [each.number for each in told] == list(range(1, len(NAMES) + 1))
    assert all(each.value for each in told)


@every_rule
def test_what_is_not_used_says_so(rule: Rule) -> None:
    assert [each.value for each in attributes.attributes(rule) if not each.used and "not used" not in each.value] == []


@every_rule
def test_no_rule_uses_race_ethnicity_language_orientation_identity_or_social_data(rule: Rule) -> None:
    """DESIGN: no race or ethnicity as input; safety.md 6."""
    told = attributes.attributes(rule)

    assert [each.name for each in told[4:9] if each.used] == []
    assert not told[11].used


def test_facts_named_in_the_file_exist() -> None:
    told = strict_toml.load(attributes.content.read(attributes.FILE), attributes.FILE, {"type": "object"})
    named = {fact for use in told["use"] for fact in use.get("facts", ())}

    assert sorted(named - set(vars(attributes.Patient))) == []


def test_the_document_is_plain_json_with_every_rule_once() -> None:
    told = json.loads(json.dumps(attributes.document(SERVICE.rules)))

    assert [each["rule"] for each in told["rules"]] == [rule.id for rule in SERVICE.rules]
    assert {len(each["attributes"]) for each in told["rules"]} == {len(NAMES)}


# --- true ------------------------------------------------------------------------------------------------------------
@every_rule
def test_what_is_stated_as_not_used_changes_no_answer(rule: Rule) -> None:
    """Every vignette is asked again with the attribute changed; not one criterion, value or gap may differ."""
    changed = [str(case) for case in _cases(rule) for change in _unused(rule) if _seen(case) != _seen(case, change)]

    assert changed == []


def test_the_changes_would_be_noticed() -> None:
    """Where sex and health status are used, changing them changes answers: the test above can fail."""
    for number, change in ((SEX, _other_sex), (HEALTH, _without_health_status)):
        using = [case for case in all_cases() if attributes.attributes(RULES[case.rule])[number - 1].used]

        assert any(_seen(case) != _seen(case, change) for case in using)


def _cases(rule: Rule) -> list[Case]:
    return [case for case in all_cases() if case.rule == rule.id]


def _seen(case: Case, change: Callable[[Records], Records] = lambda records: records) -> object:
    numbers = CLINIC.thresholds(case.as_of)
    patient = CLINIC.facts(change(case.records), case.as_of, numbers, case.profile)
    outcome = decide(RULES[case.rule], patient, numbers)
    trees = [outcome.finding.applies, *([outcome.finding.satisfied_by] if outcome.finding.satisfied_by else [])]
    leaves = [(leaf.key, leaf.truth, leaf.found) for tree in trees for leaf in tree.leaves()]
    return outcome.verdict, dict(outcome.finding.values), outcome.missing, leaves


def _unused(rule: Rule) -> Iterator[Callable[[Records], Records]]:
    told = attributes.attributes(rule)
    yield _as_somebody_else
    if not told[SEX - 1].used:
        yield _other_sex
    if not told[HEALTH - 1].used:
        yield _without_health_status


# --- the same record, with one thing changed -------------------------------------------------------------------------
def _as_somebody_else(records: Records) -> Records:
    """Another race, ethnicity, language, gender identity and sexual orientation; social needs on record."""
    told = [
        {"url": f"{US_CORE}/us-core-race", "extension": [{"url": "text", "valueString": "Black"}]},
        {"url": f"{US_CORE}/us-core-ethnicity", "extension": [{"url": "text", "valueString": "Hispanic"}]},
        {"url": f"{US_CORE}/us-core-genderIdentity", "valueCodeableConcept": {"text": "Transgender"}},
    ]
    speaks = [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}]}, "preferred": True}]
    changed = _patient(records, lambda patient: {**patient, "extension": told, "communication": speaks})
    observed = [_observation("Sexual orientation", "Homosexual"), _observation("Housing status", "Homeless")]
    return replace(changed, extra=(*records.extra, *observed))


def _observation(name: str, answer: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name.replace(" ", "-"),
        "status": "final",
        "code": {"text": name},
        "effectiveDateTime": "2026-05-01",
        "valueCodeableConcept": {"text": answer},
    }


def _other_sex(records: Records) -> Records:
    other = {"female": "male", "male": "female"}
    return _patient(records, lambda patient: {**patient, "gender": other.get(patient.get("gender", ""), "female")})


def _patient(records: Records, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Records:
    found = records.lookup(PATIENT.key)
    changed = replace(found, resources=tuple(change(dict(each)) for each in found.resources))
    return replace(records, lookups={**records.lookups, PATIENT.key: changed})


def _without_health_status(records: Records) -> Records:
    return replace(records, lookups={key: _kept(found) for key, found in records.lookups.items()})


def _kept(found: Lookup) -> Lookup:
    def told(resource: Any) -> bool:
        concepts = terminology().concepts(resource.get("code"))
        uncoded = resource.get("resourceType") == "Observation" and not resource["code"].get("coding")
        return uncoded or any(concept.startswith(HEALTH_STATUS) for concept in concepts)

    return replace(found, resources=tuple(each for each in found.resources if not told(each)))
