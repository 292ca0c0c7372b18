"""From a call, or a whole record, to records of one proven patient (S2-S5; safety.md D1-D4, D6; protocol.md G)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from cds_service.engine.gather import from_bundle, gather
from cds_service.formats import strict_json
from cds_service.kernel.errors import InputError, JsonRefused, PatientMismatch
from cds_service.kernel.facts import GapKind
from cds_service.kernel.needs import LookupState, Need, Records

OURS = "https://ehr.example.org/fhir"
OTHER = "https://other.example.org/fhir"
NEEDS = (
    Need("patient", "Patient", by_id=True),
    Need("vitamin-d", "Observation"),
    Need("bone-density", "Observation"),
    Need("conditions", "Condition"),
    Need("orders", "MedicationRequest"),
)
SEARCHES = [need for need in NEEDS if not need.by_id]

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """The parts of a CDS Hooks request that are read."""

    prefetch: Mapping[str, Any]
    patient_id: str = "1"
    fhir_server: str | None = OURS
    encounter_id: str | None = None
    hook: str = "patient-view"
    context: Mapping[str, Any] = field(default_factory=dict)


def call(prefetch: Json, server: str | None = OURS) -> Call:
    """A call that went through JSON text, as every call does."""
    return Call(strict_json.load(json.dumps(prefetch).encode()), fhir_server=server)


def resource(kind: str, ident: str, patient: str | None = "Patient/1") -> Json:
    subject = {} if patient is None else {"subject": {"reference": patient}}
    return {"resourceType": kind, "id": ident, **subject}


def bundle(*resources: Json, base: str = OURS, kind: str = "searchset", **more: Any) -> Json:
    entries = [{"fullUrl": f"{base}/{r['resourceType']}/{r.get('id')}", "resource": r} for r in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries, **more}


def prefetch(**changes: Any) -> Json:
    """Everything we ask for, fifty resources under each search."""
    full: Json = {"patient": {"resourceType": "Patient", "id": "1"}}
    for need in SEARCHES:
        full[need.key] = bundle(*(resource(need.resource_type, f"{need.key}-{n}") for n in range(50)))
    return {**full, **{key.replace("_", "-"): value for key, value in changes.items()}}


def states(records: Records) -> dict[str, LookupState]:
    return {need.key: records.lookup(need.key).state for need in NEEDS}


def counts(records: Records) -> dict[str, int]:
    return {need.key: len(records.lookup(need.key).resources) for need in NEEDS}


ALL_COMPLETE = {need.key: LookupState.COMPLETE for need in NEEDS}
FULL = {"patient": 1, "vitamin-d": 50, "bone-density": 50, "conditions": 50, "orders": 50}


# --- S2, S3: the states of a key reach the gap notes -----------------------------------------------------------------


def test_s4_a_clean_call_is_complete_and_reports_nothing() -> None:
    records = gather(call(prefetch()), NEEDS)
    assert (states(records), counts(records)) == (ALL_COMPLETE, FULL)
    assert (records.patient_id, records.extra, records.problems) == ("1", (), ())


def test_item_42_a_call_without_prefetch_has_every_key_not_supplied() -> None:
    records = gather(call({}), NEEDS)
    assert states(records) == dict.fromkeys(ALL_COMPLETE, LookupState.NOT_SUPPLIED)
    assert records.problems == ()


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
DENIED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
NEXT_PAGE = bundle(resource("Observation", "o"), link=[{"relation": "next", "url": "x"}])


@pytest.mark.parametrize(
    ("value", "state", "gap"),
    [
        pytest.param(None, LookupState.COMPLETE, None, id="item_40b-null"),
        pytest.param(bundle(), LookupState.COMPLETE, None, id="item_40c-empty"),
        pytest.param(OUTCOME, LookupState.FAILED, GapKind.FAILED, id="item_40d-failed"),
        pytest.param(DENIED, LookupState.NOT_PERMITTED, GapKind.NOT_PERMITTED, id="item_40d-athenahealth-403"),
        pytest.param(NEXT_PAGE, LookupState.PARTIAL, GapKind.PARTIAL, id="item_40e-next-page"),
        pytest.param("<html/>", LookupState.FAILED, GapKind.FAILED, id="B12-login-page"),
    ],
)
def test_s3_each_state_leaves_its_gap_and_leaves_the_other_keys_alone(
    value: Any, state: LookupState, gap: GapKind | None
) -> None:
    records = gather(call(prefetch(vitamin_d=value)), NEEDS)
    found = records.lookup("vitamin-d").gap("vitamin-d")
    assert (found.kind if found else None) == gap
    assert states(records) == {**ALL_COMPLETE, "vitamin-d": state}


def test_item_40a_an_absent_key_is_not_supplied() -> None:
    values = prefetch()
    del values["vitamin-d"]
    assert states(gather(call(values), NEEDS)) == {**ALL_COMPLETE, "vitamin-d": LookupState.NOT_SUPPLIED}


def test_s5_the_operator_hears_which_key_failed_and_why() -> None:
    records = gather(call(prefetch(vitamin_d=OUTCOME, orders=DENIED)), NEEDS)
    expected = ("vitamin-d: the server reported an error", "orders: the server may not show all of it")
    assert records.problems == expected


# --- D1: a foreign Patient refuses the call --------------------------------------------------------------------------

FOREIGN_PATIENT = {"resourceType": "Patient", "id": "2"}


@pytest.mark.parametrize("key", [*(need.key for need in NEEDS), "-user", "a-key-nobody-asked-for"])
def test_d1_a_foreign_patient_under_any_key_refuses_the_call(key: str) -> None:
    alone = {**prefetch(), key: FOREIGN_PATIENT}
    among = {**prefetch(), key: bundle(*(resource("Observation", f"o{n}") for n in range(50)), FOREIGN_PATIENT)}
    for values in (alone, among):
        with pytest.raises(PatientMismatch):
            gather(call(values), NEEDS)


def test_d1_s8_the_refusal_names_the_key_and_no_value() -> None:
    with pytest.raises(PatientMismatch) as refused:
        gather(call(prefetch(conditions={"resourceType": "Patient", "id": "secret-id"})), NEEDS)
    assert "conditions" in str(refused.value)
    assert "secret-id" not in str(refused.value)


def test_d1_s8_the_name_of_a_key_we_did_not_ask_for_is_not_repeated() -> None:
    with pytest.raises(PatientMismatch) as refused:
        gather(call({"Jane Doe": FOREIGN_PATIENT}), NEEDS)
    assert "Jane" not in str(refused.value)


def test_d3_the_same_patient_id_on_another_server_refuses_the_call() -> None:
    other = bundle({"resourceType": "Patient", "id": "1"}, base=OTHER)
    with pytest.raises(PatientMismatch):
        gather(call(prefetch(patient=other)), NEEDS)


# --- D2, D3: a foreign resource fails its whole key ------------------------------------------------------------------


@pytest.mark.parametrize("position", [0, 25, 50])
@pytest.mark.parametrize("need", SEARCHES, ids=lambda need: need.key)
def test_d2_one_foreign_resource_among_fifty_fails_the_whole_key(need: Need, position: int) -> None:
    values = prefetch()
    foreign = bundle(resource(need.resource_type, "x", "Patient/2"))["entry"][0]
    values[need.key]["entry"].insert(position, foreign)

    records = gather(call(values), NEEDS)

    assert states(records) == {**ALL_COMPLETE, need.key: LookupState.FAILED}
    assert counts(records) == {**FULL, need.key: 0}
    assert records.problems == (f"{need.key}: resources of another patient or another server: 1",)


def test_d3_one_resource_of_another_server_fails_the_whole_key() -> None:
    values = prefetch()
    values["conditions"]["entry"] += bundle(resource("Condition", "x"), base=OTHER)["entry"]
    values["orders"]["entry"][7]["resource"]["subject"]["reference"] = f"{OTHER}/Patient/1"
    expected = {**ALL_COMPLETE, "conditions": LookupState.FAILED, "orders": LookupState.FAILED}
    assert states(gather(call(values), NEEDS)) == expected


def test_d3_without_a_fhir_server_two_servers_prove_nothing() -> None:
    values = prefetch(orders=bundle(resource("MedicationRequest", "m"), base=OTHER))
    expected = {**dict.fromkeys(ALL_COMPLETE, LookupState.FAILED), "patient": LookupState.COMPLETE}
    assert states(gather(call(values, server=None), NEEDS)) == expected


def test_d3_without_a_fhir_server_one_server_is_enough() -> None:
    assert states(gather(call(prefetch(), server=None), NEEDS)) == ALL_COMPLETE


# --- D4: resources that do not say whose they are --------------------------------------------------------------------


@pytest.mark.parametrize("patient", [None, "urn:uuid:0", "#p", "Group/1"])
@pytest.mark.parametrize("need", SEARCHES, ids=lambda need: need.key)
def test_d4_an_unattributed_resource_is_not_used_and_the_key_is_partial(need: Need, patient: str | None) -> None:
    values = prefetch()
    values[need.key]["entry"] += bundle(resource(need.resource_type, "x", patient))["entry"]

    records = gather(call(values), NEEDS)

    assert states(records) == {**ALL_COMPLETE, need.key: LookupState.PARTIAL}
    assert counts(records) == FULL
    assert records.problems == (f"{need.key}: resources that do not say whose they are: 1",)


def test_d4_a_medication_needs_no_patient() -> None:
    values = prefetch(orders=bundle(resource("MedicationRequest", "m"), resource("Medication", "d", None)))
    records = gather(call(values), NEEDS)
    assert (states(records), counts(records)["orders"]) == (ALL_COMPLETE, 2)


# --- keys that we did not ask for ------------------------------------------------------------------------------------


def test_s2_a_key_we_did_not_ask_for_shows_presence_only() -> None:
    values = {"patient": {"resourceType": "Patient", "id": "1"}, "renamed": bundle(resource("Observation", "o"))}
    records = gather(call(values), NEEDS)
    assert [found["id"] for found in records.extra] == ["o"]
    assert states(records)["vitamin-d"] is LookupState.NOT_SUPPLIED


def test_d2_foreign_resources_under_such_a_key_are_left_out_and_reported() -> None:
    mixed = bundle(resource("Condition", "ours"), resource("Condition", "theirs", "Patient/2"))
    records = gather(call({**prefetch(), "renamed": mixed}), NEEDS)
    assert [found["id"] for found in records.extra] == ["ours"]
    expected = "a key that was not asked for (1): resources of another patient or another server: 1"
    assert (records.problems, states(records)) == ((expected,), ALL_COMPLETE)


def test_item_39_epic_sends_the_user_under_a_key_of_its_own() -> None:
    user = {"resourceType": "Practitioner", "id": "dr1"}
    records = gather(call({**prefetch(), "-user": user}), NEEDS)
    assert (records.extra, records.problems) == ((user,), ())


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, {"resourceType": 7}])
def test_item_45_odd_values_under_such_a_key_do_no_harm(value: Any) -> None:
    records = gather(call({**prefetch(), "odd": value}), NEEDS)
    assert (records.extra, states(records)) == ((), ALL_COMPLETE)


# --- D6 --------------------------------------------------------------------------------------------------------------


def test_d6_a_merged_record_is_reported() -> None:
    merged = {"resourceType": "Patient", "id": "1", "link": [{"type": "replaced-by"}]}
    expected = ("patient: the Patient record was merged into another one",)
    assert gather(call(prefetch(patient=merged)), NEEDS).problems == expected
    assert from_bundle(bundle(merged, kind="collection"), NEEDS).problems == expected


# --- a whole record --------------------------------------------------------------------------------------------------

PATIENT = {"resourceType": "Patient", "id": "1"}
RECORD = [PATIENT, resource("Observation", "o"), resource("Condition", "c"), resource("Claim", "x")]


def loaded(value: Any) -> Any:
    return strict_json.load(json.dumps(value).encode())


@pytest.mark.parametrize(
    "data",
    [
        *(
            pytest.param(loaded(bundle(*RECORD, kind=kind)), id=kind)
            for kind in ("collection", "searchset", "transaction", "batch", "document", "message")
        ),
        pytest.param(loaded(RECORD), id="list-of-resources"),
        pytest.param(loaded([bundle(*RECORD[:2]), bundle(*RECORD[2:])]), id="list-of-bundles"),
        pytest.param("\n".join(json.dumps(each) for each in RECORD), id="ndjson"),
        pytest.param("\n\r\n".join(json.dumps(each) for each in RECORD) + "\n", id="ndjson-with-blank-lines"),
    ],
)
def test_explain_reads_a_whole_record_in_every_form(data: object) -> None:
    records = from_bundle(data, NEEDS)
    expected = {"patient": 1, "vitamin-d": 1, "bone-density": 1, "conditions": 1, "orders": 0}
    assert (states(records), counts(records)) == (ALL_COMPLETE, expected)
    assert ([found["id"] for found in records.extra], records.problems) == (["x"], ())


def test_explain_reads_a_lone_patient() -> None:
    assert from_bundle(loaded(PATIENT), NEEDS).lookup("patient").resources == (PATIENT,)


def test_explain_reads_synthea_transactions() -> None:
    """Synthea: `urn:uuid` everywhere, and conditional references to practitioners."""
    uuid = "urn:uuid:43b6ae50-2cca-4934-ad38-282f8934b770"
    order = {**resource("MedicationRequest", "m", uuid), "requester": {"reference": "Practitioner?identifier=x|7"}}
    entries = [
        {"fullUrl": uuid, "resource": {"resourceType": "Patient", "id": "43b6ae50-2cca-4934-ad38-282f8934b770"}},
        {"fullUrl": "urn:uuid:2", "resource": order, "request": {"method": "POST", "url": "MedicationRequest"}},
    ]
    records = from_bundle(loaded({"resourceType": "Bundle", "type": "transaction", "entry": entries}), NEEDS)
    assert (records.patient_id, counts(records)["orders"]) == ("43b6ae50-2cca-4934-ad38-282f8934b770", 1)


def test_explain_reads_resources_that_have_their_id_in_the_full_url_only() -> None:
    """The NHS e-prescription messages: neither the Patient nor the MedicationRequest has an id."""
    entries = [
        {"fullUrl": "urn:uuid:78d3", "resource": {"resourceType": "Patient"}},
        {
            "fullUrl": "urn:uuid:fa30",
            "resource": {"resourceType": "MedicationRequest", "subject": {"reference": "urn:uuid:78d3"}},
        },
    ]
    records = from_bundle(loaded({"resourceType": "Bundle", "type": "message", "entry": entries}), NEEDS)
    found = [order["id"] for order in records.lookup("orders").resources]
    assert (records.patient_id, found, records.problems) == ("78d3", ["fa30"], ())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(bundle(*RECORD[1:]), "no Patient resource was found", id="no-patient"),
        pytest.param({}, "no Patient resource was found", id="not-fhir"),
        pytest.param(7, "no Patient resource was found", id="number"),
        pytest.param("", "no Patient resource was found", id="empty-text"),
        pytest.param([PATIENT, FOREIGN_PATIENT], "2 Patient resources were found", id="two-patients"),
        pytest.param([{"resourceType": "Patient"}], "the Patient has no id", id="no-id"),
    ],
)
def test_explain_needs_exactly_one_patient(data: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_bundle(data, NEEDS)


def test_d9_two_versions_of_one_patient_are_one_patient() -> None:
    assert from_bundle([PATIENT, {**PATIENT, "meta": {"versionId": "2"}}], NEEDS).patient_id == "1"


def test_d2_explain_refuses_data_of_other_patients_and_says_how_much() -> None:
    foreign = [resource("Observation", "x", "Patient/2"), resource("Observation", "y", "Patient/3")]
    odd = resource("<b>", "z", "Patient/2")
    with pytest.raises(PatientMismatch, match="Observation 2, resource 1"):
        from_bundle([*RECORD, *foreign, odd], NEEDS)


def test_d4_in_a_whole_record_unattributed_resources_leave_their_type_partial() -> None:
    records = from_bundle([*RECORD, resource("Observation", "x", None)], NEEDS)
    partial = {"vitamin-d": LookupState.PARTIAL, "bone-density": LookupState.PARTIAL}
    assert states(records) == {**ALL_COMPLETE, **partial}
    assert (counts(records)["vitamin-d"], records.problems) == (
        1,
        ("resources that do not say whose they are: Observation 1",),
    )


@pytest.mark.parametrize(
    ("odd", "problem"),
    [
        pytest.param({"id": "x"}, "entries that could not be read: 1", id="no-resource-type"),
        pytest.param("x", "entries that could not be read: 1", id="text"),
        pytest.param(OUTCOME, "the server reported an error", id="export-error"),
        pytest.param(NEXT_PAGE, "there are more pages than were sent", id="first-page-of-everything"),
    ],
)
def test_s2_in_a_whole_record_what_could_not_be_read_leaves_everything_partial(odd: Any, problem: str) -> None:
    records = from_bundle([*RECORD, odd], NEEDS)
    assert states(records) == dict.fromkeys(ALL_COMPLETE, LookupState.PARTIAL)
    assert records.problems == (problem,)


def test_c_ndjson_with_a_broken_line_is_refused_with_its_number() -> None:
    text = json.dumps(PATIENT) + '\n{"resourceType": "Observation", "note": "Jane'
    with pytest.raises(JsonRefused, match="line 2") as refused:
        from_bundle(text, NEEDS)
    assert "Jane" not in str(refused.value)


def test_explain_splits_ndjson_at_line_feeds_only() -> None:
    """U+2028 and U+0085 end a line in Python, but are ordinary characters in a JSON text."""
    note = json.dumps({**RECORD[1], "note": [{"text": "one\u2028two\u0085three"}]}, ensure_ascii=False)
    assert counts(from_bundle(f"{json.dumps(PATIENT)}\n{note}", NEEDS))["vitamin-d"] == 1
