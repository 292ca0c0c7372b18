"""The data the service reads: look-ups, prefetch templates, FHIR scopes, units; all derived from the needs of the facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cds_service.clinical.measurements import Analyte, analytes
from cds_service.fhir.search import scope_of
from cds_service.kernel.needs import Need
from cds_service.kernel.quantities import plain
from cds_service.review.pages.book import Book
from cds_service.review.pages.markdown import link, page, rule_links, section, table
from cds_service.review.pages.valuesets import Places

_FEW = 12
_LEAD = (
    "Each look-up is declared once, by the facts that need it. Prefetch templates, scopes and this page are derived from that. "
    "A look-up that did not complete is named on the card; nothing is ever taken as absent because of it."
)
_SCOPES = (
    "What an EHR would have to grant if the service fetched this data itself, in the syntax of SMART App Launch 2. "
    "With prefetch alone no scope is needed. Nothing is ever written."
)
_UNITS = (
    "A result counts only in one of these units; a missing or other unit is named on the card, never guessed. A value "
    "outside the window is not used. Values are compared in the unit they were reported in."
)
_UNIT_HEAD = ("Measurement", "Unit", "Makes in its own unit", "Window", "Check")


def data_page(book: Book, places: Places, readers: Mapping[str, list[str]]) -> tuple[str, str]:
    """The page.

    Args:
        book: what is written about.
        places: where codes are shown.
        readers: ids of the rules that read a look-up, by its key.
    """
    needs, names = book.service.needs, book.texts.names
    overview = [(link(names[n.key], f"#{n.key.lower()}"), n.resource_type, f"`{n.key}`") for n in needs]
    scopes = "\n".join(dict.fromkeys(scope_of(need) for need in needs))
    units = (row for each in analytes().values() for row in _analyte(each))
    return "data-read.md", page(
        "Data read",
        _LEAD,
        table(("Look-up", "FHIR resource", "Prefetch key"), overview),
        section("Scopes", _SCOPES, f"```\n{scopes}\n```"),
        *(_need(book, need, places, readers.get(need.key, [])) for need in needs),
        section("Units", _UNITS, table(_UNIT_HEAD, units)),
    )


def _need(book: Book, need: Need, places: Places, readers: list[str]) -> str:
    concepts = [name for name in places.home if any(name.startswith(wanted) for wanted in need.concepts)]
    listed = ", ".join(places.links(concepts, _FEW, up="."))
    everything = f"All of the type {need.resource_type}; the service picks what it knows."
    found = f"Codes searched for: {listed}." if listed else everything
    used = rule_links(readers)
    return section(
        need.key,
        f"**{book.texts.names[need.key]}**. " + ("The patient of the call." if need.by_id else found),
        f"Scope: `{scope_of(need)}`.",
        f"```\n{book.service.prefetch[need.key]}\n```",
        f"Read by: {used}." if used else "No rule reads it yet.",
    )


def _analyte(told: Analyte) -> Iterator[tuple[str, ...]]:
    for unit in told.units.values():
        own = unit.name == told.unit
        window = f"{plain(told.low)} to {plain(told.high)}" if own else ""
        yield told.label, unit.shown or "no unit", "" if own else plain(unit.factor), window, unit.check
