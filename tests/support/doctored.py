"""`bonecds doctor` on the settings of one client whose FHIR server and key set answer on loopback."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec

from bonecds_kit.faultfhir import FaultFhir
from bonecds_kit.forger import public_jwk
from cds_service.cli import main
from cds_service.kernel.errors import BoneCdsError

Json = dict[str, Any]
CDS = "https://cds.invalid"  # a name that no server has (RFC 2606)


@dataclass(frozen=True, slots=True)
class Told:
    """What one run said.

    Attributes:
        status: exit status.
        text: standard output.
        errors: standard error.
        findings: those of `--json`; none where text was asked for.
    """

    status: int
    text: str
    errors: str
    findings: Sequence[Json]

    def of(self, check: str, about: str | None = None) -> list[Json]:
        """The findings of one check, about one thing if it is named."""
        return [each for each in self.findings if each["check"] == check and about in (None, each["about"])]

    def levels(self, check: str, about: str | None = None) -> list[str]:
        """How they ended."""
        return [each["level"] for each in self.of(check, about)]


def run(*arguments: str, environment: Mapping[str, str] | None = None, text: bool = False) -> Told:
    """Run the command."""
    done = CliRunner().invoke(
        main.bonecds, ["doctor", *arguments, *(() if text else ("--json",))], env=dict(environment or {})
    )
    if isinstance(done.exception, BoneCdsError):  # `main` makes one line of it, and status 2
        return Told(2, done.stdout, f"{done.stderr}{done.exception}", [])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    findings = json.loads(done.stdout)["findings"] if not text and done.stdout else []
    return Told(done.exit_code, done.stdout, done.stderr, findings)


def settings(folder: Path, **client: object) -> Path:
    """A settings file with one client, its values as TOML."""
    values = {"name": "north", "issuer": "https://ehr.example.org", **client}
    lines = [f"{name} = {_toml(value)}" for name, value in values.items()]
    file = folder / "settings.toml"
    file.write_text(
        f'public_url = "{CDS}"\ndatabase_url = "sqlite:///{folder}/bonecds.sqlite3"\n'
        f'as_of = "2026-06-15"\n[[clients]]\n{chr(10).join(lines)}\n',
        "utf-8",
    )
    return file


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def public_key() -> Json:
    """The public part of a new key, for ES384."""
    return public_jwk("k1", ec.generate_private_key(ec.SECP384R1()))


def token_file(folder: Path, ehr: FaultFhir, **more: str) -> Path:
    """The answer of a token endpoint."""
    file = folder / "token.json"
    file.write_text(json.dumps({"access_token": ehr.token, "token_type": "bearer", "expires_in": 300, **more}), "utf-8")
    return file
