"""The arithmetic of due days: where today lies, how spans move, and that less exact dates never give more exact answers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.due.days import (
    Due,
    State,
    after,
    counted,
    is_due,
    is_late,
    later,
    most_urgent,
    newest,
    values,
)
from cds_service.kernel.dates import DateSpan, on_day, parse_date, plus_days
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.thresholds import Source, Threshold
from cds_service.kernel.truth import Truth

SOURCE = Source("p", "p", "p", "https://example.org", 2020)
SIX = Threshold("x.months", "x", Decimal(6), "mo", dt.date(2020, 1, 1), SOURCE, "here", "P")
DOSE = Evidence("dose-given", "drug 1 mg", resource="MedicationAdministration/a1")
GAP = Gap(GapKind.FAILED, "medicationDispenses")
days = st.dates(dt.date(1990, 1, 1), dt.date(2060, 1, 1))
months = st.integers(0, 240)


@st.composite
def spans(draw: st.DrawFn) -> DateSpan:
    first = draw(days)
    last = plus_days(first, draw(st.integers(0, 800)))
    return DateSpan(first, last, f"{first}..{last}")


def span(text: str) -> DateSpan:
    found = parse_date(text)
    assert found is not None
    return found


def due(as_of: str, last: str, *, late: int = 0, newer: tuple[Gap, ...] = ()) -> Fact[Due]:
    """Six months after something; late after so many."""
    on = span(last)
    lateness = later(on, months=late) if late else None
    return counted(dt.date.fromisoformat(as_of), "dose", later(on, months=6), SIX, (DOSE,), late=lateness, newer=newer)


def state(fact: Fact[Due]) -> State:
    assert isinstance(fact, Known)
    return fact.value.state


# --- where today lies ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("as_of", "last", "expected"),
    [
        ("2026-06-14", "2025-12-15", State.NOT_YET),
        ("2026-06-15", "2025-12-15", State.DUE),
        ("2026-07-14", "2025-12-15", State.DUE),
        ("2026-07-15", "2025-12-15", State.LATE),
        ("2026-05-31", "2025-12", State.NOT_YET),
        ("2026-06-01", "2025-12", State.UNCLEAR),
        ("2026-06-29", "2025-12", State.UNCLEAR),
        ("2026-06-30", "2025-12", State.DUE),
        ("2026-07-30", "2025-12", State.DUE),
        ("2026-07-31", "2025-12", State.LATE),
        ("2026-06-15", "2025", State.UNCLEAR),
    ],
)
def test_s7_while_today_lies_inside_the_due_days_nobody_can_tell(as_of: str, last: str, expected: State) -> None:
    assert state(due(as_of, last, late=7)) is expected


@pytest.mark.parametrize(
    ("as_of", "last", "truth"),
    [
        ("2026-06-14", "2025-12-15", Truth.NO),
        ("2026-06-15", "2025-12-15", Truth.YES),
        ("2026-06-15", "2025", Truth.UNKNOWN),
    ],
)
def test_the_criterion_of_a_due_thing_brings_its_number_and_evidence(as_of: str, last: str, truth: Truth) -> None:
    criterion = is_due("key", due(as_of, last))
    assert (criterion.truth, criterion.threshold, criterion.evidence) == (truth, SIX, (DOSE,))


def test_s3_not_clear_says_between_which_days() -> None:
    gap = Gap(GapKind.NOT_RECORDED, "exact-day", "due 2026-06", DOSE.resource)
    assert is_due("key", due("2026-06-15", "2025-12")).gaps == (gap,)


def test_s3_what_is_not_known_keeps_its_reason() -> None:
    assert is_due("key", Unknown((GAP,))).gaps == (GAP,)
    assert values(Unknown((GAP,))) == {}
    assert is_late(Unknown((GAP,))) is False


def test_values_name_the_thing_and_the_day() -> None:
    assert values(due("2026-06-15", "2025-12")) == {"due_what": "dose", "due_on": "2026-06"}


def test_what_was_never_done_is_due_at_once() -> None:
    never = Known(Due("calcium", None, State.DUE, (), SIX))
    assert (is_due("key", never).truth, values(never)) == (Truth.YES, {"due_what": "calcium", "due_on": ""})


def test_late_is_due_too() -> None:
    late = due("2026-07-15", "2025-12-15", late=7)
    assert (is_late(late), is_due("key", late).truth) == (True, Truth.YES)
    assert is_late(due("2026-07-14", "2025-12-15", late=7)) is False


def test_what_is_done_is_not_due() -> None:
    assert is_due("key", Known(Due("dxa", span("2026"), State.DONE, (DOSE,), SIX))).truth is Truth.NO


# --- something newer may exist ---------------------------------------------------------------------------------------
def test_s2_what_may_be_newer_leaves_due_open_and_not_yet_due_as_it_is() -> None:
    assert due("2026-06-15", "2025-12-15", newer=(GAP,)) == Unknown((GAP,))
    later_on = due("2026-06-14", "2025-12-15", newer=(GAP,))
    assert (state(later_on), later_on.doubts if isinstance(later_on, Known) else ()) == (State.NOT_YET, (GAP,))


# --- which comes first -----------------------------------------------------------------------------------------------
def test_what_is_due_comes_before_what_is_not_clear_and_that_before_what_lies_ahead() -> None:
    ahead, soon = due("2026-06-15", "2026-03-01"), due("2026-06-15", "2026-02-01")
    unclear, unknown = due("2026-06-15", "2025"), Unknown((GAP,))
    now, longer = due("2026-06-15", "2025-12-01"), due("2026-06-15", "2025-11-01")
    assert most_urgent([ahead, soon]) is soon
    assert most_urgent([ahead, unknown]) is unknown
    assert most_urgent([unknown, unclear]) is unclear
    assert most_urgent([ahead, unclear, now, longer]) is longer


# --- spans -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("last", "months_later", "text"),
    [
        ("2025-12-15", 6, "2026-06-15"),
        ("2025-08-31", 6, "2026-02-28"),
        ("2025-12", 6, "2026-06"),
        ("2025-08", 6, "2026-02"),
        ("2024", 36, "2027"),
        ("2024", 6, "2024-07 to 2025-06"),
    ],
)
def test_a_moved_date_is_told_as_exactly_as_it_is_known(last: str, months_later: int, text: str) -> None:
    assert str(later(span(last), months=months_later)) == text


def test_days_can_be_added_as_well() -> None:
    assert str(later(span("2026-02-27"), days=60)) == "2026-04-28"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["2025-03-01", "2024"], "2025-03-01"),
        (["2025-03-01", "2025"], "2025-03 to 2025-12"),
        (["2025", "2024"], "2025"),
    ],
)
def test_the_newest_of_several_things(told: list[str], expected: str) -> None:
    found = newest(span(each) for each in told)
    assert (found.earliest, found.latest) == _ends(expected)


def _ends(text: str) -> tuple[dt.date, dt.date]:
    first, _, last = text.partition(" to ")
    return (dt.date(2025, 3, 1), dt.date(2025, 12, 31)) if last else (span(first).earliest, span(first).latest)


@pytest.mark.parametrize(
    ("one", "other", "truth"),
    [
        ("2025-03-02", "2025-03-01", Truth.YES),
        ("2025-03-01", "2025-03-01", Truth.NO),
        ("2025", "2025-03-01", Truth.UNKNOWN),
        ("2024", "2025-03-01", Truth.NO),
    ],
)
def test_after_is_three_valued(one: str, other: str, truth: Truth) -> None:
    assert after(span(one), span(other)) is truth
    assert after(None, span(other)) is Truth.UNKNOWN


# --- what holds for every date ---------------------------------------------------------------------------------------
@given(days, days, months)
def test_a_later_last_dose_is_never_due_earlier(one: dt.date, other: dt.date, interval: int) -> None:
    first, second = sorted((one, other))
    assert later(on_day(first), months=interval).latest <= later(on_day(second), months=interval).earliest


@given(spans(), months, st.integers(0, 100), st.integers(0, 100))
def test_s7_a_less_exact_date_never_gives_a_more_exact_due_day(
    on: DateSpan, interval: int, before: int, behind: int
) -> None:
    wider = DateSpan(plus_days(on.earliest, -before), plus_days(on.latest, behind), "")
    narrow, wide = later(on, months=interval), later(wider, months=interval)
    assert wide.earliest <= narrow.earliest <= narrow.latest <= wide.latest


@given(spans(), days, months, st.integers(0, 100), st.integers(0, 100))
def test_s7_a_less_exact_date_never_turns_an_answer_round(
    on: DateSpan, as_of: dt.date, interval: int, before: int, behind: int
) -> None:
    wider = DateSpan(plus_days(on.earliest, -before), plus_days(on.latest, behind), "")

    def truth(last: DateSpan) -> Truth:
        return is_due("key", counted(as_of, "dose", later(last, months=interval), SIX, (DOSE,))).truth

    assert truth(wider) in (truth(on), Truth.UNKNOWN)


@given(st.lists(spans(), min_size=1, max_size=5))
def test_the_newest_of_several_lies_inside_the_days_of_all_of_them(told: list[DateSpan]) -> None:
    found = newest(told)
    assert found.earliest == max(each.earliest for each in told)
    assert found.latest == max(each.latest for each in told)
    assert found.earliest <= found.latest
