"""What is counted, and that no caller and no record can write a label (F1)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from cds_service.cli.compose import metrics_of
from cds_service.engine.services import installed
from cds_service.kernel.account import Account
from cds_service.kernel.errors import PatientMismatch
from cds_service.web import observe
from cds_service.web.app import create_app
from cds_service.web.logs import Alarm, Line
from cds_service.web.metrics import FETCH_OUTCOMES, NONE, OTHER, STATUSES, STORES, Metrics, Names
from cds_service.web.settings import Settings
from tests.conformance.stub import StubService, one_card
from tests.conformance.wire import CALL, PATIENT
from tests.support.golden import scenarios
from tests.support.watched import watch

NAMES = Names(
    services={"sv": "patient-view"},
    needs=frozenset({"dxa"}),
    rules=frozenset({"GC-01"}),
    types=frozenset({"Observation"}),
    unread=frozenset({"no-date"}),
    clients=frozenset({"ward-3"}),
    refusals=frozenset({"expired"}),
)
BODY = CALL.replace("PREFETCH", PATIENT)


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Every number that is not zero, by its name and its labels' values in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.page().decode())
        for sample in family.samples
        if sample.value and not sample.name.endswith(("_created", "_sum", "_bucket"))
    }


def test_a_call_is_counted_by_caller_service_hook_and_status() -> None:
    metrics = Metrics(NAMES)
    metrics.call(Line("call", client="ward-3", service="sv", status=200), 0.2)
    metrics.call(Line("refused", service="sv", status=412, problem="PatientMismatch"), 0.1)
    metrics.call(Line("refused", status=401, reason="expired"), 0.1)

    # labels in the order of their names: client, hook, service, status
    assert samples(metrics) == {
        ("bonecds_calls_total", "ward-3", "patient-view", "sv", "200"): 1,
        ("bonecds_calls_total", NONE, "patient-view", "sv", "412"): 1,
        ("bonecds_calls_total", NONE, NONE, NONE, "401"): 1,
        ("bonecds_call_seconds_count", "sv"): 2,
        ("bonecds_call_seconds_count", NONE): 1,
        ("bonecds_refused_total", "PatientMismatch", "sv"): 1,
        ("bonecds_refused_total", OTHER, NONE): 1,
        ("bonecds_auth_failures_total", "expired"): 1,
    }


def test_the_buckets_of_time_stand_around_the_budgets() -> None:
    """Half a second is what the specification asks for, 2.5 s is our deadline: how many calls keep to them must be a bucket."""
    metrics = Metrics(NAMES)
    for seconds in (0.4, 0.6, 2.4, 2.6):
        metrics.call(Line("call", service="sv", status=200), seconds)
    page = metrics.page().decode()

    assert 'bonecds_call_seconds_bucket{le="0.5",service="sv"} 1.0' in page
    assert 'bonecds_call_seconds_bucket{le="2.5",service="sv"} 3.0' in page


def test_what_a_call_was_about_is_counted() -> None:
    metrics = Metrics(NAMES)
    account = Account("1", {"dxa": "failed"}, {"GC-01": "cannot-tell"}, {"failed": 2}, {("Observation", "no-date"): 3})
    metrics.told(account, ["info", "critical"])
    metrics.held(["quiet", "silent", "quiet"])

    assert samples(metrics) == {
        ("bonecds_lookups_total", "dxa", "failed"): 1,
        ("bonecds_verdicts_total", "GC-01", "cannot-tell"): 1,
        ("bonecds_gaps_total", "failed"): 2,
        ("bonecds_unread_total", "no-date", "Observation"): 3,
        ("bonecds_cards_total", "info"): 1,
        ("bonecds_cards_total", "critical"): 1,
        ("bonecds_cards_held_total", "quiet"): 2,
        ("bonecds_cards_held_total", "silent"): 1,
    }


def test_what_happens_around_calls_is_counted() -> None:
    metrics = Metrics(NAMES)
    metrics.shed()
    metrics.store_failed("audit")
    metrics.fetched("timeout", 1.2)
    metrics.alarm(Alarm.AUDIT_FAILING)
    metrics.enters()
    metrics.enters()
    metrics.leaves()

    assert samples(metrics) == {
        ("bonecds_calls_shed_total",): 1,
        ("bonecds_store_failures_total", "audit"): 1,
        ("bonecds_fetch_seconds_count", "timeout"): 1,
        ("bonecds_alarms_total", "audit-failing"): 1,
        ("bonecds_calls_in_flight",): 1,
    }


@given(st.lists(st.text(min_size=1), min_size=17, max_size=17))
def test_f1_no_text_whatsoever_becomes_a_label(words: list[str]) -> None:
    metrics = Metrics(NAMES)
    text = iter(words)
    line = Line(next(text), client=next(text), service=next(text), hook=next(text), reason=next(text), status=None)
    metrics.call(line, 0.1)
    metrics.call(Line("refused", problem=next(text), status=999), 0.1)
    unread = {(next(text), next(text)): 1}
    metrics.told(
        Account("1", {next(text): next(text)}, {next(text): next(text)}, {next(text): 1}, unread), [next(text)]
    )
    metrics.store_failed(next(text))
    metrics.fetched(next(text), 0.1)
    metrics.held([next(text)])

    labels = {
        (name, value)
        for family in text_string_to_metric_families(metrics.page().decode())
        for sample in family.samples
        for name, value in sample.labels.items()
        if name != "le"
    }
    assert {value for _, value in labels} <= _ALLOWED


_ALLOWED = {
    OTHER, NONE, "ward-3", "sv", "patient-view", "dxa", "GC-01", "Observation", "no-date", "expired",
    *STATUSES, *FETCH_OUTCOMES, *STORES, "recommend", "satisfied", "not-applicable", "cannot-tell", "info", "warning", "critical",
    "JsonRefused", "RequestRefused", "PayloadTooLarge", "PatientMismatch", "Unassessable",
    *("not-supplied", "not-permitted", "failed", "partial", "not-recorded", "too-old", "unit-unknown", "conflicting"),
    *("dose-unreadable", "unreadable"),
}  # fmt: skip


def test_every_word_the_product_counts_is_in_its_closed_sets(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing of any scenario falls under "other", which is for what nobody foresaw."""
    watched = watch(monkeypatch, capfd)
    for scenario in scenarios():
        call = scenario.json("request.json")
        watched.call(json.dumps(call), f"/cds-services/bone-health-{call['hook']}", headers={})
        if str(scenario) == "vitamin-d-low-nmol":
            watched.call(json.dumps(call).replace("effectiveDateTime", "effective"), headers={})
    found = samples(watched.app.extensions[observe.EXTENSION])

    assert [key for key in found if OTHER in key] == []
    assert {key[0] for key in found} == {
        "bonecds_calls_total", "bonecds_call_seconds_count", "bonecds_refused_total", "bonecds_lookups_total",
        "bonecds_verdicts_total", "bonecds_cards_total", "bonecds_gaps_total", "bonecds_unread_total", "bonecds_alarms_total",
    }  # fmt: skip
    assert found["bonecds_alarms_total", "foreign-patient"] == 1
    assert found["bonecds_unread_total", "no-date", "Observation"] > 0
    cards = sum(len(answer.get_json().get("cards", ())) for answer in watched.answers)
    assert sum(number for key, number in found.items() if key[0] == "bonecds_cards_total") == cards


def test_a_call_is_in_flight_until_it_is_answered_or_fails(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = metrics_of(installed(), "en")
    seen = []

    def looks(service: Any, call: Any, *_: Any) -> Any:
        seen.append(samples(metrics).get(("bonecds_calls_in_flight",)))
        if len(seen) == 2:
            raise PatientMismatch("no")
        if len(seen) == 3:
            raise RuntimeError
        return one_card(service, call)

    client = create_app(Settings(), [StubService()], looks, metrics=metrics).test_client()
    for _ in range(3):
        client.post("/cds-services/stub-patient-view", data=BODY, content_type="application/json")
    client.get("/nowhere")

    assert seen == [1, 1, 1]
    assert ("bonecds_calls_in_flight",) not in samples(metrics)


def test_health_checks_are_not_calls(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics(NAMES)
    client = create_app(Settings(), [StubService()], one_card, metrics=metrics).test_client()
    for path in ("/healthz", "/readyz", "/cds-services"):
        client.get(path)

    assert samples(metrics) == {}
