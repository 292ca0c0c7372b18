"""The content of the one-page summary."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import pytest

from cds_service.engine.answer import decide
from cds_service.kernel import recall
from cds_service.kernel.needs import Lookup, LookupState, Records
from cds_service.summary import Summary, summary_of
from cds_service.summary.page import INTENDED_USE
from hooks.patient_view import SERVICE
from tests.support.drawn import drawn
from tests.support.golden import AS_OF, FOLDER, Scenario, scenarios
from tests.support.looked_up import profile, records, records_of, score

_OPENED = [str(each) for each in scenarios() if not each.refused and not each.orders]
every_patient = pytest.mark.parametrize("name", _OPENED)


def page(name: str, site: str = "us") -> Summary:
    return summary_of(SERVICE, records_of(name), profile(site), AS_OF)


def words(told: Summary) -> list[str]:
    """All text of the page."""
    pictures = [
        text
        for each in told.pictures
        for text in (each.title, each.description, *drawn(each).words, *drawn(each).cells)
    ]
    lines = [part for each in told.advice for part in (each.summary, each.source, each.topic)]
    return [told.age, told.sex, told.silent, *lines, *told.not_looked_at, *told.not_read, *pictures]


@every_patient
def test_the_advice_is_that_of_the_cards_in_their_order(name: str) -> None:
    golden = [(card["summary"], card["indicator"]) for card in Scenario(FOLDER / name).json("cards.json")["cards"]]

    assert [(each.summary, each.indicator) for each in page(name).advice][: len(golden)] == golden


def test_a_page_shows_the_cards_that_a_chart_has_no_room_for() -> None:
    told = records_of("ms-walking-aid-no-dxa")
    narrow = replace(profile(), card_cap=1)

    assert len(decide(SERVICE, told, AS_OF, narrow, "seed").cards) == 1
    assert len(summary_of(SERVICE, told, narrow, AS_OF).advice) == 2


@every_patient
@pytest.mark.parametrize("site", ["uk", "ca"])
def test_every_patient_has_a_page_under_every_profile(name: str, site: str) -> None:
    told = page(name, site)

    assert [bool(each.svg) for each in told.pictures] == [True] * 4
    assert told.profile == profile(site).title


@every_patient
def test_s8_a_page_names_nobody(name: str) -> None:
    prefetch = Scenario(FOLDER / name).json("request.json")["prefetch"]
    patient = prefetch["patient"]
    secrets = [patient["birthDate"], *(part for each in patient["name"] for part in (each["family"], *each["given"]))]

    assert [secret for secret in secrets if any(secret in text for text in words(page(name)))] == []


def test_s8_nothing_is_remembered_afterwards_and_nothing_stands_in_a_repr() -> None:
    told = page("gc-assessment-due")

    assert sum(each.cache_info().currsize for each in recall._REMEMBER) == 0
    assert "female" not in repr(told)
    assert "10 mg" not in repr(told.glucocorticoids)


def test_s10_a_page_says_what_it_is_for() -> None:
    assert page("nothing-to-say").intended_use == INTENDED_USE
    assert "For health professionals." in INTENDED_USE
    assert "advises and never acts" in INTENDED_USE


@every_patient
def test_s1_nothing_on_a_page_calls_a_person_fine(name: str) -> None:
    """ "Normal" stands in the name of a T-score line of WHO and nowhere else."""
    reassuring = re.compile(r"\b(?:safe|normal|healthy|fine|no risk|low risk|nothing to worry)\b", re.IGNORECASE)
    told = [text for text in words(page(name)) if reassuring.search(text.replace("normal: T-score at or above", ""))]

    assert told == []


def test_who_and_when() -> None:
    told = page("gc-assessment-due")

    assert (told.as_of, told.age, told.sex, told.in_scope, told.silent) == (
        dt.date(2026, 6, 15),
        "62",
        "female",
        "yes",
        "",
    )
    assert told.rule_set == SERVICE.clinic.version


def test_s7_an_age_of_a_birth_year_is_a_range_and_a_missing_one_not_known() -> None:
    year = summary_of(SERVICE, records(born="1964"), profile(), AS_OF)
    nobody = summary_of(SERVICE, Records("p1", {}), profile(), AS_OF)

    assert year.age == "61 to 62"
    assert (nobody.age, nobody.sex, nobody.in_scope) == ("not known", "not known", "unknown")


def test_what_is_due_comes_first_and_what_lies_ahead_after_it() -> None:
    assert [(each.what, each.on, each.state, each.rule) for each in page("plan-several-due").due] == [
        ("blood tests before the next dose", "", "due", "LAB-02"),
        ("treatment review", "2026-05-15", "due", "TX-07"),
        ("DXA", "2027-10-15", "not yet due", "MON-01"),
    ]


def test_what_was_done_is_not_called_due() -> None:
    states = {each.what: each.state for each in page("ms-next-denosumab-due").due}

    assert states["blood tests before the next dose"] == "done"
    assert states["denosumab dose"] == "due"


def test_s3_what_could_not_be_looked_at_is_named_with_its_reason() -> None:
    told = page("dxa-look-up-failed").not_looked_at

    assert any(line.startswith("Look-up failed: DXA results") for line in told)
    assert any(line.startswith("Dose not readable: glucocorticoid dose") for line in told)


def test_s3_what_was_set_aside_is_named_with_its_reason() -> None:
    assert page("vitamin-d-low-nmol").not_read == ("Observation: entered-in-error (1)",)


def test_what_was_set_aside_stays_on_one_line() -> None:
    odd = score("1", ident="x\n<b>y", code="62292-8", valueString="call me\nnow")
    odd.pop("valueQuantity")

    assert all("\n" not in line for line in summary_of(SERVICE, records(odd), profile(), AS_OF).not_read)


def test_d7_of_somebody_who_has_died_there_is_no_advice_and_nothing_due() -> None:
    told = records_of("plan-several-due")
    patient = {**told.lookup("patient").resources[0], "deceasedDateTime": "2026-06-01"}
    lookups = {**told.lookups, "patient": Lookup(LookupState.COMPLETE, (patient,))}
    died = summary_of(SERVICE, Records(told.patient_id, lookups), profile(), AS_OF)

    assert (died.advice, died.due) == ((), ())
    assert died.silent == "the patient has died"


def test_the_unit_of_vitamin_d_can_be_asked_for() -> None:
    told = summary_of(SERVICE, records_of("vitamin-d-low-nmol"), profile(), AS_OF, vitamin_d_unit="nmol/L")

    assert told.vitamin_d.title.endswith("nmol/L")


def test_s6_a_page_is_the_same_every_time() -> None:
    one, other = page("gc-very-high-risk-untreated"), page("gc-very-high-risk-untreated")

    assert [each.svg for each in one.pictures] == [each.svg for each in other.pictures]
    assert (one.advice, one.due) == (other.advice, other.due)
