"""`bonecds doctor` and `bonecds client` at servers whose authors have never heard of us."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.cli import main
from tests.real_servers.loading import load
from tests.real_servers.patients import Person, people
from tests.real_servers.servers import Server
from tests.real_servers.tokens import EVERYTHING, LOADER_TOKEN, Issuer
from tests.support.doctored import Told, public_key, run, settings
from tests.support.golden import FOLDER
from tests.support.served import Served, served

PATIENT = "gc-very-high-risk-untreated"
NEEDS = 16


@dataclass(frozen=True, slots=True)
class Ehr:
    """A FHIR server that holds one invented patient, and who may read it."""

    server: Server
    issuer: Issuer
    person: Person

    def token_file(self, folder: Path, scope: str = EVERYTHING) -> str:
        """What the token endpoint answered."""
        file = folder / "token.json"
        answer = {"access_token": self.issuer.token(scope), "scope": scope, "patient": self.person.id}
        file.write_text(json.dumps(answer), "utf-8")
        return str(file)

    def examined(self, folder: Path, scope: str = EVERYTHING) -> Told:
        """The doctor's whole round."""
        file = settings(folder, fhir_bases=[self.server.base], jwks={"keys": [public_key()]})
        return run("--settings", str(file), "--token-file", self.token_file(folder, scope))


@pytest.fixture(scope="module", params=["medplum", "hapi"])
def ehr(request: pytest.FixtureRequest, issuer: Issuer) -> Ehr:
    server: Server = request.getfixturevalue(request.param)
    person = people()[PATIENT]
    assert load(server.base, LOADER_TOKEN, person.bundle) == []
    return Ehr(server, issuer, person)


@pytest.fixture(scope="module")
def service() -> Iterator[Served]:
    with served() as found:
        yield found


def test_the_doctor_finds_every_look_up_complete(ehr: Ehr, tmp_path: Path) -> None:
    told = ehr.examined(tmp_path)
    assert [each for each in told.findings if each["level"] == "fail"] == []
    assert told.status == 0
    assert told.levels("search") == ["pass"] * NEEDS
    assert told.levels("scopes") == ["pass"]
    assert "fhirVersion 4.0.1" in str(told.of("metadata"))
    # her steroid is ordered in words, the rest is coded
    assert [each["about"] for each in told.of("codes") if each["level"] != "pass"] == ["MedicationRequest"]
    assert ehr.person.id not in told.text + told.errors


def test_the_doctor_names_what_the_scope_does_not_reach(ehr: Ehr, tmp_path: Path) -> None:
    told = ehr.examined(tmp_path, "system/Condition.rs")
    assert told.status == 1
    assert told.levels("search", "conditions") == ["pass"]
    assert told.levels("search").count("fail") == NEEDS - 1
    assert "patient/Observation.rs" in told.of("scopes")[0]["details"]


def test_the_client_fills_the_templates_there_and_the_cards_are_those_of_the_scenario(
    ehr: Ehr, service: Served, tmp_path: Path
) -> None:
    source = ("--fhir", ehr.server.base, "--token-file", ehr.token_file(tmp_path))
    arguments = [service.url, "call", "bone-health-patient-view", *source, "--format", "json"]
    done = CliRunner().invoke(main.bonecds, ["client", *arguments])
    (call,) = json.loads(done.stdout)["calls"]
    expected = json.loads((FOLDER / PATIENT / "cards.json").read_text("utf-8"))["cards"]
    assert [card["summary"] for card in call["response"]["cards"]] == [card["summary"] for card in expected]
    assert {words.partition(":")[0].split()[-1] for words in call["prefetch"].values()} <= {
        "resource",
        "resources",
        "empty",
    }
    assert done.exit_code == 0
