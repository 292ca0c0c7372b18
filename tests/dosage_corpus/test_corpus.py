"""Doses that other people wrote, labelled by hand: what is read is right, or it is not read.

The labels and the rules for them: README.md in this folder. The outcome: docs/dose-corpus.md.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from cds_service.kernel.quantities import between, exactly
from tests.dosage_corpus.corpus import (
    DATA,
    MIMIC,
    Label,
    LabelledStep,
    ReadStep,
    Structure,
    Text,
    Verdict,
    judge,
    mimic,
    nhs,
    same,
    span,
    texts,
)
from tests.dosage_corpus.measure import (
    FREE_TEXT_COVERAGE,
    PAGE,
    Outcome,
    coverage,
    free_text,
    page,
    resource_of,
    structured,
)

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"the public dosage data is not beside the checkout ({DATA.parent.name}/{DATA.name})"
)


def everything() -> list[Text | Structure]:
    return [*texts(), *nhs(), *mimic()]


def wrong(outcomes: tuple[Outcome, ...]) -> list[str]:
    return [f"{each.name}: read as {each.found}" for each in outcomes if each.verdict is Verdict.WRONG]


# --- what is read ----------------------------------------------------------------------------------------------------
def test_no_free_text_is_read_wrongly() -> None:
    assert wrong(free_text()) == []


def test_most_free_texts_with_a_dose_are_read() -> None:
    assert coverage(free_text()) >= FREE_TEXT_COVERAGE


@pytest.mark.realdata
@needs_data
def test_no_structured_dose_is_read_wrongly() -> None:
    assert wrong(structured()) == []


@pytest.mark.realdata
@needs_data
def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page((*free_text(), *structured())), (
        "run python -m tests.dosage_corpus.measure"
    )


# --- the labels themselves -------------------------------------------------------------------------------------------
def test_every_amount_and_length_is_a_range_from_low_to_high() -> None:
    for entry in everything():
        for step in (*entry.label.steps, *(step for told in entry.label.told for step in told)):
            assert step.amounts, entry.name
            for low, high in (*step.amounts.values(), *((step.days,) if step.days else ())):
                assert 0 <= low <= high, entry.name


def test_no_entry_is_labelled_twice() -> None:
    names = [entry.name for entry in everything()]

    assert len(names) == len(set(names))


@pytest.mark.realdata
@needs_data
@pytest.mark.parametrize("source", sorted({entry.source for entry in texts()}))
def test_every_line_of_a_text_source_is_labelled_as_it_stands(source: str) -> None:
    lines = (DATA / "free-text" / source).read_text(encoding="utf-8").splitlines()

    assert [entry.text for entry in texts() if entry.source == source] == lines
    assert [entry.line for entry in texts() if entry.source == source] == list(range(1, len(lines) + 1))


@pytest.mark.realdata
@needs_data
def test_every_structured_file_and_line_is_labelled() -> None:
    folders = ("nhs-eps-r4", "nhs-dose-syntax-stu3-xml")
    files = {str(each.relative_to(DATA)) for folder in folders for each in (DATA / folder).glob("*.[jx]*")}

    assert {entry.file for entry in nhs()} == files
    assert [entry.line for entry in mimic()] == list(range(1, len((DATA / MIMIC).read_bytes().splitlines()) + 1))


@pytest.mark.realdata
@needs_data
def test_a_file_holds_a_prescription_unless_its_label_says_not() -> None:
    assert [entry.name for entry in (*nhs(), *mimic()) if (resource_of(entry) is not None) != entry.holds_one] == []


# --- how a reading is judged -----------------------------------------------------------------------------------------
ONE_OR_TWO = Label((LabelledStep({"tablet": span("1..2"), "mg": span("5..10")}, span("7")),))
WEEK = (Fraction(7), Fraction(7))


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (None, Verdict.NOT_READ),
        ([ReadStep({"tablet": between(1, 2)}, WEEK)], Verdict.RIGHT),
        ([ReadStep({"tablet": between(1, 2), "mg": between(5, 10)}, WEEK)], Verdict.RIGHT),
        ([ReadStep({"tablet": between(1, 3)}, WEEK)], Verdict.WRONG),
        ([ReadStep({"tablet": between(1, None)}, WEEK)], Verdict.WRONG),
        ([ReadStep({"": between(1, 2)}, WEEK)], Verdict.WRONG),
        ([ReadStep({"tablet": between(1, 2)}, None)], Verdict.WRONG),
        ([ReadStep({}, WEEK)], Verdict.WRONG),
        ([ReadStep({"tablet": between(1, 2)}, WEEK)] * 2, Verdict.WRONG),
    ],
)
def test_a_reading_is_right_when_steps_units_amounts_and_days_are(
    read: list[ReadStep] | None, expected: Verdict
) -> None:
    assert judge(ONE_OR_TWO, read) is expected


def test_reading_what_says_no_dose_is_wrong() -> None:
    assert judge(Label((), "no rate"), None) is Verdict.LEFT_ALONE
    assert judge(Label((), "no rate"), [ReadStep({"": exactly(1)}, None)]) is Verdict.WRONG


def test_where_text_and_structure_contradict_each_other_nobody_takes_a_side() -> None:
    sides = ((LabelledStep({"mg": span("20")}, None),), (LabelledStep({"mg": span("15")}, None),))
    label = Label((), "two tablets or 5 mg", sides)

    assert judge(label, None) is Verdict.LEFT_ALONE
    assert judge(label, [ReadStep({"mg": between(15, 20)}, None)]) is Verdict.LEFT_ALONE
    assert judge(label, [ReadStep({"mg": exactly(20)}, None)]) is Verdict.WRONG
    assert judge(label, [ReadStep({"mg": exactly(15)}, None)]) is Verdict.WRONG


def test_a_seventh_is_met_up_to_the_last_digits() -> None:
    assert same(exactly("0.142857142857"), span("1/7"))
    assert not same(exactly("0.1428"), span("1/7"))
