"""`bonecds watch` and `bonecds canary` as an operator types them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import canary as canary_command
from cds_service.cli import main
from cds_service.cli.compose import build_app
from cds_service.clinical.clinic import CLINIC
from cds_service.engine.answer import answer
from cds_service.engine.services import installed
from cds_service.kernel.errors import BoneCdsError
from cds_service.protocol.request import parse
from cds_service.simulator.canary import CANARIES
from cds_service.store.audit import Audit
from cds_service.store.database import Database
from cds_service.store.site_key import read
from cds_service.web.settings import Settings, load
from tests.functional.test_readiness import calls
from tests.store.parts import record
from tests.support.golden import AS_OF
from tests.support.served import Served, served

# what `bonecds serve` does, with an engine that has nothing to say
QUIET = """
from cds_service.cli import compose
from cds_service.protocol.response import HookResponse
compose.answer = lambda *given, **more: HookResponse()
serve(settings := Settings({settings}), partial(compose.build_app, settings))
"""
LOUD = """
from cds_service.cli import compose
real, first = compose.answer, []
def answer(*given, **more):
    first.append(real(*given, **more))
    return first[0]
compose.answer = answer
serve(settings := Settings({settings}), partial(compose.build_app, settings))
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main.bonecds, list(arguments))


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Settings of a service that was started once."""
    file = tmp_path / "settings.toml"
    file.write_text(f'database_url = "sqlite:///{tmp_path}/kept.sqlite3"\nas_of = "2026-06-15"\n', "utf-8")
    build_app(Settings(database_url=f"sqlite:///{tmp_path}/kept.sqlite3", as_of=AS_OF))
    return file


# --- bonecds watch ----------------------------------------------------------------------------------------------------


def test_hz01_d22_watch_names_the_rule_that_fell_silent_and_fails(settings: Path, tmp_path: Path) -> None:
    calls(tmp_path, 3_000, lambda place: place % 5 == 0 and place < 2_500)
    done = run("watch", "--settings", str(settings))
    assert done.exit_code == 1
    assert "rule-silent: bone-health-patient-view of north: fires/GC-11: none in" in done.stdout
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["rule-silent"] * 2


def test_watch_of_a_steady_service_says_so(settings: Path, tmp_path: Path) -> None:
    calls(tmp_path, 3_000, lambda place: place % 5 == 0)
    done = run("watch", "--settings", str(settings), "--format", "json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["out_of_control"], told["calls"], done.stderr) == (0, [], 3_000, "")
    assert {each["state"] for each in told["charts"]} == {"steady"}
    assert told["feeds"][0]["client"] == "north"


def test_watch_of_a_service_without_calls_has_nothing_to_tell(settings: Path) -> None:
    done = run("watch", "--settings", str(settings))
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "0 calls read.")


def test_watch_goes_on_when_asked_to_and_tells_of_a_finding_once(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls(tmp_path, 3_000, lambda place: place % 5 == 0 and place < 2_500)
    done = _rounds(monkeypatch, 3, "watch", "--settings", str(settings), "--every", "60")
    assert done.stdout.count("3000 calls read.") == 3
    assert done.stderr.count('"rule-silent"') == 2


def test_watch_without_a_database_is_told_to_name_the_settings() -> None:
    assert isinstance(found := run("watch").exception, BoneCdsError)
    assert "database_url" in str(found)


# --- bonecds canary ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def service() -> Iterator[Served]:
    with served() as found:
        yield found


def fly(service: Served, *more: str) -> Result:
    return run("canary", "--url", service.url, "--as-of", AS_OF.isoformat(), *more)


def test_hz01_the_canary_gets_its_card_from_the_real_service(service: Served) -> None:
    done = fly(service, "--format", "json", "--rule-set", CLINIC.version, "--slowest", "20")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"], told["problems"], told["rule_set"]) == (0, True, [], CLINIC.version)
    assert "canary ok" in fly(service, "--slowest", "20").stdout


def test_hz01_a_service_that_never_fires_is_found_by_the_canary() -> None:
    with served(program=QUIET) as quiet:
        done = fly(quiet)
    assert done.exit_code == 1
    assert "canary FAILED: fires: no card where VD-05 must fire" in done.stdout
    assert json.loads(done.stderr)["event"] == "canary-failed"


def test_hz01_a_service_that_says_the_same_of_everybody_is_found_by_the_canary() -> None:
    with served(program=LOUD) as loud:
        assert "quiet: 2 cards where there is nothing to say" in fly(loud).stdout


def test_d23_another_version_than_the_one_expected_is_found_by_the_canary(service: Served) -> None:
    done = fly(service, "--rule-set", "0.0.0+other", "--slowest", "20")
    assert (done.exit_code, "another one is in force" in done.stdout) == (1, True)


def test_hz08_an_answer_that_comes_too_late_fails_the_canary(monkeypatch: pytest.MonkeyPatch, service: Served) -> None:
    monkeypatch.setattr(canary_command.canaries, "_wrong", lambda canary, answer, slowest: _real(canary, answer, 0.0))
    assert "fires: answered after" in fly(service).stdout


_real = canary_command.canaries._wrong


def test_hz01_a_service_that_is_away_fails_the_canary_and_it_goes_on(
    service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = _rounds(monkeypatch, 2, "canary", "--url", "http://127.0.0.1:9", "--every", "300")
    assert done.stdout.count("canary FAILED: no discovery document") == 2
    assert done.stderr.count("canary-failed") == 2


def test_the_canary_does_not_count_among_the_calls_that_are_watched(settings: Path, tmp_path: Path) -> None:
    config = f"database_url='sqlite:///{tmp_path}/kept.sqlite3'"
    with served(config) as service:
        assert fly(service, "--slowest", "20").exit_code == 0
    told = json.loads(run("watch", "--settings", str(settings), "--format", "json").stdout)
    assert (told["calls"], told["feeds"]) == (2, [])


def test_the_canary_of_a_registered_client_does_not_count_either(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/kept.sqlite3"
    file = tmp_path / "settings.toml"
    file.write_text(
        f'database_url = "{address}"\npublic_url = "https://cds.example.org"\n[[clients]]\nname = "north"\n'
        'issuer = "https://ehr.example.org"\njwks_urls = ["https://ehr.example.org/jwks.json"]\n',
        "utf-8",
    )
    build_app(load(file, {}))
    database = Database(address, lambda *_: None)
    audit = Audit(database, read(tmp_path / "kept.sqlite3.key"))
    for number, patient in enumerate(("bonecds-canary", "somebody")):
        audit.record(record(f"c-{number}", client="north", issuer="https://ehr.example.org", patient_id=patient))
    database.close()
    told = json.loads(run("watch", "--settings", str(file), "--format", "json").stdout)
    assert (told["calls"], [each["calls"] for each in told["feeds"]]) == (2, [1])


@pytest.mark.parametrize("profile", ["us", "uk", "ca"])
@pytest.mark.parametrize("day", ["2028-02-29", "2026-06-15", "2045-12-31"])
def test_the_canary_never_ages_and_fits_every_built_in_profile(profile: str, day: str) -> None:
    service = next(each for each in installed() if each.hook == "patient-view")
    as_of = dt.date.fromisoformat(day)
    for each in CANARIES:
        request = each.request(service.prefetch, as_of)
        found = answer(service, parse(request, hook=service.hook), as_of=as_of, profile=CLINIC.profile(profile))
        assert each.wrong_with(found.to_json()["cards"]) == ""


class _Enough(Exception):
    pass


def _rounds(monkeypatch: pytest.MonkeyPatch, number: int, *arguments: str) -> Result:
    """A command that does not end by itself, for some rounds."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == number:
            raise _Enough

    monkeypatch.setattr("time.sleep", sleep)
    done = run(*arguments)
    assert isinstance(done.exception, _Enough)
    return done
