"""stub"""

from __future__ import annotations
from dataclasses import dataclass
from enum import Enum
from cds_service.clinical import needs
from cds_service.fhir.chart import Chart
from cds_service.fhir.read import *
from cds_service.kernel.dates import DateSpan
from cds_service.kernel.facts import *
from cds_service.kernel.quantities import Interval, exactly


class Measure(Enum):
    T = "t_score"
    Z = "z_score"
    BMD = "bmd"


class Site(Enum):
    LUMBAR_SPINE = "lumbar spine"
    TOTAL_HIP = "total hip"
    FEMORAL_NECK = "femoral neck"
    FEMUR = "femur"
    UNKNOWN = "site not stated"


@dataclass(frozen=True)
class Score:
    measure: Measure
    site: Site
    value: Interval
    on: DateSpan | None
    evidence: Evidence


@dataclass(frozen=True)
class Scan:
    on: DateSpan | None
    central: bool | None
    vfa: bool
    evidence: Evidence


def scores(chart):
    out = []
    for f in chart.find("Observation", *{e.concept for e in chart.terminology.rows("dxa.t_score", "dxa.z_score")}):
        v = number(mapping(f.part.get("valueQuantity")).get("value"))
        e = f.entries[0]
        m = Measure(e.concept.split(".")[1])
        s = e.concept.split(".")[2]
        site = {"lumbar_spine": Site.LUMBAR_SPINE, "total_hip": Site.TOTAL_HIP, "femur": Site.FEMORAL_NECK}.get(
            s, Site.UNKNOWN
        )
        on = when(f.resource)
        if v is None:
            continue
        out.append(
            Score(
                m,
                site,
                exactly(v),
                on,
                Evidence("t-score" if m is Measure.T else "z-score", str(v), on, name_of(f.resource), site.value),
            )
        )
    return Series(tuple(out), chart.gaps(*needs.BONE_RESULTS))


def scans(chart):
    out = []
    for f in [
        *chart.find("Procedure", "dxa.procedure", "dxa.vfa_procedure"),
        *chart.find("DiagnosticReport", "dxa.report", "dxa.order", "dxa.vfa_order"),
    ]:
        on = when(f.resource)
        out.append(Scan(on, True, False, Evidence("dxa", "", on, name_of(f.resource))))
    out.sort(key=lambda s: s.on.latest, reverse=True)
    return Series(tuple(out), chart.gaps(*needs.BONE_RESULTS, needs.PROCEDURES))


def lowest(scores, measure):
    of = [s for s in scores.items if s.measure is measure and s.site is not Site.UNKNOWN]
    if of:
        s = min(of, key=lambda s: s.value.low)
        return Known(s, (s.evidence,), scores.gaps)
    return Unknown(scores.gaps or (Gap(GapKind.NOT_RECORDED, "bone-density"),))
