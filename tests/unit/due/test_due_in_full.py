"""What is due, in full: with the number it was counted with, what shows it, and what may be newer; or why nobody can tell."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.clinical import due, needs, profiles
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.due import Due
from cds_service.clinical.patient import Patient
from cds_service.kernel.facts import Fact, Gap, Known
from cds_service.kernel.needs import Need
from tests.support.charts import chart_of
from tests.support.drugs import ALENDRONATE, ATC, DENOSUMAB_60, RXNORM, dispense, given, order
from tests.support.dxa import WITH_VFA, report
from tests.support.resources import LOINC, condition, observation

NUMBERS = CLINIC.thresholds(dt.date(2026, 6, 15))
US = profiles.profile("us").only(("monitoring",))
TERIPARATIDE, RISEDRONATE, IBANDRONATE, ETIDRONATE = (
    (RXNORM, "32915"),
    (RXNORM, "73056"),
    (RXNORM, "904932"),
    (ATC, "M05BA01"),
)
ZOLEDRONATE, VITAMIN_D, WITH_CALCIUM = (RXNORM, "705824"), (RXNORM, "2418"), (RXNORM, "1001397")
NO_SITE = "38268-9"


def said(fact: Fact[Due]) -> str:
    """All that a due day or the lack of one says, in one line."""
    if not isinstance(fact, Known):
        return f"unknown: {gaps(fact.gaps)}"
    found = fact.value
    shown = ", ".join(each.resource for each in fact.evidence)
    assert fact.evidence == found.evidence
    doubts = f"; unless {gaps(fact.doubts)}" if fact.doubts else ""
    return f"{found.what} {found.state.value} {found.on} by {found.threshold.key} from {shown}{doubts}"


def gaps(told: tuple[Gap, ...]) -> str:
    return ", ".join(" ".join(filter(None, (g.kind.value, g.what, g.detail, g.resource))) for g in told)


def patient(*resources: str, lost: Need | None = None, site: profiles.Profile = US) -> Patient:
    who = '{"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1950-01-01"}'
    return Patient(chart_of(who, *resources, incomplete=[lost] if lost else []), NUMBERS, site)


def tablets(since: str, until: str, code: tuple[str, str] = ALENDRONATE, ident: str = "m1") -> str:
    """An order with both ends; one end only, or none, where a text is empty."""
    ends = ", ".join(f'"{end}": "{day}"' for end, day in (("start", since), ("end", until)) if day)
    bounds = f', "dosageInstruction": [{{"timing": {{"repeat": {{"boundsPeriod": {{{ends}}}}}}}}}]' if ends else ""
    authored = f', "authoredOn": "{since}"' if since else ""
    return order(code, authored + bounds, "completed" if until and until < "2026-06-15" else "active", ident)


def infusions(*days: str) -> list[str]:
    mg = '{"value": 5, "unit": "mg"}'
    return [given(ZOLEDRONATE, day, mg, f"z{n}") for n, day in enumerate(days)]


def frax(on: str, ident: str = "f1") -> str:
    return observation("90265-0", '"valueQuantity": {"value": 12, "unit": "%"}', on, ident=ident, system=LOINC)


def dxa(on: str, code: str = WITH_VFA, ident: str = "r1") -> str:
    return report(code, on=on, ident=ident)


def supplied(on: str, days: int | None = 28, code: tuple[str, str] = ALENDRONATE, ident: str = "d1") -> str:
    told = dispense(code, on, days or 1, ident)
    return told if days else told.replace(', "daysSupply": {"value": 1, "code": "d"}', "")


def creatinine(on: str) -> str:
    return observation("2160-0", '"valueQuantity": {"value": 0.9, "unit": "mg/dL"}', on, system=LOINC)


def vitamin_d(on: str) -> str:
    return observation("62292-8", '"valueQuantity": {"value": 24, "unit": "ng/mL"}', on, system=LOINC)


FIVE_YEARS, OVER = tablets("2021-06-15", "2026-12-31"), tablets("2015-01-01", "2024-08-01")
TEN_YEARS, LESS = tablets("2016-06-15", "2026-12-31"), tablets("2016-06-16", "2026-12-31")


# --- doses and supplies ----------------------------------------------------------------------------------------------
def test_a_dose_of_denosumab() -> None:
    last = given(DENOSUMAB_60, "2025-12-15", ident="a2")
    expected = "dose-denosumab due 2026-06-15 by monitoring.denosumab-months from MedicationAdministration/a2"
    assert said(due.denosumab(patient(last, given(DENOSUMAB_60, "2025-06-15")), NUMBERS)) == expected
    assert said(due.denosumab(patient(), NUMBERS)) == "unknown: not-recorded last-dose denosumab"


def test_s2_a_dose_that_is_not_yet_due_says_what_else_may_have_been_given() -> None:
    recent = patient(given(DENOSUMAB_60, "2026-03-01"), lost=needs.MEDICATION_ADMINISTRATIONS)
    expected = (
        "dose-denosumab not yet due 2026-09-01 by monitoring.denosumab-months from MedicationAdministration/a1"
        "; unless failed medicationAdministrations"
    )
    assert said(due.denosumab(recent, NUMBERS)) == expected


def test_a_dose_of_zoledronate() -> None:
    expected = "dose-zoledronic_acid due 2026-06-15 by monitoring.zoledronate-months from MedicationAdministration/z0"
    assert said(due.zoledronate(patient(*infusions("2025-06-15")), NUMBERS)) == expected
    assert said(due.zoledronate(patient(), NUMBERS)) == "unknown: not-recorded last-dose zoledronic acid"


@pytest.mark.parametrize(
    ("supplies", "expected"),
    [
        ([], "unknown: not-recorded supply"),
        (
            [supplied("2026-05-20")],
            "supply not yet due 2026-06-17 by monitoring.refill-gap-days from MedicationDispense/d1",
        ),
        ([supplied("2026-05-20", None)], "unknown: not-recorded supply MedicationDispense/d1"),
        (
            [supplied("2026-05-20", None), supplied("2026-03-20", ident="d2")],
            "unknown: not-recorded supply MedicationDispense/d1",
        ),
    ],
    ids=["none", "28 days", "of so many tablets", "the last one of so many tablets"],
)
def test_a_supply_of_tablets(supplies: list[str], expected: str) -> None:
    assert said(due.oral_supply(patient(FIVE_YEARS, *supplies), NUMBERS)) == expected


def test_s2_tablets_may_have_been_fetched_elsewhere() -> None:
    lost = patient(FIVE_YEARS, supplied("2026-03-20"), lost=needs.MEDICATION_DISPENSES)
    assert said(due.oral_supply(lost, NUMBERS)) == "unknown: failed medicationDispenses"


# --- courses ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        (
            [tablets("2024-06-15", "2026-12-31", TERIPARATIDE)],
            "anabolic-end due 2026-06-15 by monitoring.teriparatide-months from MedicationRequest/m1",
        ),
        ([tablets("", "", TERIPARATIDE)], "unknown: not-recorded therapy-start teriparatide MedicationRequest/m1"),
        ([tablets("2024-06-15", "2026-01-31", TERIPARATIDE)], "unknown: not-recorded anabolic-course"),
        ([], "unknown: not-recorded anabolic-course"),
    ],
    ids=["two years", "since when?", "over", "none"],
)
def test_the_end_of_an_anabolic_course(resources: list[str], expected: str) -> None:
    assert said(due.anabolic_end(patient(*resources), NUMBERS)) == expected


_REVIEW = "review due 2026-06-15 by es2020.review-months-oral from MedicationRequest/m1"
_DONE = "review done 2026-06-15 by es2020.review-months-oral from"


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([], "unknown: not-recorded bisphosphonate"),
        ([tablets("", "")], "unknown: not-recorded therapy-start alendronate MedicationRequest/m1"),
        ([FIVE_YEARS], _REVIEW),
        ([FIVE_YEARS, dxa("2025-06-15")], f"{_DONE} DiagnosticReport/r1"),
        ([FIVE_YEARS, dxa("2025-06-14")], _REVIEW),
        ([FIVE_YEARS, frax("2025-06-15")], f"{_DONE} Observation/f1"),
        ([FIVE_YEARS, frax("2025-06-14")], _REVIEW),
        ([FIVE_YEARS, frax("2025-06-14"), frax("2025-09-01", "f2")], f"{_DONE} Observation/f2"),
        ([FIVE_YEARS, dxa("2025-06-15"), frax("2025-09-01")], f"{_DONE} DiagnosticReport/r1, Observation/f1"),
        ([FIVE_YEARS, frax("2025")], "unknown: not-recorded frax Observation/f1"),
        ([FIVE_YEARS, frax("")], "unknown: not-recorded frax Observation/f1"),
        ([TEN_YEARS], "review due 2026-06-15 by es2020.longest-months-oral from MedicationRequest/m1"),
        ([LESS], "review due 2021-06-16 by es2020.review-months-oral from MedicationRequest/m1"),
        (
            infusions("2023-06-15", "2024-06-15", "2025-06-15"),
            "review due 2026-06-15 by es2020.review-months-zoledronate from MedicationAdministration/z2",
        ),
    ],
    ids=["nothing taken", "since when?", "five years", "DXA a year before", "DXA a day too old", "FRAX a year before",
         "FRAX a day too old", "the newer of two FRAX results", "DXA and FRAX", "FRAX of that year", "FRAX without a date",
         "ten years", "ten years tomorrow", "three infusions"],
)  # fmt: skip
def test_the_review_of_a_bisphosphonate(resources: list[str], expected: str) -> None:
    assert said(due.treatment_review(patient(*resources), NUMBERS)) == expected


def test_s2_a_frax_result_may_be_among_what_could_not_be_looked_up() -> None:
    lost = patient(FIVE_YEARS, lost=needs.FRACTURE_RISK)
    assert said(due.treatment_review(lost, NUMBERS)) == "unknown: failed fractureRisk"


# --- breaks ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("resources", "lost", "expected"),
    [
        ([OVER], None, "yes by es2020.review-months-oral from MedicationRequest/m1: "),
        (
            infusions("2021-01-10", "2022-01-05", "2023-01-01"), None,
            "yes by es2020.review-months-zoledronate from MedicationAdministration/z2: ",
        ),
        (
            [tablets("2015", "2020")], None,
            "unknown by es2020.review-months-oral from MedicationRequest/m1: "
            "not-recorded therapy-start alendronate MedicationRequest/m1",
        ),
        (
            [tablets("", "2020-01-01")], None,
            "unknown by es2020.review-months-oral from MedicationRequest/m1: "
            "not-recorded therapy-start alendronate MedicationRequest/m1",
        ),
        (
            [OVER, order(RISEDRONATE, "", "active", "m2")], None,
            "unknown by es2020.review-months-oral from MedicationRequest/m1: "
            "not-recorded therapy-current risedronate MedicationRequest/m2",
        ),
        (
            [OVER], needs.MEDICATION_STATEMENTS,
            "unknown by es2020.review-months-oral from MedicationRequest/m1: failed medicationStatements",
        ),
        (
            [tablets("2019-01-01", "2020-01-01")], needs.MEDICATION_STATEMENTS,
            "no by es2020.review-months-oral from MedicationRequest/m1: ",
        ),
        (
            [tablets("2020-01-01", "2023-01-01", ZOLEDRONATE)], None,
            "unknown by es2020.review-months-zoledronate from MedicationRequest/m1: not-recorded last-dose zoledronic acid",
        ),
        ([], needs.MEDICATION_STATEMENTS, "unknown by nothing from : failed medicationStatements"),
        ([], None, "no by nothing from : "),
    ],
    ids=["five years", "three infusions", "from one year to another", "since when?", "and is another one taken?",
         "what else is taken?", "one year, whatever else is taken", "infusions ordered, and no dose on record",
         "is anything taken?", "nothing taken"],
)  # fmt: skip
def test_a_break(resources: list[str], lost: Need | None, expected: str) -> None:
    found = due.in_break(patient(*resources, lost=lost), NUMBERS)
    limit = found.threshold.key if found.threshold else "nothing"
    shown = ", ".join(each.resource for each in found.evidence)
    assert found.key == "treatment-break"
    assert f"{found.truth.value} by {limit} from {shown}: {gaps(found.gaps)}" == expected


_AGAIN = "break-recheck not yet due"


@pytest.mark.parametrize(
    ("resources", "lost", "expected"),
    [
        ([], None, "unknown: not-recorded bisphosphonate"),
        ([], needs.MEDICATION_REQUESTS, "unknown: failed medicationRequests"),
        ([tablets("", "")], None, "unknown: not-recorded bisphosphonate"),
        ([OVER], None, f"{_AGAIN} 2026-08-01 by es2020.break-months from MedicationRequest/m1"),
        (
            infusions("2022-01-10", "2023-01-10", "2024-06-15"), None,
            "break-recheck due 2026-06-15 by es2020.break-months from MedicationAdministration/z2",
        ),
        (
            [OVER, dxa("2024-08-02")], None,
            f"{_AGAIN} 2026-08-02 by es2020.break-months from DiagnosticReport/r1, MedicationRequest/m1",
        ),
        ([OVER, dxa("2024-08-01")], None, f"{_AGAIN} 2026-08-01 by es2020.break-months from MedicationRequest/m1"),
        (
            [OVER, dxa("2024-09-01"), dxa("2025-03-01", ident="r2")], None,
            f"{_AGAIN} 2027-03-01 by es2020.break-months from DiagnosticReport/r2, MedicationRequest/m1",
        ),
        (
            [OVER], needs.PROCEDURES,
            f"{_AGAIN} 2026-08-01 by es2020.break-months from MedicationRequest/m1; unless failed procedures",
        ),
        ([tablets("2015-01-01", "2020-08-01")], needs.PROCEDURES, "unknown: failed procedures"),
    ],
    ids=["nothing taken", "is anything taken?", "until when?", "tablets", "infusions", "a DXA since", "a DXA on the last day",
         "two of them", "is there a DXA?", "is there a DXA, where it would be due"],
)  # fmt: skip
def test_the_recheck_in_a_break(resources: list[str], lost: Need | None, expected: str) -> None:
    assert said(due.break_recheck(patient(*resources, lost=lost), NUMBERS)) == expected


@pytest.mark.parametrize(
    ("code", "number"),
    [
        (ALENDRONATE, "nogg2024.break-months-alendronate"),
        (RISEDRONATE, "nogg2024.break-months-risedronate"),
        (IBANDRONATE, "nogg2024.break-months-risedronate"),
        (ZOLEDRONATE, "nogg2024.break-months-zoledronate"),
        (ETIDRONATE, "es2020.break-months"),
    ],
)
def test_nogg_has_an_interval_for_each_drug(code: tuple[str, str], number: str) -> None:
    over = (
        infusions("2022-01-10", "2023-01-10", "2024-01-10") if code == ZOLEDRONATE else [tablets("2015", "2024", code)]
    )
    found = due.break_recheck(patient(*over, site=profiles.profile("uk")), NUMBERS)
    assert isinstance(found, Known)
    assert found.value.threshold.key == number


# --- examinations ----------------------------------------------------------------------------------------------------
_UNCLEAR = "not-recorded bone-density-date-or-site"


@pytest.mark.parametrize(
    ("resources", "lost", "expected"),
    [
        ([], None, "unknown: not-recorded bone-density"),
        ([dxa("2026-06-16")], None, "unknown: not-recorded bone-density"),
        (
            [dxa("2020-06-15"), dxa("2023-06-15", ident="r2")], None,
            "dxa due 2026-06-15 by es2020.dxa-months from DiagnosticReport/r2",
        ),
        ([dxa("2026-06-15")], None, "dxa not yet due 2029-06-15 by es2020.dxa-months from DiagnosticReport/r1"),
        ([dxa("2025-03-01", NO_SITE)], None, f"unknown: {_UNCLEAR} DiagnosticReport/r1"),
        (
            [dxa("2025-03-01", NO_SITE)], needs.PROCEDURES,
            f"unknown: {_UNCLEAR} DiagnosticReport/r1, failed procedures",
        ),
        ([dxa("2020-06-15"), dxa("2023-06-16", NO_SITE, "r2")], None, f"unknown: {_UNCLEAR} DiagnosticReport/r2"),
        (
            [dxa("2020-06-15"), dxa("2023-06-15", NO_SITE, "r2")], None,
            "dxa due 2023-06-15 by es2020.dxa-months from DiagnosticReport/r1",
        ),
        (
            [dxa("2024-06-15"), dxa("2025-06-16", NO_SITE, "r2")], None,
            f"dxa not yet due 2027-06-15 by es2020.dxa-months from DiagnosticReport/r1; unless {_UNCLEAR} DiagnosticReport/r2",
        ),
    ],
    ids=["none", "to come", "two", "today", "of what?", "of what, and is there another?", "and one of what?",
         "and one of what, that is too old as well", "not yet due, and one of what?"],
)  # fmt: skip
def test_the_next_dxa(resources: list[str], lost: Need | None, expected: str) -> None:
    assert said(due.dxa(patient(*resources, lost=lost), NUMBERS)) == expected


def test_canada_has_its_own_interval_for_a_dxa() -> None:
    found = due.dxa(patient(dxa("2023-06-15"), site=profiles.profile("ca")), NUMBERS)
    assert isinstance(found, Known)
    assert found.value.threshold.key == "oc2023.dxa-months"


def vitamin_d_since(day: str, code: tuple[str, str] = VITAMIN_D) -> str:
    return order(code, f', "authoredOn": "{day}"' if day else "")


_RETEST = "by monitoring.vitamin-d-retest-months from"


@pytest.mark.parametrize(
    ("resources", "lost", "expected"),
    [
        ([], None, "unknown: not-recorded vitamin-d-supplement"),
        ([vitamin_d_since("")], None, "unknown: not-recorded drug-current MedicationRequest/m1"),
        ([vitamin_d_since("2026-03-15")], None, f"vitamin-d-retest due 2026-06-15 {_RETEST} MedicationRequest/m1"),
        (
            [vitamin_d_since("2026-03-15", WITH_CALCIUM)], None,
            f"vitamin-d-retest due 2026-06-15 {_RETEST} MedicationRequest/m1",
        ),
        (
            [vitamin_d_since("2026-02-01"), vitamin_d("2026-05-01")], None,
            f"vitamin-d-retest done 2026-05-01 {_RETEST} Observation/o1",
        ),
        ([vitamin_d_since("2026-02-01")], needs.VITAMIN_D, "unknown: failed vitaminD"),
        (
            [vitamin_d_since("2026-05-01")], needs.VITAMIN_D,
            f"vitamin-d-retest not yet due 2026-08-01 {_RETEST} MedicationRequest/m1; unless failed vitaminD",
        ),
    ],
    ids=["none taken", "since when?", "three months", "three months, with calcium", "a result", "is there a result?",
         "not yet, and is there a result?"],
)  # fmt: skip
def test_the_retest_of_vitamin_d(resources: list[str], lost: Need | None, expected: str) -> None:
    assert said(due.vitamin_d_retest(patient(*resources, lost=lost), NUMBERS)) == expected


@pytest.mark.parametrize(
    ("resources", "lost", "expected"),
    [
        ([], None, "creatinine due None by laboratory.creatinine-months from "),
        ([creatinine("")], None, "unknown: not-recorded date Observation/o1"),
        ([creatinine("2025-12-15")], None, "creatinine due 2026-06-15 by laboratory.creatinine-months from Observation/o1"),
        (
            [creatinine("2026-03-15"), condition("431857002")], None,
            "creatinine due 2026-06-15 by laboratory.severe-ckd-months from Observation/o1",
        ),
        ([creatinine("2026-03-15")], needs.CONDITIONS, "unknown: failed conditions"),
        (
            [creatinine("2026-03-16")], needs.CONDITIONS,
            "creatinine not yet due 2026-09-16 by laboratory.creatinine-months from Observation/o1",
        ),
    ],
    ids=["none", "when?", "six months", "three months, kidneys failing", "three months, are the kidneys failing?",
         "a day less, are the kidneys failing?"],
)  # fmt: skip
def test_when_a_creatinine_no_longer_counts(resources: list[str], lost: Need | None, expected: str) -> None:
    assert said(due.creatinine(patient(*resources, lost=lost), NUMBERS)) == expected


def test_without_a_calcium_one_is_due_at_once() -> None:
    assert said(due.calcium(patient(), NUMBERS)) == "calcium due None by laboratory.calcium-months from "
