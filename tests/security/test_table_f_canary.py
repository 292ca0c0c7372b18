"""F1, F2, F4: nothing of a call comes out but on its cards, and who the patient is or what opens the record not even there.

Canaries stand in every part of a call (`tests.support.canary`), and `Watched.traces` says in which outputs they are looked for.
"""

from __future__ import annotations

import copy
import json
import sys
from typing import Any

import pytest

from cds_service.cli import compose
from cds_service.clinical.terminology import terminology
from cds_service.engine.gather import gather
from cds_service.engine.services import installed
from cds_service.fhir.chart import Chart
from cds_service.formats import strict_json
from cds_service.kernel.errors import InputError
from cds_service.protocol.request import parse
from tests.support import canary
from tests.support.golden import AS_OF, Json, scenarios
from tests.support.watched import Watched, metrics_page, watch

HOOKS = ("patient-view", "order-select", "order-sign")


def base(hook: str, chart: str = "gc-very-high-risk-untreated") -> Json:
    """A call of that hook from the scenarios that gets cards; `chart` is the one that is opened."""
    name = chart if hook == "patient-view" else "order-denosumab-low-calcium"
    call = next(each.json("request.json") for each in scenarios() if str(each) == name)
    call["hook"] = hook
    if hook == "order-sign":
        del call["context"]["selections"]
    return call


def path(hook: str) -> str:
    return f"/cds-services/bone-health-{hook}"


def text(hook: str = "patient-view", **changes: Any) -> str:
    """A call with canaries as JSON text."""
    return json.dumps(canary.planted(base(hook)) | changes)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Watched:
    return watch(monkeypatch, capfd)


# --- the search itself -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("hook", HOOKS)
def test_every_kind_of_canary_stands_in_the_call(hook: str) -> None:
    # the charts of the order scenarios hold no words but names of drugs
    assert canary.found_in(text(hook)) | {"word"} == set(canary.KINDS) - {"field"}


def test_the_search_finds_a_leak_in_each_output(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that tells everything: were the search blind to an output, no other test here could fail for it."""

    def leaks(_service: object, call: Any, **_rest: object) -> None:
        print(call.patient_id, canary.of("name"))
        print(canary.of("mrn"), file=sys.stderr)
        watched.calls.append(canary.of("drug"))  # type: ignore[arg-type]
        raise InputError(canary.of("address"), "", canary.of("token"))

    monkeypatch.setattr(compose, "answer", leaks)
    watched.call(text()).headers["X-Leak"] = canary.of("phone")
    watched.app.extensions["bonecds-metrics"]._cards.labels(canary.of("note")).inc()

    assert watched.traces() == {
        "standard output": {"name"},
        "log": {"mrn"},
        "headers": {"phone"},
        "errors": {"address", "token"},
        "metrics": {"note"},
        "repr": {"drug"},
        "exceptions": {"address", "token"},
    }


# --- answered --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("hook", HOOKS)
def test_f1_an_answered_call_leaves_nothing_behind(watched: Watched, hook: str) -> None:
    answer = watched.call(text(hook), path(hook))

    assert answer.status_code == 200
    assert answer.json
    assert answer.json["cards"]
    assert len(watched.calls) == 1
    assert watched.traces() == {}


@pytest.mark.parametrize("hook", HOOKS)
def test_f1_names_numbers_notes_and_tokens_are_not_on_cards_either(watched: Watched, hook: str) -> None:
    answer = watched.call(text(hook), path(hook))

    assert canary.found_in(answer.text) & canary.NEVER == set()


@pytest.mark.parametrize("hook", ["patient-view", "order-select"])
def test_f1_each_field_of_a_call_in_turn(watched: Watched, hook: str) -> None:
    """One string at a time, codes, dates, units, ids and references too, so that each odd value meets its own complaint."""
    call = base(hook, "vitamin-d-toxicity") | {
        "fhirAuthorization": {"access_token": "t", "token_type": "Bearer", "scope": "s", "subject": "c"}
    }
    places = {way: number for number, (_, _, way) in enumerate(canary.strings(call))}
    statuses = set()
    for number in places.values():
        changed = copy.deepcopy(call)
        holder, key, _ = list(canary.strings(changed))[number]
        holder[key] += f" {canary.of('field')}"
        statuses.add(watched.call(json.dumps(changed), path(hook)).status_code)

    assert len(places) > 50
    assert statuses == {200, 400, 412}
    assert watched.traces() == {}


@pytest.mark.parametrize("hook", ["patient-view", "order-select"])
def test_f1_each_name_of_a_field_in_turn(watched: Watched, hook: str) -> None:
    """Keys of objects are text of the sender too."""
    call = base(hook)
    for number in range(len(_objects(call))):
        changed = copy.deepcopy(call)
        _objects(changed)[number][canary.of("field")] = canary.of("field")
        watched.call(json.dumps(changed), path(hook))

    assert watched.traces() == {}


def _objects(node: Any) -> list[dict[str, Any]]:
    """One object of each shape: more of the same are read by the same code."""
    seen: dict[tuple[str, ...], dict[str, Any]] = {}
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            seen.setdefault((*sorted(each), str(each.get("resourceType"))), each)
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return list(seen.values())


# --- refused ---------------------------------------------------------------------------------------------------------
def _without(key: str) -> str:
    call = canary.planted(base("patient-view"))
    del call[key]
    return json.dumps(call)


def _context(**changes: Any) -> str:
    call = canary.planted(base("patient-view"))
    return json.dumps(call | {"context": call["context"] | changes})


def _foreign() -> str:
    call = canary.planted(base("patient-view"))
    call["prefetch"]["patient"]["id"] = canary.of("mrn")
    return json.dumps(call)


REFUSED = {
    "400 not JSON": (400, text()[:-1] + canary.of("note")),
    "400 cut off": (400, text()[:-200]),
    "400 not UTF-8": (400, text().encode() + b"\xff"),
    "400 a number that is none": (400, text().replace('"expires_in": 300', f'"expires_in": NaN, "{canary.of("name")}": 1')),
    "400 not an object": (400, json.dumps([canary.of("name")])),
    "400 no context": (400, _without("context")),
    "400 another hook": (400, text(hook=canary.of("name"))),
    "400 hook of another type": (400, text(hook=[canary.of("name")])),
    "400 context of another type": (400, text(context=canary.of("name"))),
    "400 prefetch of another type": (400, text(prefetch=canary.of("name"))),
    "400 an odd patient id": (400, _context(patientId=f"Patient/{canary.of('mrn')}")),
    "400 an odd encounter id": (400, _context(encounterId=f"{canary.of('encounter')} {canary.of('name')}")),
    "400 a token of another patient": (
        400,
        text(fhirAuthorization={"access_token": canary.of("token"), "patient": canary.of("mrn")}),
    ),
    "400 a token without a server": (400, _without("fhirServer")),
    "412 another patient": (412, _foreign()),
    "412 cannot tell": (412, text(prefetch={canary.of("name"): {"resourceType": canary.of("mrn")}})),
    "413 too long": (413, text() + " " * 5_000_000),
}  # fmt: skip


@pytest.mark.parametrize("refusal", REFUSED)
def test_f1_a_refused_call_leaves_nothing_behind(watched: Watched, refusal: str) -> None:
    status, body = REFUSED[refusal]
    answer = watched.call(body)

    assert answer.status_code == status
    assert len(watched.problems) == 1
    assert watched.traces() == {}


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        (404, {"path": f"/cds-services/{canary.of('mrn')}"}),
        (404, {"path": f"/{canary.of('name')}?patient={canary.of('mrn')}"}),
        (404, {"path": f"/cds-services/bone-health-patient-view/feedback/{canary.of('mrn')}"}),
        (405, {"method": "PUT"}),
        (415, {"content_type": canary.of("name")}),
        (415, {"content_type": f"application/json; charset={canary.of('name')}"}),
        (415, {"headers": canary.HEADERS | {"Content-Encoding": canary.of("name")}}),
    ],
    ids=str,
)
def test_f1_a_call_that_http_refuses_leaves_nothing_behind(watched: Watched, status: int, asked: Any) -> None:
    assert watched.call(text(), **asked).status_code == status
    assert watched.traces() == {}


def test_c4_a_key_that_comes_twice_is_named_to_its_sender_and_to_nobody_else(watched: Watched) -> None:
    """The one place where an error repeats a word of the call: without it nobody finds the mistake in a body of megabytes."""
    answer = watched.call(f'{{"{canary.of("field")}": "{canary.of("name")}", "{canary.of("field")}": 1}}')

    assert answer.status_code == 400
    assert watched.traces() == {"errors": {"field"}, "exceptions": {"field"}}


# --- failed ----------------------------------------------------------------------------------------------------------
class _Telling(Exception):
    """An error that tells everything, also where it is only shown."""

    def __str__(self) -> str:
        return canary.of("name")

    __repr__ = __str__


def _deep(record: Json) -> None:
    if not record:
        raise KeyError(canary.of("mrn"))
    _deep({})


def _chained(record: Json) -> None:
    try:
        _deep(record)
    except KeyError as cause:
        raise ValueError(f"no {canary.of('name')} in {record}") from cause


def _group(record: Json) -> None:
    raise ExceptionGroup(canary.of("name"), [ValueError(str(record)), _Telling()])


def _telling(_record: Json) -> None:
    raise _Telling(canary.of("note"))


def _endless(record: Json) -> None:
    _endless({**record, canary.of("name"): 1})


@pytest.mark.parametrize("failure", [_deep, _chained, _group, _telling, _endless])
def test_f1_f2_a_failure_that_carries_the_record_tells_nobody(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, failure: Any
) -> None:
    def fails(_service: object, call: Any, **_rest: object) -> None:
        failure(dict(call.prefetch))

    monkeypatch.setattr(compose, "answer", fails)
    answer = watched.call(text())

    assert answer.status_code == 500
    traces = watched.traces()
    traces.pop("exceptions", None)  # they carry what the test put into them
    assert traces == {}


def test_f2_a_failure_is_answered_with_a_correlation_id_and_nothing_else(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "answer", lambda *_, **__: _deep({}))
    answer = watched.call(text())
    log = json.loads(watched.capture.readouterr().err)

    assert answer.json == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "exception",
                "diagnostics": "The service failed. Tell its operator the correlation id. "
                f"Correlation id: {log['correlation_id']}",
            }
        ],
    }
    assert answer.headers["X-Correlation-Id"] == log["correlation_id"]
    assert (log["level"], log["problem"]) == ("error", "KeyError")


# --- ids -------------------------------------------------------------------------------------------------------------
def test_f4_no_id_of_patient_encounter_or_user_is_in_the_log_or_the_metrics(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids as they should be, all the way through: an answer, a refusal, another patient's data, a failure."""
    call = base("patient-view")
    patient = call["context"]["patientId"]
    call["context"] |= {"userId": "Practitioner/dr-4711", "encounterId": "stay-4712"}
    foreign = copy.deepcopy(call)
    foreign["prefetch"]["patient"]["id"] = "other-4713"
    for body in (call, foreign, call | {"prefetch": {}}):
        watched.call(json.dumps(body))
    monkeypatch.setattr(compose, "answer", lambda *_, **__: _deep({}))
    watched.call(json.dumps(call))
    out, err = watched.capture.readouterr()

    assert [each.status_code for each in watched.answers] == [200, 412, 412, 500]
    assert len(err.splitlines()) == 5  # the foreign patient is an alarm too
    said = out + err + metrics_page(watched.app)
    assert [ident for ident in (patient, "dr-4711", "stay-4712", "other-4713") if ident in said] == []


# --- repr ------------------------------------------------------------------------------------------------------------
def test_f1_what_holds_the_record_does_not_show_it() -> None:
    """A debugger, an assertion or a careless message prints `repr`."""
    body = strict_json.load(text("order-select").encode())
    service = next(each for each in installed() if each.hook == "order-select")
    call = parse(body, hook="order-select")
    records = gather(call, service.needs)
    chart = Chart(records, terminology(), AS_OF)
    found = [*chart.drugs(""), *chart.ordered("")]
    held = (call, records, records.drafts, *records.lookups.values(), chart, *found)

    assert found
    assert canary.found_in(*map(repr, held)) == set()
