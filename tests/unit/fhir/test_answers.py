"""The states of a prefetch value (protocol.md items 40, 41, 45; safety.md B12, S2): JSON text in, state out."""

from __future__ import annotations

import pytest

from cds_service.fhir.answers import Answer, AnswerState, read, read_all
from cds_service.formats import strict_json
from cds_service.kernel.needs import LookupState

OBSERVATION = '{"resourceType": "Observation", "id": "o1"}'


def value(text: str, asked: str = "Observation") -> Answer:
    return read(strict_json.load(text.encode()), present=True, resource_type=asked)


def bundle(*entries: str, more: str = "") -> str:
    return f'{{"resourceType": "Bundle", "type": "searchset"{more}, "entry": [{", ".join(entries)}]}}'


def entry(resource: str = OBSERVATION, more: str = "") -> str:
    return f'{{"fullUrl": "https://ehr.example.org/fhir/X/1", "resource": {resource}{more}}}'


def outcome(severity: str, code: str) -> str:
    return f'{{"resourceType": "OperationOutcome", "issue": [{{"severity": "{severity}", "code": "{code}"}}]}}'


def ids(found: Answer) -> list[object]:
    return [resource.get("id") for resource in found.resources]


# --- item 40: absent, null, empty, failed, data ----------------------------------------------------------------------


def test_item_40a_a_key_that_was_not_sent_is_not_supplied() -> None:
    found = read(None, present=False, resource_type="Observation")
    assert (found.state, found.state.lookup) == (AnswerState.ABSENT, LookupState.NOT_SUPPLIED)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        pytest.param("null", AnswerState.NULL, id="item_40b-null"),
        pytest.param('{"resourceType": "Bundle", "type": "searchset"}', AnswerState.EMPTY, id="item_40c-no-entry"),
        pytest.param(bundle(), AnswerState.EMPTY, id="item_40c-empty-entry"),
        pytest.param(bundle(more=', "total": 0'), AnswerState.EMPTY, id="item_40c-total-0"),
        pytest.param(
            '{"resourceType": "Bundle", "type": "searchset", "entry": null}', AnswerState.EMPTY, id="null-entry"
        ),
    ],
)
def test_item_40_looked_up_and_none_found_is_a_complete_look_up(text: str, state: AnswerState) -> None:
    found = value(text)
    assert (found.state, found.state.lookup, found.resources, found.detail) == (state, LookupState.COMPLETE, (), "")


@pytest.mark.parametrize("kind", ["searchset", "collection", "batch-response", "Searchset"])
def test_item_40e_data_in_every_kind_of_bundle_that_clients_send(kind: str) -> None:
    found = value(f'{{"resourceType": "Bundle", "type": "{kind}", "entry": [{entry()}]}}')
    assert (found.state, found.state.lookup, ids(found)) == (AnswerState.DATA, LookupState.COMPLETE, ["o1"])


def test_item_40e_the_public_sandbox_leaves_the_bundle_type_out() -> None:
    found = value(f'{{"resourceType": "Bundle", "entry": [{entry()}]}}')
    assert (found.state, ids(found)) == (AnswerState.DATA, ["o1"])


def test_item_40e_a_single_resource_of_the_asked_type_is_data() -> None:
    found = value('{"resourceType": "Patient", "id": "p1"}', asked="Patient")
    assert (found.state, ids(found)) == (AnswerState.DATA, ["p1"])


def test_item_40e_a_patient_may_also_come_in_a_bundle() -> None:
    found = value(bundle(entry('{"resourceType": "Patient", "id": "p1"}')), asked="Patient")
    assert (found.state, ids(found)) == (AnswerState.DATA, ["p1"])


def test_item_40e_the_full_url_stays_with_its_resource() -> None:
    found = value(bundle(entry(), f'{{"resource": {OBSERVATION}}}', f'{{"fullUrl": 7, "resource": {OBSERVATION}}}'))
    assert found.full_urls == ("https://ehr.example.org/fhir/X/1", "", "")


@pytest.mark.parametrize(
    "link",
    [
        pytest.param('[{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]', id="Epic"),
        pytest.param('{"relation": "next", "url": "y"}', id="an-object-for-a-list"),
        pytest.param('[{"relation": "NEXT"}]', id="upper-case-no-url"),
    ],
)
def test_item_40e_a_next_page_makes_it_partial(link: str) -> None:
    found = value(bundle(entry(), more=f', "link": {link}'))
    assert (found.state, ids(found), found.detail) == (
        AnswerState.PARTIAL,
        ["o1"],
        "there are more pages than were sent",
    )


def test_item_40e_an_empty_page_with_a_next_one_is_not_none_found() -> None:
    assert value(bundle(more=', "link": [{"relation": "next", "url": "y"}]')).state is AnswerState.PARTIAL


# --- item 40d: an OperationOutcome in place of the value -----------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "code", "state"),
    [
        ("error", "exception", AnswerState.FAILED),
        ("fatal", "required", AnswerState.FAILED),  # Epic: Observation with only `patient`
        ("error", "not-found", AnswerState.FAILED),
        ("ERROR", "timeout", AnswerState.FAILED),
        ("error", "forbidden", AnswerState.NOT_PERMITTED),
        ("fatal", "security", AnswerState.NOT_PERMITTED),
        ("error", "login", AnswerState.NOT_PERMITTED),
        ("error", "expired", AnswerState.NOT_PERMITTED),
        ("warning", "suppressed", AnswerState.NOT_PERMITTED),  # Epic: a category that the client may not see
        ("information", "informational", AnswerState.EMPTY),
        ("warning", "processing", AnswerState.EMPTY),
        ("warning", "incomplete", AnswerState.PARTIAL),
        ("warning", "too-costly", AnswerState.PARTIAL),
        ("information", "throttled", AnswerState.PARTIAL),
        ("warning", "timeout", AnswerState.PARTIAL),
        ("severe", "processing", AnswerState.FAILED),
    ],
)
def test_item_40d_an_operation_outcome_as_the_value(severity: str, code: str, state: AnswerState) -> None:
    assert value(outcome(severity, code)).state is state


@pytest.mark.parametrize(
    "text",
    [
        '{"resourceType": "OperationOutcome"}',
        '{"resourceType": "OperationOutcome", "issue": []}',
        '{"resourceType": "OperationOutcome", "issue": "no"}',
        '{"resourceType": "OperationOutcome", "issue": [{"code": "processing"}]}',
        '{"resourceType": "OperationOutcome", "issue": [{"severity": 3, "code": {}}]}',
    ],
)
def test_item_40d_an_outcome_that_cannot_be_read_is_a_failure(text: str) -> None:
    """NextGen leaves out `code`; without a severity nothing says that the answer is good."""
    assert value(text).state is AnswerState.FAILED


# --- item 41: an OperationOutcome inside a Bundle --------------------------------------------------------------------

OUTCOME_MODE = ', "search": {"mode": "outcome"}'
EPIC_4101 = """{"resourceType": "OperationOutcome", "issue": [
  {"severity": "warning", "code": "processing", "details": {"coding": [{"code": "4101"}]}},
  {"severity": "warning", "code": "informational", "details": {"coding": [{"code": "4119"}]}}]}"""


def test_item_41_epic_4101_and_4119_in_an_empty_bundle_mean_none_found() -> None:
    found = value(bundle(entry(EPIC_4101, OUTCOME_MODE), more=', "total": 0'))
    assert (found.state, found.resources) == (AnswerState.EMPTY, ())


def test_item_41_epic_adds_an_outcome_to_every_page() -> None:
    found = value(bundle(entry(), entry(EPIC_4101, OUTCOME_MODE), more=', "total": 50'))
    assert (found.state, ids(found)) == (AnswerState.DATA, ["o1"])


def test_item_41_drchrono_sends_no_search_mode() -> None:
    assert value(bundle(entry(), entry(EPIC_4101))).state is AnswerState.DATA


@pytest.mark.parametrize(
    ("severity", "code", "alone", "with_data"),
    [
        ("error", "exception", AnswerState.FAILED, AnswerState.PARTIAL),
        ("fatal", "timeout", AnswerState.FAILED, AnswerState.PARTIAL),
        ("warning", "suppressed", AnswerState.NOT_PERMITTED, AnswerState.PARTIAL),
        ("error", "forbidden", AnswerState.NOT_PERMITTED, AnswerState.PARTIAL),
        ("warning", "incomplete", AnswerState.PARTIAL, AnswerState.PARTIAL),
    ],
)
def test_item_41_s2_what_was_found_beside_an_error_is_kept_but_proves_no_absence(
    severity: str, code: str, alone: AnswerState, with_data: AnswerState
) -> None:
    trouble = entry(outcome(severity, code), OUTCOME_MODE)
    assert value(bundle(trouble)).state is alone
    both = value(bundle(trouble, entry()))
    assert (both.state, ids(both)) == (with_data, ["o1"])


# --- B12: answers that only look empty -----------------------------------------------------------------------------


@pytest.mark.parametrize("total", ["50", "7.0", '"7"', "true", "{}"])
def test_b12_a_count_without_entries_is_a_failure(total: str) -> None:
    """eClinicalWorks answered with an empty Goal bundle and `total: 50`."""
    found = value(bundle(more=f', "total": {total}'))
    assert (found.state, found.detail) == (AnswerState.FAILED, "the server counted results but sent none")


@pytest.mark.parametrize("total", ["0", "1", "900", "null", '"many"'])
def test_b12_with_entries_the_total_is_ignored(total: str) -> None:
    """Epic gives the size of the page, athenahealth and MEDHOST nothing."""
    assert value(bundle(entry(), more=f', "total": {total}')).state is AnswerState.DATA


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('"<html><body>Log in</body></html>"', id="login-page"),
        pytest.param("{}", id="empty-object"),
        pytest.param("[]", id="empty-list"),
        pytest.param(f"[{OBSERVATION}]", id="bare-list"),
        pytest.param("0", id="number"),
        pytest.param("1.5", id="fraction"),
        pytest.param("false", id="boolean"),
        pytest.param('{"id": "o1"}', id="no-resource-type"),
        pytest.param('{"resourceType": ["Bundle"]}', id="resource-type-is-a-list"),
        pytest.param('{"resourceType": ""}', id="resource-type-is-blank"),
    ],
)
def test_b12_c7_a_value_that_is_not_fhir_is_a_failure(text: str) -> None:
    found = value(text)
    assert (found.state, found.resources, found.detail) == (AnswerState.FAILED, (), "the value is not a FHIR resource")


@pytest.mark.parametrize(
    ("kind", "entries", "state"),
    [
        ('"document"', entry(), AnswerState.PARTIAL),
        ('"history"', entry(), AnswerState.PARTIAL),
        ('"transaction-response"', "", AnswerState.FAILED),
        ("7", entry(), AnswerState.PARTIAL),
    ],
)
def test_b12_a_bundle_that_no_search_returns_proves_nothing(kind: str, entries: str, state: AnswerState) -> None:
    assert value(f'{{"resourceType": "Bundle", "type": {kind}, "entry": [{entries}]}}').state is state


# --- item 45: odd entries are counted, never treated as absent -------------------------------------------------------


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param("null", id="null"),
        pytest.param('"o2"', id="text"),
        pytest.param("[]", id="list"),
        pytest.param("{}", id="no-resource"),
        pytest.param('{"resource": null}', id="null-resource"),
        pytest.param('{"resource": "<div/>"}', id="html-resource"),
        pytest.param('{"resource": {"id": "o2"}}', id="no-resource-type"),
        pytest.param('{"resource": {"resourceType": 7}}', id="type-is-a-number"),
        pytest.param('{"response": {"status": "204"}}', id="no-content"),
    ],
)
def test_item_45_s2_an_entry_that_cannot_be_read_makes_the_key_partial(odd: str) -> None:
    found = value(bundle(entry(), odd))
    assert (found.state, ids(found), found.detail) == (AnswerState.PARTIAL, ["o1"], "entries that could not be read: 1")
    assert value(bundle(odd)).state is AnswerState.PARTIAL


def test_item_45_entry_may_be_an_object_or_a_text_where_a_list_belongs() -> None:
    lone = value(f'{{"resourceType": "Bundle", "type": "searchset", "entry": {entry()}}}')
    text = value('{"resourceType": "Bundle", "type": "searchset", "entry": "none"}')
    assert (lone.state, ids(lone), text.state) == (AnswerState.DATA, ["o1"], AnswerState.PARTIAL)


@pytest.mark.parametrize(
    ("response", "alone", "with_data"),
    [
        ('{"status": "404 Not Found"}', AnswerState.FAILED, AnswerState.PARTIAL),
        ('{"status": 500}', AnswerState.FAILED, AnswerState.PARTIAL),
        ('{"status": "403"}', AnswerState.NOT_PERMITTED, AnswerState.PARTIAL),
        ('{"status": "401 Unauthorized"}', AnswerState.NOT_PERMITTED, AnswerState.PARTIAL),
        (
            f'{{"status": "400", "outcome": {outcome("warning", "suppressed")}}}',
            AnswerState.NOT_PERMITTED,
            AnswerState.PARTIAL,
        ),
        (f'{{"status": "400", "outcome": {outcome("error", "required")}}}', AnswerState.FAILED, AnswerState.PARTIAL),
    ],
)
def test_item_44_a_failed_part_of_a_batch(response: str, alone: AnswerState, with_data: AnswerState) -> None:
    part = f'{{"response": {response}}}'
    assert value(bundle(part)).state is alone
    assert value(bundle(part, entry())).state is with_data


def test_item_44_a_batch_response_holds_bundles() -> None:
    inner = bundle(entry(), more=', "link": [{"relation": "next", "url": "y"}]')
    part = f'{{"resource": {inner}, "response": {{"status": "200 OK"}}}}'
    found = value(f'{{"resourceType": "Bundle", "type": "batch-response", "entry": [{part}]}}')
    assert (found.state, ids(found)) == (AnswerState.PARTIAL, ["o1"])


def test_c10_bundles_in_bundles_in_bundles_end_somewhere() -> None:
    text = bundle(entry())
    for _ in range(5):
        text = bundle(f'{{"resource": {text}}}')
    assert value(text).state is AnswerState.PARTIAL


# --- what was not asked for ------------------------------------------------------------------------------------------

CONDITION = '{"resourceType": "Condition", "id": "c1"}'
MEDICATION = '{"resourceType": "Medication", "id": "m1"}'


def test_included_resources_and_medications_come_along_without_a_report() -> None:
    found = value(bundle(entry(), entry(MEDICATION), entry(CONDITION, ', "search": {"mode": "include"}')))
    assert (found.state, ids(found), found.detail) == (AnswerState.DATA, ["o1", "m1", "c1"], "")


def test_b16_other_types_are_kept_for_presence_and_reported() -> None:
    found = value(bundle(entry(), entry(CONDITION)))
    expected = (AnswerState.DATA, ["o1", "c1"], "resources of types that were not asked for: 1")
    assert (found.state, ids(found), found.detail) == expected


@pytest.mark.parametrize("text", [CONDITION, bundle(entry(CONDITION)), bundle(entry(MEDICATION))])
def test_item_39_another_query_under_our_key_proves_no_absence(text: str) -> None:
    """Epic sites type the queries in by hand: a list of conditions under the key of the DXA results is no DXA look-up."""
    found = value(text)
    assert (found.state, len(found.resources)) == (AnswerState.PARTIAL, 1)


def test_item_39_a_key_we_did_not_ask_for_may_hold_any_type() -> None:
    found = value(bundle(entry(CONDITION)), asked="")
    assert (found.state, found.detail) == (AnswerState.DATA, "")


def test_explain_reads_a_bundle_of_any_kind() -> None:
    found = read_all(
        strict_json.load(f'{{"resourceType": "Bundle", "type": "message", "entry": [{entry()}]}}'.encode())
    )
    assert found.state is AnswerState.DATA


def test_s8_no_detail_repeats_a_value_of_the_record() -> None:
    name = "Jane-Doe"
    odd = [f'"{name}"', f'{{"resource": {{"resourceType": "{name}"}}}}', entry(outcome("error", name))]
    found = value(bundle(*odd, more=f', "total": "{name}", "link": [{{"relation": "{name}"}}]'))
    assert name not in found.detail
