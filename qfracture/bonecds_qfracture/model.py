"""The equations as a risk model of Bone Health CDS: from what the record shows to a figure, or why there is none.

What is not known is never filled in. What was looked for completely and not found counts as absent and is listed; what the
service cannot look for counts as absent and is listed apart, and since every such term would raise the risk, the figure is
then given as "at least".
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from bonecds_qfracture import __version__
from bonecds_qfracture.equations import Answers, Risks, Sex, limits, risks, terms_of
from cds_service.clinical.facts.lifestyle import Smoking
from cds_service.clinical.risk_models import RiskInputs
from cds_service.kernel.facts import Fact, Gap, Known, Unknown
from cds_service.kernel.figures import Counted, Figure, NotCalculable, Result
from cds_service.kernel.quantities import Interval, exactly
from cds_service.kernel.truth import Truth

_LIMITS = (
    "The equations are calibrated for the United Kingdom. Multiple sclerosis is not an input, the dose of a glucocorticoid "
    "is not counted, and they were not checked against fractures in people with multiple sclerosis."
)
_ETHNICITY = 'Ethnicity is not read: the category "White or not stated" is used for everybody.'
_TWO_PRESCRIPTIONS = (
    "A drug counts when it is taken now, a glucocorticoid when it was taken in the last 6 months; the equations were made "
    "with two or more prescriptions in 6 months."
)
_MS_SYMPTOMS = (
    "Anticonvulsants and antidepressants are also given for symptoms of multiple sclerosis, such as pain; whatever the "
    "reason, they raise this figure."
)
_CROSSED = "The hip equation gives more than the one for all major fractures; its figure stands for both."
_AMOUNT = "the record says that the patient smokes, and not how much"
_DRINKS = "alcohol is recorded in drinks a day, and the equations count UK units; no conversion is verified here"

# Terms that drugs set, and those of them that also are drugs for symptoms of multiple sclerosis.
_DRUGS = frozenset({"b_antidepressant", "b_corticosteroids", "b_epilepsy2"})
_ALSO_FOR_MS = _DRUGS - {"b_corticosteroids"}
_SMOKING = {Smoking.NEVER: 0, Smoking.FORMER: 1}
_YEARS = 10


@dataclass(slots=True)
class _Form:
    """The questions of the equations while they are being answered."""

    counted: list[Counted] = field(default_factory=list)
    holding: set[str] = field(default_factory=set)
    absent: list[str] = field(default_factory=list)
    not_looked_for: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def known(self, fact: Fact[Any]) -> Any | None:
        """The value of a fact, counted with what shows it; `None`, with the gaps noted, where there is none."""
        match fact:
            case Known(value, evidence):
                self.counted.append(Counted("", evidence))
                return value
            case Unknown(gaps):
                self.gaps.extend(gaps)
                return None


@dataclass(frozen=True, slots=True)
class QFracture2012:
    """See `cds_service.clinical.risk_models.RiskModel`."""

    id: str = "qfracture-2012"
    title: str = f"QFracture-2012 equations (bonecds-qfracture {__version__})"

    @property
    def licence_note(self) -> str:
        """ClinRisk's disclaimer, word for word; its licence wants it beside every score."""
        return " ".join(_file("disclaimer.txt").split())

    def figure(self, inputs: RiskInputs) -> Figure | NotCalculable:
        """Risk of a major osteoporotic and of a hip fracture within ten years."""
        form = _Form()
        sex = _sex(form, inputs)
        age = _age(form, inputs.age)
        bmi = _bmi(form, inputs.bmi)
        smoking = _smoking(form, inputs.smoking)
        alcohol = _alcohol(form, inputs.alcohol)
        if sex:
            _ask_terms(form, sex, inputs)
        if sex is None or age is None or bmi is None or smoking is None or alcohol is None or form.reasons or form.gaps:
            return NotCalculable(tuple(form.reasons), tuple(dict.fromkeys(form.gaps)))
        person = Answers(sex, age, bmi, frozenset(form.holding), smoking, alcohol, years=_YEARS)
        return _figure(form, risks(person))


MODEL = QFracture2012()


def _figure(form: _Form, found: Risks) -> Figure:
    remarks = [*form.remarks, _LIMITS, _ETHNICITY]
    if form.holding & _DRUGS:
        remarks.append(_TWO_PRESCRIPTIONS)
    if form.holding & _ALSO_FOR_MS:
        remarks.append(_MS_SYMPTOMS)
    if found.hip > found.mof:
        remarks.append(_CROSSED)
    open_end = bool(form.not_looked_for)
    return Figure(
        (
            Result(f"major osteoporotic fracture within {_YEARS} years", _percent(found.reported_mof, open_end), "%"),
            Result(f"hip fracture within {_YEARS} years", _percent(found.hip, open_end), "%"),
        ),
        tuple(form.counted),
        tuple(form.absent),
        tuple(form.not_looked_for),
        tuple(remarks),
    )


def _percent(risk: float, open_end: bool) -> Interval:
    """One decimal; below 0.1 two significant digits: neither none nor all is ever what a risk rounds to."""
    value = Decimal(f"{min(risk, 99.9):.1f}" if risk >= 0.1 else f"{risk:.2g}")
    return Interval(value, None) if open_end else exactly(value)


# --- the questions ---------------------------------------------------------------------------------------------------
def _sex(form: _Form, inputs: RiskInputs) -> Sex | None:
    recorded = form.known(inputs.sex)
    return recorded.value if recorded else None


def _age(form: _Form, fact: Fact[Interval]) -> int | None:
    years = form.known(fact)
    if years is None:
        return None
    low, high = limits("age")
    if years.less_than(Decimal(low)) is Truth.YES or years.more_than(Decimal(high)) is Truth.YES:
        form.reasons.append(f"the equations hold from {low} to {high} years, and the patient is {years}")
        return None
    if not years.exact:
        form.reasons.append(f"age is only known as {years} years")
        return None
    return int(years.low)


def _bmi(form: _Form, fact: Fact[Interval]) -> float | None:
    """Within the range of the equations; what lies outside counts as its nearest end, and that is said."""
    index = form.known(fact)
    if index is None:
        return None
    low, high = limits("bmi")
    for end, outside in ((low, index.less_than(Decimal(low))), (high, index.more_than(Decimal(high)))):
        if outside is Truth.YES:
            form.remarks.append(f"BMI {index} was counted as {end}: the equations hold from {low} to {high} kg/m2.")
            return float(end)
    if not index.exact:
        form.reasons.append(f"BMI is only known as {index} kg/m2")
        return None
    return float(index.low)


def _smoking(form: _Form, fact: Fact[Smoking]) -> int | None:
    status = form.known(fact)
    if status is Smoking.CURRENT:
        form.reasons.append(_AMOUNT)
    return None if status is None else _SMOKING.get(status)


def _alcohol(form: _Form, fact: Fact[Interval]) -> int | None:
    """None at all is the same in drinks and in units; any other number is not."""
    drinks = form.known(fact)
    if drinks is None:
        return None
    if drinks.more_than(Decimal(0)) is not Truth.NO:
        form.reasons.append(_DRINKS)
        return None
    return 0


def _ask_terms(form: _Form, sex: Sex, inputs: RiskInputs) -> None:
    for term, told in _terms().items():
        if term in terms_of(sex):
            _ask(form, term, told, inputs)


def _ask(form: _Form, term: str, told: Mapping[str, Any], inputs: RiskInputs) -> None:
    """One term: set by anything found, absent only where all that can be looked for was looked for."""
    asked = {words: inputs.found[key] for key, words in told["asks"].items() if key in inputs.found}
    found = [criterion for criterion in asked.values() if criterion.truth is Truth.YES]
    if found and "undecided" in told:
        form.reasons.append(told["undecided"])
        return
    if found:
        form.holding.add(term)
        form.counted.append(Counted(told["name"], tuple(shown for each in found for shown in each.evidence)))
        return
    form.absent.extend(words for words, criterion in asked.items() if criterion.truth is Truth.NO)
    form.gaps.extend(gap for criterion in asked.values() for gap in criterion.open_gaps())
    form.not_looked_for.extend(words for key, words in told["asks"].items() if key not in inputs.found)


# --- files -----------------------------------------------------------------------------------------------------------
@cache
def _terms() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(_file("terms.toml"))


@cache
def _file(name: str) -> str:
    return resources.files("bonecds_qfracture").joinpath(name).read_text(encoding="utf-8")
