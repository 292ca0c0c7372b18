"""What would be new about a patient: after it, a topic that was answered speaks again (`safety.md` 4.3).

A new fracture, a step of the glucocorticoid dose, a new class of T- or Z-score. Everything grows with the finding, so a lower dose
or a fracture that was struck out is no news.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.facts.bone_density import Score
from cds_service.clinical.patient import Patient
from cds_service.kernel.facts import Fact, Known
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_DOSE_STEPS = ("acr2022.gc-entry-dose", "nogg2024.gc-dose", "acr2022.high-daily-dose")
_T_CLASSES = ("bhof_iscd.normal-t", "bhof_iscd.osteoporosis-t", "acr2022.very-high-t")
_Z_CLASSES = ("bhof_iscd.z-below-expected", "acr2022.young-z")


def news(p: Patient, t: Thresholds) -> frozenset[str]:
    """Every fracture, every step of dose and every class of score that is reached, in words of ours."""
    return frozenset(
        (*_fractures(p), *_doses(p, t), *_classes(p.lowest_t, _T_CLASSES, t), *_classes(p.lowest_z, _Z_CLASSES, t))
    )


def _fractures(p: Patient) -> Iterator[str]:
    for each in (*p.fractures.items, *p.atypical_fractures.items):
        yield f"fracture {each.site.value} {each.on or 'undated'}"


def _doses(p: Patient, t: Thresholds) -> Iterator[str]:
    daily = p.exposure.on(p.as_of)
    for key in _DOSE_STEPS:
        yield from _reached(key, daily.at_least(t[key].value))


def _classes(score: Fact[Score], keys: tuple[str, ...], t: Thresholds) -> Iterator[str]:
    if isinstance(score, Known):
        for key in keys:
            yield from _reached(key, score.value.value.at_most(t[key].value))


def _reached(key: str, truth: Truth) -> Iterator[str]:
    """What may be so and then is so has become news."""
    if truth is not Truth.NO:
        yield f"{key} perhaps"
    if truth is Truth.YES:
        yield f"{key} surely"
