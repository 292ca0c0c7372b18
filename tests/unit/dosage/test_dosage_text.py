"""Doses out of free text: what is read, and what must not be (S7, D19, D20)."""

from __future__ import annotations

import pytest

from cds_service.clinical.dosage.sig import read, read_amount, read_rate


def told(text: str) -> str:
    """The steps as text: "tablet 2, mg 10 for 5; tablet 1"; "-" when unreadable."""
    steps = read(text)
    if steps is None:
        return "-"
    shown = []
    for step in steps:
        amounts = ", ".join(f"{unit} {amount}".strip() for unit, amount in step.amounts.items())
        shown.append(f"{amounts} for {step.days}" if step.days else amounts)
    return "; ".join(shown)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Take 1 tablet by mouth daily", "tablet 1"),
        ("TAKE ONE TWICE DAILY", "2"),
        ("1 od", "1"),
        ("2 tabs b.d.", "tablet 4"),
        ("1 cap t.i.d.", "tablet 3"),
        ("1 q.d.s.", "4"),
        ("500mg IV q6h", "mg 2000"),
        ("1 tab po q 8 hr", "tablet 3"),
        ("one every 12 hours", "2"),
        ("1 tablet 8 hourly", "tablet 3"),
        ("1 tab 3 x a day", "tablet 3"),
        ("1 tablet 3 times/day", "tablet 3"),
        ("7.5 mg alternate days", "mg 3.75"),
        ("take 2 tablets every other day", "tablet 1"),
        ("1 tablet every third day", "tablet 0.333"),
        ("70 mg once weekly", "mg 10"),
        ("apply one patch three times per week", "patch 0.429"),
        ("take 1 tablet on Monday and Thursday", "tablet 0.286"),
        ("take 1 tablet monday to friday", "tablet 0.714"),
        ("take 2 tablets daily except sunday", "tablet 1.714"),
        ("150 mg monthly", "mg 4.839 to 5.357"),
        ("60 mg every 6 months", "mg 0.326 to 0.331"),
        ("twice daily take 2 tablets", "tablet 4"),
        ("2 mg/day", "mg 2"),
        ("take 2/day", "2"),
        ("1 tablet 2/day", "tablet 2"),
        ("1 tablet by mouth 2 two times a day", "tablet 2"),
        ("1 2/day", "-"),
        ("20 mg daily in 2 divided doses", "mg 20"),
    ],
)
def test_how_often_in_many_words(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one and a half tablets daily", "tablet 1.5"),
        ("1 1/2 tablets daily", "tablet 1.5"),
        ("1-1/2 tablets daily", "tablet 1.5"),
        ("½ tablet daily", "tablet 0.5"),
        ("1½ tablets daily", "tablet 1.5"),
        ("half to one tablet daily", "tablet 0.5 to 1"),
        ("take 1-2 tablets daily", "tablet 1 to 2"),
        ("take 1 or 2 daily", "1 to 2"),
        ("1 2 tablets daily", "tablet 1 to 2"),
        ("5 mg to 10 mg daily", "mg 5 to 10"),
        ("20 mg or 40 mg daily", "mg 20 to 40"),
        ("twenty-five mg daily", "mg 25"),
        ("1 g daily", "mg 1000"),
        ("500 micrograms daily", "mg 0.5"),
        ("1,000 mg daily", "mg 1000"),
        (".5 mg daily", "mg 0.5"),
        ("EIGHT (8) tablets daily", "tablet 8"),
        ("three 5ml spoonfuls daily", "mL 15"),
        ("2 x 5mg od", "mg 10"),
        ("take two 5 mg tablets daily", "tablet 2, mg 10"),
        ("take a tablet daily", "tablet 1"),
    ],
)
def test_numbers_in_figures_and_words(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Take 1 tablet (10 mg total) by mouth daily.", "tablet 1, mg 10"),
        ("Take 4 tablets (40 mg total) daily", "tablet 4, mg 40"),
        ("Take 1 tablet (10 mg) daily", "tablet 1, mg 10"),
        ("Take 1 tablet 10 mg daily", "tablet 1, mg 10"),
        ("Take 10 mg (2 tablets) daily", "mg 10, tablet 2"),
        ("Take 10 mg (2 x 5 mg) daily", "mg 10"),
        ("Take 2 tablets (5 mg) daily", "tablet 2"),
        ("Take 2 tablets 5 mg daily", "tablet 2"),
        ("Take 2 tablets (5 mg each) daily", "tablet 2"),
        ("5 ml (15 mg/5 ml) daily", "mL 5"),
        ("take 5 mg 2 tablets daily", "-"),
        ("take 2 tablets (3 tablets) daily", "tablet 2"),
        ("take 10 mg (= 5 mg) daily", "-"),
    ],
)
def test_the_same_amount_in_two_units(text: str, expected: str) -> None:
    """Where a strength and a total cannot be told apart only the count is taken."""
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("take 2 tablets in the morning and 1 at night", "tablet 3"),
        ("1 mane 2 nocte", "3"),
        ("1 tablet at 8am and 8pm", "tablet 2"),
        ("1 tablet in the morning at 8:00", "tablet 1"),
        ("1 tablet morning, noon and night", "tablet 3"),
        ("1 tablet twice daily and 2 tablets at night", "tablet 4"),
        ("1 tablet twice daily (morning and night)", "tablet 2"),
        ("10 mg on mondays and 5 mg on thursdays", "mg 2.143"),
        ("1 tablet before breakfast", "tablet 1"),
        ("30 minutes before breakfast take 1 tablet", "tablet 1"),
        ("1 tablet daily in the morning and evening", "-"),
        ("1 tablet twice daily in the evening", "-"),
        ("1 tablet in the evening at bedtime", "-"),
        ("1 tablet in the evening, at bedtime", "-"),
        ("1 tablet before meals and at bedtime", "-"),
        ("1 tablet three times a day with meals and at bedtime", "-"),
        ("1 tablet three times a day with meals and 1 at bedtime", "tablet 4"),
        ("1 tablet with each meal", "-"),
        ("1 tablet daily 1 tablet at night", "-"),
        ("10 mg in the morning and 1 tablet at night", "-"),
        ("take 2 tablets 1 am and 1 pm", "-"),
    ],
)
def test_times_of_the_day_add_up_only_where_they_are_several(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1-2 tablets every 4-6 hours as needed for pain", "tablet 0 to 12"),
        ("1 tablet daily prn", "tablet 0 to 1"),
        ("1 tablet daily when required", "tablet 0 to 1"),
        ("2 tablets up to 4 times a day", "tablet 0 to 8"),
        ("up to 8 tablets in 24 hours", "tablet 0 to 8"),
        ("1 tablet every 4 hours up to 4 times a day", "tablet 0 to 4"),
        ("2 tablets 4 times a day max 8 in 24 hours", "tablet 8"),
        ("2 tablets 4 times a day max 6 in 24 hours", "-"),  # nobody can do both
        ("one daily. not more than 3 times a week", "-"),
        ("1 tablet every 4 hours prn mdd 3", "tablet 0 to 3"),
        ("1 tablet as needed, no more than 3 per day", "tablet 0 to 3"),
        ("1 tablet twice daily mdd 60 mg", "tablet 2, mg 0 to 60"),
        ("1 tablet as needed", "-"),
        ("max 3 per day", "-"),
        ("1 tablet daily, max 3 weeks", "-"),
    ],
)
def test_as_needed_up_to_and_the_most_allowed(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500 mg once daily for 5 days", "mg 500 for 5"),
        ("1 tab daily x5d", "tablet 1 for 5"),
        ("1 tab po dailyx10 days", "tablet 1 for 10"),
        ("1 tablet daily for 5/7", "tablet 1 for 5"),
        ("1 tablet daily for 2/52", "tablet 1 for 14"),
        ("1 tablet daily for one month", "tablet 1 for 28 to 31"),
        ("1 tablet daily for 3 months", "tablet 1 for 89 to 92"),
        ("1 tablet daily for 1-2 weeks", "tablet 1 for 7 to 14"),
        ("1 tablet daily for up to 10 days", "tablet 1 for 0 to 10"),
        ("1 tablet every 8 hours for 6 doses", "tablet 3 for 2"),
        ("for 5 days take 40 mg daily", "mg 40 for 5"),
        ("20 mg as a single dose", "mg 20 for 1"),
        ("20 mg once", "mg 20 for 1"),
        ("40 mg x 5 days", "-"),
        ("2 tabs every 12 days for 10 days", "-"),
        ("1 tablet daily for 5 days for 7 days", "-"),
        ("1 g over 3 days", "-"),
    ],
)
def test_how_long(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Take 4 tabs PO daily x5d then 3 tabs daily x5d", "tablet 4 for 5; tablet 3 for 5"),
        ("40mg x 2 days 30mg x 2 days", "mg 40 for 2; mg 30 for 2"),
        ("20mg od for 2 weeks then 10mg od", "mg 20 for 14; mg 10"),
        ("4 tablets daily for 3 days, decrease to 2 daily for 3 days, then stop", "tablet 4 for 3; tablet 2 for 3"),
        ("2 tablets on day 1 then 1 tablet daily on days 2-5", "tablet 2 for 1; tablet 1 for 4"),
        ("2 tablets today then 1 tablet daily for 4 days", "tablet 2 for 1; tablet 1 for 4"),
        ("day 1: 40 mg, day 2: 30 mg", "mg 40 for 1; mg 30 for 1"),
        ("1 tablet 4 times a day for 2 days then twice a day", "tablet 4 for 2; tablet 2"),
        ("10mg mane reducing by 2.5mg weekly", "mg 10 for 7; mg 7.5 for 7; mg 5 for 7; mg 2.5 for 7"),
        ("5mg daily reducing by 1mg every 3 days to 3mg", "mg 5 for 3; mg 4 for 3; mg 3"),
        ("30 mg daily for 2 weeks then reduce by 10 mg weekly until stopped", "mg 30 for 14; mg 20 for 7; mg 10 for 7"),
        ("6 tablets daily decreasing by 3 tablets each day", "tablet 6 for 1; tablet 3 for 1"),
        ("10 mg daily reducing by 3 mg weekly", "-"),
        ("10 mg bd reducing by 5 mg weekly", "-"),
        ("10 mg daily reducing by 5 mg weekly to 3 mg", "-"),
        ("then 5 mg daily", "-"),
        ("reduce to 5 mg daily", "-"),
        ("20 mg daily then 10 mg daily", "-"),
        ("2 tablets daily for 14 days then decrease to 0.5 tablets every 14 days", "-"),
        ("3 puffs bd for 1 week then 2 puffs for 2 weeks", "-"),
        ("40 mg daily for 5 days then reduce 5 mg weekly", "-"),
        ("1 tablet on days 2-5", "-"),
        ("2 tablets on day 1 then 1 tablet on day 3", "-"),
        ("2 tablets on day 1 then 1 tablet daily as directed", "-"),
        ("2 stat then 1 tds", "-"),
        ("1 tablet daily x 7 days then off 7 days", "-"),
        ("1 tablet daily x 7 days then stop.", "tablet 1 for 7"),
        ("one 150 mg tab bd x 5 days take one 100 mg tab bd x 5 days", "-"),
        ("1 tablet bd for 5 days and 1 tablet od for 5 days", "-"),
        ("2 tablets in the morning for 5 days, 1 tablet at night for 5 days", "-"),
    ],
)
def test_steps_one_after_another(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "as directed", "taper as directed", "use as directed", "Take 1 or 2 as directed", "2 tablets", "twice a day",
        "1 tablet twice daily or as directed", "do not take 1 tablet daily", "take 1 additional tablet daily", "double dose daily",
        "1 mg/kg daily", "40 mg/m2 daily", "1-0-1", "2,5 mg daily", "1.000 mg daily", "11/2 tablets daily",
        "1 tablet daily until seen",
        "1 tablet daily for 21 days then 7 days off", "take 20 mg daily, if no better increase to 40 mg", "two tabletts daily",
        "1 tablet daily starting 1/12/2026", "20 mg daily or 40 mg daily", "1 drop od", "5 mg for flares", "2-1 tablets daily",
        "5 mg and 2.5 mg daily", "1 tablet daily 28 tablets", "10 mg one day and 5 mg the next", "take 1 2 daily", "x" * 2000,
        "20 mg Tablet", "1 tablet on days 1, 8 and 15", "500 mg daily on days 1-5 of each month", "1 tablet every 0 days",
    ],
)  # fmt: skip
def test_s7_what_is_not_wholly_understood_is_unreadable(text: str) -> None:
    assert told(text) == "-"


@pytest.mark.parametrize(
    "text",
    [
        "1 tablet by mouth daily with food",
        "1 tablet daily after meals",
        "take 1 tablet daily for asthma",
        "one every morning to reduce bp",
        "1 tablet daily as directed",
        "Take 1 prednisolone tablet daily",
        "Take 1 tablet daily. Swallow whole. Do not crush or chew.",
        "1 tablet daily with a full glass of water on an empty stomach",
        "take 1 tablet daily until finished",
        "prednisolone 5mg tablets: take 1 tablet once a day",
    ],
)
def test_harmless_words_change_nothing(text: str) -> None:
    assert told(text) in ("tablet 1", "1")


def test_a_rate_and_an_amount_alone() -> None:
    rate, amount = read_rate("twice daily as needed for 5 days"), read_amount("Take 2 tablets by mouth")

    assert rate is not None
    assert rate.often is not None
    assert (str(rate.often.times), str(rate.often.period), rate.as_needed, str(rate.length)) == ("2", "1", True, "5")
    assert amount is not None
    assert {unit: str(each) for unit, each in amount.each.items()} == {"tablet": "2"}
    assert read_rate("2 tablets twice daily") is None
    assert read_rate("") is None
    assert read_amount("2 tablets") is None, "a product is named like this (MIMIC)"
    assert read_amount("take 2 tablets daily") is None
