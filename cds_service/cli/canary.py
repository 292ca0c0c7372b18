"""`bonecds canary`: an invented patient is sent through the service's public address, and its card has to come."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from pathlib import Path

import click

from cds_service.cli.clock import today
from cds_service.cli.given import address, ca_file_of, signer_of
from cds_service.cli.help_option import HELP
from cds_service.kernel.errors import InputError
from cds_service.simulator import canary as canaries
from cds_service.simulator.canary import Flight
from cds_service.simulator.session import Session
from cds_service.simulator.wire import SECONDS, Wire
from cds_service.web import observe
from cds_service.web.logs import Alarm

_PATH = click.Path(path_type=Path)


@click.command(context_settings=HELP)
@click.option("--url", required=True, help="Address of the service as EHRs call it: the part before /cds-services.")
@click.option("--every", type=click.IntRange(5, 86_400), help="Again after so many seconds, until it is stopped.")
@click.option("--rule-set", default="", help="Version of rules and content that must answer, as /readyz tells it.")
@click.option(
    "--slowest", type=click.FloatRange(0.1, 60), default=canaries.SLOWEST_S, show_default=True, help="Seconds."
)
@click.option(
    "--as-of",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="The day the service looks at patients, where its settings fix one.",
)
@click.option("--sign-with", type=_PATH, help="Private key (PEM): send a JWT, RS384 or ES384 by the kind of key.")
@click.option("--iss", help="iss of the JWT.")
@click.option("--kid", help="kid of the JWT.")
@click.option("--jku", default="", help="jku of the JWT; left out if not given.")
@click.option("--ca-bundle", type=_PATH, help="Certificate authorities to trust in place of the public ones.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def canary(
    url: str,
    every: int | None,
    rule_set: str,
    slowest: float,
    as_of: dt.datetime | None,
    sign_with: Path | None,
    iss: str | None,
    kid: str | None,
    jku: str,
    ca_bundle: Path | None,
    form: str,
) -> None:
    """Send two calls about an invented patient, bonecds-canary: one must give a card, the other none.

    One line for each run. Run it on another machine than the service, through the same proxy and network as the EHR. A failure is
    also an alarm in the log, on standard error.

    Exit status 0 if both answers are as they must be, 1 if not, 2 for bad input. With --every it goes on after failures.
    """
    base = address(url.rstrip("/").removesuffix("/cds-services"), "--url")
    ca_file, signer = ca_file_of(ca_bundle), signer_of(sign_with, iss, kid, jku)
    while True:
        # a new connection each time, as after a change of addresses or certificates
        wire = Wire(base, ca_file=ca_file, seconds=max(SECONDS, slowest))
        try:
            found = _flown(Session(wire, signer, time.time), as_of.date() if as_of else today(), rule_set, slowest)
        finally:
            wire.close()
        click.echo(_line(found, form))
        if found.problems:
            observe.alarm(Alarm.CANARY_FAILED)
        if not every:
            sys.exit(1 if found.problems else 0)
        time.sleep(every)


def _flown(session: Session, day: dt.date, rule_set: str, slowest: float) -> Flight:
    try:
        return canaries.fly(session, day, rule_set=rule_set, slowest=slowest)
    except InputError as problem:
        return Flight((problem.what,))


def _line(found: Flight, form: str) -> str:
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: TID251 when the canary flew
    if form == "json":
        told = {"time": now, "ok": not found.problems, "seconds": round(found.seconds, 3), "rule_set": found.rule_set}
        return json.dumps(told | {"problems": list(found.problems)})
    if found.problems:
        return f"{now} canary FAILED: {'; '.join(found.problems)}"
    return f"{now} canary ok, {found.seconds:.2f} s" + (f", {found.rule_set}" if found.rule_set else "")
