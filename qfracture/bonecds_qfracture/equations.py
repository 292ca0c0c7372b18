"""The QFracture-2012 equations: answers about one person in, risk in percent out. Standard library only.

Copyright 2012 ClinRisk Ltd. for the equations; written anew in Python from their published coefficients, November 2026.
Free software under the GNU Lesser General Public License, version 3 or (at your option) any later version, WITHOUT ANY
WARRANTY; see COPYING.LESSER. ClinRisk's disclaimer (`disclaimer.txt`) has to be shown beside every figure.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, TypeAlias

Sex: TypeAlias = Literal["female", "male"]


class OutOfRange(ValueError):
    """An answer the equations do not take. Nothing is clamped or filled in here."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the equations ask about a person.

    Attributes:
        sex: there are equations for two.
        age: completed years, 30 to 100.
        bmi: kg/m2, 20 to 40.
        terms: the yes-or-no terms that hold, by the names of the C sources ("b_falls").
        smoking: 0 none, 1 ex, 2 under 10 a day, 3 10 to 19, 4 20 or more.
        alcohol: UK units a day: 0 none, 1 under 1, 2 1 to 2, 3 3 to 6, 4 7 to 9, 5 over 9.
        ethnicity: 1 white or not stated, then the eight other groups of the C sources.
        years: how far ahead, 1 to 18.
    """

    sex: Sex
    age: int
    bmi: float
    terms: frozenset[str] = frozenset()
    smoking: int = 0
    alcohol: int = 0
    ethnicity: int = 1
    years: int = 10


@dataclass(frozen=True, slots=True)
class Risks:
    """Percent, within the years asked about.

    Attributes:
        mof: hip, vertebral, distal radius or proximal humerus fracture, as its equation gives it.
        hip: hip fracture.
    """

    mof: float
    hip: float

    @property
    def reported_mof(self) -> float:
        """Never below the risk of one of the fractures it is made of: in the old and frail the two equations can cross.

        ClinRisk's Readme of 2009 replaces the value; the code of 2012 leaves that to its user.
        """
        return max(self.mof, self.hip)


def risks(person: Answers) -> Risks:
    """The two risks.

    Raises:
        OutOfRange: an answer is outside what the equations were made for; NaN is outside everything.
    """
    _check(person)
    equations = _model()["equations"][person.sex]
    return Risks(_risk(equations["mof"], person), _risk(equations["hip"], person))


def terms_of(sex: Sex) -> frozenset[str]:
    """The yes-or-no terms that count for that sex, in either equation."""
    return frozenset(term for equation in _model()["equations"][sex].values() for term in equation["terms"])


def limits(what: Literal["age", "bmi"]) -> tuple[int, int]:
    """Lowest and highest value the equations take."""
    low, high = _model()[what]
    return low, high


@cache
def _model() -> Mapping[str, Any]:
    file = resources.files("bonecds_qfracture").joinpath("qfracture_2012.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _risk(equation: Mapping[str, Any], person: Answers) -> float:
    total = sum(_continuous(each, getattr(person, each["input"])) for each in equation["continuous"])
    total += equation["alcohol"][person.alcohol]
    total += equation["ethnicity"][person.ethnicity - 1]
    total += equation["smoking"][person.smoking]
    # a term of the other outcome (malabsorption and hip fracture) does not count here
    total += sum(value for term, value in equation["terms"].items() if term in person.terms)
    survival: float = equation["survival"][person.years - 1]
    return 100.0 * (1.0 - math.pow(survival, math.exp(total)))


def _continuous(term: Mapping[str, Any], value: float) -> float:
    """A fractional polynomial: power and power of the logarithm of the scaled value, centred."""
    scaled = value / term["divide_by"]
    transformed = math.pow(scaled, term["power"]) * math.pow(math.log(scaled), term["ln_power"])
    return float(term["coefficient"] * (transformed - term["centre"]))


def _check(person: Answers) -> None:
    if person.sex not in _model()["equations"]:
        raise OutOfRange("sex must be female or male")
    equation = _model()["equations"][person.sex]["mof"]
    _within("age", person.age, *limits("age"))
    _within("alcohol_cat6", person.alcohol, 0, len(equation["alcohol"]) - 1)
    if not limits("bmi")[0] <= person.bmi <= limits("bmi")[1]:
        raise OutOfRange("bmi must be in range ({},{})".format(*limits("bmi")))
    _within("ethrisk", person.ethnicity, 1, len(equation["ethnicity"]))
    _within("smoke_cat", person.smoking, 0, len(equation["smoking"]) - 1)
    _within("surv", person.years, 1, len(equation["survival"]))
    if unknown := person.terms - terms_of(person.sex):
        raise OutOfRange(f"not a term for this sex: {', '.join(sorted(unknown))}")


def _within(name: str, value: int, low: int, high: int) -> None:
    # the C sources take integers only: 60.5 years would give a number that nobody checked
    if type(value) is not int or not low <= value <= high:
        raise OutOfRange(f"{name} must be in range ({low},{high})")
