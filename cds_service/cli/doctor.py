"""`bonecds doctor`: do the settings of a site fit its EHR?"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import click

from cds_service.cli.given import granted, patient_id, read_bytes
from cds_service.cli.help_option import HELP
from cds_service.cli.site import chosen_profile
from cds_service.doctor import report
from cds_service.doctor.examine import examine
from cds_service.doctor.finding import SETTINGS, Finding, Level
from cds_service.doctor.site import Ask, Site
from cds_service.engine.services import Profile, installed
from cds_service.fhir.client.dialects import dialect
from cds_service.formats.urls import Base, parse_base
from cds_service.kernel.errors import ContentError, InputError
from cds_service.security.clients import Client, registry
from cds_service.web import settings as web_settings
from cds_service.web.settings import Settings

_PATH = click.Path(path_type=Path)
_ANYBODY = ""


@click.command(context_settings=HELP)
@click.option("--settings", "path", type=_PATH, help="TOML file of the service; every key also as BONECDS_<KEY>.")
@click.option("--client", "name", help="Look at this registered client only.")
@click.option("--fhir", "fhir_base", default="", help="The FHIR server that token and patient belong to, if several.")
@click.option("--patient", default="", help="Logical id of a test patient to look up; a token answer may name one.")
@click.option("--token-file", type=_PATH, help="Access token: alone, or the JSON of the token endpoint (with scope).")
@click.option("--token-env", help="Environment variable with the same.")
@click.option("--ca-bundle", type=_PATH, help="Certificate authorities to trust for public_url, not the public ones.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
def doctor(
    path: Path | None,
    name: str | None,
    fhir_base: str,
    patient: str,
    token_file: Path | None,
    token_env: str | None,
    ca_bundle: Path | None,
    *,
    as_json: bool,
) -> None:
    """Check the settings of a site against its EHR: addresses, certificates, clocks, keys, scopes, searches, database.

    Run it on the machine and as the user of the service, with its settings and environment. It calls the addresses in the
    settings and no other. The token goes to the one FHIR server it belongs to. Nothing of a record and no token is in
    the report. Nothing is changed.

    Exit status 0 without a fail, 1 with one, 2 for bad input.
    """
    access = granted(token_file, token_env)
    ca_file = str(ca_bundle) if ca_bundle and read_bytes(ca_bundle, "--ca-bundle") else None
    if path is not None:
        read_bytes(path, "--settings")
    try:
        settings = web_settings.load(path, os.environ)
        site = _site(settings, name)
    except (ContentError, InputError) as problem:
        _finish([_would_not_start(problem)], as_json=as_json)
    ask = Ask(
        time.time,
        settings.day(),
        access.token if access else "",
        access.scope if access else "",
        patient_id(patient or (access.patient if access else "")),
        _registered(fhir_base, site),
        ca_file,
    )
    _finish(examine(site, ask, lambda words: click.echo(f"... {words}", err=True)), as_json=as_json)


def _would_not_start(problem: ContentError | InputError) -> Finding:
    """The service would not start with these settings either."""
    if isinstance(problem, ContentError):
        seen, fix = f"{problem.file}: {problem.key}: {problem.problem.removesuffix('.')}", problem.fix
    else:
        seen, fix = f"{problem.where}: {problem.what}", problem.next_step
    return SETTINGS.failed(seen, fix or "docs/operator.md lists every key.")


def _site(settings: Settings, name: str | None) -> Site:
    services = installed()
    every = registry(settings.clients, "settings").all()
    clients = tuple(each for each in every if name in (None, each.name))
    if name is not None and not clients:
        known = ", ".join(each.name for each in every) or "none"
        raise click.UsageError(f"no such client is registered (at --client). Registered: {known}.")
    anybody = Client(_ANYBODY, "", fhir_bases=tuple(map(_base, settings.fhir_bases)))
    for each in clients:
        dialect(each.dialect or "generic")
    return Site(
        services=services,
        host=settings.host,
        public_url=settings.public_url,
        clients=clients,
        registered=len(every),
        anybody=anybody,
        insecure_public_bind=settings.insecure_public_bind,
        fixed_day=settings.as_of,
        fetch_seconds=settings.fetch_ms / 1000,
        database_url=settings.database_url,
        audit_key_file=settings.audit_key_file,
        former_key_files=settings.former_key_files,
        admin_key_file=settings.admin_key_file,
        silent=settings.silent,
        profiles={each.name: _profile(settings, each) for each in clients or (anybody,)},
        sandbox=settings.sandbox,
    )


def _base(text: str) -> Base:
    try:
        return parse_base(text, insecure=True)
    except ValueError as problem:
        raise ContentError("settings", "fhir_bases", f"{problem}.", "Write the address as https://host/path.") from None


def _profile(settings: Settings, client: Client) -> Profile:
    """As the service chooses it: a client that names neither profile nor site file has those of the settings."""
    clinic = installed()[0].clinic
    own = client.profile is not None or client.site_file is not None
    name = client.profile if own else settings.profile
    chosen: Profile = chosen_profile(clinic, name or settings.profile, client.site_file if own else settings.site_file)
    return chosen


def _registered(fhir_base: str, site: Site) -> str:
    """The FHIR server that was named, as the settings spell it; a token goes to no other."""
    if not fhir_base:
        return ""
    bases = [base for client in site.callers for base in client.fhir_bases]
    try:
        found = next((base for base in bases if base == parse_base(fhir_base, insecure=True)), None)
    except ValueError as problem:
        raise InputError(f"the address {problem}", "--fhir", "Write it as in fhir_bases.") from None
    if found is None:
        listed = ", ".join(map(str, bases)) or "none"
        raise InputError("this FHIR server is not in the settings", "--fhir", f"Listed: {listed}.")
    return str(found)


def _finish(found: Iterable[Finding], *, as_json: bool) -> NoReturn:
    every = list(_shown(found, as_json=as_json))
    if as_json:
        click.echo(json.dumps({"findings": report.as_json(every)}, indent=1))
    click.echo(report.summary(every), err=True)
    sys.exit(1 if any(each.level is Level.FAIL for each in every) else 0)


def _shown(found: Iterable[Finding], *, as_json: bool) -> Iterator[Finding]:
    """Each finding, written as soon as it is known unless all are written at the end."""
    for each in found:
        if not as_json:
            click.echo("\n".join(report.lines(each)))
        yield each
