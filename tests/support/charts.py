"""A chart from JSON text, for tests of facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from cds_service.clinical import needs
from cds_service.clinical.terminology import terminology
from cds_service.fhir.chart import Chart
from cds_service.formats import strict_json
from cds_service.kernel.needs import Lookup, LookupState, Need, Records


def chart_of(*resources: str, as_of: str = "2026-06-15", incomplete: Collection[Need] = ()) -> Chart:
    """The chart of resources given as JSON text; every look-up completed except those of `incomplete`, which failed."""
    found = tuple(strict_json.load(text.encode()) for text in resources)
    every = [need for need in vars(needs).values() if isinstance(need, Need)]
    failed = {need.key: Lookup(LookupState.FAILED) for need in incomplete}
    lookups = {need.key: Lookup(LookupState.COMPLETE) for need in every} | failed
    return Chart(Records("p1", lookups, found), terminology(), dt.date.fromisoformat(as_of))
