"""Doses and supplies that go on: MON-03."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cds_service.clinical import due
from cds_service.clinical.due import Due
from cds_service.clinical.facts.supplies import Supply
from cds_service.clinical.facts.therapies import Therapy
from cds_service.clinical.patient import Patient
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, holds, none_of, not_
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.rules import Finding, Json, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth, some


@dataclass(frozen=True, slots=True)
class _Going:
    """One drug that may go on.

    Attributes:
        drug: its name, for people.
        last: the day of the last dose, or the end of the last supply.
        goes_on: whether it does.
        next: the next dose or refill.
        asked: whether that is due, or late enough, to ask about it.
    """

    drug: str
    last: str
    goes_on: Criterion
    next: Fact[Due]
    asked: Criterion


@rule(
    "MON-03",
    sets=("monitoring",),
    card="plan",
    check="P",
    strength="adherence",
    source="project",
    reads=("age", "therapies", "supplies"),
)
def next_dose_or_supply_due(p: Patient, t: Thresholds) -> Finding:
    """The next dose of an injected drug is due, or tablets were not fetched.

    What it looks for: denosumab six months after the last dose and not yet seven; zoledronate twelve months after the last
    dose, late from fifteen; an oral bisphosphonate that is still ordered and whose last supply ended 60 days ago. `due_on` is
    the day of the next dose or refill.

    Why it matters: a gap that somebody asks about can be closed; after late denosumab vertebral fractures rebound.

    When it stays silent: before that day (`satisfied`); denosumab late by a month (SAF-06 and GC-16 speak); after three doses
    of zoledronate, or six, which are reviewed first (TX-07), and a break after them (MON-05); a last dose older than a course
    of three years; another drug taken; tablets of which no supply is on record.

    Sources: project policy; intervals of the doses: drug labels, as restated.
    """
    found = (_denosumab(p, t), _zoledronate(p, t), _tablets(p, t))
    applies = all_of(at_least("adult", p.age, t["ms.adult-age"]), any_of(*(each.goes_on for each in found)))
    settled = none_of(*(all_of(each.goes_on, each.asked) for each in found))
    going = [each for each in found if each.goes_on.truth is Truth.YES]
    return Finding(applies, settled, _values(going))


def _values(going: list[_Going]) -> dict[str, Json]:
    """What is asked about, else what comes next."""
    asked = [each for each in going if each.asked.truth is Truth.YES] or going
    if not asked:
        return {}
    first = due.most_urgent(each.next for each in asked)
    told = next(each for each in asked if each.next is first)
    values = due.values(first)
    return values | {"drug": told.drug, "last": told.last, "late": due.is_late(first)} if values else {}


def _denosumab(p: Patient, t: Thresholds) -> _Going:
    following = due.denosumab(p, t)
    late = holds("denosumab-late", Truth.of(due.is_late(following)))
    goes_on = all_of(_dose_on_record(p, "denosumab"), not_(_another_drug(p, "denosumab")), not_(late))
    return _Going("Denosumab", _last_dose(p, "denosumab"), goes_on, following, due.is_due("dose-due", following))


def _zoledronate(p: Patient, t: Thresholds) -> _Going:
    following, doses = due.zoledronate(p, t), due.doses_given(p, "zoledronic_acid")
    review = t.days("es2020.review-months-zoledronate")
    covered = len(doses) * t.days("monitoring.zoledronate-months")
    reviewed_first = covered == review or covered >= t.days("es2020.longest-months-zoledronate")
    old = any(dose.on.latest < plus_months(p.as_of, -review) for dose in doses[:1])
    goes_on = all_of(
        _dose_on_record(p, "zoledronic_acid"),
        not_(_another_drug(p, due.ZOLEDRONATE)),
        not_(holds("course-reviewed-first", Truth.of(reviewed_first))),
        not_(holds("course-long-over", Truth.of(old))),
        not_(due.in_break(p, t)),
    )
    last = _last_dose(p, "zoledronic_acid")
    return _Going("Zoledronic acid", last, goes_on, following, due.is_due("dose-due", following))


def _dose_on_record(p: Patient, ingredient: str) -> Criterion:
    given, series = due.doses_given(p, ingredient), p.doses(ingredient)
    hints = tuple(Gap(GapKind.NOT_RECORDED, "last-dose", "", each.evidence.resource) for each in series.items)
    gaps = (*hints, *series.gaps)
    truth = Truth.YES if given else Truth.UNKNOWN if gaps else Truth.NO
    return holds("last-dose-on-record", truth, tuple(each.evidence for each in given[:1]), gaps)


def _last_dose(p: Patient, ingredient: str) -> str:
    return next((str(each.on) for each in due.doses_given(p, ingredient)), "")


def _another_drug(p: Patient, drug: str) -> Criterion:
    """Another osteoporosis drug is taken now."""
    others = [each for each in p.therapies.items if each.drug != drug and each.current is not Truth.NO]
    truth = some([each.current for each in others] + [Truth.UNKNOWN] * bool(p.therapies.gaps))
    doubts = tuple(
        Gap(GapKind.NOT_RECORDED, "therapy-current", each.drug, each.evidence.resource)
        for each in others
        if each.current is Truth.UNKNOWN
    )
    return holds("another-drug-now", truth, _shown(others), (*doubts, *p.therapies.gaps))


def _tablets(p: Patient, t: Thresholds) -> _Going:
    ordered = [each for each in due.oral_bisphosphonates(p) if each.current is not Truth.NO]
    refill = due.oral_supply(p, t)
    told = [each for each in p.supplies.items if each.drug in {drug.drug for drug in ordered}]
    supplied = Truth.YES if told else Truth.UNKNOWN if p.supplies.gaps else Truth.NO
    taken = some([each.current for each in ordered] + [Truth.UNKNOWN] * bool(p.therapies.gaps))
    doubts = tuple(Gap(GapKind.NOT_RECORDED, "therapy-current", each.drug, each.evidence.resource) for each in ordered)
    goes_on = all_of(
        holds("tablets-ordered", taken, _shown(ordered), (*doubts, *p.therapies.gaps)),
        holds("supply-on-record", supplied, _shown(told[:1]), p.supplies.gaps),
    )
    open_ = refill.gaps if isinstance(refill, Unknown) else ()
    late = Truth.UNKNOWN if open_ else Truth.of(due.is_late(refill))
    shown = refill.evidence if isinstance(refill, Known) else ()
    drug = told[0].drug.capitalize() if told else ""
    last = str(told[0].until or "") if told else ""
    return _Going(drug, last, goes_on, refill, holds("refill-late", late, shown, open_))


def _shown(found: Sequence[Therapy | Supply]) -> tuple[Evidence, ...]:
    return tuple(each.evidence for each in found)


RULES: tuple[Rule, ...] = (next_dose_or_supply_due,)
