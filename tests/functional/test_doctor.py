"""`bonecds doctor` against servers that fail as real ones do: each fault has a line, and the line has its fix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bonecds_kit.faultfhir import FaultFhir, Quirks
from bonecds_kit.forger import Forger
from bonecds_kit.keyserver import KeyServer
from cds_service.store.database import Database
from tests.support import canary
from tests.support import ehr as example
from tests.support.doctored import Told, public_key, run, settings, token_file
from tests.support.golden import scenarios
from tests.support.smart_ehr import CLIENT_ID, SmartEhr

Json = dict[str, Any]
NEEDS = 16


@pytest.fixture(scope="module")
def forger() -> Iterator[Forger]:
    with Forger("https://cds.example.org") as found:
        yield found


@pytest.fixture(scope="module")
def keys(forger: Forger) -> KeyServer:
    return forger.jwks


def record() -> list[Json]:
    coded = {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "24700007"}]}}
    return [example.PATIENT, example.condition(1, **coded), *example.results(3)]


@pytest.fixture
def round_of(tmp_path: Path, keys: KeyServer) -> Any:
    def go(ehr: FaultFhir, *arguments: str, scope: str = "patient/*.rs", **client: object) -> Told:
        file = settings(tmp_path, fhir_bases=[ehr.base], jwks_urls=[keys.url], **client)
        token = token_file(tmp_path, ehr, scope=scope, patient="p1")
        return run("--settings", str(file), "--token-file", str(token), *arguments)

    return go


# --- all is well ------------------------------------------------------------------------------------------------------


def test_a_site_that_is_all_right_has_no_fail_and_every_check_was_made(round_of: Any, tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path}/bonecds.sqlite3", lambda what, code: None).migrate()
    (tmp_path / "bonecds.sqlite3.key").write_text("0f" * 32)
    (tmp_path / "bonecds.sqlite3.key").chmod(0o600)
    with SmartEhr(record(), "p1") as ehr:
        ehr.configuration["capabilities"] = ["launch-ehr", "client-public", "context-ehr-patient", "permission-v2"]
        told = round_of(ehr, smart_client_id=CLIENT_ID)
    assert (told.status, [each for each in told.findings if each["level"] == "fail"]) == (0, [])
    assert [each["check"] for each in told.findings if each["level"] == "skipped"] == []
    assert len(told.of("search")) == NEEDS
    assert set(told.levels("search")) == {"pass"}
    checks = ("callers", "database", "audit-key", "clock", "metadata", "scopes", "in-time", "codes", "prefetch")
    for check in (*checks, "silent", "admin-key", "smart-launch"):
        assert set(told.levels(check)) == {"pass"}, told.of(check)


def test_what_the_client_must_send_stands_there_to_be_compared(round_of: Any, keys: KeyServer) -> None:
    with FaultFhir(record()) as ehr:
        (found,) = round_of(ehr).of("token", "north")
    assert "aud     https://cds.invalid/cds-services/bone-health-order-sign" in found["details"]
    assert f"jku     {keys.url}" in found["details"]


def test_the_text_has_the_same_lines_and_says_on_stderr_what_it_waits_for(tmp_path: Path) -> None:
    with FaultFhir(record()) as ehr:
        file = settings(tmp_path, fhir_bases=[ehr.base], jwks={"keys": [public_key()]})
        token = token_file(tmp_path, ehr, patient="p1")
        told = run("--settings", str(file), "--token-file", str(token), text=True)
    assert "pass    search [vitaminD]: complete, 3 resources" in told.text
    assert f"... looking a patient up at {ehr.base}: 16 look-ups" in told.errors
    assert told.errors.splitlines()[-1].endswith(" skipped")


# --- nothing that must not be there ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [True, False], ids=["text", "json"])
def test_s8_no_patient_no_value_and_no_token_is_in_the_report(tmp_path: Path, text: bool) -> None:
    whole = next(each for each in scenarios() if str(each) == "gc-very-high-risk-untreated")
    call = canary.planted(whole.json("request.json"))
    resources = [each for value in call["prefetch"].values() for each in _resources(value)]
    patient = call["context"]["patientId"]
    with FaultFhir(resources, quirks=Quirks(outcome_entry=True)) as ehr:
        ehr.token = canary.of("token")
        ehr.fault("outcome-entry-error", on="Condition")
        file = settings(tmp_path, fhir_bases=[ehr.base], jwks={"keys": [public_key()]})
        token = token_file(tmp_path, ehr, scope=f"patient/*.rs {canary.of('token')}", patient=patient)
        told = run("--settings", str(file), "--token-file", str(token), text=text)
        assert len(ehr.requests) > NEEDS
    assert "incomplete" in told.text
    assert canary.found_in(told.text, told.errors) == set()
    assert patient not in told.text + told.errors
    assert "1948" not in told.text  # her year of birth


def _resources(value: Any) -> list[Json]:
    if not isinstance(value, dict):
        return []
    return [each["resource"] for each in value.get("entry", ())] if value["resourceType"] == "Bundle" else [value]


def test_b8_the_token_goes_to_the_fhir_server_and_nowhere_else(round_of: Any, keys: KeyServer) -> None:
    with FaultFhir(record()) as ehr:
        round_of(ehr)
        with_token = [each for each in ehr.requests if "authorization" in each.headers]
        assert [each.path for each in ehr.requests if each not in with_token] == ["/tenant/r4/metadata"]
        assert not any(ehr.token in each.path for each in ehr.requests)
    assert "Authorization" not in keys.headers


def test_b8_with_two_fhir_servers_the_token_goes_to_neither_until_one_is_named(tmp_path: Path) -> None:
    with FaultFhir(record()) as ours, FaultFhir(record()) as other:
        file = settings(tmp_path, fhir_bases=[ours.base, other.base], jwks={"keys": [public_key()]})
        token = token_file(tmp_path, ours, patient="p1")
        told = run("--settings", str(file), "--token-file", str(token))
        assert told.of("search")[0]["seen"] == "there are several FHIR servers: name one by --client and --fhir"
        told = run("--settings", str(file), "--token-file", str(token), "--fhir", ours.base + "/")
        assert set(told.levels("search")) == {"pass"}
        assert not any("authorization" in each.headers for each in other.requests)


def test_b1_a_fhir_server_that_is_not_in_the_settings_is_never_called(tmp_path: Path) -> None:
    with FaultFhir(record()) as ours, FaultFhir(record()) as foreign:
        file = settings(tmp_path, fhir_bases=[ours.base], jwks={"keys": [public_key()]})
        told = run("--settings", str(file), "--fhir", foreign.base)
        assert (told.status, told.findings, foreign.requests) == (2, [], [])


# --- each fault of the FHIR server has its fix ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "level", "seen", "fix"),
    [
        ("401", "fail", "not permitted, HTTP 401", "scope"),
        ("403", "fail", "not permitted, HTTP 403", "scope"),
        ("denied-empty", "fail", "not permitted, HTTP 403", "scope"),
        ("404", "fail", "HTTP 404", "dialect"),
        ("500", "fail", "HTTP 500", "its log"),
        ("redirect", "fail", "redirects are not followed", "redirects to"),
        ("html", "fail", "is not JSON", "login page"),
        ("html-as-json", "fail", "not valid JSON", "proxy"),
        ("truncated", "fail", "broke off", "curl"),
        ("empty-object", "fail", "not the result of a search", "base"),
        ("lenient-patient", "fail", "did not search by patient", "do not use it"),
        ("total-too-high", "warn", "counted more results than it sent", "held back"),
        ("next-loop", "warn", "circles", "linked"),
        ("next-elsewhere", "warn", "another address", "external address"),
        ("foreign-entry", "fail", "another patient", "at once"),
    ],
)
def test_each_fault_of_a_search_shows_its_fix(round_of: Any, fault: str, level: str, seen: str, fix: str) -> None:
    with FaultFhir(record()) as ehr:
        ehr.fault(fault, on="Condition")
        told = round_of(ehr)
    (found,) = told.of("search", "conditions")
    assert (found["level"], seen in found["seen"], fix in found["fix"]) == (level, True, True), found
    assert told.levels("search", "vitaminD") == ["pass"]
    assert told.status == (1 if level == "fail" else 0)


def test_a_search_by_code_that_is_ignored_proves_nothing(round_of: Any) -> None:
    with FaultFhir(record()) as ehr:
        ehr.fault("lenient-code", on="Observation")
        (found,) = round_of(ehr).of("search", "vitaminD")
    assert (found["level"], "switched on" in found["fix"]) == ("warn", True)


def test_d1_a_server_that_gives_another_patient_stops_the_look_up(round_of: Any) -> None:
    with FaultFhir(record()) as ehr:
        ehr.fault("other-patient", on="Patient")
        told = round_of(ehr)
    assert told.of("search", "patient")[0]["seen"] == "the server gave the Patient of somebody else"
    assert (told.status, told.of("codes")) == (1, [])


def test_what_the_site_does_not_keep_may_be_refused(round_of: Any, tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text('base = "us"\nnot_kept = ["medicationDispenses"]\n')
    with FaultFhir(record(), quirks=Quirks(denied=("MedicationDispense",))) as ehr:
        told = round_of(ehr, site_file=str(site))
    assert (told.status, told.levels("search", "medicationDispenses")) == (0, ["skipped"])


def test_a_server_that_pages_sends_an_incomplete_prefetch_and_a_complete_search(round_of: Any) -> None:
    results = [example.PATIENT, *example.results(30)]
    with FaultFhir(results, quirks=example.PAGES_OF_20) as ehr:
        told = round_of(ehr)
    assert told.of("search", "vitaminD")[0]["seen"] == "complete, 30 resources"
    assert (told.levels("prefetch", "vitaminD"), told.status) == (["warn"], 0)


def test_slow_look_ups_are_told_by_their_time(round_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BONECDS_FETCH_MS", "100")
    with FaultFhir(record(), delay=0.06) as ehr:
        told = round_of(ehr)
    assert (told.levels("in-time"), set(told.levels("search"))) == (["warn"], {"pass"})


# --- metadata, clock, scopes ------------------------------------------------------------------------------------------


def test_another_version_of_fhir_fails(round_of: Any) -> None:
    with FaultFhir(record()) as ehr:
        ehr.capability = {**ehr.capability, "fhirVersion": "5.0.0"}
        (found, *_) = round_of(ehr).of("metadata")
    assert (found["level"], "R4" in found["fix"]) == ("fail", True)


@pytest.mark.parametrize("fault", ["404", "html", "reset", "truncated", "empty-object"])
def test_a_base_without_metadata_fails(round_of: Any, fault: str) -> None:
    with FaultFhir(record()) as ehr:
        ehr.fault(fault, on="metadata")
        (found,) = round_of(ehr).of("metadata")
    assert (found["level"], bool(found["fix"])) == ("fail", True)


def test_no_server_at_all_fails_quickly_and_says_where(round_of: Any) -> None:
    with FaultFhir() as ehr:
        pass
    told = round_of(ehr)
    assert (told.status, told.of("metadata")[0]["about"]) == (1, ehr.base)
    assert "no connection" in told.of("search", "conditions")[0]["seen"]


@pytest.mark.parametrize(("ahead", "level"), [(20, "warn"), (-20, "warn"), (3_600, "fail"), (-3_600, "fail")])
def test_a_clock_that_is_wrong_is_found_by_what_servers_say(round_of: Any, ahead: int, level: str) -> None:
    with FaultFhir(record()) as ehr:
        ehr.clock_off = ahead
        told = round_of(ehr)
    here = ehr.base.split("/")[2]
    assert told.levels("clock", here) == [level]
    assert "NTP" in told.of("clock", here)[0]["fix"]


def test_scopes_that_were_not_granted_are_named(round_of: Any) -> None:
    with FaultFhir(record()) as ehr:
        (found, *_) = round_of(ehr, scope="patient/Patient.r patient/Observation.rs").of("scopes")
    assert found["level"] == "fail"
    assert "patient/Condition.rs" in found["details"]


def test_a_bare_token_tells_nothing_of_its_scope(tmp_path: Path) -> None:
    with FaultFhir(record()) as ehr:
        file = settings(tmp_path, fhir_bases=[ehr.base], jwks={"keys": [public_key()]})
        environment = {"EHR_TOKEN": f"{ehr.token}\n"}
        told = run("--settings", str(file), "--token-env", "EHR_TOKEN", "--patient", "p1", environment=environment)
    assert told.levels("scopes") == ["skipped"]
    assert set(told.levels("search")) == {"pass"}


def test_a19_a_key_set_with_a_weak_key_is_said(round_of: Any) -> None:
    with FaultFhir(record()) as ehr:
        good, left_out, *_ = round_of(ehr).of("keys")
    assert (good["level"], left_out["level"]) == ("pass", "warn")
    assert any("1024" in each for each in left_out["details"])
