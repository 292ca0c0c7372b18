"""Where keys come from, how long they are kept, and what happens when they cannot be had: rows A6, A7, A8."""

from __future__ import annotations

import json
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bonecds_kit.forger import public_jwk
from cds_service.kernel.errors import NotAuthenticated
from cds_service.security.clients import Client, registry
from cds_service.security.fetch import Fetched
from cds_service.security.keys import COOL_DOWN, FRESH_DEFAULT, MAX_AGE, Keys

URL = "https://ehr.example.org/jwks.json"
OTHER_URL = "https://ehr.example.org/old-jwks.json"
KEY = public_jwk("k1", ec.generate_private_key(ec.SECP384R1()))
NEW_KEY = public_jwk("k2", ec.generate_private_key(ec.SECP384R1()))


def _client(*urls: str) -> Client:
    return registry([{"name": "north", "issuer": "north", "jwks_urls": list(urls)}], "settings.toml").all()[0]


NORTH = _client(URL)


class Endpoint:
    """Serves keys, or fails, and counts; with a clock."""

    def __init__(self, *keys: object) -> None:
        self.keys: tuple[object, ...] = keys
        self.max_age: int | None = None
        self.failure: OSError | None = None
        self.calls: list[str] = []
        self.alarms: list[tuple[str, str]] = []
        self.now = 1_000.0
        self.source = Keys(fetch=self.fetch, clock=lambda: self.now, alarm=lambda *event: self.alarms.append(event))

    def fetch(self, url: str) -> Fetched:
        self.calls.append(url)
        if self.failure:
            raise self.failure
        return Fetched(json.dumps({"keys": self.keys}).encode(), self.max_age)

    def asks(self, kid: str = "k1", jku: str | None = URL, client: Client = NORTH) -> str:
        try:
            return self.source.find(client, jku, kid, "ES384")[0].kid
        except NotAuthenticated as refused:
            return refused.reason


def test_keys_are_fetched_once_and_kept_for_an_hour() -> None:
    ehr = Endpoint(KEY)
    assert [ehr.asks(), ehr.asks(), len(ehr.calls)] == ["k1", "k1", 1]
    ehr.now += FRESH_DEFAULT - 1
    assert [ehr.asks(), len(ehr.calls)] == ["k1", 1]
    ehr.now += 1
    assert [ehr.asks(), len(ehr.calls)] == ["k1", 2]


@pytest.mark.parametrize(("max_age", "kept"), [(60, 60), (0, 10), (1, 10), (100_000_000, 86_400), (86_399, 86_399)])
def test_cache_control_is_honoured_within_bounds(max_age: int, kept: int) -> None:
    ehr = Endpoint(KEY)
    ehr.max_age = max_age
    ehr.asks()
    ehr.now += kept - 1
    assert [ehr.asks(), len(ehr.calls)] == ["k1", 1]
    ehr.now += 1
    assert [ehr.asks(), len(ehr.calls)] == ["k1", 2]


def test_a6_unknown_ids_cause_one_fetch_in_a_cool_down() -> None:
    ehr = Endpoint(KEY)
    assert ehr.asks() == "k1"
    ehr.now += COOL_DOWN
    assert {ehr.asks(f"bogus-{number}") for number in range(20)} == {"unknown-key"}
    assert len(ehr.calls) == 2
    ehr.now += COOL_DOWN
    assert [ehr.asks("bogus"), len(ehr.calls)] == ["unknown-key", 3]


def test_a7_a_new_key_is_found_when_the_cool_down_is_over_and_not_before() -> None:
    ehr = Endpoint(KEY)
    ehr.asks()
    ehr.keys = (KEY, NEW_KEY)
    ehr.now += COOL_DOWN - 0.1
    assert ehr.asks("k2") == "unknown-key"
    ehr.now += 0.1
    assert ehr.asks("k2") == "k2"


def test_a7_a_key_that_is_withdrawn_stops_working_when_the_set_is_fetched_again() -> None:
    ehr = Endpoint(KEY, NEW_KEY)
    ehr.asks()
    ehr.keys = (NEW_KEY,)
    ehr.now += FRESH_DEFAULT
    assert [ehr.asks("k1"), ehr.asks("k2")] == ["unknown-key", "k2"]


def test_a8_the_last_good_set_serves_for_a_day_while_the_endpoint_fails_and_the_operator_is_told() -> None:
    ehr = Endpoint(KEY)
    ehr.asks()
    ehr.failure = OSError("down")
    ehr.now += MAX_AGE - 1
    assert [ehr.asks(), ehr.alarms] == ["k1", [("jwks-fetch-failed", URL)]]
    ehr.now += 1
    assert ehr.asks() == "keys-unavailable"
    ehr.now += COOL_DOWN
    ehr.failure = None
    assert ehr.asks() == "k1"


def test_a8_without_any_set_callers_are_refused_and_the_endpoint_is_asked_once_in_a_cool_down() -> None:
    ehr = Endpoint(KEY)
    ehr.failure = OSError("down")
    assert {ehr.asks() for _ in range(5)} == {"keys-unavailable"}
    assert len(ehr.calls) == 1
    ehr.failure = None
    ehr.now += COOL_DOWN
    assert ehr.asks() == "k1"


@pytest.mark.parametrize("keys", [(), ({"kty": "EC"},), (dict(KEY, use="enc"),)])
def test_a8_a_set_without_a_fit_key_does_not_replace_a_good_one(keys: tuple[object, ...]) -> None:
    ehr = Endpoint(KEY)
    ehr.asks()
    ehr.keys = keys
    ehr.now += FRESH_DEFAULT
    assert [ehr.asks(), ehr.alarms] == ["k1", [("jwks-fetch-failed", URL)]]


def test_a19_unfit_keys_in_a_fetched_set_are_passed_over() -> None:
    ehr = Endpoint({"kty": "oct", "k": "c2VjcmV0", "kid": "k0"}, "nonsense", dict(KEY, kid="k9", d="AA"), KEY)
    assert [ehr.asks(kid) for kid in ("k0", "k9", "k1")] == ["unknown-key", "unknown-key", "k1"]


def test_a4_an_address_is_compared_letter_by_letter_before_anything_is_fetched() -> None:
    ehr = Endpoint(KEY)
    assert {ehr.asks(jku=jku) for jku in (URL + "/", URL.upper(), OTHER_URL, "")} == {"foreign-jku"}
    assert ehr.calls == []


def test_a_token_without_jku_means_the_only_registered_address() -> None:
    ehr = Endpoint(KEY)
    assert [ehr.asks(jku=None), ehr.calls] == ["k1", [URL]]


def test_a_token_without_jku_is_refused_where_several_are_registered() -> None:
    ehr = Endpoint(KEY)
    both = _client(URL, OTHER_URL)
    assert [ehr.asks(jku=None, client=both), ehr.asks(jku=OTHER_URL, client=both)] == ["foreign-jku", "k1"]
    assert ehr.calls == [OTHER_URL]


def test_pinned_keys_need_no_network_whatever_jku_says() -> None:
    entry = {"name": "north", "issuer": "north", "jwks": {"keys": [KEY]}}
    pinned = registry([entry], "settings.toml").all()[0]
    ehr = Endpoint(NEW_KEY)
    assert [ehr.asks(jku=jku, client=pinned) for jku in (None, URL)] == ["k1", "k1"]
    assert [ehr.asks("k2", client=pinned), ehr.calls] == ["unknown-key", []]


# --- several callers at the same time


def _together(*works: object) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    return threads


class SlowEndpoint(Endpoint):
    """Answers when it is let to."""

    def __init__(self, *keys: object) -> None:
        super().__init__(*keys)
        self.asked, self.go_on = threading.Event(), threading.Event()

    def fetch(self, url: str) -> Fetched:
        self.asked.set()
        assert self.go_on.wait(20)
        return super().fetch(url)


def test_callers_who_come_together_share_one_fetch() -> None:
    ehr = SlowEndpoint(KEY)
    answers: list[str] = []
    threads = _together(*[lambda: answers.append(ehr.asks())] * 8)
    assert ehr.asked.wait(20)
    ehr.go_on.set()
    for thread in threads:
        thread.join(20)
    assert (answers, len(ehr.calls)) == (["k1"] * 8, 1)


def test_who_has_a_key_does_not_wait_for_the_one_who_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.security.keys.DEADLINE", 60)  # whoever waits now misses the end of this test
    ehr = SlowEndpoint(KEY)
    ehr.go_on.set()
    ehr.asks()
    ehr.asked.clear()
    ehr.go_on.clear()
    ehr.now += FRESH_DEFAULT
    (looking,) = _together(ehr.asks)
    assert ehr.asked.wait(20)
    try:
        assert [ehr.asks(), looking.is_alive(), len(ehr.calls)] == ["k1", True, 1]
    finally:
        ehr.go_on.set()
        looking.join(20)


def test_a_slow_client_delays_no_other_client() -> None:
    slow = SlowEndpoint(KEY)
    other = _client(OTHER_URL)
    quick = Endpoint(KEY)
    keys = Keys(fetch=lambda url: (slow if url == URL else quick).fetch(url), clock=lambda: 0.0)
    (waiting,) = _together(lambda: keys.find(NORTH, URL, "k1", "ES384"))
    assert slow.asked.wait(20)
    try:
        assert keys.find(other, OTHER_URL, "k1", "ES384")[0].kid == "k1"
        assert waiting.is_alive()
    finally:
        slow.go_on.set()
        waiting.join(20)


def test_nobody_waits_much_longer_than_the_deadline_for_another_callers_fetch() -> None:
    ehr = SlowEndpoint(KEY)  # and its fetch breaks the promise that it has a deadline
    (looking,) = _together(ehr.asks)
    assert ehr.asked.wait(20)
    started = time.monotonic()
    try:
        assert ehr.asks() == "keys-unavailable"
        assert time.monotonic() - started < 10
    finally:
        ehr.go_on.set()
        looking.join(20)
