"""From facts with reasons to a figure with everything it rests on, or to why there is none (S1, S2, S3)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bonecds_qfracture
from bonecds_qfracture.equations import terms_of
from bonecds_qfracture.model import MODEL, _terms
from cds_service.clinical.facts.demographics import Sex
from cds_service.clinical.facts.lifestyle import Smoking
from cds_service.clinical.risk_models import RiskInputs, RiskModel
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.figures import Figure, NotCalculable
from cds_service.kernel.quantities import Interval, between, exactly
from cds_service.kernel.truth import Truth

# What this service can look for; see `cds_service/clinical/risk_inputs.py`.
KEYS = (
    "bone-metastasis", "chronic-kidney-disease", "chronic-liver-disease", "cushing-syndrome", "diabetes-type-1",
    "diabetes-type-2", "hyperparathyroidism", "hyperthyroidism", "lupus", "malabsorption", "myeloma",
    "myocardial-infarction", "rheumatoid-arthritis", "stroke", "enzyme-inducing-anticonvulsant", "hormone-therapy",
    "ssri-or-snri", "gabapentinoid", "glucocorticoid", "fall", "major-fracture",
    "parental-hip-fracture",
)  # fmt: skip
EVERY_KEY = tuple(key for told in _terms().values() for key in told["asks"])
FAILED = Gap(GapKind.FAILED, "conditions")


def known(value: Any, kind: str = "x") -> Known[Any]:
    return Known(value, (Evidence(kind, str(value)),))


def asked(*holding: str, keys: tuple[str, ...] = KEYS, unknown: tuple[str, ...] = (), **facts: Fact[Any]) -> RiskInputs:
    """A woman of 60 with a BMI of 26 who never smoked and does not drink, with nothing but `holding` on record."""
    found = {key: Criterion(key, Truth.NO) for key in keys}
    found |= {key: Criterion(key, Truth.YES, (Evidence("medication", key),)) for key in holding}
    found |= {key: Criterion(key, Truth.UNKNOWN, gaps=(FAILED,)) for key in unknown}
    whole = RiskInputs(
        dt.date(2026, 6, 15),
        known(exactly(60)),
        known(Sex.FEMALE),
        known(exactly("26.0")),
        known(Smoking.NEVER),
        known(exactly(0)),
        found,
    )
    return replace(whole, **facts)


def figure(inputs: RiskInputs) -> Figure:
    told = MODEL.figure(inputs)
    assert isinstance(told, Figure)
    return told


def none(inputs: RiskInputs) -> NotCalculable:
    told = MODEL.figure(inputs)
    assert isinstance(told, NotCalculable)
    return told


def numbers(told: Figure) -> list[str]:
    return [str(result.value) for result in told.results]


def counted(told: Figure) -> list[str]:
    return [term.name for term in told.counted if term.name]


# --- the figure ------------------------------------------------------------------------------------------------------
def test_it_is_the_model_that_profiles_name() -> None:
    assert isinstance(MODEL, RiskModel)
    assert MODEL.id == "qfracture-2012"
    assert MODEL.title == f"QFracture-2012 equations (bonecds-qfracture {bonecds_qfracture.__version__})"


def test_q12_001_nothing_but_age_and_bmi() -> None:
    told = figure(asked(keys=EVERY_KEY))
    assert [result.name for result in told.results] == [
        "major osteoporotic fracture within 10 years",
        "hip fracture within 10 years",
    ]
    assert numbers(told) == ["3.1", "0.6"]
    assert counted(told) == []
    assert told.not_looked_for == ()


def test_q12_099_the_terms_that_fired_are_listed_with_what_set_them() -> None:
    told = figure(
        asked(
            "glucocorticoid", "ssri-or-snri", "gabapentinoid", "fall",
            keys=EVERY_KEY, age=known(exactly(52)), bmi=known(exactly("21.3")),
        )
    )  # fmt: skip
    assert numbers(told) == ["8.6", "1.2"]
    assert [(term.name, [shown.value for shown in term.shown_by]) for term in told.counted if term.name] == [
        ("antidepressant", ["ssri-or-snri"]),
        ("systemic glucocorticoid (yes or no, dose not counted)", ["glucocorticoid"]),
        ("epilepsy or anticonvulsant", ["gabapentinoid"]),
        ("falls", ["fall"]),
    ]


def test_age_sex_bmi_smoking_and_alcohol_are_shown_as_well() -> None:
    told = figure(asked(smoking=known(Smoking.FORMER, "smoking")))
    assert [shown.value for term in told.counted for shown in term.shown_by] == [
        "Sex.FEMALE", "60", "26", "Smoking.FORMER", "0",
    ]  # fmt: skip


def test_s1_what_was_not_looked_for_could_only_raise_the_figure_so_it_is_a_lower_bound() -> None:
    told = figure(asked())
    assert numbers(told) == [">=3.1", ">=0.6"]
    assert told.not_looked_for == (
        "other antidepressants", "other cancer", "asthma", "COPD", "angina", "transient ischaemic attack", "dementia",
        "epilepsy", "other anticonvulsants", "Parkinson's disease", "osteoporosis of a parent",
    )  # fmt: skip


def test_every_term_but_oestrogen_raises_the_figure() -> None:
    """What makes "at least" true."""
    plain = MODEL.figure(asked(keys=EVERY_KEY))
    assert isinstance(plain, Figure)
    for term in terms_of("female") - {"b_hrt_oest"}:
        key = next(iter(_terms()[term]["asks"]))
        raised = figure(asked(key, keys=EVERY_KEY))
        assert raised.results[0].value.low > plain.results[0].value.low, term  # type: ignore[operator]


def test_s2_what_was_looked_for_and_not_found_is_listed_as_assumed_absent() -> None:
    told = figure(asked("stroke"))
    assert "stroke" not in told.assumed_absent
    assert "myocardial infarction" not in told.assumed_absent  # one of the two settles the term
    assert {"falls", "systemic glucocorticoid in the last 6 months", "lupus"} <= set(told.assumed_absent)


def test_the_higher_hip_risk_stands_for_both_and_that_is_said() -> None:
    told = figure(
        asked(
            "diabetes-type-1", "dementia", "major-fracture", "fall",
            keys=EVERY_KEY, age=known(exactly(84)), bmi=known(exactly(20)),
        )
    )  # fmt: skip
    assert numbers(told) == ["99", "99"]
    assert (
        "The hip equation gives more than the one for all major fractures; its figure stands for both." in told.remarks
    )


def test_s1_no_risk_is_rounded_to_none() -> None:
    told = figure(asked(keys=EVERY_KEY, age=known(exactly(30))))
    assert numbers(told) == ["0.4", "0.011"]


# --- remarks ---------------------------------------------------------------------------------------------------------
def test_its_limits_are_on_every_figure() -> None:
    said = " ".join(figure(asked()).remarks)
    assert "Multiple sclerosis is not an input" in said
    assert "the dose of a glucocorticoid is not counted" in said
    assert 'the category "White or not stated" is used for everybody' in said


@pytest.mark.parametrize(
    ("key", "told_of"), [("gabapentinoid", True), ("ssri-or-snri", True), ("glucocorticoid", False), ("stroke", False)]
)
def test_drugs_for_symptoms_of_ms_trip_terms_and_that_is_said(key: str, told_of: bool) -> None:
    assert (
        any("also given for symptoms of multiple sclerosis" in line for line in figure(asked(key)).remarks) is told_of
    )


@pytest.mark.parametrize(
    ("bmi", "same_as", "said"),
    [
        (exactly("17.9"), 20, "BMI 17.9 was counted as 20: the equations hold from 20 to 40 kg/m2."),
        (
            Interval(exactly("40.1").low, None),
            40,
            "BMI >=40.1 was counted as 40: the equations hold from 20 to 40 kg/m2.",
        ),
        (exactly(20), 20, ""),
        (exactly(40), 40, ""),
    ],
)
def test_a_bmi_outside_the_range_counts_as_its_end_and_that_is_said(bmi: Interval, same_as: int, said: str) -> None:
    told = figure(asked(bmi=known(bmi)))
    assert numbers(told) == numbers(figure(asked(bmi=known(exactly(same_as)))))
    assert [line for line in told.remarks if "BMI" in line] == ([said] if said else [])


# --- not calculable --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fact", "value", "reason"),
    [
        ("age", exactly(29), "the equations hold from 30 to 100 years, and the patient is 29"),
        ("age", exactly(101), "the equations hold from 30 to 100 years, and the patient is 101"),
        ("age", between(20, 21), "the equations hold from 30 to 100 years, and the patient is 20 to 21"),
        ("age", between(29, 30), "age is only known as 29 to 30 years"),
        ("age", between(59, 60), "age is only known as 59 to 60 years"),
        ("bmi", between(19, 21), "BMI is only known as 19 to 21 kg/m2"),
        ("smoking", Smoking.CURRENT, "the record says that the patient smokes, and not how much"),
        (
            "alcohol",
            exactly(2),
            "alcohol is recorded in drinks a day, and the equations count UK units; no conversion is verified here",
        ),
        (
            "alcohol",
            between(0, 3),
            "alcohol is recorded in drinks a day, and the equations count UK units; no conversion is verified here",
        ),
    ],
)
def test_s3_a_value_the_equations_cannot_take_is_a_reason(fact: str, value: Any, reason: str) -> None:
    assert none(asked(**{fact: known(value)})) == NotCalculable((reason,))


@pytest.mark.parametrize("age", [30, 100])
def test_the_first_and_the_last_year_are_calculable(age: int) -> None:
    assert figure(asked(age=known(exactly(age)))).results


@pytest.mark.parametrize("fact", ["age", "sex", "bmi", "smoking", "alcohol"])
def test_s3_what_is_not_known_is_named_and_never_filled_in(fact: str) -> None:
    gap = Gap(GapKind.NOT_RECORDED, fact)
    assert none(asked(**{fact: Unknown((gap,))})) == NotCalculable((), (gap,))


@pytest.mark.parametrize("key", KEYS)
def test_s2_a_look_up_that_did_not_complete_makes_it_not_calculable(key: str) -> None:
    assert none(asked(unknown=(key,))) == NotCalculable((), (FAILED,))


def test_presence_needs_no_completed_look_up() -> None:
    assert counted(figure(asked("stroke", unknown=("myocardial-infarction",)))) == ["cardiovascular disease"]


def test_every_reason_is_given_at_once() -> None:
    told = none(asked(unknown=KEYS, age=known(exactly(27)), smoking=known(Smoking.CURRENT)))
    assert (len(told.reasons), told.gaps) == (2, (FAILED,))


def test_hormone_therapy_does_not_say_whether_it_is_oestrogen_alone() -> None:
    """Oestrogen alone lowers the figure, so guessing either way would be wrong; in men there is no such term."""
    reason = "hormone therapy is on record, and not whether it is oestrogen alone"
    assert none(asked("hormone-therapy")) == NotCalculable((reason,))
    assert figure(asked("hormone-therapy", sex=known(Sex.MALE))).results


# --- data ------------------------------------------------------------------------------------------------------------
def test_every_term_of_the_equations_has_words_and_questions() -> None:
    assert set(_terms()) == terms_of("female") | terms_of("male")


def test_the_keys_are_those_the_service_has() -> None:
    """A key that is misspelt in one of the two places would never be looked for."""
    import inspect

    from cds_service.clinical import risk_inputs

    source = inspect.getsource(risk_inputs)
    assert [key for key in KEYS if f'"{key}"' not in source] == []
    assert set(KEYS) <= set(EVERY_KEY)


def test_the_disclaimer_is_clinrisks_word_for_word() -> None:
    """As in qFracture/Readme.txt and in the head of every C file of github.com/nhsland/clinrisk-modules."""
    text = (Path(bonecds_qfracture.__file__).parent / "disclaimer.txt").read_text("utf-8")
    first, *_, last = text.splitlines()
    assert first == (
        "The initial version of this file, to be found at http://svn.clinrisk.co.uk/qfracture, faithfully implements"
        " QFracture-2012."
    )
    assert last == (
        "Inaccurate implementations of risk scores can lead to wrong patients being given the wrong treatment."
    )
    assert len(text.splitlines()) == 5
    assert MODEL.licence_note == " ".join(text.splitlines())


def test_no_sentence_of_ours_reassures_or_commands() -> None:
    told = figure(asked("gabapentinoid", "glucocorticoid", bmi=known(exactly(18)), age=known(exactly(90))))
    said = " ".join((*told.remarks, *told.assumed_absent, *told.not_looked_for, *counted(told), MODEL.title))
    assert re.findall(r"\b(must|safe|normal|healthy|no risk|low risk)\b", said, re.IGNORECASE) == []
