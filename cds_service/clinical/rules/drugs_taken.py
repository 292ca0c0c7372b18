"""Which osteoporosis drug is in question, and the finding that something speaks against it.

When a chart is opened it is the drug that is taken; while orders are written it is the drug that is being ordered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps

from cds_service.clinical.facts.therapies import DrugClass, Therapy
from cds_service.clinical.patient import Patient
from cds_service.kernel.criteria import Criterion, all_of, holds, not_
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.rules import Finding, Json, Level, Proposal
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth, every

BISPHOSPHONATES = frozenset({DrugClass.BISPHOSPHONATE_ORAL, DrugClass.BISPHOSPHONATE_IV, DrugClass.BISPHOSPHONATE})
# Given by a clinician months apart; romosozumab every month
_INJECTED = frozenset({DrugClass.BISPHOSPHONATE_IV, DrugClass.DENOSUMAB, DrugClass.ROMOSOZUMAB})
_NAMELESS = "bisphosphonate"


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether drugs of one kind are taken now, or are being ordered.

    Attributes:
        criterion: whether, and what shows it.
        drugs: their names ("zoledronic acid").
        ordered: whether it is an order that is asked about.
    """

    criterion: Criterion
    drugs: tuple[str, ...]
    ordered: bool = False

    @property
    def values(self) -> dict[str, Json]:
        """The names for card texts."""
        return {"drug": " and ".join(self.drugs).capitalize(), "ordered": self.ordered} if self.drugs else {}


def taken(p: Patient, key: str, kind: Callable[[Therapy], Truth]) -> Taken:
    """Is a drug of that kind taken now, or does its last dose still work? While orders are written: is it ordered?

    An injection that is ordered counts although no dose is on record: what speaks against the drug is better known before
    the dose. Any other drug that may or may not be taken leaves it open.

    Args:
        p: the patient.
        key: key of the criterion.
        kind: whether a therapy is of the kind; unknown where the record names a class only.
    """
    if p.at_order:
        return _being_ordered(p, key, kind)
    found = [(every((kind(each), in_use(each))), each) for each in p.therapies.items]
    certain = [each for truth, each in found if truth is Truth.YES]
    if certain:
        names = tuple(sorted({each.drug for each in certain}))
        return Taken(holds(key, Truth.YES, tuple(each.evidence for each in certain)), names)
    open_ = [each for truth, each in found if truth is Truth.UNKNOWN]
    doubts = tuple(_doubt(each, kind(each)) for each in open_)
    unsure = bool(open_ or p.therapies.gaps)
    return Taken(holds(key, Truth.UNKNOWN if unsure else Truth.NO, gaps=(*doubts, *p.therapies.gaps)), ())


def _being_ordered(p: Patient, key: str, kind: Callable[[Therapy], Truth]) -> Taken:
    """The same for orders: what is taken already was asked about when the chart was opened."""
    found = [(every((kind(each), each.current)), each) for each in p.ordered_therapies]
    certain = [each for truth, each in found if truth is Truth.YES]
    key = key.replace("-now", "-ordered")
    if certain:
        names = tuple(sorted({each.drug for each in certain}))
        return Taken(holds(key, Truth.YES, tuple(each.evidence for each in certain)), names, ordered=True)
    doubts = tuple(_doubt(each, kind(each)) for truth, each in found if truth is Truth.UNKNOWN)
    return Taken(holds(key, Truth.UNKNOWN if doubts else Truth.NO, gaps=doubts), (), ordered=True)


def ever_taken(p: Patient, key: str, kind: Callable[[Therapy], Truth]) -> Criterion:
    """Is a drug of that kind on record, past or present?"""
    found = tuple(each.evidence for each in p.therapies.items if kind(each) is Truth.YES)
    truth = Truth.YES if found else Truth.UNKNOWN if p.therapies.gaps else Truth.NO
    return holds(key, truth, found, p.therapies.gaps)


def in_use(therapy: Therapy) -> Truth:
    """Taken now; or an injection that is ordered, of which no dose is on record."""
    ordered = therapy.drug_class in _INJECTED and therapy.last is None
    return Truth.YES if ordered and therapy.current is Truth.UNKNOWN else therapy.current


def _doubt(therapy: Therapy, kind: Truth) -> Gap:
    what = "therapy-which" if kind is Truth.UNKNOWN else "therapy-current"
    return Gap(GapKind.NOT_RECORDED, what, therapy.drug, therapy.evidence.resource)


def of_class(*classes: DrugClass) -> Callable[[Therapy], Truth]:
    """Drugs of those classes; a bisphosphonate whose route is not told may be of either."""
    wanted = frozenset(classes)

    def kind(therapy: Therapy) -> Truth:
        if therapy.drug_class in wanted:
            return Truth.YES
        routes = {DrugClass.BISPHOSPHONATE_ORAL, DrugClass.BISPHOSPHONATE_IV}
        told = therapy.drug_class is not DrugClass.BISPHOSPHONATE
        return Truth.NO if told or not routes & wanted else Truth.UNKNOWN

    return kind


def named(*drugs: str) -> Callable[[Therapy], Truth]:
    """Those drugs; a bisphosphonate without a name may be one of them."""

    def kind(therapy: Therapy) -> Truth:
        if therapy.drug in drugs:
            return Truth.YES
        return Truth.UNKNOWN if therapy.drug == _NAMELESS else Truth.NO

    return kind


def any_drug(therapy: Therapy) -> Truth:
    """Every osteoporosis drug."""
    return Truth.YES


def about_those_on(
    key: str, kind: Callable[[Therapy], Truth]
) -> Callable[[Callable[[Patient, Thresholds, Taken], Finding]], Callable[[Patient, Thresholds], Finding]]:
    """Decorate a rule about people on a kind of drug (`taken`): it is asked about nobody else, whose record is not read further."""

    def decorate(about: Callable[[Patient, Thresholds, Taken], Finding]) -> Callable[[Patient, Thresholds], Finding]:
        @wraps(about)
        def decide(p: Patient, t: Thresholds) -> Finding:
            drug = taken(p, key, kind)
            return Finding(drug.criterion) if drug.criterion.truth is Truth.NO else about(p, t, drug)

        return decide

    return decorate


def warned(
    drug: Taken,
    against: Criterion,
    level: Level,
    values: Mapping[str, Json] | None = None,
    propose: tuple[Proposal, ...] = (),
) -> Finding:
    """The finding that something speaks against a drug taken now.

    The rule is about everybody who takes the drug. It speaks when what speaks against it was found, is satisfied when it
    was looked for and not found, and cannot tell otherwise.
    """
    values = drug.values | dict(values or {})
    if against.truth is Truth.YES:
        return Finding(all_of(drug.criterion, against), None, values, propose, level)
    return Finding(drug.criterion, not_(against), values)
