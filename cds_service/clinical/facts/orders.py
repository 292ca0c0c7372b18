"""What kinds of drugs are being ordered: whether an order is one this service has anything to say about."""

from __future__ import annotations

from cds_service.clinical.facts.bone_drugs import ordered_bone_drugs
from cds_service.clinical.facts.glucocorticoids import ordered_systemic
from cds_service.fhir.chart import Chart

GLUCOCORTICOID, BONE_DRUG, VITAMIN_D = "glucocorticoid", "bone-drug", "vitamin-d"


def kinds(chart: Chart) -> frozenset[str]:
    """The kinds of drugs among the orders the call is about.

    Local steroids, cancer doses of bone drugs and all other orders are of no kind: there is nothing to say about them.
    """
    found = {
        GLUCOCORTICOID: ordered_systemic(chart),
        BONE_DRUG: any(True for _ in ordered_bone_drugs(chart)),
        VITAMIN_D: any(True for prefix in ("vitamin_d", "calcium") for _ in chart.ordered(prefix)),
    }
    return frozenset(kind for kind, ordered in found.items() if ordered)
