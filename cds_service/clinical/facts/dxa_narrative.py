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

from cds_service.clinical.facts.dxa_sites import SITE_PATTERNS, Measure, Site, refined
from cds_service.clinical.measurements import analytes
from cds_service.fhir.read import items, mapping, string
from cds_service.kernel.needs import Resource

_LONGEST_TEXT = 20_000
_LONGEST_SENTENCE = 600
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
# most sentences of a report name no score: they are not worth cutting up
_MAY_TELL = re.compile(r"score|\b[TZ]\b", re.I)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text."""
    return (sentence.strip() for sentence in _ENDS.split(text) if sentence.strip())


def _read(text: str) -> tuple[list[Spoken], bool]:
    scores: list[Spoken] = []
    unclear = past = False
    for sentence in sentences(text):
        if not _MAY_TELL.search(sentence) and len(sentence.split()) > _HEADING_WORDS:
            continue
        tokens = list(_tokens(sentence[:_LONGEST_SENTENCE]))
        kinds = {token.kind for token in tokens}
        if _is_heading(sentence, kinds):
            past = "doubt" in kinds
        if len(sentence) > _LONGEST_SENTENCE and _MEASURE.search(sentence):
            unclear = True  # wherever in it the score stands
            continue
        if not {"measure", "number"} <= kinds or _is_definition(kinds):
            continue
        doubtful = past or bool(kinds & {"doubt", "limit"})
        groups = [] if doubtful else _groups(tokens)
        unclear = unclear or not groups
        scores.extend(groups)
    return scores, unclear


def _is_heading(sentence: str, kinds: set[str]) -> bool:
    """A short line without a number ("Comparison", "Prior study:") says what the next lines are about."""
    return not kinds & {"number", "measure"} and len(sentence.split()) <= _HEADING_WORDS


def _is_definition(kinds: set[str]) -> bool:
    return "site" not in kinds and "limit" in kinds


# --- tokens ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of a sentence.

    Attributes:
        kind: site, measure, number, limit ("below"), doubt; what says nothing is left out.
        site: of a site.
        measure: of a measure.
        value: of a number that has its sign (or is zero).
        joined: whether nothing but a blank, a colon or a bracket stands between it and the token before.
    """

    kind: str
    site: Site = Site.UNKNOWN
    measure: Measure = Measure.T
    value: Decimal | None = None
    joined: bool = False


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(patterns)})(?!\w)", re.I)


_MEASURE = re.compile(r"(?P<letter>[TZ])(?:[- ]?scores?(?!\w)|(?=\s*[=:])|(?=\s+[+\-−–]\d))", re.I)
_NUMBER = re.compile(
    r"(?P<sign>minus |plus |[+\-−–])?(?P<digits>\d+(?:\.\d+|,\d(?!\d))?)(?:\s?SDs?)?(?![\w/]|[.,]\d)", re.I
)
# "-1.8x", "-2.5a": whatever is glued to it, the number before is not all of it
_GLUED = re.compile(r"[+\-−–]?\d+[.,]\d+\w+")
_LIMIT = re.compile(
    r"<=?|>=?|≤|≥|(?:(?:at or )?(?:below|above)|(?:less|greater|more|lower|higher) than|or (?:less|lower)|between|at least"
    r"|defin\w*|criteri\w*|classif\w*|WHO)(?!\w)",
    re.I,
)
_DATE = re.compile(r"(?:19|20)\d\d(?:[-/.]\d{1,2}){0,2}(?!\d)|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?!\d)")
_DOUBT = _words(
    r"previous(?:ly)?", "prior", "history", "earlier", "last", "former(?:ly)?", "baseline", r"compar\w*", r"chang\w*",
    r"increas\w*", r"decreas\w*", r"declin\w*", r"improv\w*", "since", "ago", "target", "goal", "if", "would", "mother", "father",
    r"famil\w*", "not", "no", "unreliable", r"arti?e?fact\w*", r"exclud\w*", "invalid", "mean", "average",
    r"estimat\w*", "approximately", "about", "versus", "vs", "and/or", "threshold", r"l[1-5]",
)  # fmt: skip
# Numbers that are something else: densities, percentages, ages
_OTHER_NUMBER = re.compile(
    r"(?:BMD|bone mineral density)\W{0,3}(?:(?:is|was|of)\W)?\W{0,2}\d+(?:[.,]\d+)?(?:\s?m?g/cm\S*)?"
    r"|[+\-−–]?\d+(?:[.,]\d+)?\s?(?:m?g/cm\S*|%|percent\w*|(?:years?|yrs?|y/o|mm|cm|kg)(?!\w))",
    re.I,
)
_BLANKS = re.compile(r"\s+")
_WORD = re.compile(r"\w+|\W")


def _tokens(sentence: str) -> Iterator[_Token]:
    at, end_of_last = 0, 0
    while at < len(sentence):
        token, end = _token_at(sentence, at)
        if token is not None:
            between = sentence[end_of_last:at]
            yield _Token(token.kind, token.site, token.measure, token.value, not between.strip(" :(-"))
            end_of_last = end
        at = end


def _token_at(sentence: str, at: int) -> tuple[_Token | None, int]:
    """The token that starts there, if one does, and where the next may start. Words count as a whole."""
    if match := _BLANKS.match(sentence, at):
        return None, match.end()
    for pattern, site in SITE_PATTERNS:
        if match := pattern.match(sentence, at):
            return _Token("site", site=site), match.end()
    if match := _OTHER_NUMBER.match(sentence, at):
        return None, match.end()
    for pattern, kind in ((_DATE, "doubt"), (_LIMIT, "limit"), (_DOUBT, "doubt")):
        if match := pattern.match(sentence, at):
            return _Token(kind), match.end()
    if match := _MEASURE.match(sentence, at):
        return _Token("measure", measure=Measure.T if match["letter"] in "Tt" else Measure.Z), match.end()
    if match := _NUMBER.match(sentence, at):
        return _Token("number", value=_signed(match, sentence, at)), match.end()
    if match := _GLUED.match(sentence, at):
        return _Token("number"), match.end()
    word = _WORD.match(sentence, at)
    return None, word.end() if word else at + 1


def _signed(match: re.Match[str], sentence: str, at: int) -> Decimal | None:
    """The value, if its sign is beyond doubt: "T-score-2.5" and "T-score 2.5" may be either."""
    value, sign = Decimal(match["digits"].replace(",", ".")), (match["sign"] or "").strip().lower()
    if not value:
        return value
    glued = len(sign) == 1 and at > 0 and sentence[at - 1].isalnum()
    if not sign or glued:
        return None
    return value if sign in ("+", "plus") else -value


# --- groups ----------------------------------------------------------------------------------------------------------
_SITE_FIRST = ("site", "measure", "number")
_MEASURE_FIRST = ("measure", "site", "number")
_SITE_LAST = ("measure", "number", "site")


def _groups(tokens: list[_Token]) -> list[Spoken]:
    """The scores of a sentence; none when anything in it is left over, has no sign or is out of range."""
    rest = _merged_sites(tokens)
    if tuple(token.kind for token in rest) == _SITE_LAST:
        rest = [rest[2], rest[0], rest[1]]
    found: list[Spoken] = []
    site = Site.UNKNOWN
    while rest:
        kinds = tuple(token.kind for token in rest[:3])
        if kinds == _SITE_FIRST:
            (place, what, number), rest = rest[:3], rest[3:]
            site = place.site
        elif kinds == _MEASURE_FIRST:
            (what, place, number), rest = rest[:3], rest[3:]
            site = place.site
        elif kinds[:2] == ("measure", "number") and found and found[-1].measure is not rest[0].measure:
            (what, number), rest = rest[:2], rest[2:]
        else:
            return []
        if not _usable(site, what.measure, number.value):
            return []
        found.append(Spoken(what.measure, site, number.value or Decimal(0)))
    return found


def _usable(site: Site, measure: Measure, value: Decimal | None) -> bool:
    limits = analytes()[measure.value]
    return site is not Site.UNKNOWN and value is not None and limits.low <= value <= limits.high


def _merged_sites(tokens: list[_Token]) -> list[_Token]:
    """One site per place: "Hip: femoral neck", "lumbar spine (L1-L4)"; "hip and spine" stay two."""
    merged: list[_Token] = []
    for token in tokens:
        if token.kind == "site" and token.joined and merged and merged[-1].kind == "site":
            merged[-1] = _Token("site", site=refined(merged[-1].site, token.site))
        else:
            merged.append(token)
    return merged
