"""Pictures of numbers over time, as SVG text with a text alternative. Dates and numbers in, a `Picture` out; no patient."""

from __future__ import annotations

from cds_service.pictures.picture import Picture, Table
from cds_service.pictures.plot_coverage import coverage
from cds_service.pictures.plot_glucocorticoids import glucocorticoids
from cds_service.pictures.plot_rates import MonthShare, Share, rate_bars, rates_over_time
from cds_service.pictures.plot_rule_map import rule_map
from cds_service.pictures.plot_t_scores import t_scores
from cds_service.pictures.plot_vitamin_d import vitamin_d

__all__ = [
    "MonthShare",
    "Picture",
    "Share",
    "Table",
    "coverage",
    "glucocorticoids",
    "rate_bars",
    "rates_over_time",
    "rule_map",
    "t_scores",
    "vitamin_d",
]
