"""What a FHIR server may do to a call: rows B10 to B17 and B20, on real sockets, one fault at a time.

The promises behind all of them: the answer is in time, what was found is kept, and a failure never reads as "none".
"""

from __future__ import annotations

import itertools
import socket
import threading
import time
import tracemalloc

import pytest

from bonecds_kit.faultfhir import FAULTS, FaultFhir, Quirks
from cds_service.clinical.needs import BONE_DENSITY, CONDITIONS, FUNCTION, PATIENT, PROCEDURES, VITAMIN_D
from cds_service.engine.gather import gather
from cds_service.fhir.client.fetcher import Lanes
from cds_service.fhir.client.search import Limits
from cds_service.fhir.client.transport import Attempt, NoResponse, Transport
from cds_service.formats.urls import parse_base
from cds_service.kernel.needs import Lookup, LookupState
from tests.support import ehr as example
from tests.support.ehr import Call, condition, fetcher, gathered, results, server_of

# Long enough that a slow machine has sent its first page, short against the minute that the faults last
SOON = 0.6
COMPLETE, PARTIAL = LookupState.COMPLETE, LookupState.PARTIAL
FAILED, NOT_PERMITTED = LookupState.FAILED, LookupState.NOT_PERMITTED


def conditions(fault: str, *, page: int = 0, seconds: float = 5, **more: str) -> tuple[Lookup, FaultFhir, float]:
    """Look up 45 conditions in pages of 20 where something goes wrong."""
    with FaultFhir(map(condition, range(45)), quirks=example.PAGES_OF_20) as ehr:
        ehr.fault(fault, page=page, **more)
        begin = time.monotonic()
        found = gathered(ehr, CONDITIONS, seconds=seconds).lookup("conditions")
        return found, ehr, time.monotonic() - begin


# --- B10: the deadline

SLOW = [
    "hang",
    "hang-in-body",
    "hang-after-body",
    "drip-headers",
    "drip-body",
    "drip-body-closing",
    "endless-continue",
]


@pytest.mark.parametrize("kind", SLOW)
def test_b10_nothing_slow_outlasts_the_deadline(kind: str) -> None:
    found, _, seconds = conditions(kind, seconds=SOON)
    assert (found.state, found.resources, found.detail) == (FAILED, (), "not in time")
    assert seconds < SOON + 0.5


@pytest.mark.parametrize("kind", SLOW)
def test_b10_what_came_before_is_kept_as_partial(kind: str) -> None:
    found, _, seconds = conditions(kind, page=2, seconds=SOON)
    assert (found.state, len(found.resources), found.detail) == (PARTIAL, 20, "not in time")
    assert seconds < SOON + 0.5


def test_b10_one_that_hangs_takes_nothing_from_the_others() -> None:
    with FaultFhir([example.PATIENT, *results(2)]) as ehr:
        ehr.fault("hang", on="Condition")
        records = gathered(ehr, PATIENT, CONDITIONS, VITAMIN_D, seconds=SOON)
    assert [records.lookup(key).state for key in ("patient", "conditions", "vitaminD")] == [COMPLETE, FAILED, COMPLETE]


def test_b10_a_server_that_accepts_and_is_never_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}/r4"
        registered = example.Server(parse_base(base, insecure=True), example.dialect("generic"))
        begin = time.monotonic()
        found = gather(Call(base), [CONDITIONS], fetcher(registered, seconds=SOON)).lookup("conditions")
        assert (found.state, found.detail) == (FAILED, "not in time")
        assert time.monotonic() - begin < SOON + 0.5


def test_b10_a_name_that_takes_long_to_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one thing that cannot be interrupted: nobody waits for it all the same."""
    let_go = threading.Event()
    monkeypatch.setattr("cds_service.fhir.client.transport.lookup_name", lambda *_, **__: let_go.wait(30) and [])
    with FaultFhir() as ehr:
        begin = time.monotonic()
        found = gathered(ehr, CONDITIONS, seconds=SOON).lookup("conditions")
        seconds = time.monotonic() - begin
        let_go.set()
    assert (found.state, found.detail) == (FAILED, "not in time")
    assert seconds < SOON + 0.5


@pytest.mark.parametrize(("page", "state"), [(1, FAILED), (2, PARTIAL)])
@pytest.mark.parametrize("kind", SLOW)
def test_b10_the_thread_is_free_again_for_the_next_call(kind: str, page: int, state: LookupState) -> None:
    """On a new connection, and on one that the first page left open."""
    with FaultFhir(map(condition, range(25)), quirks=example.PAGES_OF_20) as ehr:
        by = fetcher(server_of(ehr, parallel=1), seconds=SOON)
        ehr.fault(kind, page=page, times=1)
        states = [gather(Call(ehr.base), [CONDITIONS], by).lookup("conditions").state for _ in range(2)]
    assert states == [state, COMPLETE]


def test_b10_a_body_without_length_that_is_cut_is_not_taken_for_whole() -> None:
    """It would end where the socket does, and that end is ours."""
    with FaultFhir([example.PATIENT]) as ehr:
        ehr.fault("drip-body-closing")
        attempt = Attempt(time.monotonic() + 30)
        threading.Timer(0.3, attempt.cut).start()
        to = Transport(parse_base(ehr.base, insecure=True))
        with pytest.raises(NoResponse, match="not in time"):
            to.get(f"{ehr.base}/Patient/p1", token=ehr.token, attempt=attempt, max_bytes=99_999, headers={})


@pytest.mark.parametrize("kind", ["reset", "reset-in-body"])
def test_b10_b11_a_connection_that_is_reset(kind: str) -> None:
    found, _, _ = conditions(kind)
    assert (found.state, found.detail) == (FAILED, "the answer broke off")


# --- B11, B12: what is not a result

BROKEN = [
    "truncated",
    "truncated-without-length",
    "length-too-long",
    "length-too-short",
    "chunked-without-end",
    "malformed-chunk",
    "malformed-gzip",
    "not-utf-8",
    "duplicate-keys",
    "nan",
    "nested",
]
NO_RESULT = [
    "html",
    "html-as-json",
    "no-content",
    "empty-body",
    "null",
    "empty-object",
    "list",
    "outcome-error",
    "outcome-warning",
    "collection",
    "no-type",
    "count-only-alone",
]


@pytest.mark.parametrize("kind", [*BROKEN, *NO_RESULT])
def test_b11_b12_what_is_not_a_result_is_a_failure_and_never_none(kind: str) -> None:
    found, _, _ = conditions(kind)
    assert (found.state, found.resources) == (FAILED, ())
    assert found.detail


@pytest.mark.parametrize("kind", [*BROKEN, *NO_RESULT])
def test_b11_b12_on_a_later_page_what_came_before_is_kept(kind: str) -> None:
    found, _, _ = conditions(kind, page=2)
    assert (found.state, len(found.resources)) == (PARTIAL, 20)


@pytest.mark.parametrize("kind", ["html", "empty-object", "outcome-error", "outcome-warning", "truncated", "404"])
def test_b11_b12_a_patient_that_cannot_be_read(kind: str) -> None:
    with FaultFhir([example.PATIENT]) as ehr:
        ehr.fault(kind, on="Patient")
        assert gathered(ehr, PATIENT).lookup("patient").state is FAILED


def test_b12_an_empty_page_that_does_not_say_what_was_searched_for_proves_nothing() -> None:
    found, _, _ = conditions("no-self-no-entries")
    assert (found.state, found.detail) == (PARTIAL, "the server does not say what it searched for")


def test_b12_more_results_counted_than_sent() -> None:
    found, _, _ = conditions("total-too-high")
    assert (found.state, len(found.resources)) == (PARTIAL, 45)


# --- B13, B14: refusals and retries


@pytest.mark.parametrize("kind", ["401", "403", "denied-empty", "outcome-suppressed"])
def test_b13_not_permitted_at_first_or_later(kind: str) -> None:
    first, later = conditions(kind)[0], conditions(kind, page=3)[0]
    assert (first.state, first.resources) == (NOT_PERMITTED, ())
    assert (later.state, len(later.resources)) == (PARTIAL, 40)
    assert "not permitted" in first.detail
    assert "not permitted" in later.detail


@pytest.mark.parametrize("kind", ["404", "410", "422", "429", "500", "501", "502", "503", "504"])
def test_b14_an_error_is_a_failure_and_not_tried_again(kind: str) -> None:
    found, ehr, _ = conditions(kind)
    assert (found.state, found.detail) == (FAILED, f"the FHIR server answered HTTP {kind}")
    assert len(ehr.requests) == 1


@pytest.mark.parametrize("kind", ["429", "503"])
def test_b14_one_retry_where_the_server_asks_for_a_short_wait(kind: str) -> None:
    with FaultFhir([condition(1)]) as ehr:
        ehr.fault(kind, times=1, retry_after="0")
        found = gathered(ehr, CONDITIONS).lookup("conditions")
        assert (found.state, len(found.resources), len(ehr.requests)) == (COMPLETE, 1, 2)


@pytest.mark.parametrize("kind", ["429", "503"])
def test_b14_no_second_retry(kind: str) -> None:
    found, ehr, _ = conditions(kind, retry_after="0")
    assert (found.state, len(ehr.requests)) == (FAILED, 2)


@pytest.mark.parametrize("wait", ["60", "2", "Fri, 31 Dec 2100 23:59:59 GMT", "-1", "1e0", "soon"])
def test_b14_a_long_wait_is_not_waited_for(wait: str) -> None:
    found, ehr, seconds = conditions("429", retry_after=wait)
    assert (found.state, len(ehr.requests)) == (FAILED, 1)
    assert seconds < 2


def test_b14_no_retry_where_the_wait_does_not_fit_into_the_time() -> None:
    found, ehr, _ = conditions("503", retry_after="1", seconds=SOON)
    assert (found.state, found.detail, len(ehr.requests)) == (FAILED, "the FHIR server answered HTTP 503", 1)


def test_b14_one_retry_where_no_connection_could_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fails_once(*args: object, **kwargs: object) -> object:
        calls.append(args)
        if len(calls) == 1:
            raise socket.gaierror("try again")
        return socket.getaddrinfo(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("cds_service.fhir.client.transport.lookup_name", fails_once)
    with FaultFhir([condition(1)]) as ehr:
        assert gathered(ehr, CONDITIONS).lookup("conditions").state is COMPLETE
    assert len(calls) == 2


def test_b14_nobody_listens() -> None:
    with FaultFhir() as ehr:
        gone = ehr.base
    registered = example.Server(parse_base(gone, insecure=True), example.dialect("generic"))
    found = gather(Call(gone), [CONDITIONS], fetcher(registered)).lookup("conditions")
    assert (found.state, found.detail) == (FAILED, "no connection to the FHIR server")


# --- B15: size


@pytest.mark.parametrize("kind", ["gzip-bomb", "large"])
def test_b15_a_body_without_end_takes_little_memory(kind: str) -> None:
    """200 MiB in 200 kB of gzip, and 300 MB as they are."""
    tracemalloc.start()
    try:
        found, _, _ = conditions(kind, seconds=20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (found.state, found.detail) == (FAILED, "the answer is larger than the limit")
    # the limit is 8 MB; the rest is for what the buffer grows by, and for the server in the same process
    assert peak < 40_000_000


# --- B16, B17: what was searched for


def test_b16_strict_handling_is_asked_for() -> None:
    with FaultFhir(results(1)) as ehr:
        gathered(ehr, VITAMIN_D)
        headers = ehr.requests[0].headers
    assert (headers["prefer"], headers["accept"]) == ("handling=strict", "application/fhir+json")


def test_b16_a_server_that_ignores_the_patient() -> None:
    with FaultFhir([*results(2), example.vitamin_d(9, subject={"reference": "Patient/p2"})]) as ehr:
        ehr.fault("lenient-patient")
        found = gathered(ehr, VITAMIN_D).lookup("vitaminD")
    assert (found.state, found.resources, found.detail) == (FAILED, (), "the server did not search by patient")


@pytest.mark.parametrize("kind", ["lenient-code", "lenient-silently"])
def test_b16_a_server_that_ignores_the_code(kind: str) -> None:
    """With a `self` link it says so; without one its entries do."""
    with FaultFhir([*results(2), example.vitamin_d(9, "8302-2")]) as ehr:
        ehr.fault(kind)
        found = gathered(ehr, VITAMIN_D).lookup("vitaminD")
    assert (found.state, len(found.resources), found.detail) == (PARTIAL, 3, "the server did not search by code")


@pytest.mark.parametrize("own", ["Patient/p1", "http://ehr.example.org/Patient/p1"])
def test_b16_other_spellings_of_the_same_search(own: str) -> None:
    with FaultFhir(results(2)) as ehr:
        ehr.fault("self-spelt", target=own)
        assert gathered(ehr, VITAMIN_D).lookup("vitaminD").state is COMPLETE


def test_b17_what_comes_on_two_pages_counts_once() -> None:
    with FaultFhir(map(condition, range(45)), quirks=example.PAGES_OF_20) as ehr:
        ehr.fault("shifted")  # page by page: a new result came in
        found = gathered(ehr, CONDITIONS).lookup("conditions")
    assert len(found.resources) == len({each["id"] for each in found.resources})


@pytest.mark.parametrize("total", ["all", "page", "none"])
def test_b17_pages_that_lose_a_result_while_they_are_read(total: str) -> None:
    with FaultFhir(map(condition, range(45)), quirks=Quirks(page_size=20, total=total)) as ehr:
        ehr.fault("shifted", page=2)
        found = gathered(ehr, CONDITIONS).lookup("conditions")
    assert (found.state, len(found.resources)) == (PARTIAL, 44)


def test_b17_versions_of_one_resource_both_count() -> None:
    both = [condition(1, meta={"versionId": version}) for version in ("1", "2")]
    with FaultFhir(both) as ehr:
        assert len(gathered(ehr, CONDITIONS).lookup("conditions").resources) == 2


def test_b17_count_is_only_a_wish() -> None:
    with FaultFhir(map(condition, range(140)), quirks=Quirks(page_size=0)) as ehr:
        found = gathered(ehr, CONDITIONS).lookup("conditions")
        assert (found.state, len(found.resources), len(ehr.requests)) == (COMPLETE, 140, 1)


# --- B20: how many at once

MANY = (PATIENT, CONDITIONS, PROCEDURES, VITAMIN_D, BONE_DENSITY, FUNCTION)


def test_b20_no_more_at_once_than_allowed_over_all_calls_and_clients() -> None:
    with FaultFhir([example.PATIENT], delay=0.05) as ehr:
        lanes = Lanes()
        clients = [fetcher(server_of(ehr, parallel=3), lanes=lanes) for _ in range(2)]
        found: list[LookupState] = []

        def call(number: int) -> None:
            records = gather(Call(ehr.base), MANY, clients[number % 2])
            found.extend(records.lookup(need.key).state for need in MANY)

        threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert (ehr.most_at_once, len(ehr.requests), set(found)) == (3, 24, {COMPLETE})


def test_b20_a_server_that_hangs_takes_no_thread_from_another() -> None:
    with FaultFhir([example.PATIENT]) as slow, FaultFhir([example.PATIENT]) as healthy:
        slow.fault("hang")
        by = fetcher(server_of(slow, parallel=1), server_of(healthy, parallel=1), seconds=SOON)
        hanging = threading.Thread(target=gather, args=(Call(slow.base), MANY, by))
        hanging.start()
        found = gather(Call(healthy.base), [PATIENT], by).lookup("patient").state
        hanging.join()
    assert found is COMPLETE


def test_b20_look_ups_that_would_wait_too_long_are_not_taken_on() -> None:
    with FaultFhir() as ehr:
        ehr.fault("hang")
        by = fetcher(server_of(ehr, parallel=1), seconds=SOON)
        threads = [threading.Thread(target=gather, args=(Call(ehr.base), MANY, by)) for _ in range(3)]
        for each in threads:
            each.start()
        time.sleep(0.1)
        found = gather(Call(ehr.base), MANY, by)
        for each in threads:
            each.join()
    details = {found.lookup(need.key).detail for need in MANY}
    assert "too many look-ups wait for this FHIR server" in details
    assert {found.lookup(need.key).state for need in MANY} == {FAILED}


# --- over all rows: S2


@pytest.mark.parametrize("kind", [*(each for each in FAULTS if each not in {*SLOW, "gzip-bomb", "large"}), "503"])
def test_s2_no_look_up_completes_unless_everything_came(kind: str) -> None:
    """Whatever goes wrong on whatever page, with or without a total or a `self` link to compare with."""
    everything = results(25)
    completed = []
    servers = (("all", True), ("page", True), ("none", True), ("none", False))
    with FaultFhir(everything) as ehr:
        for (total, own), page in itertools.product(servers, (1, 2, 3)):
            ehr.heal()
            ehr.quirks = Quirks(page_size=10, total=total, self_link=own)
            ehr.fault(kind, page=page)
            found = gathered(ehr, VITAMIN_D, limits=Limits(pages=6)).lookup("vitaminD")
            if found.state is COMPLETE and {each["id"] for each in found.resources} < {e["id"] for e in everything}:
                completed.append((total, own, page))
    assert completed == []
