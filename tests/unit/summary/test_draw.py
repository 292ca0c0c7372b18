"""From the facts of a patient to pictures: which numbers go in, and that they are those of the rules."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.concepts import year_total
from cds_service.clinical.patient import Patient
from cds_service.engine.evaluate import evaluate
from cds_service.kernel.needs import Lookup, LookupState, Records
from cds_service.kernel.quantities import plain
from cds_service.pictures import Picture
from cds_service.summary.draw import draw_coverage, draw_glucocorticoids, draw_t_scores, draw_vitamin_d
from hooks.patient_view import SERVICE
from tests.support.drawn import drawn
from tests.support.golden import AS_OF, scenarios
from tests.support.looked_up import profile, records, records_of, score

TEXTS = SERVICE.texts("en")
THRESHOLDS = SERVICE.clinic.thresholds(AS_OF)
_OPENED = [str(each) for each in scenarios() if not each.refused and not each.orders]
SPINE = "38267-1"


def facts(told: Records, site: str = "us") -> Patient:
    found: Patient = evaluate(SERVICE, told, AS_OF, profile(site)).facts
    return found


def t_scores(*told: dict[str, Any]) -> Picture:
    return draw_t_scores(facts(records(*told)), THRESHOLDS, TEXTS)


# --- T-scores ---------------------------------------------------------------------------------------------------------
def scans(one: dict[str, Any], other: dict[str, Any]) -> int:
    """How many joins there are between a score of 2022 and one of 2026."""
    first = score("-1.9", "2022-05-04", ident="a", **one)
    return len(drawn(t_scores(first, score("-2.1", ident="b", **other))).part("joined"))


def identified(system: str) -> dict[str, Any]:
    """A device known by its number."""
    return {"device": {"identifier": {"system": system, "value": "7"}}}


def test_scores_of_one_device_are_joined_by_reference_or_by_identifier() -> None:
    referred = {"device": {"reference": "Device/dxa-7"}}

    assert scans(referred, referred) == 1
    assert scans(identified("urn:x"), identified("urn:x")) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"device": {"reference": "Device/dxa-7"}}, {"device": {"reference": "Device/dxa-8"}}),
        ({"device": {"reference": "Device/dxa-7"}}, {}),
        ({"device": {"display": "Hologic Horizon"}}, {"device": {"display": "Hologic Horizon"}}),
        ({"device": {"reference": "#dxa"}}, {"device": {"reference": "#dxa"}}),
        (identified("urn:x"), identified("urn:y")),
        ({"device": "broken"}, {"device": "broken"}),
    ],
    ids=["none told", "two devices", "one not told", "only a make", "contained", "two systems", "no object"],
)  # fmt: skip
def test_s7_scores_are_not_joined_where_nothing_proves_one_scanner(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert scans(one, other) == 0


def test_a_scanner_is_a_number_and_never_text_of_the_record() -> None:
    told = t_scores(score("-2", device={"reference": "Device/<script>", "display": "<script>"}))

    assert "scanner 1" in " ".join(drawn(told).cells)
    assert "script" not in told.svg


def test_s7_the_lines_are_the_numbers_in_force() -> None:
    nudged = THRESHOLDS.nudged("bhof_iscd.osteoporosis-t", Decimal("-0.3"))
    told = draw_t_scores(facts(records(score("-2"))), nudged, TEXTS)

    assert any("osteoporosis range" in cell and "-2.8" in cell for cell in drawn(told).cells)
    assert not any("-2.5" in cell for cell in drawn(told).cells)


@pytest.mark.parametrize(
    ("born", "sex", "note"),
    [
        (
            "1990-01-01",
            "male",
            "Before menopause and in men under 50 guidelines classify by Z-score, not by these T-scores.",
        ),
        (
            "1990-01-01",
            "female",
            "Sex, age or menopausal status is not known: whether these T-scores classify, or a Z-score, is open.",
        ),
        ("1950-01-01", "female", ""),
        ("1950-01-01", "male", ""),
    ],
)
def test_where_t_scores_do_not_classify_or_may_not_the_picture_says_so(born: str, sex: str, note: str) -> None:
    told = draw_t_scores(facts(records(score("-2"), born=born, sex=sex)), THRESHOLDS, TEXTS)

    assert [row[1] for row in told.table.rows if row[0] == "Note"] == ([note] if note else [])


def test_fractures_and_drugs_of_the_record_are_in_the_picture() -> None:
    told = draw_t_scores(facts(records_of("gc-fracture-on-therapy")), THRESHOLDS, TEXTS)

    assert {("Fracture", "Vertebral fracture, low trauma", "2026-02-18", "-")} <= set(told.table.rows)
    assert [row[1] for row in told.table.rows if row[0] == "Treatment"] == ["alendronate"]


def test_only_t_scores_are_drawn() -> None:
    z = score("-1.9", code="80935-0", ident="z", valueQuantity={"value": -1.9, "unit": "{Z-score}"})

    assert len(drawn(t_scores(score("-2"), z)).part("reading")) == 1


def test_s2_a_failed_look_up_is_told_with_its_reason() -> None:
    told = draw_t_scores(facts(records_of("dxa-look-up-failed")), THRESHOLDS, TEXTS)

    assert "Look-up failed: DXA results" in told.description
    assert "found" not in told.description.replace("No T-score seen", "")


# --- vitamin D --------------------------------------------------------------------------------------------------------
def bands(site: str, unit: str) -> list[str]:
    told = draw_vitamin_d(facts(records_of("vitamin-d-low-nmol"), site), THRESHOLDS, TEXTS, unit)
    return [row[1] for row in told.table.rows if row[0] == "Band"]


def test_bands_are_the_guidelines_own_numbers_in_either_unit() -> None:
    assert bands("us", "ng/mL") == [
        "deficient: below 12 ng/mL",
        "insufficient: 12 to 20 ng/mL",
        "sufficient: 20 to 50 ng/mL",
        "potential concern: over 50 ng/mL",
    ]
    assert bands("us", "nmol/L")[1] == "insufficient: 30 to 50 nmol/L"


def test_bands_follow_the_profile() -> None:
    assert bands("uk", "") == [
        "deficient: below 25 nmol/L",
        "insufficient: 25 to 50 nmol/L",
        "sufficient: over 50 nmol/L",
    ]
    assert bands("ca", "nmol/L") == [
        "below range: below 50 nmol/L",
        "in range: 50 to 125 nmol/L",
        "above range: over 125 nmol/L",
    ]


def test_cut_offs_without_classes_leave_the_picture_without_bands() -> None:
    site = profile().only(("vd_es2024",))
    found: Patient = evaluate(SERVICE, records_of("vitamin-d-low-nmol"), AS_OF, site).facts
    told = draw_vitamin_d(found, THRESHOLDS, TEXTS)

    assert not [row for row in told.table.rows if row[0] == "Band"]
    assert "gives none" in told.description


def test_the_unit_is_that_of_the_site_unless_another_is_asked_for() -> None:
    found = facts(records_of("vitamin-d-low-nmol"))

    assert draw_vitamin_d(found, THRESHOLDS, TEXTS).title.endswith("ng/mL")
    switched = draw_vitamin_d(found, THRESHOLDS, TEXTS, "nmol/L")
    assert switched.title.endswith("nmol/L")
    assert {row[1:3] for row in switched.table.rows if row[0] == "Result"} >= {("24 nmol/L", "24 nmol/L")}


def test_s7_a_bound_stays_a_bound() -> None:
    told = drawn(draw_vitamin_d(facts(records_of("vitamin-d-toxicity")), THRESHOLDS, TEXTS))

    assert ">150" in told.words
    assert len(told.part("arrow")) == 2
    assert [row[1] for row in told.picture.table.rows if row[0] == "Line"] == [
        "stop supplements and review over 100 ng/mL (Endocrine Society 2011)",
        "toxicity range over 150 ng/mL (Endocrine Society 2011)",
    ]


# --- glucocorticoids --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", _OPENED)
def test_s7_the_sum_is_that_of_the_rules(name: str) -> None:
    found = facts(records_of(name))
    told = draw_glucocorticoids(found, THRESHOLDS, TEXTS)
    total = year_total(found, THRESHOLDS).value
    shown = [row[3] for row in told.table.rows if row[0] == "Sum"]
    expected = f"at least {plain(total.low)} mg" if total.high is None else f"{total} mg"

    assert [each.replace("12 500", "12500") for each in shown] == ([expected] if shown else [])
    assert shown or total.high == 0


def test_pulses_are_flagged_and_the_reading_of_the_site_is_told() -> None:
    told = drawn(draw_glucocorticoids(facts(records_of("ms-relapse-pulses-only")), THRESHOLDS, TEXTS))

    assert len(told.part("pulse")) == 2
    assert any(
        cell.startswith("How this site's rules count pulses: yes, in a person who is also") for cell in told.cells
    )


def lines(site: str) -> set[str]:
    told = draw_glucocorticoids(facts(records_of("gc-assessment-due"), site), THRESHOLDS, TEXTS)
    return {row[3].rsplit("(", 1)[1].rstrip(")") for row in told.table.rows if row[0] == "Line"}


def test_lines_are_those_of_the_guidelines_of_the_site() -> None:
    assert lines("us") == {"ACR 2022"}
    assert lines("uk") == {"NOGG 2024", "NICE CG146"}


def test_s7_a_dose_that_cannot_be_read_is_hatched_and_the_reason_told() -> None:
    told = drawn(draw_glucocorticoids(facts(records_of("dxa-look-up-failed")), THRESHOLDS, TEXTS))

    assert told.part("unknown")
    assert any(cell.startswith("Dose not readable: glucocorticoid dose") for cell in told.cells)


# --- coverage ---------------------------------------------------------------------------------------------------------
def states(told: Records, *not_kept: str) -> dict[str, tuple[str, str, str]]:
    rows = draw_coverage(told, SERVICE.needs, not_kept, TEXTS).table.rows
    return {name: (state, count, detail) for name, state, count, detail in rows}


def test_every_look_up_has_a_place() -> None:
    assert len(states(records_of("nothing-to-say"))) == len(SERVICE.needs)


def test_a_whole_record_counts_for_each_look_up_what_answers_it() -> None:
    found = states(records(score("-2")))

    assert found["DXA results"] == ("complete", "1", "-")
    assert found["25-OH vitamin D results"] == ("none found", "0", "-")


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (LookupState.FAILED, "failed"),
        (LookupState.PARTIAL, "partial"),
        (LookupState.NOT_PERMITTED, "not permitted"),
        (LookupState.NOT_SUPPLIED, "not supplied"),
        (LookupState.COMPLETE, "none found"),
    ],
)
def test_s3_each_way_a_look_up_can_go_has_its_word(state: LookupState, word: str) -> None:
    told = Records("p1", {"vitaminD": Lookup(state, (), "why")})

    assert states(told)["25-OH vitamin D results"] == (word, "0", "why")


def test_what_the_site_does_not_keep_is_called_so_only_while_nobody_supplies_it() -> None:
    empty = Records("p1", {})
    failed = replace(empty, lookups={"familyHistory": Lookup(LookupState.FAILED)})

    assert states(empty, "familyHistory")["family history"] == ("none found", "0", "the site keeps no such resources")
    assert states(failed, "familyHistory")["family history"] == ("failed", "0", "-")
