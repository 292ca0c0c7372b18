"""The pictures of one chart, and the rule map: what `cds_service.summary` draws, for the page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cds_service.engine.gather import gather
from cds_service.engine.services import Service
from cds_service.kernel.errors import InputError
from cds_service.kernel.needs import Records
from cds_service.kernel.quantities import Interval
from cds_service.pictures import Picture
from cds_service.protocol.request import parse
from cds_service.sandbox.calls import Asked
from cds_service.summary import Quantity, Summary, range_of, summary_of, what_if
from cds_service.summary.varying import present

Json = dict[str, Any]
# enough to see where a rule turns on, and few enough to answer while a slider moves
_VALUES = 21


def pictures(asked: Asked) -> Json:
    """T-scores, vitamin D, glucocorticoids and look-ups; or the problem with the record."""
    try:
        found = summary(asked)
    except InputError as problem:
        return {"pictures": [], "problem": str(problem)}
    return {"pictures": [_shown(each) for each in found.pictures], "problem": ""}


def summary(asked: Asked) -> Summary:
    """Everything on one page.

    Raises:
        InputError: the problem with the record.
    """
    return summary_of(asked.service, _records(asked), asked.profile, asked.as_of)


def rule_map(asked: Asked) -> Json:
    """The rule map for `vary`, with `held` set to other values, or the problem with it; and what every slider may be set to."""
    service, profile, as_of = asked.service, asked.profile, asked.as_of
    try:
        records = _records(asked)
    except InputError as found:
        return {"picture": None, "problem": str(found), "quantities": []}
    facts = service.clinic.facts(records, as_of, service.clinic.thresholds(as_of), profile)
    unit = dict(profile.units)["vitamin-d"]
    ranges = {each: range_of(each, unit) for each in Quantity}
    vary = Quantity(asked.told.get("vary", Quantity.AGE.value))
    held = {Quantity(name): Decimal(str(value)) for name, value in asked.told.get("held", {}).items()}
    picture, problem = None, ""
    try:
        picture = _shown(what_if(service, records, profile, as_of, vary, ranges[vary].values(_VALUES), held).picture())
    except InputError as refused:
        # a duration without a dose, for instance: no fault of the page, and the user can help it
        problem = str(refused)
    return {
        "picture": picture,
        "problem": problem,
        "quantities": [
            {
                "quantity": each.value,
                "name": told.name,
                "unit": told.unit,
                "low": told.low,
                "high": told.high,
                "step": told.step,
                "present": _middle(present(facts, each)),
            }
            for each, told in ranges.items()
        ],
    }


def _records(asked: Asked) -> Records:
    service: Service = asked.service
    return gather(parse(asked.request(), hook=service.hook), service.needs)


def _middle(value: Interval | None) -> Decimal | None:
    """Where a slider stands before it is moved; nowhere where the record gives a bound alone."""
    if value is None or value.low is None or value.high is None:
        return None
    return (value.low + value.high) / 2


def _shown(picture: Picture) -> Json:
    table = picture.table
    return {
        "title": picture.title,
        "description": picture.description,
        "svg": picture.svg,
        "headers": table.headers,
        "rows": table.rows,
    }
