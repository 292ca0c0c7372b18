"""Vitamin D as a drug: retest, very large single doses, diseases that want a review first. VD-04, VD-06 and VD-08."""

from __future__ import annotations

from cds_service.clinical import due
from cds_service.clinical.facts.conditions import still_active
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.common import on_record
from cds_service.clinical.rules.recent_results import calcium_high
from cds_service.clinical.rules.vitamin_d import (
    CLASSIFYING,
    SUPPLEMENTS,
    VD_SETS,
    in_both_units,
    latest,
    low_vitamin_d,
    supplemented,
)
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, ever, holds, not_
from cds_service.kernel.facts import Gap, GapKind, Known, Unknown
from cds_service.kernel.rules import Finding, Json, Kind, Proposal, Rule, Status, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_CARD = "vitamin-d"


@rule(
    "VD-04",
    sets=CLASSIFYING,
    status=Status.PREVIEW,
    card="plan",
    check="R",
    strength="recalled",
    source="project",
    reads=("age", "vitamin_d", "exposure"),
    switches=("vd_profile",),
)
def vitamin_d_not_retested(p: Patient, t: Thresholds) -> Finding:
    """Vitamin D was started after a low 25(OH)D, and nobody has measured again.

    What it looks for: the latest 25(OH)D is low by the active profile, a supplement that is taken now was begun on that day or
    later, and three months have passed. `due_on` is the day from which the retest is due.

    Why it matters: whether the dose was enough shows after about three months.

    When it stays silent: before that day (`satisfied`); a newer result; no supplement, or one begun before the low result. A
    changed dose of the same drug is not told apart. The Royal Osteoporosis Society finds routine retests unnecessary.

    Sources: recalled; about three months is project policy, 8 to 12 weeks in a restatement of NOGG.
    """
    retest = due.vitamin_d_retest(p, t)
    values = due.values(retest)
    if isinstance(found := latest(p, t), Known):
        values |= {"vitamin_d_shown": in_both_units(p, found.value), "vitamin_d_on": str(found.value.on)}
    applies = all_of(at_least("adult", p.age, t["ms.adult-age"]), low_vitamin_d(p, t), _begun_since(p, t))
    return Finding(applies, not_(due.is_due("vitamin-d-retest-due", retest)), values, (Proposal("vitamin-d-test"),))


def _begun_since(p: Patient, t: Thresholds) -> Criterion:
    """Was a supplement that is taken now begun on the day of the latest result or later?"""
    found, taken = latest(p, t), p.current_drugs(*SUPPLEMENTS)
    if not isinstance(found, Known) or found.value.on is None:
        return holds("supplement-begun-since", Truth.UNKNOWN, gaps=found.gaps if isinstance(found, Unknown) else ())
    measured = found.value.on
    current = [drug for drug in taken.items if drug.current is Truth.YES]
    since = [drug for drug in current if drug.since and drug.since.earliest >= measured.latest]
    unsure = [drug for drug in taken.items if drug.since is None or drug.since.latest >= measured.earliest]
    gaps = (*(Gap(GapKind.NOT_RECORDED, "drug-current", d.drug, d.evidence.resource) for d in unsure), *taken.gaps)
    truth = Truth.YES if since else Truth.UNKNOWN if gaps else Truth.NO
    return holds("supplement-begun-since", truth, tuple(drug.evidence for drug in since), gaps)


@rule(
    "VD-06",
    sets=VD_SETS,
    kind=Kind.DEFINITION,
    status=Status.PREVIEW,
    card=_CARD,
    check="R",
    strength="recalled",
    source="project",
    reads=("vitamin_d_doses",),
)
def very_large_single_dose(p: Patient, t: Thresholds) -> Finding:
    """A single dose of 300,000 IU of vitamin D or more on record.

    What it looks for: an order, a supply or an administration that tells international units, 300,000 or more at once. Doses in
    capsules are not read: the value sets hold no strengths of vitamin D.

    Why it matters: very large single doses, once a year above all, have gone with more falls and fractures. A line on the
    card about vitamin D, never a card of its own.

    When it stays silent: smaller doses, however often; doses without international units.

    Sources: recalled; to be checked before it is relied on.
    """
    limit = t["vitamin_d_safety.bolus"]
    doses = [
        at_least("vitamin-d-bolus", Known(each.units, (each.evidence,)), limit) for each in p.vitamin_d_doses.items
    ]
    gaps = p.vitamin_d_doses.gaps
    other = holds("vitamin-d-bolus-other", Truth.UNKNOWN if gaps else Truth.NO, gaps=gaps)
    values: dict[str, Json] = {}
    if large := next((e for e, c in zip(p.vitamin_d_doses.items, doses, strict=True) if c.truth is Truth.YES), None):
        values = {"bolus": f"{large.evidence.value}", "bolus_on": str(large.on or "")}
    return Finding(any_of(*doses, other), values=values)


@rule(
    "VD-08",
    sets=VD_SETS,
    status=Status.PREVIEW,
    card=_CARD,
    check="R",
    strength="recalled",
    source="project",
    reads=("calcium", "albumin"),
)
def supplement_with_a_disease_that_raises_calcium(p: Patient, t: Thresholds) -> Finding:
    """A vitamin D supplement, and a disease in which it wants a review.

    What it looks for: vitamin D on the medication list, and hypercalcaemia (diagnosed, or the latest calcium above the
    laboratory's limit), kidney stones or primary hyperparathyroidism.

    Why it matters: vitamin D can raise calcium in blood and urine.

    When it stays silent: no supplement; none of these. Sarcoidosis and other granulomatous disease are not looked for: no
    code for them is verified.

    Sources: recalled; to be checked before it is relied on.
    """
    reasons = any_of(
        on_record("hypercalcaemia", still_active(p.diagnoses("cond.hypercalcaemia"))),
        calcium_high(p, t),
        ever("kidney-stones", still_active(p.diagnoses("cond.kidney_stones"))),
        ever("primary-hyperparathyroidism", still_active(p.diagnoses("cond.hyperparathyroidism_primary"))),
    )
    return Finding(all_of(reasons, supplemented(p)))


RULES: tuple[Rule, ...] = (
    vitamin_d_not_retested,
    very_large_single_dose,
    supplement_with_a_disease_that_raises_calcium,
)
