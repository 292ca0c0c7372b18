"""`bonecds explain`: what the rules say about one whole-patient Bundle, and why."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import click

from cds_service.cli.clock import today
from cds_service.cli.help_option import HELP
from cds_service.cli.site import chosen_profile
from cds_service.cli.tree import as_text
from cds_service.clinical import content
from cds_service.engine.answer import decide
from cds_service.engine.draft_orders import ORDER_HOOKS
from cds_service.engine.explanation import as_json, number
from cds_service.engine.gather import from_bundle
from cds_service.engine.services import Service, installed
from cds_service.formats import strict_json
from cds_service.kernel.errors import InputError

# A file on disk is not a call: whole charts are larger than what a prefetch may be.
MAX_FILE = 200_000_000
MAX_NODES = 20_000_000


@click.command(context_settings=HELP)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--hook", default="patient-view", show_default=True, help="The hook to answer.")
@click.option("--draft-orders", type=click.Path(path_type=Path), help="Bundle of draft orders, for the order hooks.")
@click.option("--as-of", type=click.DateTime(formats=["%Y-%m-%d"]), help="The day to look at; today if not given.")
@click.option("--profile", default="us", show_default=True, help="Built-in profile.")
@click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file, instead of a built-in profile.")
@click.option("--only", help="Comma-separated guideline sets: just these, preview rules included.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def explain(
    bundle: Path,
    hook: str,
    draft_orders: Path | None,
    as_of: dt.datetime | None,
    profile: str,
    site_file: Path | None,
    only: str | None,
    form: str,
) -> None:
    """Evaluate BUNDLE, a whole-patient record in which everything counts as completely looked up.

    BUNDLE is FHIR R4 JSON: a Bundle, a list of resources or NDJSON, also gzipped. Exit status 0 with or without
    cards, 2 with one line for bad input.
    """
    service = _service(hook)
    if (draft_orders is not None) != (hook in ORDER_HOOKS):
        raise InputError(
            "draft orders go with the order hooks",
            "--draft-orders",
            f"Give --draft-orders FILE with --hook {' or '.join(sorted(ORDER_HOOKS))}, and only there.",
        )
    day = as_of.date() if as_of else today()
    site = chosen_profile(service.clinic, profile, site_file)
    if only is not None:
        site = site.only(_sets(only))
    orders = read_file(draft_orders) if draft_orders else None
    records = from_bundle(read_file(bundle), service.needs, orders, hook)
    if records.drafts is not None and not records.drafts.everything:
        raise InputError("no order was found", "--draft-orders", "Send a Bundle of draft orders, FHIR R4 JSON.")
    decision = decide(service, records, day, site, f"explain/{records.patient_id}")
    texts = service.texts(site.language, site.wording)
    if form == "json":
        click.echo(json.dumps(as_json(decision, texts), indent=1, default=number))
    else:
        click.echo(as_text(decision, texts))


def _service(hook: str) -> Service:
    services = {service.hook: service for service in installed()}
    if hook not in services:
        raise InputError(f"no service answers the hook {hook!r}", "--hook", f"Served: {', '.join(services)}.")
    return services[hook]


def _sets(only: str) -> tuple[str, ...]:
    known = content.guideline_sets()
    asked = tuple(name.strip() for name in only.split(",") if name.strip())
    unknown = [name for name in asked if name not in known]
    if unknown or not asked:
        raise InputError(
            f"unknown guideline set {', '.join(unknown)!r}", "--only", f"Known: {', '.join(sorted(known))}."
        )
    return asked


def read_file(path: Path) -> object:
    """The content of a JSON, NDJSON or gzipped file.

    Raises:
        InputError: it cannot be opened or is not JSON.
    """
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, zlib.error) as problem:
        raise InputError(f"the file cannot be read: {type(problem).__name__}", path.name) from None
    if path.name.removesuffix(".gz").endswith(".ndjson"):
        return raw.decode("utf-8", "replace")
    return strict_json.load(raw, max_bytes=MAX_FILE, max_nodes=MAX_NODES)


__all__: Sequence[str] = ("explain", "read_file")
