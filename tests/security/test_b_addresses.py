"""Where a call leads, and what goes along: rows B1 to B9 and B19, on real sockets.

The promise behind all of them: only the server that a client registered is ever connected to, and the token goes there only.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from bonecds_kit.faultfhir import FaultFhir
from cds_service.clinical.needs import CONDITIONS, MEDICATION_REQUESTS, PATIENT, VITAMIN_D
from cds_service.engine.gather import gather
from cds_service.fhir.client.search import Limits
from cds_service.fhir.client.transport import Attempt, NoResponse, Transport, Trouble
from cds_service.formats.urls import parse_base
from cds_service.kernel.errors import PatientMismatch
from cds_service.kernel.needs import LookupState
from tests.support import ehr as example
from tests.support.ehr import Call, fetcher, gathered, ids, order, results, server_of, states

NEEDS = (PATIENT, CONDITIONS, VITAMIN_D)
NOT_PERMITTED = dict.fromkeys([need.key for need in NEEDS], LookupState.NOT_PERMITTED)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Names that are looked up and addresses that are connected to."""
    seen: list[Any] = []
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def connect_seen(self: socket.socket, address: Any) -> None:
        seen.append(address)
        connect(self, address)

    def resolve_seen(host: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(host)
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", connect_seen)
    monkeypatch.setattr(socket, "getaddrinfo", resolve_seen)
    return seen


# --- B1, B2, B4: which server


def test_b1_a_server_that_is_not_registered_is_not_connected_to(connections: list[Any]) -> None:
    with FaultFhir(results(3)) as ours, FaultFhir(results(3)) as other:
        records = gather(Call(other.base), NEEDS, fetcher(server_of(ours)))
        assert (other.requests, ours.requests, connections) == ([], [], [])
    assert states(records, NEEDS) == NOT_PERMITTED
    assert records.lookup("vitaminD").detail == "not permitted: the FHIR server of the call is not registered"


def test_b1_each_client_reaches_only_its_own_servers() -> None:
    with FaultFhir([example.PATIENT]) as one, FaultFhir([example.PATIENT]) as two:
        of_one, of_two = fetcher(server_of(one)), fetcher(server_of(two))
        found = [
            gather(Call(to.base), [PATIENT], by).lookup("patient").state for by in (of_one, of_two) for to in (one, two)
        ]
    yes, no = LookupState.COMPLETE, LookupState.NOT_PERMITTED
    assert found == [yes, no, no, yes]


@pytest.mark.parametrize("missing", ["server", "token"])
def test_b1_without_server_or_token_nothing_is_fetched(missing: str, connections: list[Any]) -> None:
    with FaultFhir(results(3)) as ehr:
        call = Call(None) if missing == "server" else Call(ehr.base, access_token=None)
        records = gather(call, NEEDS, fetcher(server_of(ehr)))
        assert (ehr.requests, connections) == ([], [])
    assert states(records, NEEDS) == dict.fromkeys(NOT_PERMITTED, LookupState.NOT_SUPPLIED)


@pytest.mark.parametrize(
    "change",
    [
        lambda base: base + "/other",
        lambda base: base.removesuffix("/r4"),
        lambda base: base.replace("127.0.0.1", "127.0.0.1.evil.example"),
        lambda base: base.replace("http://", "http://evil.example@"),
        lambda base: base.replace("127.0.0.1", "2130706433"),
        lambda base: base.replace("127.0.0.1", "0x7f.1"),
        lambda base: base.replace("127.0.0.1", "127.0.0.1."),
        lambda base: base.replace("/tenant", "//tenant"),
        lambda base: base.replace("/tenant", "\\tenant"),
        lambda base: base + "?x=1",
        lambda base: base + "#x",
        lambda base: base.replace("http:", "https:"),
        lambda base: base + "/../r4",
    ],
)
def test_b2_an_address_that_only_looks_like_the_registered_one(change: Any, connections: list[Any]) -> None:
    with FaultFhir(results(3)) as ehr:
        records = gather(Call(change(ehr.base)), NEEDS, fetcher(server_of(ehr)))
        assert (ehr.requests, connections) == ([], [])
    assert states(records, NEEDS) == NOT_PERMITTED


def test_b3_an_ipv6_address_is_dialled_without_brackets() -> None:
    base, asked = parse_base("https://[2001:db8::1]:8443/fhir"), []

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append((host, port))
        return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1%eth0", port, 0, 2))]

    with pytest.raises(NoResponse) as refused:
        get(Transport(base, resolve=resolve), f"{base}/Patient/p1")
    assert (refused.value.trouble, asked) == (Trouble.ADDRESS, [("2001:db8::1", 8443)])


@pytest.mark.parametrize("text", ["http://ehr.example.org/fhir", "http://10.0.0.1/fhir"])
def test_b4_http_cannot_be_registered_and_does_not_stand_for_https(text: str, connections: list[Any]) -> None:
    with pytest.raises(ValueError, match="is http"):
        parse_base(text, insecure=True)
    registered = example.Server(parse_base(text.replace("http:", "https:")), example.dialect("generic"))
    assert states(gather(Call(text), NEEDS, fetcher(registered)), NEEDS) == NOT_PERMITTED
    assert connections == []


# --- B3: which address


def resolver(*addresses: str) -> Any:
    """A name server that always gives these."""

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        resolve.calls += 1
        families = [(socket.AF_INET6 if ":" in each else socket.AF_INET, each) for each in addresses]
        return [(family, socket.SOCK_STREAM, 6, "", (each, port)) for family, each in families]

    resolve.calls = 0
    return resolve


def get(transport: Transport, url: str, seconds: float = 2) -> int:
    attempt = Attempt(time.monotonic() + seconds)
    return transport.get(url, token="let-me-in", attempt=attempt, max_bytes=100_000, headers={}).status  # noqa: S106


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fe80::1",
        "127.0.0.1",
        "127.1.2.3",
        "::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",  # noqa: S104 (refused)
        "::",
        "224.0.0.1",
        "ff02::1",
    ],
)
def test_b3_a_name_that_leads_to_this_machine_or_its_cloud_is_not_called(address: str, connections: list[Any]) -> None:
    base = parse_base("https://ehr.example.org/fhir")
    with pytest.raises(NoResponse) as refused:
        get(Transport(base, resolve=resolver("10.255.255.1", address)), f"{base}/Patient/p1")
    assert (refused.value.trouble, connections) == (Trouble.ADDRESS, [])


def test_b3_the_name_is_looked_up_once_and_that_address_is_connected_to(connections: list[Any]) -> None:
    with FaultFhir([example.PATIENT]) as ehr:
        base = parse_base(ehr.base.replace("127.0.0.1", "localhost"), insecure=True)
        names = resolver("127.0.0.1")
        transport = Transport(base, resolve=names)
        assert [get(transport, f"{base}/Patient/p1") for _ in range(3)] == [200, 200, 200]
        transport.close()
        assert (names.calls, connections) == (1, [("127.0.0.1", base.port)])


def test_b3_the_next_address_is_tried_where_one_does_not_answer() -> None:
    with FaultFhir([example.PATIENT]) as ehr:
        base = parse_base(ehr.base.replace("127.0.0.1", "localhost"), insecure=True)
        # nobody listens on 127.0.0.9 there
        assert get(Transport(base, resolve=resolver("127.0.0.9", "127.0.0.1")), f"{base}/Patient/p1") == 200


# --- B5, B6, B7: addresses in what the server sends


@pytest.mark.parametrize("kind", ["next-outside-base", "next-dot-dot", "next-empty", "next-loop"])
def test_b5_pages_are_followed_only_below_the_base_and_never_twice(kind: str) -> None:
    with FaultFhir(results(45)) as ehr:
        ehr.quirks = example.PAGES_OF_20
        ehr.fault(kind, page=2)
        found = gathered(ehr, VITAMIN_D).lookup("vitaminD")
        assert (found.state, len(found.resources), len(ehr.requests)) == (LookupState.PARTIAL, 40, 2)


def test_b5_b8_a_page_at_another_server_is_not_asked_for() -> None:
    with FaultFhir(results(45)) as ehr, FaultFhir(results(3)) as other:
        ehr.quirks = example.PAGES_OF_20
        ehr.fault("next-elsewhere", target=f"{other.base}/Observation?patient=p1")
        found = gathered(ehr, VITAMIN_D).lookup("vitaminD")
        assert (found.state, len(found.resources), other.requests) == (LookupState.PARTIAL, 20, [])
        assert found.detail.startswith("the next page is at another address")


def test_b5_pages_without_end_are_left_after_a_number() -> None:
    with FaultFhir(results(45)) as ehr:
        ehr.quirks = example.PAGES_OF_20
        ehr.fault("endless-pages")
        found = gathered(ehr, VITAMIN_D, limits=Limits(pages=5)).lookup("vitaminD")
        assert (found.state, len(found.resources), len(ehr.requests)) == (LookupState.PARTIAL, 45, 5)


@pytest.mark.parametrize("limits", [Limits(entries=20), Limits(bytes=12_000)])
def test_b5_entries_and_bytes_of_all_pages_are_bounded(limits: Limits) -> None:
    with FaultFhir(results(200)) as ehr:
        ehr.quirks = example.PAGES_OF_20
        found = gathered(ehr, VITAMIN_D, limits=limits).lookup("vitaminD")
        assert found.state is LookupState.PARTIAL
        assert 20 <= len(found.resources) <= 40


@pytest.mark.parametrize("need", [PATIENT, CONDITIONS])
def test_b6_a_redirect_is_not_followed(need: Any) -> None:
    with FaultFhir([example.PATIENT]) as ehr, FaultFhir([example.PATIENT]) as other:
        ehr.fault("redirect", target=f"{other.base}/Patient/p1")
        found = gathered(ehr, need).lookup(need.key)
        assert (found.state, found.resources, other.requests) == (LookupState.FAILED, (), [])


def test_b7_references_to_other_servers_are_not_followed() -> None:
    with FaultFhir() as ehr, FaultFhir([{"resourceType": "Medication", "id": "d1"}]) as other:
        elsewhere = f"{other.base}/Medication/d1"
        ehr.resources = [
            order(1, elsewhere),
            order(2, ehr.base.replace("/tenant", "/other") + "/Medication/d1"),
            example.vitamin_d(1, hasMember=[{"reference": f"{other.base}/Observation/1"}]),
        ]
        records = gathered(ehr, MEDICATION_REQUESTS, VITAMIN_D)
        assert other.requests == []
        assert sorted(each.kind for each in ehr.requests) == ["MedicationRequest", "Observation"]
    assert records.extra == ()


# --- B8, B9: the token


def test_b8_the_token_is_in_the_header_and_nowhere_else() -> None:
    with FaultFhir([*results(45), order(1, "Medication/d1")]) as ehr:
        ehr.quirks, ehr.token = example.PAGES_OF_20, "s3cr3t-t0ken"
        records = gathered(ehr, *NEEDS, MEDICATION_REQUESTS)
        assert {each.headers["authorization"] for each in ehr.requests} == {"Bearer s3cr3t-t0ken"}
        assert "s3cr3t" not in "".join(each.path for each in ehr.requests)
    assert "s3cr3t" not in repr(records)


def test_b8_a_connection_that_is_kept_open_carries_the_token_of_each_call() -> None:
    with FaultFhir([example.PATIENT]) as ehr:
        by, seen = fetcher(server_of(ehr)), []
        for token in ("first", "second", "third"):
            ehr.token = token
            seen.append(gather(Call(ehr.base, token), [PATIENT], by).lookup("patient").state)
            assert ehr.requests[-1].headers["authorization"] == f"Bearer {token}"
    assert seen == [LookupState.COMPLETE] * 3


@pytest.mark.parametrize("kind", ["hang", "reset", "truncated", "gzip-bomb"])
def test_b8_no_error_shows_the_token_or_the_address(kind: str) -> None:
    with FaultFhir([example.PATIENT]) as ehr:
        ehr.fault(kind)
        base = parse_base(ehr.base, insecure=True)
        with pytest.raises(NoResponse) as raised:
            get(Transport(base), f"{base}/Patient/p1", seconds=0.3)
        problem = raised.value
        assert (problem.__cause__, problem.__context__, str(problem)) == (None, None, problem.trouble.value)
        records = gathered(ehr, PATIENT, seconds=0.3)
        assert ehr.token not in repr(records)
        assert "127.0.0.1" not in repr(records)


@pytest.mark.parametrize("token", ["two words", "new\r\nX-Line: 1", "ümlaut", "\x00", "t" * 20_000])
def test_b8_a_token_that_is_none_is_not_sent(token: str) -> None:
    with FaultFhir([example.PATIENT]) as ehr:
        records = gather(Call(ehr.base, token), [PATIENT], fetcher(server_of(ehr)))
        assert (records.lookup("patient").state, ehr.requests) == (LookupState.FAILED, [])


def test_b9_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A `.netrc` entry replaced the bearer token by Basic where requests' Session was used with its defaults."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password eve\ndefault login eve password eve\n")
    with FaultFhir([example.PATIENT]) as ehr, FaultFhir() as proxy:
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("NO_PROXY", "")
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.base)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nothing"))
        assert gathered(ehr, PATIENT).lookup("patient").state is LookupState.COMPLETE
        assert ([each.headers["authorization"] for each in ehr.requests], proxy.requests) == (["Bearer let-me-in"], [])


# --- B19: whose data


def test_b19_two_tenants_with_the_same_patient_id_never_mix() -> None:
    with (
        FaultFhir([example.PATIENT, *results(1)], path="/a/r4") as a,
        FaultFhir([example.PATIENT, *results(3)], path="/b/r4") as b,
    ):
        by = fetcher(server_of(a), server_of(b))
        found = [len(gather(Call(each.base), NEEDS, by).lookup("vitaminD").resources) for each in (a, b, a, b)]
        assert found == [1, 3, 1, 3]
        # nothing is kept from one call for the next
        a.resources = [example.PATIENT]
        assert gather(Call(a.base), NEEDS, by).lookup("vitaminD").resources == ()


def test_b19_entries_of_another_tenant_fail_their_key() -> None:
    with FaultFhir([example.PATIENT, *results(2)]) as ehr:
        ehr.base_in_entries = ehr.base.replace("/tenant", "/somebody")
        records = gathered(ehr, *NEEDS)
        assert records.lookup("vitaminD").state is LookupState.FAILED
        assert "FHIR server: vitaminD: resources of another patient or another server: 2" in records.problems


def test_b19_d1_another_patient_refuses_the_call() -> None:
    with FaultFhir([example.PATIENT]) as ehr:
        ehr.fault("other-patient", on="Patient")
        with pytest.raises(PatientMismatch, match="FHIR server: patient") as refused:
            gathered(ehr, *NEEDS)
    assert "somebody" not in str(refused.value)


def test_d1_a_foreign_patient_in_the_prefetch_refuses_the_call_before_anything_is_fetched() -> None:
    with FaultFhir([example.PATIENT]) as ehr:
        with pytest.raises(PatientMismatch):
            gathered(ehr, *NEEDS, prefetch={"patient": {"resourceType": "Patient", "id": "p2"}})
        assert ehr.requests == []


def test_d2_an_entry_of_another_patient_fails_its_key_and_no_other() -> None:
    with FaultFhir([example.PATIENT, *results(2), example.condition(1)]) as ehr:
        ehr.fault("foreign-entry", on="Observation")
        records = gathered(ehr, *NEEDS)
    assert states(records, NEEDS) == {
        "patient": LookupState.COMPLETE,
        "conditions": LookupState.COMPLETE,
        "vitaminD": LookupState.FAILED,
    }
    assert records.lookup("vitaminD").resources == ()
    assert ids(records.lookup("conditions").resources) == ["c1"]
