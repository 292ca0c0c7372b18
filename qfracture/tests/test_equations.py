"""The equations give what ClinRisk's own programs give, and refuse what they were not made for."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from bonecds_qfracture.equations import Answers, OutOfRange, Risks, limits, risks, terms_of

VECTORS: Any = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))
_NAMES = {"alcohol_cat6": "alcohol", "ethrisk": "ethnicity", "smoke_cat": "smoking", "surv": "years"}
CALCULABLE = [each for each in VECTORS["vectors"] if "error" not in each["expected"]]
REFUSED = [each for each in VECTORS["vectors"] if "error" in each["expected"]]


def answers(inputs: dict[str, Any]) -> Answers:
    """The inputs of a vector, which carry the names of the C sources."""
    terms = {name for name, value in inputs.items() if name.startswith(("b_", "fh_")) and value}
    others = {_NAMES.get(name, name): value for name, value in inputs.items() if not name.startswith(("b_", "fh_"))}
    return Answers(**others, terms=frozenset(terms))


def test_all_vectors_are_there() -> None:
    assert (len(CALCULABLE), len(REFUSED)) == (110, 9)


@pytest.mark.parametrize("vector", CALCULABLE, ids=lambda vector: f"{vector['id']} {vector['note']}")
def test_a_vector_is_reproduced(vector: dict[str, Any]) -> None:
    found = risks(answers(vector["inputs"]))
    assert {"mof_raw_pct": found.mof, "hip_raw_pct": found.hip, "mof_reported_pct": found.reported_mof} == (
        pytest.approx(vector["expected"], rel=0, abs=VECTORS["tolerance"])
    )


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: f"{vector['id']} {vector['note']}")
def test_what_the_c_programs_refuse_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(OutOfRange) as problem:
        risks(answers(vector["inputs"]))
    assert f"error: {problem.value}" == vector["expected"]["error"]


@pytest.mark.parametrize(
    "changed",
    [
        {"bmi": math.nan},
        {"bmi": math.inf},
        {"age": math.nan},
        {"age": 60.5},
        {"age": True},
        {"sex": "other"},
        {"ethnicity": 10},
        {"smoking": -1},
        {"terms": frozenset({"b_carehome"})},  # counts in men only
        {"terms": frozenset({"multiple_sclerosis"})},
    ],
    ids=str,
)
def test_what_passes_the_c_range_test_or_cannot_be_is_refused_as_well(changed: dict[str, Any]) -> None:
    person: dict[str, Any] = {"sex": "female", "age": 60, "bmi": 26.0}
    with pytest.raises(OutOfRange):
        risks(Answers(**(person | changed)))


def test_the_reported_risk_of_a_major_fracture_is_never_below_that_of_a_hip_fracture() -> None:
    assert Risks(47.9, 80.2).reported_mof == 80.2
    assert Risks(8.6, 1.2).reported_mof == 8.6


def test_the_ends_of_the_ranges_are_inside() -> None:
    assert (limits("age"), limits("bmi")) == ((30, 100), (20, 40))
    ends = [risks(Answers(sex, age, bmi)).mof for sex in ("female", "male") for age in (30, 100) for bmi in (20, 40)]
    assert all(0 < risk < 100 for risk in ends)


def test_multiple_sclerosis_is_no_term() -> None:
    assert [term for sex in ("female", "male") for term in terms_of(sex) if "ms" in term or "scler" in term] == []
