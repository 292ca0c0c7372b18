"""`bonecds watch`: is the service still doing what it did?"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click

from cds_service.cli import kept, watcher
from cds_service.cli.help_option import HELP
from cds_service.kernel.errors import StoreUnavailable
from cds_service.security.clients import registry
from cds_service.store.history import NEWEST


@click.command(context_settings=HELP)
@kept.SETTINGS
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--every", type=click.IntRange(10, 86_400), help="Look again after so many seconds, until it is stopped.")
@click.option("--newest", type=click.IntRange(100, 1_000_000), default=NEWEST, show_default=True, help="Calls to read.")
def watch(path: Path | None, form: str, every: int | None, newest: int) -> None:
    """Watch the record of calls for rules that fell silent, floods, failing look-ups, refusals, delays and dead feeds.

    Prints every chart with what it says. What is out of control is also an alarm in the log, on standard error, once. The calls
    of `bonecds canary` do not count. The service may run meanwhile; nothing is changed.

    Exit status 0 if nothing is out of control, 1 if something is, 2 for bad input. With --every it goes on.
    """
    settings = kept.settings_of(path)
    database = kept.database_of(settings)
    left_out = watcher.canaries(kept.keys_of(settings, database)[0], registry(settings.clients, "settings").all())
    teller = watcher.Teller()
    try:
        while True:
            try:
                found = watcher.look(database, left_out, newest)
            except StoreUnavailable as problem:
                if not every:
                    raise
                click.echo(f"bonecds: {problem}", err=True)
            else:
                click.echo(json.dumps(found.as_json(), indent=None if every else 1) if form == "json" else found.text())
                teller.tell(found)
            if not every:
                sys.exit(1 if found.findings() else 0)
            time.sleep(every)
    finally:
        database.close()
