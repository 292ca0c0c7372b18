"""NOGG's treatment thresholds by age (TX-04), and the multiple of them that means very high risk (TX-05)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.rules.glucocorticoid_courses import nogg_frax
from cds_service.kernel.criteria import Criterion, any_of, at_least, holds
from cds_service.kernel.facts import Fact, Gap, GapKind, Unknown
from cds_service.kernel.quantities import Interval
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.kernel.truth import Truth

Bands: TypeAlias = list[tuple[Decimal, Threshold]]


@shared
def at_treatment_threshold(p: Patient, t: Thresholds) -> Criterion:
    """FRAX, adjusted for the glucocorticoid dose, at or above NOGG's treatment threshold for the age.

    The rule book has no threshold under 50, and of hip fracture none under 70: there the former is unknown.
    """
    return _at_threshold(p, t, Decimal(1))


@shared
def at_very_high_risk(p: Patient, t: Thresholds) -> Criterion:
    """The same at 1.6 times the threshold, to one decimal as FRAX and the guideline give it: 32.5 % and 8.6 % from 70."""
    return _at_threshold(p, t, t.number("nogg2024.very-high-factor"))


def _at_threshold(p: Patient, t: Thresholds, times: Decimal) -> Criterion:
    mof, hip = nogg_frax(p, t)
    no_threshold = Gap(GapKind.NOT_RECORDED, "treatment-threshold")
    too_young = holds("frax-mof-at-threshold", Truth.UNKNOWN, gaps=(no_threshold,))
    return any_of(
        _reaches(p, "frax-mof-at-threshold", mof, _bands(t, "nogg2024.intervention-mof", times), too_young),
        _reaches(
            p,
            "frax-hip-at-threshold",
            hip,
            _bands(t, "nogg2024.intervention-hip", times),
            holds("frax-hip-at-threshold", Truth.NO),
        ),
    )


def _reaches(p: Patient, key: str, frax: Fact[Interval], bands: Bands, too_young: Criterion) -> Criterion:
    """Is the probability at or above the limit of the age? Unknown where the age leaves several limits that differ in it."""
    if isinstance(p.age, Unknown):
        return holds(key, Truth.UNKNOWN, gaps=p.age.gaps)
    first = p.age.value.at_least(bands[0][0])
    if first is Truth.NO:
        return too_young
    nexts = [start for start, _ in bands[1:]]
    possible = [
        at_least(key, frax, limit)
        for (start, limit), end in zip(bands, [*nexts, None], strict=True)
        if p.age.value.at_least(start) is not Truth.NO and (end is None or p.age.value.less_than(end) is not Truth.NO)
    ]
    answers = {each.truth for each in (*possible, *([too_young] if first is Truth.UNKNOWN else []))}
    return possible[-1] if len(answers) == 1 else holds(key, Truth.UNKNOWN, gaps=p.age.doubts)


def _bands(t: Thresholds, prefix: str, times: Decimal) -> Bands:
    """The age from which a limit holds, the last part of its key, and so many times the limit; youngest first."""
    limits = {key: replace(t[key], value=round(t[key].value * times, 1)) for key in t if key.startswith(f"{prefix}.")}
    return sorted((Decimal(key.rsplit(".", 1)[1]), limit) for key, limit in limits.items())
