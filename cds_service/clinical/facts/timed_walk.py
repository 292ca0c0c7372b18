"""The Timed 25-Foot Walk, found by its name.

No code for this test has been verified in any code system (`terminology.md` 13), and clinics record it under codes of
their own. So its name is read instead: a result counts where the words of its code say "timed 25", "T25FW" or "25-foot
walk". That shows presence only: a search by code cannot find what has no code, so "none found" never means "not done".
"""

from __future__ import annotations

import re

from cds_service.clinical import needs
from cds_service.clinical.facts.results import hull, newest_day, results_of
from cds_service.fhir.chart import Chart
from cds_service.kernel.facts import Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval

NEEDS = (needs.FUNCTION,)
_NAME = re.compile(r"\btimed 25|\bT25FW\b|\b25[- ](foot|feet|ft) walk", re.I)


def timed_walk(chart: Chart) -> Fact[Interval]:
    """Seconds for 25 feet, of the newest day; several trials of one day give the interval between them.

    Only results in seconds count. Doubts: a look-up did not complete, or a result that may be newer could not be read.
    """
    open_ = chart.gaps(*NEEDS)
    read = results_of(chart, "timed-walk", "timed-walk", chart.named("Observation", _NAME))
    day = newest_day(read.usable)
    if not day:
        failed = tuple(each.gap for each in read.failed)
        return Unknown((*open_, *failed) or (Gap(GapKind.NOT_RECORDED, "timed-walk"),))
    value = hull([each.measured.value for each in day])
    shown = tuple(each.evidence("timed-walk") for each in day)
    return Known(value, shown, (*open_, *read.gaps(day[0].on)))
