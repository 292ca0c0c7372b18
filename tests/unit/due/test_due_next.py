"""What is due next for one person: from the record to the day, and every way in which a record can be silent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import pytest

from cds_service.clinical import due, needs, profiles
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.due import Due, State
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.treatment_course import bisphosphonate_not_reviewed
from cds_service.kernel.facts import Fact, Known, Unknown
from cds_service.kernel.needs import Need
from cds_service.kernel.rules import Verdict, decide
from cds_service.kernel.truth import Truth
from tests.support.charts import chart_of
from tests.support.drugs import ALENDRONATE, DENOSUMAB_60, RXNORM, dispense, given, order
from tests.support.dxa import WITH_VFA, report
from tests.support.resources import CM, LOINC, condition, observation

AS_OF = "2026-06-15"
NUMBERS = CLINIC.thresholds(dt.date.fromisoformat(AS_OF))
SITE = profiles.profile("us").only(("monitoring",))
RISEDRONATE, TERIPARATIDE, ROMOSOZUMAB = (RXNORM, "73056"), (RXNORM, "32915"), (RXNORM, "2123126")
ZOLEDRONATE_5 = (RXNORM, "705824")
VITAMIN_D = (RXNORM, "2418")
# says bone density, not of which bones
BONE_DENSITY = "38268-9"
FIVE_MG = '{"value": 5, "unit": "mg"}'


def patient(*resources: str, incomplete: Collection[Need] = (), site: profiles.Profile = SITE) -> Patient:
    who = '{"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1950-01-01"}'
    return Patient(chart_of(who, *resources, incomplete=incomplete), NUMBERS, site)


def told(fact: Fact[Due]) -> tuple[str, str]:
    """State and day, or what is missing and why."""
    match fact:
        case Known(found):
            return found.state.value, str(found.on)
        case Unknown(gaps):
            return "unknown", ", ".join(f"{gap.kind.value} {gap.what}" for gap in gaps)


def zoledronate(*days: str) -> list[str]:
    return [given(ZOLEDRONATE_5, day, FIVE_MG, f"z{n}") for n, day in enumerate(days)]


def tablets(since: str, until: str, code: tuple[str, str] = ALENDRONATE, ident: str = "m1") -> str:
    """An order with both ends; over when its end lies in the past."""
    bounds = f'"dosageInstruction": [{{"timing": {{"repeat": {{"boundsPeriod": {{"start": "{since}", "end": "{until}"}}}}}}}}]'
    status = "completed" if until < AS_OF else "active"
    return order(code, f', "authoredOn": "{since}", {bounds}', status, ident)


# --- denosumab and zoledronate ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (["2025-12-16"], ("not yet due", "2026-06-16")),
        (["2025-12-15"], ("due", "2026-06-15")),
        (["2025-11-15"], ("late", "2026-05-15")),
        (["2025-12"], ("not clear", "2026-06")),
        (["2025"], ("not clear", "2025-07 to 2026-06")),
        (["2025-06-01", "2026-01-10"], ("not yet due", "2026-07-10")),
        ([""], ("unknown", "not-recorded last-dose")),
        ([], ("unknown", "not-recorded last-dose")),
    ],
)
def test_denosumab_is_due_six_months_after_the_last_dose_and_late_from_seven(
    days: list[str], expected: tuple[str, str]
) -> None:
    doses = [given(DENOSUMAB_60, day, ident=f"a{n}") for n, day in enumerate(days)]
    assert told(due.denosumab(patient(*doses), NUMBERS)) == expected


def test_a_dose_of_cancer_treatment_is_no_dose() -> None:
    cancer = given(DENOSUMAB_60, "2025-12-01", '{"value": 120, "unit": "mg"}')
    assert told(due.denosumab(patient(cancer), NUMBERS)) == ("unknown", "not-recorded last-dose")


def test_a_dose_entered_in_error_is_no_dose() -> None:
    wrong = given(DENOSUMAB_60, "2026-03-01").replace("completed", "entered-in-error")
    assert told(due.denosumab(patient(wrong, given(DENOSUMAB_60, "2025-12-01", ident="a2")), NUMBERS)) == (
        "due",
        "2026-06-01",
    )


def test_s2_a_newer_dose_may_be_among_what_could_not_be_looked_up() -> None:
    lost = [needs.MEDICATION_ADMINISTRATIONS]
    missing = "failed medicationAdministrations"
    assert told(due.denosumab(patient(given(DENOSUMAB_60, "2025-12-01"), incomplete=lost), NUMBERS)) == (
        "unknown",
        missing,
    )
    recent = patient(given(DENOSUMAB_60, "2026-03-01"), incomplete=lost)
    assert told(due.denosumab(recent, NUMBERS)) == ("not yet due", "2026-09-01")
    assert told(due.denosumab(patient(incomplete=lost), NUMBERS)) == ("unknown", missing)


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2025-06-16", "not yet due"), ("2025-06-15", "due"), ("2025-03-16", "due"), ("2025-03-15", "late")],
)
def test_zoledronate_is_due_after_twelve_months_and_late_from_fifteen(day: str, expected: str) -> None:
    assert told(due.zoledronate(patient(*zoledronate(day)), NUMBERS))[0] == expected


# --- tablets ---------------------------------------------------------------------------------------------------------
ORDERED = tablets("2025-01-01", "2026-12-31")


@pytest.mark.parametrize(
    ("supplies", "expected"),
    [
        ([("2026-03-01", 28)], ("late", "2026-03-29")),
        ([("2026-03-21", 28)], ("due", "2026-04-18")),
        ([("2026-05-20", 28)], ("not yet due", "2026-06-17")),
        ([("2026-03-01", 28), ("2026-03-02", 28)], ("due", "2026-03 to 2026-04")),
    ],
)
def test_a_refill_is_due_the_day_after_the_last_supply_and_late_after_sixty(
    supplies: list[tuple[str, int]], expected: tuple[str, str]
) -> None:
    handed_out = [dispense(ALENDRONATE, day, days, f"d{n}") for n, (day, days) in enumerate(supplies)]
    assert told(due.oral_supply(patient(ORDERED, *handed_out), NUMBERS)) == expected


def test_without_an_order_or_a_supply_nobody_can_tell() -> None:
    assert told(due.oral_supply(patient(ORDERED), NUMBERS)) == ("unknown", "not-recorded supply")
    assert told(due.oral_supply(patient(dispense(ALENDRONATE, "2025-01-01", 28)), NUMBERS)) == (
        "unknown",
        "not-recorded supply",
    )
    lost = patient(ORDERED, incomplete=[needs.MEDICATION_DISPENSES])
    assert told(due.oral_supply(lost, NUMBERS)) == ("unknown", "failed medicationDispenses")


# --- courses ---------------------------------------------------------------------------------------------------------
def test_teriparatide_ends_two_years_after_its_start() -> None:
    course = tablets("2024-09-01", "2026-12-31", TERIPARATIDE)
    assert told(due.anabolic_end(patient(course), NUMBERS)) == ("not yet due", "2026-09-01")


def test_romosozumab_ends_a_year_after_the_first_dose() -> None:
    mg = '{"value": 210, "unit": "mg"}'
    doses = [given(ROMOSOZUMAB, day, mg, f"r{n}") for n, day in enumerate(["2025-05-20", "2026-05-20"])]
    assert told(due.anabolic_end(patient(*doses), NUMBERS)) == ("due", "2026-05-20")


def test_without_an_anabolic_drug_there_is_no_end() -> None:
    assert told(due.anabolic_end(patient(), NUMBERS)) == ("unknown", "not-recorded anabolic-course")


def test_the_earlier_of_two_reviews_counts() -> None:
    both = [tablets("2020-01-01", "2026-12-31"), tablets("2019-01-01", "2026-12-31", RISEDRONATE, "m2")]
    assert told(due.treatment_review(patient(*both), NUMBERS)) == ("due", "2024-01-01")


def test_a_dxa_of_unknown_site_may_have_been_the_review() -> None:
    unclear = report(BONE_DENSITY, on="2025-05-01")
    found = due.treatment_review(patient(tablets("2020-01-01", "2026-12-31"), unclear), NUMBERS)
    assert told(found) == ("unknown", "not-recorded bone-density-date-or-site")


def test_s2_a_bisphosphonate_without_a_name_may_be_one_that_is_reviewed() -> None:
    unnamed = condition(
        "Z79.83", ', "recordedDate": "2026-01-01", "clinicalStatus": {"coding": [{"code": "active"}]}', system=CM
    )
    outcome = decide(bisphosphonate_not_reviewed, patient(unnamed), NUMBERS)
    assert outcome.verdict is Verdict.CANNOT_TELL
    assert "therapy-which" in {gap.what for gap in outcome.missing}


# --- breaks ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("resources", "truth"),
    [
        ([tablets("2015-01-01", "2020-01-01")], Truth.YES),
        ([tablets("2015-01-01", "2019-12-31")], Truth.NO),
        ([tablets("2015-01-01", "2026-12-31")], Truth.NO),
        ([tablets("2015", "2020")], Truth.UNKNOWN),
        (zoledronate("2021-01-10", "2022-01-05", "2023-01-01"), Truth.YES),
        (zoledronate("2022-01-05", "2023-01-01"), Truth.NO),
        ([tablets("2015-01-01", "2020-01-01"), given(DENOSUMAB_60, "2026-03-01")], Truth.NO),
        ([tablets("2010-01-01", "2016-01-01"), given(DENOSUMAB_60, "2020-03-01")], Truth.NO),
        ([], Truth.NO),
    ],
    ids=["five years", "a day less", "goes on", "years only", "three doses", "two doses", "denosumab now",
         "denosumab since, over", "nothing"],
)  # fmt: skip
def test_a_break_follows_a_full_course(resources: list[str], truth: Truth) -> None:
    assert due.in_break(patient(*resources), NUMBERS).truth is truth


def test_s2_a_break_is_not_known_while_medication_could_not_be_looked_up() -> None:
    lost = patient(tablets("2015-01-01", "2021-01-01"), incomplete=[needs.MEDICATION_STATEMENTS])
    criterion = due.in_break(lost, NUMBERS)
    assert (criterion.truth, [gap.what for gap in criterion.gaps]) == (Truth.UNKNOWN, ["medicationStatements"])


def test_a_break_is_looked_at_again_two_years_after_the_last_dose_or_dxa() -> None:
    over = tablets("2015-01-01", "2024-08-01")
    assert told(due.break_recheck(patient(over), NUMBERS)) == ("not yet due", "2026-08-01")
    scanned = patient(over, report(WITH_VFA, on="2025-03-01"))
    assert told(due.break_recheck(scanned, NUMBERS)) == ("not yet due", "2027-03-01")


# --- DXA, blood tests ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (["2023-06-16"], ("not yet due", "2026-06-16")),
        (["2023-06-15"], ("due", "2026-06-15")),
        (["2019-01-01", "2024-01-01"], ("not yet due", "2027-01-01")),
        (["2023"], ("not clear", "2026")),
        ([], ("unknown", "not-recorded bone-density")),
    ],
)
def test_dxa_is_repeated_three_years_after_the_newest(days: list[str], expected: tuple[str, str]) -> None:
    scans = [report(WITH_VFA, on=day, ident=f"r{n}") for n, day in enumerate(days)]
    assert told(due.dxa(patient(*scans), NUMBERS)) == expected


def test_s2_a_newer_dxa_may_be_among_what_could_not_be_looked_up() -> None:
    old = patient(report(WITH_VFA, on="2020-01-01"), incomplete=[needs.PROCEDURES])
    assert told(due.dxa(old, NUMBERS)) == ("unknown", "failed procedures")


def test_a_newer_dxa_without_a_site_or_a_day_leaves_it_open() -> None:
    unclear = report(BONE_DENSITY, on="2025-05-01", ident="r2")
    found = due.dxa(patient(report(WITH_VFA, on="2020-01-01"), unclear), NUMBERS)
    assert told(found) == ("unknown", "not-recorded bone-density-date-or-site")


@pytest.mark.parametrize(
    ("started", "measured", "expected"),
    [
        ("2026-03-15", [], ("due", "2026-06-15")),
        ("2026-03-16", [], ("not yet due", "2026-06-16")),
        ("2026-02-01", ["2026-05-01"], ("done", "2026-05-01")),
        ("2026-02-01", ["2026-04-30"], ("due", "2026-05-01")),
        ("", [], ("unknown", "not-recorded vitamin-d-supplement")),
    ],
)
def test_vitamin_d_is_measured_again_three_months_after_it_was_started(
    started: str, measured: list[str], expected: tuple[str, str]
) -> None:
    taken = [order(VITAMIN_D, f', "authoredOn": "{started}"')] if started else []
    results = [
        observation("62292-8", '"valueQuantity": {"value": 24, "unit": "ng/mL"}', day, system=LOINC) for day in measured
    ]
    assert told(due.vitamin_d_retest(patient(*taken, *results), NUMBERS)) == expected


def creatinine(on: str, value: str = '{"value": 0.9, "unit": "mg/dL"}') -> str:
    return observation("2160-0", f'"valueQuantity": {value}', on, system=LOINC)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([creatinine("2025-12-16")], ("not yet due", "2026-06-16")),
        ([creatinine("2025-12-15")], ("due", "2026-06-15")),
        ([creatinine("")], ("unknown", "not-recorded date")),
        ([], ("due", "None")),
        ([creatinine("2026-06-01", '{"value": 0.9}')], ("unknown", "unit-unknown creatinine")),
    ],
)
def test_a_creatinine_counts_for_six_months(results: list[str], expected: tuple[str, str]) -> None:
    assert told(due.creatinine(patient(*results), NUMBERS)) == expected


def test_in_severe_kidney_disease_it_counts_for_three() -> None:
    severe = condition("431857002")
    assert told(due.creatinine(patient(creatinine("2026-03-01"), severe), NUMBERS)) == ("due", "2026-06-01")
    lost = patient(creatinine("2026-03-01"), incomplete=[needs.CONDITIONS])
    assert told(due.creatinine(lost, NUMBERS)) == ("unknown", "failed conditions")
    recent = patient(creatinine("2026-05-01"), incomplete=[needs.CONDITIONS])
    assert told(due.creatinine(recent, NUMBERS))[0] == "not yet due"


def test_s2_without_the_look_up_a_calcium_is_not_due_but_unknown() -> None:
    assert told(due.calcium(patient(incomplete=[needs.LABORATORY]), NUMBERS)) == ("unknown", "failed laboratory")


# --- every day of a year ---------------------------------------------------------------------------------------------
def test_a_due_day_comes_once_and_stays() -> None:
    """On every later day the state is the same or further on."""
    order_of = [State.NOT_YET, State.UNCLEAR, State.DUE, State.LATE]
    places = []
    for month in range(4, 13):
        chart = chart_of(given(DENOSUMAB_60, "2025-03-10"), as_of=f"2025-{month:02}-28")
        found = due.denosumab(Patient(chart, NUMBERS, SITE), NUMBERS)
        assert isinstance(found, Known)
        places.append(order_of.index(found.value.state))
    assert places == sorted(places)
    assert set(places) == {0, 2, 3}
