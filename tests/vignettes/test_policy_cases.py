"""Where guidelines are silent or contradict themselves, the service does what the project decided: P01 to P16."""

from __future__ import annotations

import re

import pytest

from tests.support.cases import Case, all_cases

# The decision each of them shows. Who decides otherwise changes the vignettes that carry its number.
POLICY_CASES = {
    "P01": "exactly 7.5 mg/day: FRAX as ACR's table has it; both are shown where the class differs",
    "P02": "under 40, 30 mg/day counts only for more than 30 days",
    "P03": "under 40, a Z-score of exactly -3.0 is moderate",
    "P04": "adjusted hip FRAX of exactly 1.0 % is moderate",
    "P05": "a T-score of -2.45 counts as reported: moderate",
    "P06": "a T-score of exactly -1.0 with low FRAX is moderate",
    "P07": "low FRAX and T-score on 10 mg/day: low with a note, no drug",
    "P08": "exactly 90 days: out for ACR, else as the profile reads it",
    "P09": "an oral relapse course does not fire NOGG's rule by its total",
    "P10": "20 ng/mL at a cut-off of 50 nmol/L is sufficient",
    "P11": "two oral relapse courses alone: no class, the card on pulses",
    "P12": "MS at 42 with EDSS 6.0: as the profile reads it",
    "P13": "MS at 28 without a risk factor: no card",
    "P14": "20.0 to 20.9 ng/mL by the Endocrine Society 2011 is insufficient",
    "P15": "a pulse counts towards 5 g beside long-term use",
    "P16": "T-score -2.6 at 45 before menopause: ACR's class, no diagnosis, both scores said",
}


def _named(number: str) -> list[Case]:
    return [case for case in all_cases() if re.search(rf"\b{number}\b", case.name)]


@pytest.mark.parametrize("number", POLICY_CASES)
def test_every_policy_case_has_a_vignette_that_carries_its_number(number: str) -> None:
    assert _named(number)


def test_no_vignette_carries_the_number_of_another_policy_case() -> None:
    told = {number for case in all_cases() for number in re.findall(r"\bP\d\d\b", case.name)}
    assert sorted(told - POLICY_CASES.keys()) == []


@pytest.mark.parametrize("number", POLICY_CASES)
def test_a_policy_case_is_shown_at_the_default_profile(number: str) -> None:
    """A vignette that only shows another site's choice would leave the decision itself untested."""
    assert any(not case.switches for case in _named(number))


def test_where_profiles_differ_both_readings_are_shown() -> None:
    for number in ("P01", "P08", "P12", "P15"):
        answers = {case.outcome().verdict for case in _named(number)}
        assert len(answers) > 1, number
