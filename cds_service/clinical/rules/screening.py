"""What the screening rules share: whom a site screens, what was done lately, and whether DXA or a calculator comes first.

For how long a DXA, a FRAX result or an assessment of the spine counts is project policy (rule book 3, last line). That keeps
a rule silent and never makes one speak, so rules keep the label of their trigger.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from cds_service.clinical.concepts import (
    as_json,
    dxa_since,
    latest_frax,
    long_term_use,
    on_therapy,
    tentative,
    within_months,
)
from cds_service.clinical.facts.bone_density import Scan
from cds_service.clinical.facts.fractures import Fracture
from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.profiles import EVERYBODY
from cds_service.clinical.rules.common import chosen, in_our_groups, man, on_record, woman
from cds_service.clinical.rules.nogg_thresholds import at_treatment_threshold
from cds_service.clinical.rules.risk_factors import (
    FRAGILITY_SITES,
    bone_harming_drug,
    fragility_fracture,
    secondary_cause,
)
from cds_service.kernel.criteria import Criterion, all_of, any_of, holds, less_than, none_of
from cds_service.kernel.dates import DateSpan, plus_months
from cds_service.kernel.facts import Gap, GapKind, Known
from cds_service.kernel.rules import Json, Proposal
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

CARD = "screening"
# What every rule here rests on: the site's groups, what was done lately, and what is new since.
READS = ("ms", "exposure", "fractures", "scans")
SWITCHES = ("gc_entry", "gc_duration_op")
# The same for rules that ask for DXA, which a site may want to follow a calculator.
READS_DXA = (*READS, "age", "frax")
SWITCHES_DXA = (*SWITCHES, "dxa_first", "frax_mode")
READS_GENERAL = (*READS, "therapies")


# --- whom ------------------------------------------------------------------------------------------------------------
@shared
def screened(p: Patient, t: Thresholds) -> Criterion:
    """Whom the site screens: everybody, or the two groups of the service."""
    everybody = holds("screening-everybody", Truth.of(p.profile.screening == EVERYBODY))
    return any_of(everybody, in_our_groups(p, t))


@shared
def general_population(p: Patient, t: Thresholds) -> Criterion:
    """None of what puts a person outside guidelines for the general population: neither of our groups is inside (0.1)."""
    return none_of(
        in_our_groups(p, t),
        on_record("osteoporosis", p.diagnoses("cond.osteoporosis")),
        fragility_fracture(p, t),
        secondary_cause(p, t),
        bone_harming_drug(p, t),
        on_therapy(p),
    )


# --- what was done ---------------------------------------------------------------------------------------------------
@shared
def measured_lately(p: Patient, t: Thresholds) -> Criterion:
    """A DXA in the last 23 months, and no new risk factor since."""
    recent = dxa_since(p, "dxa-recent", plus_months(p.as_of, -t.days("policy.screening-dxa-months")))
    newest = next((scan.on for scan in p.scans.items if scan.central is True and scan.on), None)
    return all_of(recent, none_of(new_risk_factor(p, t, newest)))


def measured_ever(p: Patient) -> Criterion:
    """A DXA of spine or hip on record, however old."""
    return _examined(p, "dxa-on-record", tuple(scan for scan in p.scans.items if scan.central is not False))


@shared
def spine_assessed(p: Patient, t: Thresholds) -> Criterion:
    """A vertebral fracture assessment on record, however old, and no new risk factor since."""
    assessed = tuple(scan for scan in p.scans.items if scan.vfa)
    known = holds(
        "vfa-on-record", Truth.YES if assessed else _absent(p), tuple(s.evidence for s in assessed), p.scans.gaps
    )
    return all_of(known, none_of(new_risk_factor(p, t, assessed[0].on if assessed else None)))


@shared
def scored_lately(p: Patient, t: Thresholds) -> Criterion:
    """A FRAX result in the last five years, and no new risk factor since."""
    match latest_frax(p):
        case Known(frax, _, gaps):
            months = t.days("policy.risk-score-months")
            found, on = within_months("frax-lately", frax.on, p.as_of, months, frax.evidence), frax.on
        case _:
            gaps, found, on = p.frax.gaps, holds("frax-lately", Truth.NO), None
    return all_of(tentative(found, gaps), none_of(new_risk_factor(p, t, on)))


def _examined(p: Patient, key: str, scans: tuple[Scan, ...]) -> Criterion:
    certain = tuple(scan.evidence for scan in scans if scan.central)
    if certain:
        return holds(key, Truth.YES, certain)
    sites = tuple(Gap(GapKind.NOT_RECORDED, "bone-density-date-or-site", "", s.evidence.resource) for s in scans)
    return holds(key, Truth.UNKNOWN if sites else _absent(p), gaps=(*sites, *p.scans.gaps))


def _absent(p: Patient) -> Truth:
    """Not found: no, if all look-ups for DXA completed."""
    return Truth.UNKNOWN if p.scans.gaps else Truth.NO


# --- what is new since -----------------------------------------------------------------------------------------------
def new_risk_factor(p: Patient, t: Thresholds, done: DateSpan | None) -> Criterion:
    """A fragility fracture, or the start of long-term glucocorticoids, after that day; any day, where it has no date."""
    on = done or DateSpan(dt.date.min, p.as_of, "")
    return any_of(_fracture_after(p, on), _glucocorticoids_after(p, t, on))


def _fracture_after(p: Patient, done: DateSpan) -> Criterion:
    counted = [f for f in p.fractures.items if f.site in FRAGILITY_SITES and f.low_trauma is not Truth.NO]
    new = tuple(f.evidence for f in counted if f.low_trauma is Truth.YES and f.on and f.on.earliest > done.latest)
    maybe = [f for f in counted if f.on is None or f.on.latest > done.earliest]
    doubts = tuple(_open(f) for f in maybe)
    truth = Truth.YES if new else Truth.UNKNOWN if maybe or p.fractures.gaps else Truth.NO
    return holds("fracture-since", truth, new, (*doubts, *p.fractures.gaps))


def _open(fracture: Fracture) -> Gap:
    what = "fracture-cause" if fracture.low_trauma is Truth.UNKNOWN else "date"
    return Gap(GapKind.NOT_RECORDED, what, str(fracture.on or ""), fracture.evidence.resource)


def _glucocorticoids_after(p: Patient, t: Thresholds, done: DateSpan) -> Criterion:
    """A long-term course that began later; one taken on that very day goes on after a gap between two orders."""
    course = long_term_use(p, t)
    first = course.run.first if course.run else None
    taken_then = done.exact and p.exposure.on(done.latest).more_than(Decimal(0)) is Truth.YES
    if course.criterion.truth is Truth.NO or taken_then or (first is not None and first <= done.earliest):
        return holds("gc-since", Truth.NO)
    sure = course.criterion.truth is Truth.YES and first is not None and first > done.latest
    gaps = course.criterion.gaps or (Gap(GapKind.NOT_RECORDED, "date"),)
    return holds("gc-since", Truth.YES if sure else Truth.UNKNOWN, course.criterion.evidence, gaps)


# --- what to ask for -------------------------------------------------------------------------------------------------
def asks_for_dxa(p: Patient, t: Thresholds) -> tuple[dict[str, Json], tuple[Proposal, ...]]:
    """What a rule that wants DXA asks for first, and what its words need to say it.

    `step` is "dxa"; or, at a site that takes a calculator first (D8), from the age at which FRAX is valid: "tool" without a
    FRAX result that counts, "compare" with one that is not known to reach the treatment threshold. Only "dxa" offers an order.
    """
    step = _step(p, t)
    values: dict[str, Json] = {"age": shown_age(p), "step": step} | last_dxa(p, t)
    return values, (Proposal("dxa"),) if step == "dxa" else ()


def _step(p: Patient, t: Thresholds) -> str:
    reached = any_of(
        chosen(p, "dxa_first", "dxa"),
        less_than("age-below", p.age, t["nogg2024.frax-age"]),
        all_of(scored_lately(p, t), chosen(p, "frax_mode", "by_age"), at_treatment_threshold(p, t)),
    )
    if reached.truth is Truth.YES:
        return "dxa"
    return "compare" if scored_lately(p, t).truth is Truth.YES else "tool"


def ost_values(p: Patient, t: Thresholds) -> dict[str, Json]:
    """OST, and whether it hints at low bone density: a line on a card that speaks anyhow, never a reason for silence."""
    by_sex = (woman(p), t["ost.women-below"]), (man(p), t["ost.men-below"])
    hint = any_of(*(all_of(sex, less_than("ost-below", p.ost, limit)) for sex, limit in by_sex))
    if not isinstance(p.ost, Known) or hint.truth is Truth.UNKNOWN:
        return {}
    return {"ost": str(p.ost.value), "ost_low": hint.truth is Truth.YES}


def shown_frax(p: Patient) -> dict[str, Json]:
    """The newest FRAX result as recorded, for card texts; nothing without one."""
    match latest_frax(p):
        case Known(frax):
            return {"frax": frax.evidence.value, "frax_on": str(frax.on or "")}
        case _:
            return {}


def shown_age(p: Patient) -> Json:
    """The age for card texts."""
    match p.age:
        case Known(value):
            exact = as_json(value)
            return exact if exact is not None else str(value)
        case _:
            return ""


def last_dxa(p: Patient, t: Thresholds) -> dict[str, Json]:
    """When the last DXA was, and whether something came since; nothing without one."""
    newest = next((scan.on for scan in p.scans.items if scan.central is not False and scan.on), None)
    if newest is None:
        return {}
    return {"last_dxa": str(newest), "new_since": new_risk_factor(p, t, newest).truth is Truth.YES}
