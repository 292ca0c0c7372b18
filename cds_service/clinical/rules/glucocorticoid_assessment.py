"""Assessment and general measures on long-term glucocorticoids: GC-01, GC-11, GC-13 (ACR 2022)."""

from __future__ import annotations

import datetime as dt

from cds_service.clinical.concepts import as_json, daily_now, dxa_since, frax_since, long_term, shown_course, year_total
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.common import does_not_walk
from cds_service.clinical.rules.glucocorticoid_classes import is_40, on_long_term, very_high_40
from cds_service.clinical.rules.vitamin_d import against_target, in_both_units, latest, supplemented
from cds_service.kernel.criteria import Criterion, all_of, any_of, holds
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import Known, Unknown
from cds_service.kernel.rules import Finding, Json, Level, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth


def assessed_since(p: Patient, t: Thresholds, start: dt.date) -> Criterion:
    """A DXA or a FRAX result since the course began, or in the time before it that still counts."""
    since = plus_months(start, -t.days("acr2022.assessment-lookback"))
    return any_of(dxa_since(p, "dxa-since", since), frax_since(p, "frax-since", since))


@rule(
    "GC-01",
    sets=("acr2022",),
    card="glucocorticoid-assessment",
    check="V",
    strength="acr-strong",
    reads=("age", "exposure", "scans", "frax"),
    switches=("count_pulses",),
)
def no_assessment_since_glucocorticoid_start(p: Patient, t: Thresholds) -> Finding:
    """On long-term glucocorticoids without a fracture-risk assessment.

    What it looks for: an adult on 2.5 mg a day or more, prednisolone-equivalent, for more than three months taken or
    ordered, and no DXA and no FRAX result since the start of the course or in the 12 months before it.

    Why it matters: bone is lost fastest in the first months; the guideline asks for the assessment as soon as possible,
    within six months of starting. The card becomes a warning after six months.

    When it stays silent: replacement therapy, local steroids, relapse pulses alone, courses of 90 days or fewer; an
    assessment is on record (GC-13 takes over).

    Sources: ACR 2022, Recommendations, initial assessment (strong); look-back of 12 months: project policy.
    """
    course = long_term(p.exposure, "gc-long-term", t["acr2022.gc-entry-dose"], t["acr2022.gc-entry-days"])
    start = course.run.first if course.run else p.as_of
    done = assessed_since(p, t, start)
    overdue = plus_months(start, t.days("acr2022.assessment-overdue")) < p.as_of
    with_frax = is_40(p, t).truth
    values: dict[str, Json] = {"bmd_vfa_requested": done.truth is not Truth.YES}
    if with_frax is not Truth.UNKNOWN:
        values["frax_requested"] = with_frax is Truth.YES and done.truth is not Truth.YES
    values |= _dose_values(p, t)
    if course.run and course.criterion.truth is Truth.YES:
        values |= {"gc_start": start.isoformat(), "gc_days_so_far": (p.as_of - start).days + 1}
    return Finding(
        on_long_term(p, t),
        done,
        values,
        (Proposal("dxa-with-vfa"),),
        Level.WARNING if overdue else Level.INFO,
    )


def _dose_values(p: Patient, t: Thresholds) -> dict[str, Json]:
    values = shown_course(p.exposure)
    today = as_json(daily_now(p.exposure).value)
    year = as_json(year_total(p, t).value)
    if today is not None:
        values["pred_eq_mg_per_day"] = today
    if year is not None:
        values["cum12_mg"] = year
    return values


_EXERCISE = {Truth.YES: "not-walking", Truth.NO: "weight-bearing", Truth.UNKNOWN: "as-able"}


@rule(
    "GC-11",
    sets=("acr2022",),
    card="glucocorticoid-general",
    check="V",
    strength="acr-conditional",
    reads=("age", "exposure", "vitamin_d", "ms", "edss", "mobility"),
)
def general_measures_on_glucocorticoids(p: Patient, t: Thresholds) -> Finding:
    """Calcium, vitamin D and life style on long-term glucocorticoids.

    What it looks for: an adult on long-term glucocorticoids. `vitd_vs_target` compares the latest 25(OH)D with the
    guideline's 30 to 50 ng/mL.

    Why it matters: calcium 1000 to 1200 mg a day (diet and supplement), vitamin D 600 to 800 IU a day, weight-bearing
    exercise, no smoking and little alcohol are advised for everybody on long-term glucocorticoids. Exercise is called
    weight-bearing only where the record shows that the patient walks (LIF-05).

    When it stays silent: 25(OH)D is within the target and a supplement is on the medication list.

    Sources: ACR 2022, key recommendation 2, Figure 3 (conditional).
    """
    target = against_target(p, t)
    values = shown_course(p.exposure) | ({"vitd_vs_target": target} if target else {})
    if isinstance(found := latest(p, t), Known):
        values["vitamin_d_found"] = in_both_units(p, found.value)
    values["exercise"] = _EXERCISE[does_not_walk(p, t).truth]
    open_ = found.gaps if isinstance(found, Unknown) else found.doubts
    truth = Truth.of(target == "within") if target else Truth.UNKNOWN
    within = holds("vitamin-d-within-target", truth, gaps=open_)
    offered = (Proposal("calcium-vitamin-d"),)
    return Finding(on_long_term(p, t), all_of(within, supplemented(p)), values, offered)


@rule(
    "GC-13",
    sets=("acr2022",),
    card="glucocorticoid-assessment",
    check="V",
    strength="acr-strong",
    reads=("age", "sex", "postmenopausal", "exposure", "scans", "fractures", "lowest_t", "frax"),
    switches=("gc_75_op", "score_40_50", "cum_op", "count_pulses"),
)
def bone_density_not_repeated_on_glucocorticoids(p: Patient, t: Thresholds) -> Finding:
    """On continuing glucocorticoids and the last DXA is more than two years old.

    What it looks for: an adult on long-term glucocorticoids with a DXA on record, the newest older than 24 months; at
    very high risk from 12 months.

    Why it matters: the guideline asks for a clinical risk assessment every year and bone density with vertebral
    imaging every one to two years while glucocorticoids go on.

    When it stays silent: a DXA within the window; none at all (that is GC-01).

    Sources: ACR 2022, Figure 2, reassessment (strong); the firing window is project policy.
    """
    # At very high risk the earlier date holds; while the class is unknown, the later one (never nags on a guess).
    earlier = all_of(is_40(p, t), very_high_40(p, t)).truth is Truth.YES
    months = t.days("acr2022.monitoring-months-very-high" if earlier else "acr2022.monitoring-months")
    had_one = [scan for scan in p.scans.items if scan.central is not False and scan.on and scan.on.latest <= p.as_of]
    known = holds(
        "dxa-on-record",
        Truth.YES if had_one else Truth.UNKNOWN if p.scans.gaps else Truth.NO,
        tuple(scan.evidence for scan in had_one[:1]),
        p.scans.gaps,
    )
    recent = dxa_since(p, "dxa-recent", plus_months(p.as_of, -months))
    values = shown_course(p.exposure) | ({"last_dxa": str(had_one[0].on)} if had_one else {})
    return Finding(all_of(on_long_term(p, t), known), recent, values, (Proposal("dxa-with-vfa"),))


RULES: tuple[Rule, ...] = (
    no_assessment_since_glucocorticoid_start,
    general_measures_on_glucocorticoids,
    bone_density_not_repeated_on_glucocorticoids,
)
