"""Rarer words of doses: what they mean, and where they do not fit together (S7, D19)."""

from __future__ import annotations

import pytest

from cds_service.clinical.dosage.sig import read, read_amount, read_rate
from tests.unit.dosage.test_dosage_text import told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 tablet fortnightly", "tablet 0.071"),
        ("1 tablet every other week", "tablet 0.071"),
        ("1 tablet twice a fortnight", "tablet 0.143"),
        ("1 tablet twice a week", "tablet 0.286"),
        ("1 tablet thrice daily", "tablet 3"),
        ("150 mg once a month", "mg 4.839 to 5.357"),
        ("366 mg once a year", "mg 1 to 1.003"),
        ("366 mg yearly", "mg 1 to 1.003"),
        ("1 tablet 2 times every 3 days", "tablet 0.667"),
        ("1 tablet every 2-3 days", "tablet 0.333 to 0.5"),
        ("1 tablet every second day", "tablet 0.5"),
        ("1 tablet every first day", "-"),
        ("1 tablet 4-6 hourly", "tablet 4 to 6"),
        ("1 tablet hourly", "tablet 24"),
        ("1 tablet every 6 6 hours", "tablet 4"),
        ("1 tablet 2 2 times a day", "tablet 2"),
        ("1 tablet 2/week", "tablet 0.286"),
        ("take 2/week", "0.286"),
        ("1 tablet 3-2 times a day", "-"),
        ("1 tablet 6-4 hourly", "-"),
        ("1 tablet every 6-4 hours", "-"),
        ("1 tablet daily and 1 tablet daily", "-"),
        ("1 tablet twice daily three times daily", "-"),
        ("1 tablet daily, once daily", "tablet 1"),
        ("20 mg in 2 divided doses", "-"),
        ("20 mg twice daily in divided doses", "-"),
        ("20 mg in the morning in divided doses", "-"),
    ],
)
def test_rarer_rates(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 tablet on mondays, wednesdays and fridays", "tablet 0.429"),
        ("1 tablet daily from thursday to sunday", "tablet 0.571"),
        ("1 tablet friday to monday", "-"),
        ("1 tablet daily except on sundays", "tablet 0.857"),
        ("2 tablets 5 days a week", "tablet 1.429"),
        ("1 tablet weekly on monday", "tablet 0.143"),
        ("1 tablet 3 times a week on monday, wednesday and friday", "tablet 0.429"),
        ("1 tablet twice a week on monday, wednesday and friday", "-"),
        ("2 tablets twice a fortnight on monday and thursday", "tablet 0.286"),
        ("1 tablet every 3 days on monday", "-"),
        ("1 tablet twice daily on monday and thursday", "tablet 0.571"),
        ("1 tablet in the morning and at night on mondays", "tablet 0.286"),
        ("10 mg on mondays and 5 mg on mondays", "-"),
        ("70 mg on mondays and 35 mg on thursdays for 5 days", "-"),
        ("70 mg on mondays and 35 mg on thursdays for 4 weeks", "mg 15 for 28"),
    ],
)
def test_days_of_the_week(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 tablet at 8pm", "tablet 1"),
        ("1 tablet at 8:00 and 20:00", "tablet 2"),
        ("1 tablet at 8:59", "tablet 1"),
        ("1 tablet at 8:60", "-"),
        ("1 tablet at 24:00", "tablet 1"),
        ("1 tablet at 25:00", "-"),
        ("1 tablet in the evening at 10pm", "tablet 1"),
        ("1 tablet in the evening at 11pm", "-"),
        ("1 tablet in the morning at 4am", "tablet 1"),
        ("1 tablet in the morning at 3am", "-"),
        ("1 tablet at noon at 12pm", "tablet 1"),
        ("1 tablet at night at 12am", "tablet 1"),
        ("1 tablet 5 am", "tablet 1"),
        ("1 tablet 4 am", "-"),
        ("1 tablet morning, night", "-"),
        ("1 tablet morning / night", "tablet 2"),
        ("in the morning take 2 tablets for 5 days", "tablet 2 for 5"),
        ("in the morning take 2 tablets, at night take 1 tablet", "tablet 3"),
        ("for 5 days take 40 mg daily, for 5 days take 20 mg daily", "mg 40 for 5; mg 20 for 5"),
        ("2 tablets (10 mg total) in the morning and 1 at night", "tablet 3"),
        ("10 mg in the morning and 5 at night", "mg 15"),
        ("1 tablet twice daily and at bedtime", "-"),
        ("1 tablet at night with meals", "-"),
        ("1 tablet at night with food", "tablet 1"),
        ("2 tablets in the morning and 1 in the morning", "-"),
        ("2 tablets in the morning and 1 at night for 5 days", "tablet 3 for 5"),
        ("2 tablets in the morning prn and 1 at night", "tablet 0 to 3"),
        ("20 mg daily and 10 mg at night", "mg 30"),
        ("20 mg daily as a single dose and 10 mg at night", "-"),
    ],
)
def test_hours_and_times_of_the_day(text: str, expected: str) -> None:
    """ "in the evening at 11 pm" is an evening and an hour that does not lie in it."""
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two to three 5 mg tablets daily", "tablet 2 to 3, mg 10 to 15"),
        ("2 tablets of 5 mg each daily", "tablet 2, mg 10"),
        ("two 500 mcg tablets daily", "tablet 2, mg 1"),
        ("10 mg (2 x 5 mg tablets) daily", "mg 10"),
        ("2 tablets (= 10 mg) daily", "tablet 2, mg 10"),
        ("up to two 5 mg tablets daily", "tablet 0 to 2, mg 0 to 10"),
        ("up to 2 tablets (10 mg total) daily", "tablet 0 to 2, mg 0 to 10"),
        ("500 mg to 1 g daily", "mg 500 to 1000"),
        ("10 mg to 5 mg daily", "-"),
        ("5 mg to 10 ml daily", "-"),
        ("three 2.5ml spoonfuls daily", "mL 7.5"),
        ("1 1 tablet daily", "tablet 1"),
        ("1 3 tablets daily", "-"),
        ("half a tablet daily", "tablet 0.5"),
        ("a quarter of a tablet daily", "tablet 0.25"),
        ("three quarters of a tablet daily", "tablet 0.75"),
        ("1 and a quarter tablets daily", "tablet 1.25"),
        ("a puff daily", "puff 1"),
        ("2 (10 mg) daily", "2"),
        ("1 (10 mg) daily", "-"),
        ("1 tablet (10 mg total) (20 mg total) daily", "-"),
        ("1 tablet 10 mg 20 mg daily", "-"),
        ("2-1 x 5 mg daily", "-"),
        ("2-1 5 ml spoonfuls daily", "-"),
        ("10 mg (3-2 tablets) daily", "-"),
    ],
)
def test_rarer_amounts(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 tablets, up to 8 tablets a day", "tablet 0 to 8"),
        ("2 tablets every 4 hours, up to 8 tablets a day", "tablet 0 to 8"),
        ("1-2 tablets as needed, max 4 doses per day", "tablet 0 to 8"),
        ("2 tablets as needed, no more than 3 tablets per day", "tablet 0 to 3"),
        ("2 tablets as needed, no more than 3 per day for 5 days", "tablet 0 to 3 for 5"),
        ("10 mg as needed, max 30 mg per day", "mg 0 to 30"),
        ("10 mg as needed, max 3 per day", "-"),
        ("10 mg as needed, max 3 tablets per day", "-"),
        ("1 tablet as needed, max 3 per day, max 20 per week", "-"),
        ("1 tablet (5 mg total) as needed, max 3 per day", "-"),
        ("1 tablet as needed for 3 doses, max 3 per day", "-"),
        ("1 tablet as needed, maximum daily dose 4 tablets", "tablet 0 to 4"),
        ("1 tablet daily as needed, max 3 per week", "tablet 0 to 0.429"),
        ("1-2 tablets twice daily, max 3 tablets per day", "tablet 2 to 3"),
        ("1-2 tablets twice daily, max 3 per day", "tablet 2 to 3"),
        ("10-20 mg twice daily, max 3 per day", "mg 20 to 40"),
        ("10-20 mg twice daily, max 30 mg per day", "mg 20 to 30"),
        ("1-2 tablets up to 4 times a day, max 3 doses in 24 hours", "tablet 0 to 6"),
        ("1 tablet in the morning and 2 at night, max 2 doses per day", "-"),
        ("2 tablets 3 times a day, max 40 mg in 24 hours", "tablet 6, mg 0 to 40"),
        ("1-2 tablets 3 times a day, max 3 tablets in 24 hours", "tablet 3"),
        ("1 tablet every 4 hours max 3 times", "-"),
        ("1 tablet daily up to", "-"),
        ("1 tablet up to prn", "-"),
        ("up to up to 8 a day", "-"),
        ("up to 3 tablets daily", "tablet 0 to 3"),
    ],
)
def test_the_most_in_other_words(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 tablet daily for a day", "tablet 1 for 1"),
        ("1 tablet daily for a week", "tablet 1 for 7"),
        ("1 tablet daily for a fortnight", "tablet 1 for 14"),
        ("1 tablet daily for the next month", "tablet 1 for 28 to 31"),
        ("1 tablet daily for a year", "tablet 1 for 365 to 366"),
        ("1 tablet every 6 hours for 48 hours", "tablet 4 for 2"),
        ("1 tablet daily for up to 5-7 days", "tablet 1 for 0 to 7"),
        ("1 tablet daily for 3-2 days", "-"),
        ("1 tablet daily for up to 3-2 days", "-"),
        ("1 tablet 3 times a day for 5 doses", "tablet 3 for 2"),
        ("1 tablet 3 times a day for 3-6 doses", "tablet 3 for 1 to 2"),
        ("1 tablet 3 times a day for 6-3 doses", "-"),
        ("1 tablet every 8 hours for 6 doses for 2 days", "-"),
        ("1 tablet daily on days 1-5 for 5 days", "tablet 1 for 5"),
        ("1 tablet daily on days 1-5 for 3 days", "-"),
        ("1 tablet daily on days 5-2", "-"),
        ("1 tablet daily on day 0", "-"),
        ("20 mg as a single dose for 1 day", "mg 20 for 1"),
        ("20 mg as a single dose for 5 days", "-"),
        ("20 mg as a single dose at night", "-"),
        ("20 mg daily as a single dose", "mg 20"),
        ("10 mg twice daily as a single dose", "-"),
        ("1 tablet weekly for 7 days", "tablet 0.143 for 7"),
        ("1 tablet weekly for 6 days", "-"),
    ],
)
def test_lengths_in_other_words(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10 mg daily reducing weekly by 5 mg", "mg 10 for 7; mg 5 for 7"),
        ("10 mg daily reduce every 3 days by 5 mg", "mg 10 for 3; mg 5 for 3"),
        ("10 mg daily reducing weekly by 5000 micrograms", "mg 10 for 7; mg 5 for 7"),
        ("10 mg daily reducing weekly by 5 tablets", "-"),
        ("10 mg daily reducing by 5 mg daily", "mg 10 for 1; mg 5 for 1"),
        ("10 mg daily reducing by 5 mg every other day", "mg 10 for 2; mg 5 for 2"),
        ("10 mg daily reducing by 5 mg every 3 other day", "-"),
        ("10 mg daily reducing by 5 mg every fortnight", "mg 10 for 14; mg 5 for 14"),
        ("10 mg daily reducing by 5 mg every 2 fortnight", "-"),
        ("10 mg daily reducing by 5 mg monthly", "mg 10 for 28 to 31; mg 5 for 28 to 31"),
        ("10 mg daily reducing by 2 mg weekly to 6000 micrograms", "mg 10 for 7; mg 8 for 7; mg 6"),
        ("10 mg daily reducing by 1 mg weekly until 8", "mg 10 for 7; mg 9 for 7; mg 8"),
        ("3 mg daily reducing by 1 mg weekly to 1 mg", "mg 3 for 7; mg 2 for 7; mg 1"),
        ("2 mg daily reducing by 1 mg weekly to zero", "mg 2 for 7; mg 1 for 7"),
        ("2 mg daily reducing by 1 mg weekly to 0.0 mg", "mg 2 for 7; mg 1 for 7"),
        ("10 mg daily reducing by 5 mg weekly to 10 mg", "-"),
        ("10 mg daily reducing by 5 mg weekly to 5 mg then stop", "-"),
        ("10 mg daily reducing by 5 mg weekly to 5 mg to 2 mg", "-"),
        ("10 mg daily reducing by 2 mg weekly to 6 tablets", "-"),
        ("10 mg daily reducing by 2 mg weekly until 6 tablets", "-"),
        ("10 mg daily reducing by 0 mg weekly", "-"),
        ("10 mg daily reducing by 1 tablet weekly", "-"),
        ("10 mg daily reducing by 5", "-"),
        ("10 mg daily as needed reducing by 5 mg weekly", "-"),
        ("5-10 mg daily reducing by 5 mg weekly", "-"),
        ("2 tablets (10 mg total) daily reducing by 1 tablet weekly", "-"),
        ("10 mg daily reducing by 5 mg weekly reducing by 2 mg weekly", "-"),
        ("10 mg daily reducing by 5 mg weekly at night", "-"),
        ("10 mg daily reducing by 5 mg weekly as directed", "-"),
        ("10 mg daily to 5 mg", "-"),
        ("10 mg daily until 5 mg", "-"),
    ],
)
def test_tapers_in_other_words(text: str, expected: str) -> None:
    assert told(text) == expected


def test_a_taper_has_sixty_steps_at_most() -> None:
    sixty = read("60 mg daily reducing by 1 mg daily")

    assert sixty is not None
    assert [str(step.amounts["mg"]) for step in sixty] == [str(mg) for mg in range(60, 0, -1)]
    assert read("61 mg daily reducing by 1 mg daily") is None


def test_an_instruction_has_sixty_steps_at_most() -> None:
    steps = [f"{place}mg x1d" for place in range(1, 62)]

    assert len(read(" then ".join(steps[:60])) or ()) == 60
    assert read(" then ".join(steps)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 tablets on the first day then 1 tablet daily for 4 days", "tablet 2 for 1; tablet 1 for 4"),
        ("2 tablets daily for the first 3 days then 1 tablet daily", "tablet 2 for 3; tablet 1"),
        ("2 tablets daily for the first 0 days then 1 tablet daily", "-"),
        ("2 tablets on day 1, 1 tablet daily on days 2-5", "tablet 2 for 1; tablet 1 for 4"),
        ("2 tablets on day 1, 1 tablet daily on days 3-5", "-"),
        ("2 tablets daily for 1-2 days then 1 tablet on day 3", "-"),
        ("4 tablets for 2 days then 2 for 2 days", "tablet 4 for 2; tablet 2 for 2"),
        ("2 tablets (10 mg total) daily for 2 days then 1 daily for 2 days", "-"),
        ("10 mg x 2 days 20 mg x 2 days", "mg 10 for 2; mg 20 for 2"),
        ("10 mg x 2 days 10 mg x 3 days", "-"),
        ("40 mg x 2 days 30 mg x 2 days 40 mg x 2 days", "-"),
        ("40 mg x 2 days 2 tablets x 2 days", "-"),
        ("40 mg x 2 days 30 mg daily", "-"),
        ("40 mg twice daily for 2 days then 20 mg for 2 days", "-"),
        ("20 mg daily for 5 days then increase to 40 mg daily", "mg 20 for 5; mg 40"),
        ("20 mg daily for 5 days then increase to 40 mg every other day", "mg 20 for 5; mg 20"),
        ("20 mg daily for 5 days then increase to 40 mg every third day", "-"),
        ("20 mg as a single dose then 10 mg daily", "-"),
        ("20 mg daily then stop", "-"),
        ("20 mg daily for 5 days then stop and 10 mg daily", "-"),
    ],
)
def test_steps_in_other_words(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("twice daily", "2"),
        ("in the morning and at night", "2"),
        ("on mondays", "0.143"),
        ("at 8:00", "1"),
        ("up to 3 times a day", "0 to 3"),
        ("stat", "1"),
        ("take twice daily, by mouth", "2"),
        ("for 5 days", None),
        ("as needed", None),
        ("twice daily then once daily", None),
        ("twice daily as directed", None),
        ("twice daily max 3 per day", None),
        ("twice daily three times daily", None),
    ],
)
def test_a_rate_alone(text: str, rate: str | None) -> None:
    found = read_rate(text)
    one = read("1 tablet daily")

    assert one is not None
    if rate is None:
        assert found is None
    else:
        assert found is not None
        assert found.often is not None
        assert str(found.often.per_day(one[0].amounts["tablet"])) == rate


@pytest.mark.parametrize(
    ("text", "amounts", "as_needed", "length"),
    [
        ("take 2 tablets", {"tablet": "2"}, False, None),
        ("take 2 tablets (10 mg total) by mouth", {"tablet": "2", "mg": "10"}, False, None),
        ("take 1 tablet (10 mg) as needed for 5 days", {"tablet": "1", "mg": "10"}, True, "5"),
    ],
)
def test_an_amount_alone(text: str, amounts: dict[str, str], as_needed: bool, length: str | None) -> None:
    found = read_amount(text)

    assert found is not None
    assert {unit: str(each) for unit, each in found.each.items()} == amounts
    assert (found.as_needed, found.length and str(found.length)) == (as_needed, length)


@pytest.mark.parametrize(
    "text",
    [
        "take for 5 days",
        "take 2 tablets then 1 tablet",
        "take 2 tablets at night",
        "take 1 tablet for 5 days 2 tablets",
    ],
)
def test_what_says_more_or_less_than_an_amount(text: str) -> None:
    assert read_amount(text) is None
