"""Drugs for bone while they are being ordered: what only the order can tell. SAF-07 and D20."""

from __future__ import annotations

from cds_service.clinical.facts.therapies import DrugClass
from cds_service.clinical.facts.weekly_doses import ALENDRONATE, VITAMIN_D, DailyOrder
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.drug_safety import CARD, LABELS
from cds_service.clinical.rules.drugs_taken import of_class, taken
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, holds
from cds_service.kernel.facts import Known
from cds_service.kernel.quantities import Interval
from cds_service.kernel.rules import Finding, Json, Level, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth, some


def being_ordered(p: Patient) -> Criterion:
    """Is the call about orders that are being written?"""
    return holds("at-order", Truth.of(p.at_order))


@rule(
    "SAF-07",
    sets=LABELS,
    card=CARD,
    check="V",
    strength="acr-strong",
    source="acr2022",
    reads=("therapies", "ordered_therapies"),
)
def denosumab_ordered_without_follow_on(p: Patient, t: Thresholds) -> Finding:
    """Denosumab is being ordered: what follows it is planned before it begins.

    What it looks for: an order of denosumab 60 mg, of any brand.

    Why it matters: denosumab is never stopped without a drug that follows; vertebral fractures rebound from seven months
    after the last dose. Whether a plan is on record has no verified code, so the card always reminds, as information.

    When it stays silent: no order of denosumab; the 120 mg product for bone metastases.

    Sources: ACR 2022, Recommendations, stopping denosumab (strong).
    """
    drug = taken(p, "denosumab-now", of_class(DrugClass.DENOSUMAB))
    return Finding(all_of(being_ordered(p), drug.criterion), values=drug.values)


_WEEKLY = {ALENDRONATE: "weekly.alendronate", VITAMIN_D: "weekly.vitamin-d"}


@rule(
    "D20",
    sets=LABELS,
    card=CARD,
    check="V2",
    strength="weekly-as-daily",
    source="project",
    reads=("weekly_doses",),
)
def weekly_dose_ordered_daily(p: Patient, t: Thresholds) -> Finding:
    """A dose for a whole week is being ordered for every day.

    What it looks for: an order of alendronate that comes to 70 mg a day or more, or of vitamin D that comes to 50,000 IU a day or
    more; also where only the structure or only the words of the order say so.

    Why it matters: 50,000 IU a day by mistake has led to hypercalcaemia and kidney injury. Alendronate 70 mg is the dose of
    a week. The card offers to make the order a weekly one.

    When it stays silent: smaller doses; doses that cannot be read; vitamin D in tablets, of which no strength is known here.

    Sources: a published dispensing error (PubMed 21917555), read in a restatement; product of 70 mg: terminology reference.
    """
    daily = [(each, _too_much(each, t)) for each in p.weekly_doses]
    truth = some([criterion.truth for _, criterion in daily])
    wrong = [each for each, criterion in daily if criterion.truth is Truth.YES]
    applies = all_of(
        being_ordered(p),
        any_of(*(criterion for _, criterion in daily)) if daily else holds("weekly-drug-ordered", truth),
    )
    values: dict[str, Json] = {"ordered_dose": wrong[0].evidence.value, "disagrees": wrong[0].conflict} if wrong else {}
    propose = tuple(Proposal("weekly", each.order) for each in wrong if not each.conflict)
    return Finding(applies, None, values, propose, Level.WARNING)


def _too_much(order: DailyOrder, t: Thresholds) -> Criterion:
    """At least a week's dose every day; where structure and words disagree, one of them saying so is enough to ask."""
    limit = t[_WEEKLY[order.drug]]
    per_day = Interval(order.per_day.high, order.per_day.high) if order.conflict else order.per_day
    return at_least("weekly-as-daily", Known(per_day, (order.evidence,)), limit)


RULES: tuple[Rule, ...] = (denosumab_ordered_without_follow_on, weekly_dose_ordered_daily)
