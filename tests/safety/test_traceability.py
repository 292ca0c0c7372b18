"""No row without a test or a reason, and the page says what is so. When it is stale: make traceability."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cds_service.formats import strict_toml
from cds_service.kernel.errors import ContentError
from tests.safety import traceability
from tests.safety.traceability import HAZARD_SCHEMA, SAFETY, Safety, load, problems

_HZ_01 = (SAFETY / "hazards" / "hz-01.toml").read_text("utf-8")


def test_the_page_is_current_and_no_row_is_without_a_test_or_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert (traceability.main(["--check"]), capsys.readouterr().err) == (0, "")


def test_there_are_fifteen_hazards_each_in_the_file_of_its_name() -> None:
    found = {path.stem: strict_toml.load(path.read_text("utf-8"), path.name, HAZARD_SCHEMA)["id"] for path in _files()}

    assert found == {f"hz-{number:02}": f"HZ-{number:02}" for number in range(1, 16)}


def test_a_hazard_that_counts_as_controlled_has_no_row_without_a_test() -> None:
    safety = load()
    controlled = {ident: hazard["rows"] for ident, hazard in safety.hazards.items() if hazard["status"] == "controlled"}

    assert {
        ident: bare for ident, rows in controlled.items() if (bare := [r for r in rows if r not in safety.tests])
    } == {}


def _files() -> list[Path]:
    return sorted((SAFETY / "hazards").iterdir())


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("test_c4_duplicate_keys", ["C4"]),
        ("test_d1_d2_foreign", ["D1", "D2"]),
        ("test_s1_e8_no_word", ["S1", "E8"]),
        ("test_item_4_c8_both_types", ["C8"]),
        ("test_item_82_at_208_answers", []),
        ("c7-userId-true", ["C7"]),
        # these are about vitamin D2, D3 and B12
        ("test_trap_4_d2_and_d3_of_a_day_are_added", []),
        ("test_vitamin_b12_is_no_vitamin_d", []),
    ],
)
def test_only_ids_at_the_head_of_a_name_count(name: str, rows: list[str]) -> None:
    assert traceability.rows_named(name) == rows


def test_ids_of_parameters_count_too() -> None:
    module = """
@pytest.mark.parametrize("text", [pytest.param("x", id="c11-look-alike"), pytest.param("y", id="plain")])
def test_c13_an_id(text): ...
"""
    assert list(traceability.tests_in(module)) == [("test_c13_an_id", ["C13", "C11"])]


@pytest.fixture
def safety() -> Safety:
    """One row with a test, one with a reason, in one hazard."""
    hazard = {"rows": ["C4", "G1"], "tests": [], "hazard": "Something", "status": "open"}
    return Safety(
        {"C": "Bytes", "G": "Time"},
        {"C4": "twice", "G1": "many"},
        {"HZ-01": hazard},
        {"G1": "not written"},
        {},
        {"C4": ("tests/test_x.py::test_c4_twice",)},
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, []),
        ({"untested": {}}, ["G1: no test carries this id"]),
        ({"untested": {"G1": "not written", "C4": "a reason of old"}}, ["C4: has tests now"]),
        ({"partly": {"G1": "only a part of it"}}, ["G1: stands under [partly]"]),
        ({"tests": {"C4": ("a",), "C99": ("b",)}}, ["C99: is no row"]),
        ({"rows": {"C4": "twice", "G1": "many", "C5": "text"}, "tests": {"C4": ("a",), "C5": ("b",)}}, ["C5: no file of"]),
        ({"hazards": {"HZ-01": {"rows": ["C4", "G1", "C77"], "tests": []}}}, ["HZ-01: C77 is no row"]),
        ({"hazards": {"HZ-01": {"rows": ["C4", "G1"], "tests": ["gone.py"]}}}, ["HZ-01: there is no gone.py"]),
        (
            {"hazards": {"HZ-01": {"rows": ["C4"], "tests": []}, "HZ-02": {"rows": ["G1"], "tests": []}}},
            ["HZ-02: no test stands behind"],
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(safety: Safety, change: dict[str, Any], told: list[str]) -> None:
    found = problems(replace(safety, **change))

    assert [each[: len(words)] for each, words in zip(found, told, strict=True)] == told


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('status = "open"', 'status = "deleted"'),
        ('initial = "to be set by the site\'s clinical safety officer"', 'initial = "low"'),
        ('id = "HZ-01"', 'id = "1"'),
        ('owner = "maintainers"', 'owner = ""'),
        ("[rating]", 'severity = "3"\n[rating]'),
    ],
)
def test_a_hazard_that_does_not_fit_its_schema_is_refused(old: str, new: str) -> None:
    assert _HZ_01.count(old) == 1
    with pytest.raises(ContentError):
        strict_toml.load(_HZ_01.replace(old, new), "hz-01.toml", HAZARD_SCHEMA)


def test_the_reason_of_a_row_that_has_a_test_is_taken_out_and_no_other() -> None:
    text = '# why\n\n[untested]\nA1 = "one"\nA10 = "ten"\n\n[partly]\nA1 = "half"\n'

    assert traceability.without_reasons(text, {"A1"}) == '# why\n\n[untested]\nA10 = "ten"\n\n[partly]\nA1 = "half"\n'


def test_results_of_a_run_stand_beside_the_tests(safety: Safety, tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="tests.test_x" name="test_c4_twice[a]"/>'
        '<testcase classname="tests.test_x" name="test_c4_twice[b]"><failure/></testcase></testsuite></testsuites>'
    )

    written = traceability.page(safety, traceability.results_in(report))

    assert "| C4 | twice | HZ-01 | 1 | 1 failed, 1 passed |  |" in written
    assert "| G1 | many | HZ-01 | none | no test | not written |" in written
    assert "not run" not in written
