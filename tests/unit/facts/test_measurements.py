"""Values and units: what is read, and what is refused rather than guessed (S7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cds_service.clinical import measurements
from cds_service.clinical.measurements import Measured, NotRead, analytes, convert, measure, shown
from cds_service.formats import strict_json
from cds_service.kernel.errors import ContentError
from cds_service.kernel.facts import GapKind
from cds_service.kernel.quantities import Interval, exactly

VITAMIN_D = "vitamin-d"


def part(value: str) -> dict[str, Any]:
    """An Observation that holds just this, as JSON text."""
    found: dict[str, Any] = strict_json.load(f'{{"resourceType": "Observation", {value}}}'.encode())
    return found


def quantity(number: str, unit: str = "", code: str = "", more: str = "") -> dict[str, Any]:
    said = [f'"value": {number}']
    if unit:
        said.append(f'"unit": "{unit}"')
    if code:
        said.append(f'"system": "http://unitsofmeasure.org", "code": "{code}"')
    if more:
        said.append(more)
    return part(f'"valueQuantity": {{{", ".join(said)}}}')


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("ng/mL", "ng/mL"),
        ("NG/ML", "ng/mL"),
        ("ug/L", "ng/mL"),
        ("µg/L", "ng/mL"),
        ("mcg/L", "ng/mL"),
        ("nmol/L", "nmol/L"),
        ("NMOL/L", "nmol/L"),
        (" nmol / l ", "nmol/L"),
    ],
)
def test_d16_unit_spellings_of_25_oh_vitamin_d(unit: str, expected: str) -> None:
    assert measure(quantity("19", unit), VITAMIN_D) == Measured(exactly(19), expected)


@pytest.mark.parametrize("unit", ["pmol/L", "pg/mL", "ng/dL", "mg/dL", "g/cm2"])
def test_d16_trap_3_wrong_unit_is_refused_not_rescaled(unit: str) -> None:
    assert measure(quantity("75", unit), VITAMIN_D) == NotRead(
        GapKind.UNIT_UNKNOWN, f"{unit} is no unit of 25-OH vitamin D"
    )


def test_d16_missing_unit_cannot_be_told_from_the_value() -> None:
    assert measure(quantity("75"), VITAMIN_D) == NotRead(GapKind.UNIT_UNKNOWN, "no unit")


def test_d16_words_that_are_no_known_unit() -> None:
    assert measure(quantity("75", "Jones units"), VITAMIN_D) == NotRead(GapKind.UNIT_UNKNOWN, "unit not known")


def test_d16_unit_and_code_disagree() -> None:
    expected = NotRead(GapKind.CONFLICTING, "unit and unit code disagree")
    assert measure(quantity("19", "ng/mL", "nmol/L"), VITAMIN_D) == expected
    assert measure(quantity("19", "pmol/L", "nmol/L"), VITAMIN_D) == expected


def test_d16_unit_in_words_beside_a_code_does_not_disagree() -> None:
    assert measure(quantity("19", "nanogram per milliliter", "ng/mL"), VITAMIN_D) == Measured(exactly(19), "ng/mL")


def test_d16_code_of_another_system_says_nothing_the_unit_counts() -> None:
    said = '"system": "http://snomed.info/sct", "code": "258806002"'
    assert measure(quantity("19", "ng/mL", more=said), VITAMIN_D) == Measured(exactly(19), "ng/mL")


def test_d16_code_of_another_system_is_no_unit_though_it_looks_like_one() -> None:
    said = '"system": "http://example.org/units", "code": "nmol/L"'
    assert measure(quantity("19", "ng/mL", more=said), VITAMIN_D) == Measured(exactly(19), "ng/mL")
    assert measure(quantity("19", more=said), VITAMIN_D) == NotRead(GapKind.UNIT_UNKNOWN, "no unit")


def test_d16_code_without_a_system_is_taken_as_ucum() -> None:
    assert measure(quantity("50", more='"code": "nmol/L"'), VITAMIN_D) == Measured(exactly(50), "nmol/L")


def test_d16_ucum_with_a_slash_at_the_end_is_ucum() -> None:
    said = '"system": "http://unitsofmeasure.org/", "code": "nmol/L"'
    assert measure(quantity("50", more=said), VITAMIN_D) == Measured(exactly(50), "nmol/L")


@pytest.mark.parametrize(
    ("comparator", "expected"),
    [
        ("<", Interval(None, Decimal(8), below_high=True)),
        ("<=", Interval(None, Decimal(8))),
        (">", Interval(Decimal(8), None, above_low=True)),
        (">=", Interval(Decimal(8), None)),
    ],
)
def test_d16_comparators_stay_bounds(comparator: str, expected: Interval) -> None:
    found = measure(quantity("8", "ng/mL", more=f'"comparator": "{comparator}"'), VITAMIN_D)
    assert found == Measured(expected, "ng/mL")


def test_d16_a_comparator_we_do_not_know_is_not_dropped() -> None:
    found = measure(quantity("8", "ng/mL", more='"comparator": "ad"'), VITAMIN_D)
    assert found == NotRead(GapKind.UNREADABLE, "comparator not known")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<4.0 ng/mL", Measured(Interval(None, Decimal("4.0"), below_high=True), "ng/mL")),
        ("19 ng/mL", Measured(exactly(19), "ng/mL")),
        ("≥ 150 nmol/L", Measured(Interval(Decimal(150), None), "nmol/L")),
        ("19,5 ng/mL", Measured(exactly("19.5"), "ng/mL")),
        (">150", NotRead(GapKind.UNIT_UNKNOWN, "no unit")),
        ("19", NotRead(GapKind.UNIT_UNKNOWN, "no unit")),
        ("1,250 ng/mL", NotRead(GapKind.UNREADABLE, "text is not a single result")),
        ("19-21 ng/mL", NotRead(GapKind.UNREADABLE, "text is not a single result")),
        ("see comment", NotRead(GapKind.UNREADABLE, "text is not a single result")),
        ("", NotRead(GapKind.UNREADABLE, "text is not a single result")),
    ],
)
def test_d16_results_as_text(text: str, expected: Measured | NotRead) -> None:
    assert measure(part(f'"valueString": "{text}"'), VITAMIN_D) == expected


def test_d16_text_of_a_coded_answer_is_read_like_a_text() -> None:
    found = measure(part('"valueCodeableConcept": {"text": "<4.0 ng/mL"}'), VITAMIN_D)
    assert found == Measured(Interval(None, Decimal("4.0"), below_high=True), "ng/mL")


def test_d16_data_absent_reason() -> None:
    absent = '"dataAbsentReason": {"coding": [{"code": "error"}]}'
    assert measure(part(absent), VITAMIN_D) == NotRead(GapKind.NOT_RECORDED, "reported without a value")
    both = part(f'{absent}, "valueQuantity": {{"value": 19, "unit": "ng/mL"}}')
    assert measure(both, VITAMIN_D) == NotRead(GapKind.CONFLICTING, "reported without a value")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"status": "final"', NotRead(GapKind.NOT_RECORDED, "no value")),
        ('"valueQuantity": {"unit": "ng/mL"}', NotRead(GapKind.NOT_RECORDED, "no value")),
        ('"valueQuantity": {"value": "19", "unit": "ng/mL"}', NotRead(GapKind.UNREADABLE, "not a number")),
        ('"valueQuantity": "19 ng/mL"', NotRead(GapKind.UNREADABLE, "not a number")),
        ('"valueBoolean": true', NotRead(GapKind.UNREADABLE, "not a number")),
        ('"valueInteger": true', NotRead(GapKind.UNREADABLE, "not a number")),
        ('"valueInteger": 19', NotRead(GapKind.UNIT_UNKNOWN, "no unit")),
        ('"valueString": 19', NotRead(GapKind.UNREADABLE, "text is not a single result")),
        ('"valueInteger": 19, "valueString": "19 ng/mL"', NotRead(GapKind.CONFLICTING, "more than one value")),
    ],
)
def test_c7_odd_types_are_reported_never_guessed(value: str, expected: NotRead) -> None:
    assert measure(part(value), VITAMIN_D) == expected


@pytest.mark.parametrize(
    ("analyte", "unit", "inside", "outside"),
    [
        (VITAMIN_D, "ng/mL", "250", "250.1"),
        (VITAMIN_D, "ng/mL", "1", "0.9"),
        (VITAMIN_D, "nmol/L", "624", "624.1"),
        ("t-score", "{T-score}", "-10", "-10.1"),
        ("t-score", "{T-score}", "10", "10.1"),
        ("calcium", "mmol/L", "4", "4.01"),
        ("egfr", "mL/min/{1.73_m2}", "250", "251"),
        ("albumin", "g/L", "80", "81"),
        ("albumin", "g/dL", "8", "8.1"),
        ("frax-mof", "%", "100", "100.1"),
        ("frax-mof", "%", "1", "0.18"),
        ("bone-density", "mg/cm2", "700", "0.7"),
    ],
)
def test_d18_plausibility_windows(analyte: str, unit: str, inside: str, outside: str) -> None:
    assert measure(quantity(inside, unit), analyte) == Measured(exactly(inside), unit)
    refused = measure(quantity(outside, unit), analyte)
    assert refused == NotRead(GapKind.UNREADABLE, f"{shown(exactly(outside), unit)} is not possible")


def test_d18_numbers_without_end_are_refused_without_being_spelt_out() -> None:
    found = measure(quantity("1e300", "ng/mL"), VITAMIN_D)
    assert found == NotRead(GapKind.UNREADABLE, "a value that is not possible")


def test_d18_a_number_of_ten_digits_is_still_spelt_out() -> None:
    found = measure(quantity("1e9", "ng/mL"), VITAMIN_D)
    assert found == NotRead(GapKind.UNREADABLE, "1000000000 ng/mL is not possible")


def test_d18_a_low_bound_may_lie_under_the_window() -> None:
    found = measure(quantity("0.5", "ng/mL", more='"comparator": "<"'), VITAMIN_D)
    assert found == Measured(Interval(None, Decimal("0.5"), below_high=True), "ng/mL")


@pytest.mark.parametrize(
    ("unit", "code"),
    [("T-Score", "1"), ("{T-score}", "{T-score}"), ("SD", "{SD}"), ("", ""), ("{score}", ""), ("T score", "")],
)
def test_trap_8_units_of_a_t_score(unit: str, code: str) -> None:
    assert measure(quantity("-2.5", unit, code), "t-score") == Measured(exactly("-2.5"), "{T-score}")


@pytest.mark.parametrize("unit", ["g/cm2", "g/cm²", "g/cm-2", "%", "mg/cm2", "Z-Score"])
def test_trap_7_taiwan_other_units_under_a_t_score_code(unit: str) -> None:
    assert measure(quantity("0.887", unit), "t-score") == NotRead(GapKind.UNIT_UNKNOWN, f"{unit} is no unit of T-score")


def test_d18_decimal_comma_and_typographic_minus() -> None:
    expected = Measured(exactly("-2.5"), "{T-score}")
    assert measure(part('"valueString": "-2,5"'), "t-score") == expected
    assert measure(part('"valueString": "−2.5"'), "t-score") == expected
    assert measure(part('"valueString": "+2.5"'), "t-score") == Measured(exactly("2.5"), "{T-score}")


@pytest.mark.parametrize(("value", "expected"), [('"valueInteger": -2', "-2"), ('"valueDecimal": -2.5', "-2.5")])
def test_a_bare_number_is_the_value_of_a_score(value: str, expected: str) -> None:
    assert measure(part(value), "t-score") == Measured(exactly(expected), "{T-score}")


def test_def_11_conversion_keeps_20_ng_and_50_nmol_on_one_side() -> None:
    assert convert(exactly(20), VITAMIN_D, "ng/mL", "nmol/L") == exactly(50)
    assert convert(exactly(50), VITAMIN_D, "nmol/L", "ng/mL") == exactly("20.0")
    assert convert(exactly("19.96"), VITAMIN_D, "ng/mL", "ng/mL") == exactly("19.96")


def test_def_11_half_a_unit_is_rounded_up() -> None:
    assert convert(exactly("23.4375"), VITAMIN_D, "ng/mL", "nmol/L") == exactly(59)


def test_def_11_conversion_keeps_bounds() -> None:
    below_eight = Interval(None, Decimal(8), below_high=True)
    assert convert(below_eight, VITAMIN_D, "ng/mL", "nmol/L") == Interval(None, Decimal(20), below_high=True)


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "to", "expected"),
    [
        ("calcium", "2.1", "mmol/L", "mg/dL", "8.4"),
        ("calcium", "10.4", "mg/dL", "mmol/L", "2.59"),
        ("creatinine", "1", "mg/dL", "umol/L", "88"),
        ("albumin", "4", "g/dL", "g/L", "40"),
        ("weight", "159", "[lb_av]", "kg", "72.1"),
        ("height", "63", "[in_i]", "cm", "160.0"),
    ],
)
def test_conversions_of_the_other_analytes(analyte: str, value: str, unit: str, to: str, expected: str) -> None:
    assert convert(exactly(value), analyte, unit, to) == exactly(expected)


@pytest.mark.parametrize("unit", ["mL/min/{1.73_m2}", "mL/min/1.73.m2", "mL/min/1.73 m²", "ml/min/1.73m2", "mL/min"])
def test_units_of_egfr(unit: str) -> None:
    found = measure(quantity("55", unit), "egfr")
    assert found == Measured(exactly(55), "mL/min/{1.73_m2}")
    assert str(found) == "55 mL/min/1.73 m2"


@pytest.mark.parametrize(
    ("unit", "words"),
    [("ng/mL", "19 ng/mL"), ("{T-score}", "19"), ("mL/min/{1.73_m2}", "19 mL/min/1.73 m2"), ("furlong", "19 furlong")],
)
def test_a_value_is_shown_in_its_unit_for_people(unit: str, words: str) -> None:
    assert shown(exactly(19), unit) == words


# --- analytes.toml ---------------------------------------------------------------------------------------------------
ELSEWHERE = """
[elsewhere]
units = []
"""
MADE_UP = f"""{ELSEWHERE}
[made-up]
label = "made up"
unit = "mg"
low = 0
high = 1
source = "none"
check = "P"
[made-up.units.mg]
names = ["milligram"]
factor = 1
decimals = 0
source = "none"
check = "P"
"""
TWIN = """
[made-up.units.mGr]
names = ["MilliGram"]
factor = 2
decimals = 0
source = "none"
check = "P"
"""


def _forget() -> None:
    measurements._content.cache_clear()
    analytes.cache_clear()


@pytest.fixture
def read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], list[str]]]:
    """Names of the analytes of another file."""

    def names(text: str) -> list[str]:
        (tmp_path / "analytes.toml").write_text(text, "utf-8")
        monkeypatch.setattr(measurements.resources, "files", lambda _package: tmp_path)
        _forget()
        return list(analytes())

    yield names
    monkeypatch.undo()
    _forget()


def test_an_analyte_in_its_smallest_form(read_anew: Callable[[str], list[str]]) -> None:
    assert read_anew(MADE_UP) == ["made-up"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MADE_UP.replace('unit = "mg"', 'unit = "g"'), "made-up: its own unit is not among `units`"),
        (MADE_UP + TWIN, "made-up: 'MilliGram' is a spelling of two units"),
        (MADE_UP.replace("factor = 1", "factor = 0"), "made-up.units.mg.factor: 0 is less than or equal to the minimum of 0"),
    ],
    ids=["its own unit", "two meanings", "no factor"],
)  # fmt: skip
def test_d16_a_unit_has_one_meaning_and_a_factor(
    text: str, message: str, read_anew: Callable[[str], list[str]]
) -> None:
    with pytest.raises(ContentError) as problem:
        read_anew(text)
    assert str(problem.value) == f"analytes.toml: {message}"


def test_every_factor_names_its_source_and_recalled_ones_are_marked() -> None:
    units = {(a.name, u.name): u for a in analytes().values() for u in a.units.values()}
    assert all(unit.source for unit in units.values())
    recalled = {key for key, unit in units.items() if unit.check == "R"}
    assert recalled == {("creatinine", "umol/L"), ("calcium", "mg/dL"), ("weight", "[lb_av]"), ("height", "[in_i]")}
