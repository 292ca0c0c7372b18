"""T- and Z-scores from the words of a DXA report, only where nothing about them is open.

A sentence is cut into tokens: sites, measures, numbers, and words that make it doubtful ("previous", "compared", a year).
It is read only if its tokens are, one after the other, such groups and nothing else is left over:

    site measure number [measure number]        Lumbar spine L1-L4 T-score -2.6 (Z -1.9)
    measure site number [measure number]        T-score of the left femoral neck: -1.8
    measure number site                         T-score -2.6 at the lumbar spine     (alone in its sentence)

A number needs its sign: "T-score 2.1" may have lost it. Everything else with a measure and a number in it is not read and
reported. Definitions ("osteoporosis: T-score at or below -2.5") name no site and are passed over.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from cds_service.clinical.facts.dxa_sites import SITE_WORDS, Measure, Site, refined
from cds_service.clinical.measurements import analytes
from cds_service.fhir.read import items, mapping, string
from cds_service.kernel.needs import Resource

_LONGEST_TEXT = 100_000
_BREAK_TAGS = re.compile(r"</?(?:p|div|br|tr|li|td|th|h\d|table|ul|ol)\b[^>]*>", re.I)
_TAGS = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Spoken:
    """One score that a report states."""

    measure: Measure
    site: Site
    value: Decimal


@dataclass(frozen=True, slots=True)
class Narrative:
    """What the words of a report give.

    Attributes:
        scores: what could be read, each once.
        unclear: whether there is a sentence with a score that could not be read, or a document that is no plain text.
    """

    scores: tuple[Spoken, ...]
    unclear: bool


def narrative(report: Resource) -> Narrative:
    """Read the conclusion, the attached plain text and the narrative of a DiagnosticReport."""
    found: dict[Spoken, None] = {}
    unclear = any(not _plain_text(form) for form in items(report.get("presentedForm")))
    for text in texts_of(report):
        scores, some_unclear = _read(text)
        found.update(dict.fromkeys(scores))
        unclear = unclear or some_unclear
    return Narrative(tuple(found), unclear)


def texts_of(report: Resource) -> tuple[str, ...]:
    """All words of a report, as plain text."""
    texts = [string(report.get("conclusion")), _stripped(string(mapping(report.get("text")).get("div")))]
    texts.extend(_plain_text(form) for form in items(report.get("presentedForm")))
    return tuple(text[:_LONGEST_TEXT] for text in texts if text)


def _stripped(div: str) -> str:
    return html.unescape(_TAGS.sub(" ", _BREAK_TAGS.sub("\n", div[:_LONGEST_TEXT])))


def _plain_text(form: object) -> str:
    """The text of an attachment; empty when it is a document of another kind, or not there."""
    attachment = mapping(form)
    kind, _, _ = string(attachment.get("contentType")).lower().partition(";")
    if kind.strip() != "text/plain":
        return ""
    try:
        return base64.b64decode(string(attachment.get("data"))[: 2 * _LONGEST_TEXT], validate=False).decode()
    except (binascii.Error, ValueError):
        return ""


# --- sentences -------------------------------------------------------------------------------------------------------
# A full stop ends a sentence unless a digit follows it ("-2.5"); so does a line break.
_ENDS = re.compile(r"[\n\r;]+|\.(?!\d)")
_HEADING_WORDS = 4


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text."""
    return (sentence.strip() for sentence in _ENDS.split(text) if sentence.strip())


def _read(text: str) -> tuple[list[Spoken], bool]:
    scores: list[Spoken] = []
    unclear = past = False
    for sentence in sentences(text):
        tokens = list(_tokens(sentence))
        kinds = {token.kind for token in tokens}
        if _is_heading(sentence, kinds):
            past = "doubt" in kinds
        if not {"measure", "number"} <= kinds or _is_definition(kinds):
            continue
        groups = None if past or "doubt" in kinds else _groups(tokens)
        unclear = unclear or groups is None
        scores.extend(groups or ())
    return scores, unclear


def _is_heading(sentence: str, kinds: set[str]) -> bool:
    """A short line without a number ("Comparison", "Prior study:") that says what the next lines are about."""
    return "number" not in kinds and "measure" not in kinds and len(sentence.split()) <= _HEADING_WORDS


def _is_definition(kinds: set[str]) -> bool:
    return "site" not in kinds and "limit" in kinds


# --- tokens ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    site: Site = Site.UNKNOWN
    measure: Measure = Measure.T
    value: Decimal | None = None


_DOUBT = (
    r"previous(?:ly)?|prior|history|earlier|last|former(?:ly)?|baseline|compar\w*|chang\w*|increas\w*|decreas\w*|declin\w*"
    r"|improv\w*|since|target|goal|if|would|mother|father|famil\w*|not|no|unreliable|arti?e?fact\w*|exclud\w*|invalid"
    r"|mean|average|estimated|approximately|about|versus|vs|range|between|and/or|reference|treshold|threshold"
)
_NUMBER = r"(?:minus |plus |[+\-−–])?\d+(?:\.\d+|,\d(?!\d))?"
_PARTS = (
    ("bmd", r"(?:bmd|bone mineral density|density)[^\d+\-−–.;]{0,20}\d+(?:[.,]\d+)?(?: ?m?g/cm\S*)?"),
    ("skip", r"\d+(?:\.\d+)? ?(?:m?g/cm\S*|%|percent\w*|years?\b|yrs?\b|y/o\b|mm\b|cm\b|kg\b)"),
    ("doubt", r"\b(?:19|20)\d\d(?:[-/]\d{1,2}){0,2}\b|\b\d{1,2}/\d{1,2}(?:/\d{2,4})?\b"),
    ("limit", r"<=?|>=?|≤|≥|\b(?:at or )?(?:below|above)\b|\b(?:less|greater|more|lower|higher) than\b|\bor (?:less|lower|below)\b"),
    ("measure", r"\b(?P<measure>[TZ])(?:[- ]?scores?\b|(?=\s*(?:=|:|\s[+\-−–]\d)))"),
    *((f"site{n}", pattern) for n, (pattern, _) in enumerate(SITE_WORDS)),
    ("doubt2", rf"\b(?:{_DOUBT})\b"),
    ("number", rf"(?<![\w.])(?P<number>{_NUMBER})(?![\w/])"),
    ("doubt3", r"\d"),
)  # fmt: skip
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PARTS if name != "measure" and name != "number")
                    .replace("(?P<doubt2>", f"{_PARTS[4][1]}|(?P<doubt2>")
                    .replace("(?P<doubt3>", f"{_PARTS[-2][1]}|(?P<doubt3>"), re.I)  # fmt: skip
