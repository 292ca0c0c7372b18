"""Risk models of other distributions, found by entry point. None is part of this one; a profile switches them on.

A model answers with a figure for the block "Supporting figures" of a card about assessment, or with why there is none. It
decides nothing: rules are asked first, and no rule sees it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

from cds_service.clinical.facts.demographics import Sex
from cds_service.clinical.facts.lifestyle import Smoking
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.errors import ContentError
from cds_service.kernel.facts import Fact
from cds_service.kernel.figures import Figure, NotCalculable
from cds_service.kernel.quantities import Interval

GROUP = "cds_service.risk_models"

# Subjects of the cards a figure may stand on: those that ask for an assessment.
TOPICS = frozenset({"glucocorticoid-assessment", "ms-bone-health", "screening"})


@dataclass(frozen=True, slots=True)
class RiskInputs:
    """What a model may ask about a patient. Race and ethnicity are not among it.

    Attributes:
        as_of: the day the patient is looked at.
        age: completed years.
        sex: as recorded for clinical use.
        bmi: kg/m2.
        smoking: status; the amount is not read.
        alcohol: drinks a day as recorded; what a drink holds differs between countries.
        found: yes, no or unknown for the keys of `risk_inputs`. A key that is not there was not looked for.
    """

    as_of: dt.date
    age: Fact[Interval]
    sex: Fact[Sex]
    bmi: Fact[Interval]
    smoking: Fact[Smoking]
    alcohol: Fact[Interval]
    found: Mapping[str, Criterion]


@runtime_checkable
class RiskModel(Protocol):
    """A model of fracture risk."""

    @property
    def id(self) -> str:
        """The name profiles use ("qfracture-2012")."""

    @property
    def title(self) -> str:
        """What a card calls it, with its version."""

    @property
    def licence_note(self) -> str:
        """Words its licence wants beside every number; empty when it wants none."""

    def figure(self, inputs: RiskInputs) -> Figure | NotCalculable:
        """The figure for one patient, or why there is none. Never raises for a patient."""


@lru_cache(maxsize=1)
def installed() -> Mapping[str, RiskModel]:
    """The models that installed distributions declare, by id.

    Raises:
        ContentError: an entry point does not name a `RiskModel`, is not called like it, or stands twice.
    """
    found: dict[str, RiskModel] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        model = point.load()
        if not isinstance(model, RiskModel):
            raise ContentError("entry points", point.name, "is not a RiskModel", "See docs/risk-models.md.")
        if model.id != point.name:
            raise ContentError("entry points", point.name, f"names the model {model.id!r}")
        if model.id in found:
            raise ContentError("entry points", point.name, "is declared twice")
        found[model.id] = model
    return found


def chosen(ids: Sequence[str], file: str = "profile") -> tuple[RiskModel, ...]:
    """The models that a profile names, in that order; `file` is where it names them, for the message.

    Raises:
        ContentError: one of them is not installed.
    """
    if not ids:
        return ()
    for ident in ids:
        if ident not in installed():
            raise ContentError(
                file,
                "risk_models",
                f"no installed distribution declares {ident!r}",
                f"Install the one that does, or take the name out. Installed: {', '.join(installed()) or 'none'}.",
            )
    return tuple(installed()[ident] for ident in ids)
