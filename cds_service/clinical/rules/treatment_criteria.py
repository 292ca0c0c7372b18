"""What the rules on treatment share: whom they are about, fractures and FRAX as they count them, and who is treated already."""

from __future__ import annotations

from cds_service.clinical import due
from cds_service.clinical.concepts import on_therapy, scaled_frax, uses_t_scores
from cds_service.clinical.facts.fractures import Fracture, FractureSite
from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.rules.denosumab import denosumab_followed, denosumab_late
from cds_service.clinical.rules.glucocorticoid_classes import is_40, on_long_term
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, holds, not_
from cds_service.kernel.facts import COULD_NOT_LOOK, Fact, Gap, GapKind, Known
from cds_service.kernel.quantities import Interval, between, exactly
from cds_service.kernel.rules import Finding, Json, Proposal
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.kernel.truth import Truth

CARD = "treatment"
MAJOR = frozenset({FractureSite.HIP, FractureSite.VERTEBRA})
FRAGILITY = frozenset(FractureSite) - {FractureSite.ELSEWHERE, FractureSite.OTHER}
# What `untreated` reads, beside what a rule reads itself
READS = ("age", "sex", "postmenopausal", "therapies", "exposure")


# --- whom ------------------------------------------------------------------------------------------------------------
@shared
def population(p: Patient, t: Thresholds) -> Criterion:
    """Adults whose bone density is classified by T-score: women after menopause, men from 50 (DEF-09)."""
    found = uses_t_scores(p, t)
    shown = tuple(each for leaf in found.reasons() for each in leaf.evidence) if found.truth is Truth.YES else ()
    return all_of(
        at_least("adult", p.age, t["ms.adult-age"]),
        holds("t-scores-classify", found.truth, shown, found.open_gaps()),
    )


@shared
def acr_under_40(p: Patient, t: Thresholds) -> Criterion:
    """Under 40 on long-term glucocorticoids, where the site follows ACR: its classes there are its own, by Z-score.

    From 40 whoever meets a threshold for treatment is in a class that ACR treats as well.
    """
    if "acr2022" not in p.profile.sets:
        return holds("acr-classes-under-40", Truth.NO)
    return known_or_not_looked_at("acr-classes-under-40", all_of(on_long_term(p, t), not_(is_40(p, t))))


@shared
def treated(p: Patient, t: Thresholds) -> Criterion:
    """A drug is taken now; or a full course is over, and MON-05 looks again; or denosumab is late, and SAF-06 speaks of it."""
    late = all_of(denosumab_late(p, t), not_(denosumab_followed(p)))
    return any_of(
        on_therapy(p),
        known_or_not_looked_at("treatment-break", due.in_break(p, t)),
        known_or_not_looked_at("denosumab-late-itself", late),
    )


def untreated(p: Patient, t: Thresholds, met: Criterion, values: dict[str, Json], *propose: Proposal) -> Finding:
    """A threshold for treatment is met, and nothing is taken."""
    applies = all_of(met, population(p, t), not_(acr_under_40(p, t)))
    return Finding(applies, treated(p, t), values | first_reason(met), propose)


def known_or_not_looked_at(key: str, criterion: Criterion) -> Criterion:
    """A reason to stay silent: what is merely not on record is none, what could not be looked at may be one (S2)."""
    open_ = tuple(gap for gap in criterion.open_gaps() if gap.kind in COULD_NOT_LOOK)
    truth = Truth.NO if criterion.truth is Truth.UNKNOWN and not open_ else criterion.truth
    return holds(key, truth, criterion.evidence, open_)


def first_reason(met: Criterion) -> dict[str, Json]:
    """The day of the first thing that shows it, for a summary that has room for one."""
    reasons = (leaf for leaf in met.reasons() if leaf.truth is Truth.YES and leaf.evidence)
    first = next(reasons, None)
    return {"reason_on": str(first.evidence[0].on or "")} if first else {}


def recalled(p: Patient, rule: str) -> Criterion:
    """Has the site switched on the parts of that rule which rest on recalled text (its id under `preview`)?"""
    return holds("recalled-parts-on", Truth.of(rule in p.profile.preview or "*" in p.profile.preview))


# --- fractures -------------------------------------------------------------------------------------------------------
def fracture_at(p: Patient, key: str, sites: frozenset[FractureSite]) -> Criterion:
    """A low-trauma fracture of those sites; one whose site or cause is not told may be one."""
    certain = tuple(f.evidence for f in p.fractures.items if f.site in sites and f.low_trauma is Truth.YES)
    if certain:
        return holds(key, Truth.YES, certain)
    gaps = (*_doubts(p, sites), *p.fractures.gaps)
    return holds(key, Truth.UNKNOWN if gaps else Truth.NO, gaps=gaps)


def fractures_counted(p: Patient, sites: frozenset[FractureSite]) -> Fact[Interval]:
    """How many low-trauma fractures of those sites: at least the certain ones."""
    certain = [f for f in p.fractures.items if f.site in sites and f.low_trauma is Truth.YES]
    doubts = _doubts(p, sites)
    high = None if p.fractures.gaps else len(certain) + len(doubts)
    return Known(between(len(certain), high), tuple(f.evidence for f in certain), (*doubts, *p.fractures.gaps))


def _doubts(p: Patient, sites: frozenset[FractureSite]) -> tuple[Gap, ...]:
    return tuple(gap for each in p.fractures.items if (gap := _doubt(each, sites)))


def _doubt(fracture: Fracture, sites: frozenset[FractureSite]) -> Gap | None:
    """Why a fracture may be one of those sites; a history code without a site may also tell of one that is counted."""
    if fracture.site in sites and fracture.low_trauma is Truth.UNKNOWN:
        return Gap(GapKind.NOT_RECORDED, "fracture-cause", str(fracture.on or ""), fracture.evidence.resource)
    if fracture.site is FractureSite.OTHER and fracture.low_trauma is Truth.YES:
        return Gap(GapKind.NOT_RECORDED, "fracture-site", str(fracture.on or ""), fracture.evidence.resource)
    return None


# --- FRAX ------------------------------------------------------------------------------------------------------------
def frax_from(p: Patient, mof: Threshold, hip: Threshold) -> Criterion:
    """The newest FRAX on record, as it stands there, reaches one of the two numbers."""
    one = exactly(1)
    found = scaled_frax(p, one, one)
    return any_of(at_least("frax-mof-from", found[0], mof), at_least("frax-hip-from", found[1], hip))
