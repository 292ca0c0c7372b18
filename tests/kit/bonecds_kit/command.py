"""`bonecds testkit`, and `bonecds-testkit` where Bone Health CDS is not installed."""

from __future__ import annotations

import json
import secrets
import time

import click

from bonecds_kit.forger import ISSUER, Forger, registration
from bonecds_kit.inbound import Entry
from bonecds_kit.keyserver import address
from bonecds_kit.report import FORMATS, summary
from bonecds_kit.run import GOOD, ROW_IDS, Result, Run
from bonecds_kit.wire import CannotRun, Target, discovery

KEYS_PORT = 8765
# tests put a shorter one in its place
wait = time.sleep


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("url")
@click.option("--service", "services", multiple=True, metavar="ID", help="A service to test; default: all of them.")
@click.option("--only", default="", metavar="A1,C4", help="Rows to run; default: all of them.")
@click.option(
    "--keys-port",
    type=click.IntRange(1, 65535),
    default=KEYS_PORT,
    show_default=True,
    help="Port on 127.0.0.1 where the kit serves the keys of its client.",
)
@click.option("--issuer", default=ISSUER, show_default=True, help="iss of the tokens.")
@click.option("--audience", metavar="URL", help="Address under which the service knows itself; default: URL.")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True)
@click.option("--print-registration", is_flag=True, help="Print what the service must know of the client, and end.")
@click.pass_context
def testkit(
    ctx: click.Context,
    url: str,
    services: tuple[str, ...],
    only: str,
    keys_port: int,
    issuer: str,
    audience: str | None,
    form: str,
    print_registration: bool,
) -> None:
    """Send forged tokens and hostile requests to the CDS Hooks service at URL, on this machine.

    URL is the address under which /cds-services is found, such as http://127.0.0.1:8080. Only test what you run yourself.

    Exit status: 0 nothing is wrong, 1 something is, 2 the kit could not run.
    """
    target = Target(url)
    audience = audience or target.url
    if print_registration:
        click.echo(_registration(issuer, keys_port, audience))
        return
    rows = _rows(only)
    chosen = _chosen(discovery(target), services)
    try:
        forger = Forger("", issuer=issuer, port=keys_port, mark=f"-{secrets.token_hex(4)}")
    except OSError:
        raise CannotRun(f"port {keys_port} on 127.0.0.1 is taken. Choose another (--keys-port).") from None
    with forger:
        run = Run(target, forger, audience=audience, only=rows, wait=wait, say=lambda text: click.echo(text, err=True))
        results = [result for entry in chosen for result in run.service(entry)]
    click.echo(FORMATS[form](results))
    ctx.exit(_status(results))


def main() -> None:
    """Run the kit on its own."""
    testkit(prog_name="bonecds-testkit")


def _rows(only: str) -> list[str]:
    rows = [part.strip().upper() for part in only.split(",") if part.strip()]
    if unknown := [row for row in rows if row not in ROW_IDS]:
        raise CannotRun(f"--only: there is no row {', '.join(unknown)}. The rows: {', '.join(ROW_IDS)}")
    return rows


def _chosen(entries: tuple[Entry, ...], ids: tuple[str, ...]) -> list[Entry]:
    known = {entry.id: entry for entry in entries}
    if unknown := [ident for ident in ids if ident not in known]:
        raise CannotRun(f"--service: discovery does not list {', '.join(unknown)}. It lists: {', '.join(known)}")
    return [known[ident] for ident in dict.fromkeys(ids)] or list(known.values())


def _status(results: list[Result]) -> int:
    if any(result.state == "wrong" for result in results):
        return 1
    if not any(result.state == "ok" and result.row != GOOD for result in results):
        raise CannotRun(f"no row could be judged: {summary(results)}")
    return 0


def _registration(issuer: str, keys_port: int, audience: str) -> str:
    """The client as Bone Health CDS reads it from its settings; other services need the same in their own words."""
    client = registration(issuer, address(keys_port))
    lines = [f"# the service has to know itself as public_url = {json.dumps(audience)}", "[[clients]]"]
    return "\n".join([*lines, *(f"{name} = {json.dumps(value)}" for name, value in client.items())])
