"""The criteria tree: truth, reasons, thresholds and gaps all come from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest

from cds_service.kernel.criteria import (
    Criterion,
    all_of,
    any_of,
    at_least,
    at_most,
    ever,
    holds,
    less_than,
    more_than,
    none_of,
    not_,
    true,
)
from cds_service.kernel.dates import on_day
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Series, Unknown
from cds_service.kernel.quantities import Interval, between, exactly
from cds_service.kernel.thresholds import Source, Threshold
from cds_service.kernel.truth import Truth

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN
SOURCE = Source("g", "Guideline 2020", "A guideline", "https://example.org", 2020)
LIMIT = Threshold("g.dose", "dose", Decimal("7.5"), "mg/d", dt.date(2020, 1, 1), SOURCE, "Table 1", "V")
SHOWN = (Evidence("dose", "7.5 mg", on_day(dt.date(2026, 5, 1)), "MedicationRequest/1"),)
FAILED = Gap(GapKind.FAILED, "medication")
OLD = Gap(GapKind.TOO_OLD, "bone-density")
VAGUE = Gap(GapKind.DOSE_UNREADABLE, "glucocorticoids")

yes = Criterion("is-yes", YES, SHOWN)
no = Criterion("is-no", NO)
unknown = Criterion("is-unknown", UNKNOWN, gaps=(FAILED,))
old = Criterion("is-old", UNKNOWN, gaps=(OLD,))

Compare = Callable[[str, Fact[Interval], Threshold], Criterion]
COMPARISONS: dict[str, Compare] = {
    "at least": at_least,
    "more than": more_than,
    "less than": less_than,
    "at most": at_most,
}


def keys(criteria: object) -> list[str]:
    return [each.key for each in criteria]  # type: ignore[attr-defined]


# --- comparisons -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("comparison", "below", "same", "above", "around"),
    [
        ("at least", NO, YES, YES, UNKNOWN),
        ("more than", NO, NO, YES, UNKNOWN),
        ("less than", YES, NO, NO, UNKNOWN),
        ("at most", YES, YES, NO, UNKNOWN),
    ],
)
def test_a_value_against_a_threshold(comparison: str, below: Truth, same: Truth, above: Truth, around: Truth) -> None:
    values = (exactly("7.4"), exactly("7.5"), exactly("7.6"), between(5, 10))
    truths = [COMPARISONS[comparison]("dose", Known(value), LIMIT).truth for value in values]
    assert truths == [below, same, above, around]


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_a_comparison_shows_what_was_found_and_what_it_was_compared_with(comparison: str) -> None:
    criterion = COMPARISONS[comparison]("dose", Known(exactly("7.50"), SHOWN), LIMIT)
    assert (criterion.key, criterion.evidence, criterion.threshold, criterion.found, criterion.gaps) == (
        "dose",
        SHOWN,
        LIMIT,
        "7.5",
        (),
    )


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_s2_an_unknown_value_is_neither_above_nor_below(comparison: str) -> None:
    """The threshold stays: the explanation says what it would have been compared with."""
    criterion = COMPARISONS[comparison]("dose", Unknown((FAILED, VAGUE)), LIMIT)
    assert criterion == Criterion("dose", UNKNOWN, threshold=LIMIT, gaps=(FAILED, VAGUE))


@pytest.mark.parametrize(
    ("value", "gaps"),
    [(between(5, 10), (VAGUE,)), (between(8, 10), ()), (between(5, 7), ())],
    ids=["astride", "above", "below"],
)
def test_s7_doubts_about_a_range_matter_only_where_it_lies_astride_the_threshold(
    value: Interval, gaps: tuple[Gap, ...]
) -> None:
    assert at_least("dose", Known(value, SHOWN, (VAGUE,)), LIMIT).gaps == gaps


def test_s3_a_range_astride_the_threshold_that_nobody_doubts_is_missing_its_exact_value() -> None:
    gaps = at_least("dose", Known(between(5, 10), SHOWN), LIMIT).gaps
    assert gaps == (Gap(GapKind.NOT_RECORDED, "exact-value", "5 to 10"),)


# --- other leaves ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("value", "truth"), [(True, YES), (False, NO)])
def test_a_yes_or_no_fact(value: bool, truth: Truth) -> None:
    assert true("menopause", Known(value, SHOWN)) == Criterion("menopause", truth, SHOWN)


def test_s2_an_unknown_fact_is_not_a_no() -> None:
    assert true("menopause", Unknown((FAILED,))) == Criterion("menopause", UNKNOWN, gaps=(FAILED,))


def test_s2_presence_needs_no_complete_look_up() -> None:
    series = Series(SHOWN, (FAILED,))
    assert ever("fracture", series, lambda item: item) == Criterion("fracture", YES, SHOWN)


def test_s2_absence_needs_a_complete_look_up() -> None:
    assert ever("fracture", Series()) == Criterion("fracture", NO)
    assert ever("fracture", Series(gaps=(FAILED,))) == Criterion("fracture", UNKNOWN, gaps=(FAILED,))


def test_items_show_their_own_evidence_unless_told_otherwise() -> None:
    class Fracture:
        evidence = SHOWN[0]

    assert ever("fracture", Series((Fracture(), Fracture()))).evidence == SHOWN * 2


@pytest.mark.parametrize(("truth", "gaps"), [(YES, ()), (NO, ()), (UNKNOWN, (FAILED,))])
def test_a_criterion_worked_out_elsewhere_names_gaps_only_while_unknown(truth: Truth, gaps: tuple[Gap, ...]) -> None:
    assert holds("ms", truth, SHOWN, (FAILED,), "2 of 3") == Criterion("ms", truth, SHOWN, None, "2 of 3", gaps)


def test_a_criterion_worked_out_elsewhere_needs_no_more_than_its_truth() -> None:
    assert holds("ms", NO) == Criterion("ms", NO)


# --- the tree --------------------------------------------------------------------------------------------------------
def test_leaves_in_the_order_they_were_written() -> None:
    tree = all_of(yes, any_of(no, not_(unknown)), none_of(old))
    assert keys(tree.leaves()) == ["is-yes", "is-no", "is-unknown", "is-old"]


def test_joints_are_named() -> None:
    assert [all_of(yes).key, any_of(yes).key, not_(yes).key, none_of(yes).key] == ["all-of", "any-of", "not", "not"]


@pytest.mark.parametrize(
    ("tree", "reasons"),
    [
        (yes, ["is-yes"]),
        (all_of(yes, yes), ["is-yes", "is-yes"]),
        (all_of(yes, no), ["is-no"]),
        (all_of(yes, unknown), ["is-unknown"]),
        (all_of(no, unknown), ["is-no"]),
        (any_of(yes, no), ["is-yes"]),
        (any_of(no, unknown), ["is-unknown"]),
        (any_of(no, no), ["is-no", "is-no"]),
        (not_(no), ["is-no"]),
        (not_(yes), ["is-yes"]),
        (none_of(no, no), ["is-no", "is-no"]),
        (none_of(yes, no), ["is-yes"]),
        (none_of(no, unknown), ["is-unknown"]),
        (all_of(yes, any_of(no, yes), not_(no)), ["is-yes", "is-yes", "is-no"]),
    ],
)
def test_reasons_are_the_leaves_that_decided(tree: Criterion, reasons: list[str]) -> None:
    assert keys(tree.reasons()) == reasons


def test_thresholds_are_those_of_all_leaves() -> None:
    other = Threshold("g.age", "age", Decimal(40), "a", LIMIT.since, SOURCE, "Table 2", "V")
    tree = all_of(yes, not_(at_least("dose", Known(exactly(5)), LIMIT)), less_than("age", Unknown(()), other))
    assert list(tree.thresholds()) == [LIMIT, other]


@pytest.mark.parametrize(
    ("tree", "gaps"),
    [
        (unknown, (FAILED,)),
        (yes, ()),
        (all_of(yes, unknown), (FAILED,)),
        (all_of(no, unknown), ()),
        (any_of(yes, unknown), ()),
        (any_of(no, unknown, old), (FAILED, OLD)),
        (all_of(unknown, unknown, old), (FAILED, OLD)),
        (not_(unknown), (FAILED,)),
        (none_of(no, old), (OLD,)),
        (all_of(any_of(yes, unknown), old), (OLD,)),
        (Criterion("all-of", UNKNOWN, gaps=(VAGUE,), parts=(unknown,)), (VAGUE, FAILED)),
    ],
)
def test_s3_open_gaps_are_those_that_kept_the_tree_from_being_decided(tree: Criterion, gaps: tuple[Gap, ...]) -> None:
    assert tree.open_gaps() == gaps


@pytest.mark.parametrize(
    ("tree", "gaps"),
    [
        (unknown, (FAILED,)),
        (any_of(yes, unknown), (FAILED,)),
        (any_of(yes, unknown, old), (FAILED,)),
        (any_of(yes, all_of(yes, old, unknown)), (FAILED,)),
        (any_of(yes, old), ()),
        (any_of(no, old), (OLD,)),
        (any_of(yes, all_of(no, unknown)), ()),
        (all_of(no, unknown), ()),
        (all_of(yes, any_of(yes, unknown), old), (FAILED, OLD)),
        (not_(any_of(yes, unknown)), (FAILED,)),
        (not_(all_of(no, unknown)), ()),
        (any_of(yes, unknown, unknown), (FAILED,)),
    ],
)
def test_s3_side_gaps_also_tell_what_stayed_open_beside_a_decision(tree: Criterion, gaps: tuple[Gap, ...]) -> None:
    """Nothing from a branch that does not hold anyway; beside a reason that settles it, only what could not be looked at."""
    assert tree.side_gaps() == gaps
