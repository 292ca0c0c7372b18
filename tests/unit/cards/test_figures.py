"""What a risk model says, in lines of a card: the numbers, everything they rest on, and the licence's words."""

from __future__ import annotations

import datetime as dt

from cds_service.cards.figures import lines_of
from cds_service.kernel.dates import on_day
from cds_service.kernel.facts import Evidence, Gap, GapKind
from cds_service.kernel.figures import Counted, Figure, NotCalculable, Result, Supporting
from cds_service.kernel.quantities import Interval, between, exactly
from hooks.patient_view import SERVICE

TEXTS = SERVICE.texts("en")
HIP = Result("hip fracture within 10 years", exactly("1.2"), "%")
GABAPENTIN = Evidence("medication", "gabapentin", on_day(dt.date(2026, 1, 1)))


def lines(said: Figure | NotCalculable, licence_note: str = "") -> list[str]:
    return list(lines_of(Supporting(frozenset(), "Made-up 1", said, licence_note), TEXTS))


def result(value: Interval) -> str:
    (line,) = lines(Figure((Result("hip fracture within 10 years", value, "%"),)))
    return line.removeprefix("Computed with the Made-up 1: ").removesuffix(". It decided nothing on this card.")


def test_every_line_of_a_figure() -> None:
    figure = Figure(
        (Result("major fracture within 10 years", exactly("8.6"), "%"), HIP),
        (Counted("", (Evidence("age", "52"),)), Counted("anticonvulsant", (GABAPENTIN,)), Counted("falls", ())),
        ("stroke", "lupus"),
        ("dementia",),
        ("BMI 18 was counted as 20.", "Calibrated elsewhere."),
    )
    assert lines(figure, "As it is, without warranty.") == [
        "Computed with the Made-up 1: major fracture within 10 years: 8.6 %; hip fracture within 10 years: 1.2 %."
        " It decided nothing on this card.",
        "Counted: Age 52; anticonvulsant, shown by Medication: gabapentin (2026-01-01); falls.",
        "Looked for, not found and assumed absent: stroke; lupus.",
        "Not looked for and counted as absent: dementia.",
        "BMI 18 was counted as 20.",
        "Calibrated elsewhere.",
        "As it is, without warranty.",
    ]


def test_s7_a_number_that_can_only_be_higher_is_said_so() -> None:
    assert result(Interval(exactly("8.6").low, None)) == "hip fracture within 10 years: at least 8.6 %"
    assert result(between("8.6", "9.1")) == "hip fracture within 10 years: 8.6 to 9.1 %"


def test_the_first_evidence_of_a_term_and_how_many_more() -> None:
    pregabalin = Evidence("medication", "pregabalin")
    counted = Counted("anticonvulsant", (GABAPENTIN, GABAPENTIN, pregabalin))
    assert lines(Figure((HIP,), (counted,)))[1] == (
        "Counted: anticonvulsant, shown by Medication: gabapentin (2026-01-01) and 1 more on record."
    )


def test_s3_not_calculable_names_every_reason() -> None:
    gaps = (Gap(GapKind.FAILED, "conditions", "timeout"), Gap(GapKind.NOT_RECORDED, "smoking"))
    assert lines(NotCalculable(("the patient is 27",), gaps), "As it is.") == [
        "Made-up 1: not calculable. the patient is 27; Look-up failed: conditions (timeout); Not on record: smoking."
    ]


def test_e1_what_the_record_says_is_escaped() -> None:
    shown = Evidence("medication", "x", note="[here](javascript:1)")
    told = lines(Figure((HIP,), (Counted("drug", (Evidence("unheard-of", "", None, "", shown.note),)),)))[1]
    assert "\\[here\\]\\(javascript\\:1\\)" in told
