"""Does the service still do what it did? Statistical process control of its own record of calls (HZ-01, D22).

Pure: what was seen and the present moment come in, charts come out. Nothing here reads a store, a clock or a record of a patient.
`docs/watching.md` has the formulas in words, and what to do about each alarm.
"""

from cds_service.watching.charts import Chart, Kind, Plan, Side, State, charts_of
from cds_service.watching.feeds import Feed, feeds_of
from cds_service.watching.report import Finding, Report, report
from cds_service.watching.seen import SeenCall, SeenFeedback
from cds_service.watching.series import Collected

__all__ = [
    "Chart",
    "Collected",
    "Feed",
    "Finding",
    "Kind",
    "Plan",
    "Report",
    "SeenCall",
    "SeenFeedback",
    "Side",
    "State",
    "charts_of",
    "feeds_of",
    "report",
]
