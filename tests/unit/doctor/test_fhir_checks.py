"""What a FHIR server declares, what a token was granted, and what to do where a look-up went wrong."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bonecds_kit.faultfhir import pages
from cds_service.clinical.needs import CONDITIONS, MEDICATION_REQUESTS, PATIENT, VITAMIN_D
from cds_service.doctor.checks import fhir
from cds_service.doctor.finding import Finding, Level
from cds_service.fhir.answers import Answer, AnswerState
from cds_service.formats.urls import parse_base
from cds_service.kernel.needs import Lookup, LookupState
from cds_service.security.clients import Client

BASE = parse_base("https://ehr.example.org/r4")
NEEDS = (PATIENT, CONDITIONS, VITAMIN_D)
GOOD = pages.capability(str(BASE))


def declared(**changes: Any) -> list[Finding]:
    return list(fhir.metadata(BASE, {**GOOD, **changes}, NEEDS))


# --- metadata


def test_a_server_that_declares_everything_passes() -> None:
    (found,) = declared()
    assert (found.level, found.seen) == (Level.PASS, "fhirVersion 4.0.1, and every search we use is declared")


@pytest.mark.parametrize("version", ["3.0.2", "4.3.0", "5.0.0", "", "4.0.1<script>"])
def test_another_version_of_fhir_fails_with_its_fix(version: str) -> None:
    found = declared(fhirVersion=version)
    if version == "4.0.1<script>":
        assert found[0].seen.startswith("fhirVersion of a form")
        return
    assert found[0].level is Level.FAIL
    assert "R4" in found[0].fix


def test_a_search_that_is_not_declared_is_named_by_type_and_parameter() -> None:
    body = copy.deepcopy(GOOD)
    resources = body["rest"][0]["resource"]
    resources[:] = [each for each in resources if each["type"] != "Condition"]
    next(each for each in resources if each["type"] == "Observation")["searchParam"] = [{"name": "patient"}]
    (found,) = fhir.metadata(BASE, body, NEEDS)
    assert (found.level, found.details) == (Level.WARN, ("Condition: the whole type", "Observation: search by code"))


def test_a_server_that_knows_itself_by_another_address_is_said() -> None:
    _, found = declared(implementation={"url": "https://inner.example.org/r4"})
    assert found.level is Level.WARN
    assert "fhirServer" in found.fix


@pytest.mark.parametrize("url", [None, "https://EHR.example.org:443/r4/"])
def test_the_same_address_in_another_spelling_is_the_same(url: str | None) -> None:
    assert [each.level for each in declared(implementation={"url": url})] == [Level.PASS]


@pytest.mark.parametrize("body", [None, [], {}, {"resourceType": "OperationOutcome"}, {"resourceType": 4}])
def test_what_is_no_capability_statement_fails(body: object) -> None:
    (found,) = fhir.metadata(BASE, body, NEEDS)
    assert found.level is Level.FAIL


@pytest.mark.parametrize(
    "junk", [None, 7, "x", [None], {"resource": 4}, [{"resource": [{"type": [], "searchParam": 1}]}]]
)
def test_an_odd_capability_statement_never_raises(junk: Any) -> None:
    assert Level.WARN in [each.level for each in declared(rest=junk)]


# --- scopes


def granted(scope: str, *not_kept: str) -> list[tuple[Level, tuple[str, ...]]]:
    return [(each.level, each.details) for each in fhir.scopes(scope, NEEDS, not_kept, str(BASE))]


PASS: list[tuple[Level, tuple[str, ...]]] = [(Level.PASS, ())]


@pytest.mark.parametrize(
    "scope",
    [
        "patient/*.read",
        "launch openid patient/*.rs",
        "system/*.*",
        "user/Patient.r user/Condition.rs user/Observation.cruds user/Medication.rs",
        "patient/Patient.read patient/Condition.read patient/Observation.read patient/Medication.read",
    ],
)
def test_the_scopes_of_both_smart_versions_are_understood(scope: str) -> None:
    assert granted(scope) == PASS


def test_a_missing_scope_fails_and_is_named() -> None:
    assert granted("patient/Patient.r patient/Condition.rs patient/Medication.rs") == [
        (Level.FAIL, ("patient/Observation.rs",))
    ]


@pytest.mark.parametrize("scope", ["patient/Observation.r", "patient/Observation.s", "patient/Observation.write"])
def test_to_search_takes_both_letters(scope: str) -> None:
    (first, *_) = granted(f"patient/Patient.r patient/Condition.rs patient/Medication.rs {scope}")
    assert first == (Level.FAIL, ("patient/Observation.rs",))


def test_a_scope_with_a_query_reaches_a_part_only() -> None:
    found = granted(
        "patient/Patient.r patient/Condition.rs patient/Medication.rs patient/Observation.rs?category=laboratory"
    )
    assert found == [(Level.WARN, ("patient/Observation.rs",))]


def test_what_the_site_does_not_keep_needs_no_scope() -> None:
    assert granted("patient/Patient.r patient/Condition.rs patient/Medication.rs", "vitaminD") == PASS


def test_drugs_by_reference_need_a_scope_that_no_look_up_has() -> None:
    levels = [level for level, _ in granted("patient/Patient.r patient/Condition.rs patient/Observation.rs")]
    assert levels == [Level.WARN, Level.PASS]


def test_words_of_a_vendor_are_no_scopes() -> None:
    ((level, _),) = granted("Observation.Read (Labs) (R4)")
    assert level is Level.WARN


# --- look-ups


@pytest.mark.parametrize(
    ("state", "level"),
    [
        (LookupState.COMPLETE, Level.PASS),
        (LookupState.PARTIAL, Level.WARN),
        (LookupState.FAILED, Level.FAIL),
        (LookupState.NOT_PERMITTED, Level.FAIL),
    ],
)
def test_only_a_look_up_that_completed_passes(state: LookupState, level: Level) -> None:
    found = fhir.search(CONDITIONS, Lookup(state, (), "HTTP 500"), ())
    assert found.level is level
    assert bool(found.fix) is (level is not Level.PASS)


def test_what_the_site_does_not_keep_may_be_refused() -> None:
    found = fhir.search(MEDICATION_REQUESTS, Lookup(LookupState.NOT_PERMITTED), ("medicationRequests",))
    assert found.level is Level.SKIPPED


@pytest.mark.parametrize(("seconds", "level"), [(2.5, Level.PASS), (2.6, Level.WARN)])
def test_all_look_ups_have_one_deadline(seconds: float, level: Level) -> None:
    assert fhir.in_time(seconds, 2.5, str(BASE)).level is level


def test_templates_that_an_ehr_cannot_fill_whole_are_named_by_key() -> None:
    answers = {
        "patient": Answer(AnswerState.DATA),
        "conditions": Answer(AnswerState.EMPTY),
        "vitaminD": Answer(AnswerState.PARTIAL, detail="there are more pages than were sent"),
        "procedures": Answer(AnswerState.FAILED, detail="the server reported an error"),
    }
    first, partial, failed = fhir.prefetch(answers, str(BASE))
    assert (first.level, first.seen) == (Level.PASS, "2 of 4 templates are answered whole in one page")
    assert (partial.about, partial.level) == ("vitaminD", Level.WARN)
    assert (failed.about, failed.level) == ("procedures", Level.WARN)
    assert partial.fix != failed.fix


def test_a_client_without_fhir_servers_uses_prefetch_only() -> None:
    assert [each.level for each in fhir.allowed(Client("north", "iss"))] == [Level.SKIPPED]
    assert [each.level for each in fhir.allowed(Client("north", "iss", fhir_bases=(BASE,)))] == [Level.PASS]
