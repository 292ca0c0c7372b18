"""Which osteoporosis drug is taken now, and the finding that something speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cds_service.clinical.facts.therapies import DrugClass, Therapy
from cds_service.clinical.patient import Patient
from cds_service.kernel.criteria import Criterion, all_of, holds, not_
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.rules import Finding, Json, Level, Proposal
from cds_service.kernel.truth import Truth, every

BISPHOSPHONATES = frozenset({DrugClass.BISPHOSPHONATE_ORAL, DrugClass.BISPHOSPHONATE_IV, DrugClass.BISPHOSPHONATE})
# Given by a clinician months apart; romosozumab every month
_INJECTED = frozenset({DrugClass.BISPHOSPHONATE_IV, DrugClass.DENOSUMAB, DrugClass.ROMOSOZUMAB})
_NAMELESS = "bisphosphonate"


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether drugs of one kind are taken now.

    Attributes:
        criterion: whether, and what shows it.
        drugs: their names ("zoledronic acid").
    """

    criterion: Criterion
    drugs: tuple[str, ...]

    @property
    def values(self) -> dict[str, Json]:
        """The names for card texts."""
        return {"drug": " and ".join(self.drugs).capitalize()} if self.drugs else {}


def taken(p: Patient, key: str, kind: Callable[[Therapy], Truth]) -> Taken:
    """Is a drug of that kind taken now, or does its last dose still work?

    An injection that is ordered counts although no dose is on record: what speaks against the drug is better known before
    the dose. Any other drug that may or may not be taken leaves it open.

    Args:
        p: the patient.
        key: key of the criterion.
        kind: whether a therapy is of the kind; unknown where the record names a class only.
    """
    found = [(every((kind(each), in_use(each))), each) for each in p.therapies.items]
    certain = [each for truth, each in found if truth is Truth.YES]
    if certain:
        names = tuple(sorted({each.drug for each in certain}))
        return Taken(holds(key, Truth.YES, tuple(each.evidence for each in certain)), names)
    open_ = [each for truth, each in found if truth is Truth.UNKNOWN]
    doubts = tuple(_doubt(each, kind(each)) for each in open_)
    unsure = bool(open_ or p.therapies.gaps)
    return Taken(holds(key, Truth.UNKNOWN if unsure else Truth.NO, gaps=(*doubts, *p.therapies.gaps)), ())


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

    def kind(therapy: Therapy) -> Truth:
        if therapy.drug_class in classes:
            return Truth.YES
        routes = {DrugClass.BISPHOSPHONATE_ORAL, DrugClass.BISPHOSPHONATE_IV}
        told = therapy.drug_class is not DrugClass.BISPHOSPHONATE
        return Truth.NO if told or not routes & set(classes) else Truth.UNKNOWN

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
