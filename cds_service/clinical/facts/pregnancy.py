"""Pregnancy, and whether it is possible. No verified codes exist for contraception or sterility: both count as not recorded."""

from __future__ import annotations

import re

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import activity, ahead, begun, observed, recorded, yes_or_no
from cds_service.clinical.facts.demographics import Sex
from cds_service.fhir.chart import Chart
from cds_service.fhir.read import code_text, name_of, string
from cds_service.kernel.dates import DateSpan, plus_days
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import Interval
from cds_service.kernel.truth import Truth

NEEDS = (needs.CONDITIONS, needs.FUNCTION)
WHAT = "pregnancy"
_PREGNANT = "cond.pregnancy"
_STATUS = "cond.pregnancy.status"

_NOT_SURE = re.compile(
    r"possib|suspect|unknown|unconfirmed|not (yet )?(confirmed|known|asked)|uncertain|declined", re.I
)
_NOT_PREGNANT = re.compile(r"\bnot (currently )?pregnant|\bno pregnancy|^(no|negative)$", re.I)
_IS_PREGNANT = re.compile(r"\bpregnan(t|cy)\b", re.I)


def pregnant(chart: Chart, trusted_days: int) -> Fact[bool]:
    """Is the patient pregnant?

    Args:
        chart: the chart.
        trusted_days: days for which a status or diagnosis is believed; an older one says nothing about today.

    Returns:
        The newest answer; unknown where none is recent, or where answers of one day differ.
    """
    told: list[tuple[bool, Evidence]] = []
    gaps: list[Gap] = []
    for resource, truth, on in _answers(chart):
        name = name_of(resource)
        if truth is Truth.UNKNOWN:
            chart.set_unread(resource, "no-answer")
        elif on is not None and on.latest < plus_days(chart.as_of, -trusted_days):
            gaps.append(Gap(GapKind.TOO_OLD, WHAT, str(on), name))
        else:
            told.append((truth is Truth.YES, Evidence(WHAT, "yes" if truth is Truth.YES else "no", on, name)))
    told.extend(
        (False, Evidence(WHAT, "no", recorded(each.resource), name_of(each.resource)))
        for each in chart.refuted(_PREGNANT)
    )
    if not told:
        return Unknown((*gaps, *chart.gaps(*NEEDS)) or (Gap(GapKind.NOT_RECORDED, WHAT),))
    return _newest(told)


def _answers(chart: Chart) -> list[tuple[Resource, Truth, DateSpan | None]]:
    found: list[tuple[Resource, Truth, DateSpan | None]] = []
    for each in chart.find("Observation", _STATUS, _PREGNANT):
        on = observed(chart, each.resource)
        if not ahead(chart, each.resource, on):
            found.append((each.resource, _answer(chart, each.part), on))
    for each in chart.find("Condition", _PREGNANT):
        on = begun(chart, each.resource)
        # a pregnancy that is over says nothing about the next one
        if activity(each.resource, chart.as_of) is not Truth.NO and not ahead(chart, each.resource, on):
            found.append((each.resource, Truth.YES, on))
    return found


def _answer(chart: Chart, part: Resource) -> Truth:
    truth = yes_or_no(chart, part, _PREGNANT)
    if truth is not Truth.UNKNOWN or part.get("dataAbsentReason"):
        return truth
    words = code_text(part.get("valueCodeableConcept")) or string(part.get("valueString"))
    if _NOT_SURE.search(words):
        return Truth.UNKNOWN
    if _NOT_PREGNANT.search(words):
        return Truth.NO
    return Truth.YES if _IS_PREGNANT.search(words) else Truth.UNKNOWN


def _newest(told: list[tuple[bool, Evidence]]) -> Fact[bool]:
    def day(shown: Evidence) -> int:
        return shown.on.latest.toordinal() if shown.on else 0

    last = max(day(shown) for _, shown in told)
    newest = [(value, shown) for value, shown in told if day(shown) == last or shown.on is None]
    if len({value for value, _ in newest}) > 1:
        return Unknown(tuple(Gap(GapKind.CONFLICTING, WHAT, "", shown.resource) for _, shown in newest))
    return Known(newest[0][0], tuple(shown for _, shown in newest))


def pregnancy_possible(chart: Chart, age: Fact[Interval], sex: Fact[Sex], postmenopausal: Fact[bool]) -> Fact[bool]:
    """May the patient become pregnant, as far as the record tells (GC-17)?

    No for men and after menopause; yes for women before it, since neither contraception nor sterility can be read.

    Args:
        chart: not read today; the place for contraception and sterility once verified codes exist.
        age: not read beyond what `postmenopausal` made of it.
        sex: sex for clinical use.
        postmenopausal: menopausal status.
    """
    if isinstance(sex, Unknown):
        return sex
    if sex.value is Sex.MALE:
        return Known(False, sex.evidence)
    if isinstance(postmenopausal, Unknown):
        return Unknown(postmenopausal.gaps)
    return Known(not postmenopausal.value, postmenopausal.evidence, postmenopausal.doubts)
