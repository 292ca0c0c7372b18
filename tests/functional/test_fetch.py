"""What the prefetch of a call lacks comes from its FHIR server, and is treated like the rest (S2, S4, S9; protocol.md D, G).

Each test says what the client sent, what its server holds or does, and what is then known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import bonecds_kit
from bonecds_kit.faultfhir import VENDORS, FaultFhir, Quirks
from cds_service.clinical import profiles
from cds_service.clinical.needs import (
    CONDITIONS,
    MEDICATION_DISPENSES,
    MEDICATION_REQUESTS,
    MEDICATION_STATEMENTS,
    PATIENT,
    VITAMIN_D,
)
from cds_service.engine.answer import answer
from cds_service.engine.gather import gather
from cds_service.kernel.needs import LookupState
from cds_service.protocol.request import parse
from hooks.patient_view import SERVICE
from tests.support import ehr as example
from tests.support import golden
from tests.support.ehr import Call, condition, fetcher, gathered, ids, order, results, server_of, states
from tests.support.golden import Scenario, scenarios

COMPLETE, PARTIAL = LookupState.COMPLETE, LookupState.PARTIAL
FAILED, NOT_PERMITTED = LookupState.FAILED, LookupState.NOT_PERMITTED
Json = dict[str, Any]
US = profiles.profile("us")
# with a failed look-up the call knows less than the server; orders are another hook
WHOLE = [
    each
    for each in scenarios()
    if not each.refused and not each.failed_keys and each.json("request.json")["hook"] == "patient-view"
]


def bundle(*resources: Json, **more: Any) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in resources], **more}


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
DENIED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}


# --- which keys


def test_item_44_only_what_is_missing_is_fetched() -> None:
    with FaultFhir([example.PATIENT, condition(1), *results(2)]) as ehr:
        sent = {"patient": example.PATIENT, "conditions": bundle(condition(7))}
        records = gathered(ehr, PATIENT, CONDITIONS, VITAMIN_D, prefetch=sent)
        assert [each.kind for each in ehr.requests] == ["Observation"]
    assert states(records, (PATIENT, CONDITIONS, VITAMIN_D)) == dict.fromkeys(
        ("patient", "conditions", "vitaminD"), COMPLETE
    )
    assert ids(records.lookup("conditions").resources) == ["c7"]


def test_item_40_with_a_complete_prefetch_nothing_is_asked_for() -> None:
    with FaultFhir([example.PATIENT]) as ehr:
        sent = {"patient": example.PATIENT, "conditions": bundle(), "vitaminD": None}
        gathered(ehr, PATIENT, CONDITIONS, VITAMIN_D, prefetch=sent)
        assert ehr.requests == []


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        (OUTCOME, True),
        ({"resourceType": "Bundle", "type": "searchset", "total": 7}, True),
        (bundle(condition(1), link=[{"relation": "next", "url": "x"}]), True),
        ("text", True),
        (DENIED, False),
        (None, False),
    ],
)
def test_item_40_which_states_of_a_key_are_fetched(sent: object, asked: bool) -> None:
    with FaultFhir([condition(1), condition(2)]) as ehr:
        gathered(ehr, CONDITIONS, prefetch={"conditions": sent})
        assert bool(ehr.requests) == asked


def test_s2_without_a_fetcher_only_what_was_sent_is_read() -> None:
    records = gather(Call("https://ehr.example.org/fhir"), [CONDITIONS])
    assert records.lookup("conditions").state is LookupState.NOT_SUPPLIED


# --- both together


def test_what_was_sent_in_part_is_completed_and_counts_once() -> None:
    with FaultFhir([condition(1), condition(2)]) as ehr:
        sent = bundle(condition(1), condition(3), link=[{"relation": "next", "url": "x"}])
        found = gathered(ehr, CONDITIONS, prefetch={"conditions": sent}).lookup("conditions")
    assert (found.state, ids(found.resources), found.detail) == (COMPLETE, ["c1", "c2", "c3"], "")


def test_s2_what_was_sent_is_kept_where_the_server_fails() -> None:
    with FaultFhir([condition(1)]) as ehr:
        ehr.fault("500")
        sent = bundle(condition(1), link=[{"relation": "next", "url": "x"}])
        found = gathered(ehr, CONDITIONS, prefetch={"conditions": sent}).lookup("conditions")
    assert (found.state, ids(found.resources)) == (PARTIAL, ["c1"])
    assert found.detail == "there are more pages than were sent; the FHIR server answered HTTP 500"


@pytest.mark.parametrize(("fault", "state"), [("403", NOT_PERMITTED), ("500", FAILED), ("html", FAILED)])
def test_s3_what_the_server_said_is_the_reason_of_the_gap(fault: str, state: LookupState) -> None:
    with FaultFhir() as ehr:
        ehr.fault(fault)
        found = gathered(ehr, CONDITIONS).lookup("conditions")
    gap = found.gap("conditions")
    assert found.state is state
    assert gap is not None
    assert gap.detail == found.detail


def test_s5_the_operator_reads_what_went_wrong_and_where() -> None:
    with FaultFhir([example.PATIENT]) as ehr:
        ehr.fault("403", on="Condition")
        records = gathered(ehr, PATIENT, CONDITIONS)
    assert records.problems == ("FHIR server: conditions: not permitted, HTTP 403",)


def test_s9_what_came_in_time_is_there_and_the_rest_is_named() -> None:
    with FaultFhir([example.PATIENT, condition(1), *results(45)], quirks=example.PAGES_OF_20) as ehr:
        ehr.fault("hang", on="Observation", page=2)
        ehr.fault("drip-body", on="MedicationRequest")
        records = gathered(ehr, PATIENT, CONDITIONS, VITAMIN_D, MEDICATION_REQUESTS, seconds=0.6)
    assert states(records, (PATIENT, CONDITIONS, VITAMIN_D, MEDICATION_REQUESTS)) == {
        "patient": COMPLETE,
        "conditions": COMPLETE,
        "vitaminD": PARTIAL,
        "medicationRequests": FAILED,
    }
    assert len(records.lookup("vitaminD").resources) == 20
    assert {records.lookup(key).detail for key in ("vitaminD", "medicationRequests")} == {"not in time"}


# --- medications by reference

DRUG = {"resourceType": "Medication", "id": "d1", "code": {"text": "prednisone"}}
OTHER_DRUG = {"resourceType": "Medication", "id": "d2", "code": {"text": "alendronate"}}


def medications_asked(ehr: FaultFhir) -> list[str]:
    return [each.path.partition("?")[2] for each in ehr.requests if each.kind == "Medication"]


def test_item_29_drugs_of_fetched_orders_are_looked_up_together() -> None:
    with FaultFhir([DRUG, OTHER_DRUG, order(1, "Medication/d1"), order(2, "Medication/d2/_history/3")]) as ehr:
        records = gathered(ehr, MEDICATION_REQUESTS)
        assert medications_asked(ehr) == ["_id=d1,d2"]
    assert ids(records.extra) == ["d1", "d2"]


def test_item_29_drugs_of_orders_in_the_prefetch_are_looked_up_too() -> None:
    with FaultFhir([DRUG]) as ehr:
        sent = {"medicationRequests": bundle(order(1, "Medication/d1"), order(2, f"{ehr.base}/Medication/d1"))}
        records = gathered(ehr, MEDICATION_REQUESTS, prefetch=sent)
        assert [each.path.rpartition("/")[2] for each in ehr.requests] == ["Medication?_id=d1"]
    assert ids(records.extra) == ["d1"]


def test_item_29_drugs_of_orders_being_written_are_looked_up_too() -> None:
    with FaultFhir([DRUG]) as ehr:
        draft = {**order(1, "Medication/d1"), "status": "draft", "intent": "order"}
        call = Call(ehr.base, hook="order-sign", context={"draftOrders": bundle(draft)})
        records = gather(call, [], fetcher(server_of(ehr)))
    assert ids(records.extra) == ["d1"]


def test_a_drug_that_came_along_is_not_asked_for() -> None:
    with FaultFhir([DRUG]) as ehr:
        sent = {"medicationRequests": bundle(order(1, "Medication/d1"), DRUG)}
        gathered(ehr, MEDICATION_REQUESTS, prefetch=sent)
        assert ehr.requests == []


@pytest.mark.parametrize("reference", ["#d1", "urn:uuid:d1", "Medication/", "Substance/d1", "Medication/a,b", ""])
def test_b7_what_is_no_reference_to_a_medication_here_is_not_asked_for(reference: str) -> None:
    with FaultFhir([DRUG]) as ehr:
        gathered(ehr, MEDICATION_REQUESTS, prefetch={"medicationRequests": bundle(order(1, reference))})
        assert ehr.requests == []


@pytest.mark.parametrize("fault", ["403", "404", "hang", "html", "foreign-entry", "lenient-patient"])
def test_s2_a_drug_that_cannot_be_read_leaves_the_orders_as_they_are(fault: str) -> None:
    with FaultFhir([order(1, "Medication/d1")]) as ehr:
        ehr.fault(fault, on="Medication")
        records = gathered(ehr, MEDICATION_REQUESTS, seconds=0.6)
    assert (records.lookup("medicationRequests").state, records.extra) == (COMPLETE, ())
    assert records.problems[0].startswith("FHIR server: medications: ")
    assert records.problems[0].endswith("medications that could not be read: 1")


def test_drugs_are_there_although_another_key_hangs() -> None:
    with FaultFhir([DRUG, order(1, "Medication/d1")]) as ehr:
        ehr.fault("hang", on="Condition")
        records = gathered(ehr, CONDITIONS, MEDICATION_REQUESTS, seconds=0.6)
    assert ids(records.extra) == ["d1"]


def test_b7_only_drugs_that_were_asked_for_are_taken() -> None:
    with FaultFhir([DRUG, OTHER_DRUG, order(1, "Medication/d1")]) as ehr:
        ehr.fault("lenient-id", on="Medication")  # gives every Medication that it has
        records = gathered(ehr, MEDICATION_REQUESTS)
    assert ids(records.extra) == ["d1"]


# --- vendors

CHART = [
    example.PATIENT,
    *(condition(number) for number in range(60)),
    *results(60),
    *(order(number, f"Medication/d{number % 2 + 1}") for number in range(3)),
    DRUG,
    OTHER_DRUG,
]
VENDOR_NEEDS = (PATIENT, CONDITIONS, VITAMIN_D, MEDICATION_REQUESTS, MEDICATION_DISPENSES, MEDICATION_STATEMENTS)
EXCEPT = {
    "epic": {"medicationDispenses": NOT_PERMITTED},
    "athenahealth": {"medicationRequests": NOT_PERMITTED},
    "drchrono": {"medicationStatements": FAILED},
    # it says neither what was searched for nor how much there is: an empty page proves nothing
    "medhost": {"medicationDispenses": PARTIAL, "medicationStatements": PARTIAL},
}
DIALECT = {"inferno": "generic", "medhost": "generic"}


@pytest.mark.parametrize("name", VENDORS)
def test_servers_of_vendors_as_they_were_seen(name: str) -> None:
    with FaultFhir(CHART, quirks=VENDORS[name]) as ehr:
        by = fetcher(example.server_of(ehr, DIALECT.get(name, name)))
        records = gather(Call(ehr.base), VENDOR_NEEDS, by)
    expected = {need.key: COMPLETE for need in VENDOR_NEEDS} | EXCEPT.get(name, {})
    assert states(records, VENDOR_NEEDS) == expected
    found = {key: len(lookup.resources) for key, lookup in records.lookups.items() if expected[key] is COMPLETE}
    assert found | {"medicationRequests": 3} == {
        **{need.key: 0 for need in VENDOR_NEEDS if expected[need.key] is COMPLETE},
        "patient": 1,
        "conditions": 60,
        "vitaminD": 60,
        "medicationRequests": 3,
    }


def test_nextgen_pages_below_another_spelling_of_the_path_need_the_dialect() -> None:
    with FaultFhir(results(60), quirks=VENDORS["nextgen"]) as ehr:
        found = [
            gather(Call(ehr.base), [VITAMIN_D], fetcher(server_of(ehr, name))).lookup("vitaminD").state
            for name in ("nextgen", "generic")
        ]
    assert found == [COMPLETE, PARTIAL]


def test_eclinicalworks_refuses_count_so_its_dialect_sends_none() -> None:
    with FaultFhir([condition(1)], quirks=VENDORS["eclinicalworks"]) as ehr:
        found = [
            gather(Call(ehr.base), [CONDITIONS], fetcher(server_of(ehr, name))).lookup("conditions").state
            for name in ("eclinicalworks", "generic")
        ]
    assert found == [COMPLETE, FAILED]


def test_a_server_that_knows_no_search_by_code_is_asked_by_category_and_that_proves_no_absence() -> None:
    with FaultFhir(results(3), quirks=Quirks(refused_parameters=("code",))) as ehr:
        found = gathered(ehr, VITAMIN_D).lookup("vitaminD")
        assert ["code=" in each.path for each in ehr.requests] == [True, False]
    assert (found.state, len(found.resources)) == (PARTIAL, 3)
    assert found.detail == "searched by category: what has none, or another, was not looked at"


def test_epic_a_category_that_the_client_may_not_see_refuses_the_whole_second_try() -> None:
    with FaultFhir(results(3), quirks=Quirks(refused_parameters=("code",), suppressed=("survey",))) as ehr:
        states_ = [
            gather(Call(ehr.base), [VITAMIN_D], fetcher(server_of(ehr, name))).lookup("vitaminD").state
            for name in ("generic", "epic")
        ]
    assert states_ == [NOT_PERMITTED, PARTIAL]


# --- from bytes to cards


@pytest.mark.parametrize("scenario", WHOLE, ids=str)
def test_a_call_without_prefetch_gets_the_cards_of_the_same_call_with_it(scenario: Scenario) -> None:
    """Every invented patient-view patient, the whole record at the FHIR server and nothing in the call."""
    request = scenario.json("request.json")
    record = [each["resource"] for each in scenario.json("bundle.json")["entry"]]
    with FaultFhir(record, quirks=Quirks(page_size=50)) as ehr:
        del request["prefetch"]
        request["fhirServer"] = ehr.base
        request["fhirAuthorization"] = {"access_token": ehr.token, "token_type": "Bearer"}
        call, day = parse(request, hook=request["hook"]), golden.AS_OF
        found = answer(SERVICE, call, as_of=day, profile=US, fetcher=fetcher(server_of(ehr)))
    assert found.account.key_states == {"complete": len(SERVICE.needs)}
    assert found.to_json() == scenario.json("cards.json")


def test_f1_a_token_is_in_no_repr_of_a_call() -> None:
    request = {"hook": "patient-view", "hookInstance": "1", "context": {"userId": "Practitioner/1", "patientId": "p1"}}
    authorization = {"fhirServer": "https://ehr.example.org/fhir", "fhirAuthorization": {"access_token": "s3cr3t"}}
    call = parse({**request, **authorization}, hook="patient-view")
    assert call.access_token == "s3cr3t"  # noqa: S105 (of a test)
    assert "s3cr3t" not in repr(call) + str(call)


def test_the_kit_imports_nothing_of_the_service() -> None:
    folder = Path(bonecds_kit.__file__).parent / "faultfhir"
    assert not [file.name for file in folder.rglob("*.py") if "cds_service" in file.read_text("utf-8")]
