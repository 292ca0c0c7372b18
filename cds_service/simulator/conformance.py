"""Whether what a CDS service answers keeps to CDS Hooks 2.0.1, and where an EHR will stumble although it does.

Findings name the place and what is asked there, never what stands there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cds_service.fhir.read import items, mapping, string
from cds_service.formats.urls import is_loopback
from cds_service.protocol import validate

# "under 500 ms" (2.0.1, Performance)
SLOW = 0.5
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_HTML = re.compile(r"<(?:script|iframe|img|a|p|br|b|i|div|span|table|ul|ol|li)\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not right.

    Attributes:
        level: "error" for what breaks the specification, "warning" for what some EHR will not like.
        where: path in the document, or the HTTP part.
        words: what is asked there.
    """

    level: str
    where: str
    words: str

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.words}"


def of_discovery(body: object) -> list[Finding]:
    """Findings on a discovery document."""
    found = [_error(each) for each in validate.violations_of_discovery(body)]
    services = list(map(mapping, items(mapping(body).get("services"))))
    counted = Counter(string(each.get("id")) for each in services)
    for at, each in enumerate(services):
        place = f"services[{at}]"
        if counted[string(each.get("id"))] > 1:
            found.append(Finding("warning", f"{place}.id", "stands more than once: some clients keep one hook per id"))
        if not string(each.get("title")):
            found.append(Finding("warning", f"{place}.title", "is recommended: administrators choose by it"))
    return found


def of_answer(status: int, content_type: str, body: object, seconds: float) -> list[Finding]:
    """Findings on the answer to a call that was not refused."""
    found: list[Finding] = []
    if status != 200:
        found.append(Finding("error", "status", f"is {status}; a call that was answered has 200"))
    if content_type != "application/json":
        found.append(Finding("warning", "Content-Type", "is not application/json"))
    if body is None:
        return [*found, Finding("error", "(body)", "is not strict JSON")]
    if seconds > SLOW:
        found.append(Finding("warning", "time", f"took {seconds:.1f} s; the specification asks for less than 0.5"))
    found += [_error(each) for each in validate.violations_of_response(body)]
    return [*found, *_beyond_the_schema(mapping(body))]


def _error(violation: str) -> Finding:
    where, _, words = violation.partition(": ")
    return Finding("error", where, words)


def _beyond_the_schema(body: Mapping[str, Any]) -> Iterator[Finding]:
    seen: Counter[str] = Counter()
    for at, card in enumerate(map(mapping, items(body.get("cards")))):
        place = f"cards[{at}]"
        yield from _ident(card, f"{place}.uuid", "is needed for feedback", seen)
        if _HTML.search(string(card.get("detail"))):
            yield Finding("warning", f"{place}.detail", "holds HTML: it is Markdown, and clients escape or drop tags")
        if not mapping(card.get("source")).get("topic"):
            yield Finding("warning", f"{place}.source.topic", "is missing: clients cannot count or silence cards by it")
        for name in ("url", "icon"):
            yield from _address(mapping(card.get("source")).get(name), f"{place}.source.{name}")
        for number, link in enumerate(map(mapping, items(card.get("links")))):
            yield from _address(link.get("url"), f"{place}.links[{number}].url")
        for number, suggestion in enumerate(map(mapping, items(card.get("suggestions")))):
            where = f"{place}.suggestions[{number}]"
            yield from _ident(suggestion, f"{where}.uuid", "is needed to report that it was accepted", seen)
            if not suggestion.get("actions"):
                yield Finding("warning", f"{where}.actions", "is missing: accepting it changes nothing")
    if body.get("systemActions"):
        yield Finding("warning", "systemActions", "are applied by clients without asking anybody")


def _ident(element: Mapping[str, Any], where: str, need: str, seen: Counter[str]) -> Iterator[Finding]:
    ident = string(element.get("uuid"))
    if not ident:
        yield Finding("warning", where, f"is missing; it {need}")
        return
    if not _UUID.fullmatch(ident):
        yield Finding("warning", where, "is no UUID")
    seen[ident] += 1
    if seen[ident] == 2:
        yield Finding("error", where, "is used twice in one answer")


def _address(value: object, where: str) -> Iterator[Finding]:
    """An address that is not absolute is the schema's to find."""
    if not isinstance(value, str) or not value.startswith("http:"):
        return
    try:
        here = is_loopback(urlsplit(value).hostname or "")
    except ValueError:
        here = False
    if not here:
        yield Finding("warning", where, "is http: EHRs block what is not https")
