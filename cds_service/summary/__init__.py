"""One patient's facts as pictures, what-if, and the content of a one-page summary. No Flask, no I/O."""

from __future__ import annotations

from cds_service.summary.changes import Quantity
from cds_service.summary.page import Summary, summary_of
from cds_service.summary.varying import MOST_VALUES, Range, WhatIf, range_of, what_if

__all__ = ["MOST_VALUES", "Quantity", "Range", "Summary", "WhatIf", "range_of", "summary_of", "what_if"]
