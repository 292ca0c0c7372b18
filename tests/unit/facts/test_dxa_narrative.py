"""Scores in the words of a DXA report: read only where number, sign and site are beyond doubt."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest

from cds_service.clinical.facts.dxa_narrative import narrative
from cds_service.clinical.facts.dxa_sites import site_in


def read(text: str) -> list[tuple[str, str, str]]:
    return told({"conclusion": text})


def told(report: Mapping[str, object]) -> list[tuple[str, str, str]]:
    return [(each.measure.value, each.site.value, str(each.value)) for each in narrative(report).scores]


def unclear(text: str) -> bool:
    return narrative({"conclusion": text}).unclear


T, Z = "t-score", "z-score"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lumbar spine L1-L4 T-score -2.6", [(T, "lumbar spine", "-2.6")]),
        ("AP spine (L1 to L4): T-score -2.6.", [(T, "lumbar spine", "-2.6")]),
        ("L1-L4: T -2.6", [(T, "lumbar spine", "-2.6")]),
        ("T-score of the left femoral neck: -1.8", [(T, "femoral neck", "-1.8")]),
        ("total hip: T = -2.1 (Z = -0.9)", [(T, "total hip", "-2.1"), (Z, "total hip", "-0.9")]),
        ("Hip: femoral neck T-score -2.1", [(T, "femoral neck", "-2.1")]),
        ("T-score -2.6 at the lumbar spine", [(T, "lumbar spine", "-2.6")]),
        ("Total hip T-score minus 1.8", [(T, "total hip", "-1.8")]),
        ("Total hip T-score +0.3", [(T, "total hip", "0.3")]),
        ("Total hip T-score 0.0", [(T, "total hip", "0")]),
        ("Total hip T-score −1.8", [(T, "total hip", "-1.8")]),
        ("Total hip T-score -1,8", [(T, "total hip", "-1.8")]),
        (
            "Lumbar spine: BMD 0.812 g/cm2, T-score -2.6, Z-score -1.9; total hip BMD 0.7 g/cm2 T-score -1.8",
            [(T, "lumbar spine", "-2.6"), (Z, "lumbar spine", "-1.9"), (T, "total hip", "-1.8")],
        ),
        ("Lumbar spine T-score -2.6, total hip T-score -1.8", [(T, "lumbar spine", "-2.6"), (T, "total hip", "-1.8")]),
        ("Ward's triangle T-score -3.3", [(T, "Ward's area", "-3.3")]),
        ("33% radius T-score -3.1", [(T, "forearm", "-3.1")]),
        ("Total hip T-score -2.5SD", [(T, "total hip", "-2.5")]),
        ("Total hip T-score -2.5 SD", [(T, "total hip", "-2.5")]),
    ],
)
def test_d10_clear_sentences_are_read(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert read(text) == expected
    assert not unclear(text)


@pytest.mark.parametrize(
    "text",
    [
        "T-score 2.6 at the lumbar spine",  # the sign may be lost
        "Lumbar spine T-score - 2.6",  # a dash or a sign
        "Lumbar spine T-score-2.6",
        "Lumbar spine T-score -2.1 to -2.6",
        "Lumbar spine T-score -2.6 -2.4",
        "Lumbar spine T-score previously -2.1",
        "Lumbar spine T-score -2.6, was -2.1 in 2019",
        "DXA of 2019-05-01: lumbar spine T-score -2.6",
        "Prior study: lumbar spine T-score -2.6",
        "Lumbar spine T-score < -2.5",
        "Femoral neck and total hip T-score -2.1",
        "T-score: -2.6",  # no site
        "Lumbar spine L1 T-score -2.6",  # one vertebra is not evaluable
        "Lumbar spine T-score -26",
        "Lumbar spine T-score -1.8x",  # never read as -1
        "Lumbar spine T-score -2.5.1",
        "Lumbar spine T-score -2.6 " + "and so on " * 60,  # too long to be taken apart
        "The images are of good quality " * 20 + "lumbar spine T-score -2.6",
        "Lumbar spine T-score of -2.6 is not valid because of artefact",
        "Mother: lumbar spine T-score -2.6",
        "Comparison\nLumbar spine T-score -2.1",
    ],
)
def test_d18_open_sentences_are_not_read_and_reported(text: str) -> None:
    assert read(text) == []
    assert unclear(text)


@pytest.mark.parametrize(
    "text",
    [
        "Osteoporosis: T-score at or below -2.5",
        "WHO: osteopenia T-score between -1.0 and -2.5",
        "T-scores are compared with young adults.",
        "No T-score was worked out.",
        "Bone mineral density 0.812 g/cm2 at the lumbar spine.",
        "",
    ],
)
def test_definitions_and_words_without_a_score_are_passed_over(text: str) -> None:
    assert read(text) == []
    assert not unclear(text)


def test_a_heading_about_the_past_holds_until_the_next_heading() -> None:
    text = "Comparison\nLumbar spine T-score -2.1\nFindings\nTotal hip T-score -1.8"
    assert read(text) == [(T, "total hip", "-1.8")]
    assert unclear(text)


def test_the_same_score_in_conclusion_and_narrative_is_one() -> None:
    div = "<div><p>Total hip <b>T-score</b> -1.8</p><p>&nbsp;</p></div>"
    assert told({"conclusion": "Total hip T-score -1.8", "text": {"div": div}}) == [(T, "total hip", "-1.8")]


def test_table_cells_are_not_run_together() -> None:
    div = "<table><tr><td>Total hip</td><td>T-score -1.8</td></tr></table>"
    assert narrative({"text": {"div": div}}).scores == ()


def test_attached_plain_text_is_read() -> None:
    data = base64.b64encode(b"Total hip T-score -1.8").decode()
    report = {"presentedForm": [{"contentType": "text/plain; charset=utf-8", "data": data}]}
    assert told(report) == [(T, "total hip", "-1.8")]
    assert not narrative(report).unclear


@pytest.mark.parametrize(
    "form",
    [
        {"contentType": "application/pdf", "data": "JVBERi0="},
        {"contentType": "text/plain", "data": "%%%"},
        {},
        "x",
        [None],
    ],
)
def test_attachments_that_are_no_plain_text_are_reported(form: object) -> None:
    found = narrative({"presentedForm": form})
    assert (found.scores, found.unclear) == ((), True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("DXA Hip - left [T-score] Bone density", "total hip"),
        ("Ward's triangle of the femoral neck", "Ward's area"),
        ("Left FN", "femoral neck"),
        ("Trochanter", "another region"),
        ("DXA Femur [T-score] Bone density", "proximal femur"),
        ("L1-L4", "lumbar spine"),
        ("Os calcis, heel", "heel"),
        ("Whole body", "whole body"),
        ("DXA [T-score] Bone density", "site not stated"),
    ],
)
def test_sites_in_words(words: str, expected: str) -> None:
    assert site_in(words).value == expected
