"""`bonecds client`: a CDS Hooks client without an EHR, against this service or any other."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import click

from cds_service.cli.explain import read_file
from cds_service.cli.given import Granted, address, ca_file_of, granted, patient_id, signer_of
from cds_service.cli.help_option import HELP
from cds_service.fhir.read import mapping, string
from cds_service.kernel.errors import InputError
from cds_service.simulator import calls, deck, prefetch, report
from cds_service.simulator.calls import Access
from cds_service.simulator.session import Called, Discovery, Session
from cds_service.simulator.wire import SECONDS, Wire

_PATH = click.Path(path_type=Path)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@dataclass(frozen=True, slots=True)
class _Who:
    """Whom a call is about, and who makes it."""

    patient: str
    user: str
    encounter: str


@dataclass(frozen=True, slots=True)
class _Record:
    """Where the prefetch comes from, and what happens to it."""

    fhir: str | None
    ca_bundle: str | None
    bundle: Path | None
    access: Granted | None
    hand_over: bool
    fail: tuple[str, ...]
    omit: tuple[str, ...]


@click.command(context_settings=HELP)
@click.argument("url")
@click.argument("what", metavar="[discover | call SERVICE_ID]", nargs=-1)
@click.option("--deck", "folder", type=_FOLDER, help="Send every recorded call of this folder, instead of one.")
@click.option("--bundle", type=_PATH, help="Answer the templates from this whole-patient Bundle.")
@click.option("--fhir", help="Answer the templates from this FHIR R4 server.")
@click.option("--patient", help="Logical id of the patient; a Bundle or a token answer may name it.")
@click.option("--token-file", type=_PATH, help="Access token for --fhir: alone, or the JSON of the token endpoint.")
@click.option("--token-env", help="Environment variable with the same.")
@click.option("--hand-over", is_flag=True, help="Give the service the FHIR server's address and the token as well.")
@click.option("--user", default="Practitioner/example", show_default=True, help="context.userId.")
@click.option("--encounter", default="", help="context.encounterId.")
@click.option("--draft-order", type=_PATH, help="Order, list or Bundle of orders, for order-select and order-sign.")
@click.option("--fail", multiple=True, help="Send this prefetch key as failed; may be repeated.")
@click.option("--omit", multiple=True, help="Do not send this prefetch key; may be repeated.")
@click.option("--sign-with", type=_PATH, help="Private key (PEM): send a JWT, RS384 or ES384 by the kind of key.")
@click.option("--iss", help="iss of the JWT.")
@click.option("--kid", help="kid of the JWT.")
@click.option("--jku", default="", help="jku of the JWT; left out if not given.")
@click.option("--feedback", type=click.Choice(["accepted", "overridden"]), help="Report this of the cards afterwards.")
@click.option("--ca-bundle", type=_PATH, help="Certificate authorities to trust in place of the public ones.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    default=SECONDS,
    show_default=True,
    help="Longest wait for an answer, seconds.",
)
@click.option("--format", "form", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
@click.option("--out", type=_PATH, help="Write the report to this file.")
def client(
    url: str,
    what: tuple[str, ...],
    folder: Path | None,
    patient: str | None,
    user: str,
    encounter: str,
    draft_order: Path | None,
    sign_with: Path | None,
    iss: str | None,
    kid: str | None,
    jku: str,
    feedback: str | None,
    ca_bundle: Path | None,
    timeout: float,
    form: str,
    out: Path | None,
    **record: Any,
) -> None:
    """Be the CDS client of the service at URL (the part before /cds-services).

    \b
    discover          list its services and check the discovery document
    call SERVICE_ID   fill the service's own prefetch templates, call it, show the cards, check the answer
    --deck DIR        send every recorded call (.json with hook and context) of a folder

    What is sent where: to URL, the record you name in --bundle or --deck, or what --fhir answers; the JWT, if --sign-with is
    given; the access token only with --hand-over. To --fhir, the patient's id in the filled templates, and the access token.
    Nothing goes anywhere else. Addresses are https, or http on this machine. No token is ever shown.

    Exit status 0 if every answer keeps to CDS Hooks 2.0.1 (a 412 counts as an answer), 1 if one does not, 2 for bad input.
    """  # noqa: D301 (click reads the backspace)
    access = granted(record.pop("token_file"), record.pop("token_env"))
    ca_file = ca_file_of(ca_bundle)
    signer = signer_of(sign_with, iss, kid, jku)
    command = _command(what, folder)
    wire = Wire(address(url.rstrip("/").removesuffix("/cds-services"), "URL"), ca_file=ca_file, seconds=timeout)
    session = Session(wire, signer, time.time, [access.token] if access else [])
    try:
        discovery = session.discover()
        if command == "discover":
            _finish(_discovered(discovery, form), out, failed=any(f.level == "error" for f in discovery.findings))
        if folder is not None:
            recorded = deck.read(folder)
            called = list(deck.play(recorded, session, discovery, _say))
            name = folder.name
        else:
            source = _Record(ca_bundle=ca_file, access=access, **record)
            who = _Who(patient_id(patient or (access.patient if access else "")), user, encounter)
            called = [_call(session, discovery.service(command), who, source, draft_order)]
            name = command
        if feedback:
            called = [session.feedback(each, feedback) if each.status == 200 else each for each in called]
    finally:
        wire.close()
    _finish(_told(called, form, name), out, failed=any(each.errors for each in called))


def _command(what: Sequence[str], folder: Path | None) -> str:
    """What to do: "discover", the id of a service to call, or "" for a deck."""
    if folder is not None and not what:
        return ""
    if folder is None and tuple(what) == ("discover",):
        return "discover"
    if folder is None and len(what) == 2 and what[0] == "call":
        return what[1]
    raise click.UsageError("Say what to do: discover, call SERVICE_ID, or --deck DIR.")


def _call(session: Session, service: Any, who: _Who, record: _Record, draft_order: Path | None) -> Called:
    entry, hook = mapping(service), string(mapping(service).get("hook"))
    templates = mapping(entry.get("prefetch"))
    for option, keys in (("--fail", record.fail), ("--omit", record.omit)):
        if unknown := [key for key in keys if key not in templates]:
            raise InputError(f"the service asks for no {', '.join(unknown)}", option, f"Keys: {', '.join(templates)}.")
    orders = calls.orders_in(read_file(draft_order)) if draft_order else []
    if record.bundle is not None and record.fhir is None:
        if record.hand_over:
            raise InputError("a file cannot be handed over", "--hand-over", "It goes with --fhir.")
        search, patient = prefetch.bundle_source(read_file(record.bundle))
        context = calls.context_of(hook, who.patient or patient, who.user, who.encounter, orders)
        filled = prefetch.filled(templates, context, search, fail=record.fail, omit=record.omit)
        access = None
    elif record.fhir is not None and record.bundle is None:
        if not who.patient:
            raise InputError("no patient was named", "--patient", "Give the logical id.")
        base = address(record.fhir, "--fhir")
        token = record.access.token if record.access else None
        context = calls.context_of(hook, who.patient, who.user, who.encounter, orders)
        server = prefetch.FhirSource(base, token, ca_file=record.ca_bundle)
        filled = prefetch.filled(templates, context, _Told(server), fail=record.fail, omit=record.omit)
        server.close()
        scope = record.access.scope if record.access else ""
        access = Access(str(base), token or "", scope) if record.hand_over else None
    else:
        raise InputError("the record comes from one place", "--bundle, --fhir", "Give one of the two.")
    called = session.call(string(entry.get("id")), calls.request_of(hook, context, filled.values, access))
    return _with_prefetch(called, filled.told)


class _Told:
    """A source that says on stderr what it is at."""

    def __init__(self, source: prefetch.Source) -> None:
        self._source = source

    def answer(self, query: str) -> Any:
        """As `Source`; the patient's id is not shown."""
        _say(f"asking the FHIR server for {query.partition('?')[0].partition('/')[0]}")
        return self._source.answer(query)


def _with_prefetch(called: Called, told: Any) -> Called:
    return replace(called, prefetch=told)


def _discovered(found: Discovery, form: str) -> str:
    writers = {"text": report.discovery_text, "json": report.discovery_json, "junit": report.discovery_junit}
    return writers[form](found)


def _told(called: Sequence[Called], form: str, name: str) -> str:
    if form == "junit":
        return report.calls_junit(called, name)
    return report.calls_json(called) if form == "json" else report.calls_text(called)


def _finish(text: str, out: Path | None, *, failed: bool) -> NoReturn:
    if out is None:
        click.echo(text)
    else:
        try:
            out.write_text(text + "\n", "utf-8")
        except OSError as problem:
            raise InputError(f"the report cannot be written: {type(problem).__name__}", "--out") from None
        _say(f"report in {out}")
    sys.exit(1 if failed else 0)


def _say(words: str) -> None:
    click.echo(words, err=True)
