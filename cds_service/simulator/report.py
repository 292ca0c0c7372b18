"""What the simulator saw: as text for people, as JSON, and as JUnit for a build server."""

from __future__ import annotations

import json
import re
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from cds_service.fhir.read import items, mapping, string
from cds_service.simulator.conformance import Finding
from cds_service.simulator.session import Called, Discovery

_WIDTH = 100
# Whatever a service sends is shown on a terminal, where an escape character is a command; XML does not have these at all.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MARKS = {"info": "i", "warning": "!", "critical": "!!"}


def clean(text: object) -> str:
    """Text of somebody else without control characters."""
    return _CONTROL.sub("\ufffd", string(text))


# --- text -----------------------------------------------------------------------------------------------------------------


def discovery_text(found: Discovery) -> str:
    """The services and their templates, then the findings."""
    lines = []
    for each in found.services:
        lines += [f"{clean(each.get('id'))}  ({clean(each.get('hook'))})  {clean(each.get('title'))}"]
        lines += textwrap.wrap(clean(each.get("description")), _WIDTH, initial_indent="  ", subsequent_indent="  ")
        lines += [
            f"  {clean(key)}: {textwrap.shorten(clean(template), 120, placeholder=' ...')}"
            for key, template in mapping(each.get("prefetch")).items()
        ]
        lines.append("")
    return "\n".join([*lines, *_findings(found.findings), f"{found.seconds * 1000:.0f} ms"])


def calls_text(called: Sequence[Called]) -> str:
    """Every call: prefetch, cards as an EHR shows them, findings."""
    return "\n".join(line for each in called for line in _call(each))


def _call(called: Called) -> Iterator[str]:
    yield f"=== {clean(called.name)}  ({clean(called.hook)})  {_how(called)}"
    if called.prefetch:
        yield "prefetch"
        yield from (f"  {clean(key):<26} {clean(words)}" for key, words in called.prefetch.items())
    for card in called.cards:
        yield ""
        yield from _card(card)
    if called.status == 200 and not called.cards:
        yield "no cards"
    yield ""
    yield from _findings(called.findings)
    yield from (f"feedback: {clean(each)}" for each in called.feedback)
    yield ""


def _how(called: Called) -> str:
    time = f"{called.seconds * 1000:.0f} ms" if called.status else ""
    return "  ".join(filter(None, (str(called.status or ""), time, clean(called.problem))))


def _card(card: Mapping[str, Any]) -> Iterator[str]:
    indicator = clean(card.get("indicator"))
    yield f"[{_MARKS.get(indicator, '?')}] {clean(card.get('summary'))}   ({indicator or 'no indicator'})"
    for line in clean(card.get("detail")).splitlines():
        yield from textwrap.wrap(line, _WIDTH, initial_indent="    ", subsequent_indent="    ") or [""]
    source = mapping(card.get("source"))
    yield "    Source: " + "  ".join(filter(None, (clean(source.get("label")), clean(source.get("url")))))
    if items(card.get("suggestions")):
        yield f"    Suggestions ({clean(card.get('selectionBehavior')) or 'no selectionBehavior'}):"
    for each in map(mapping, items(card.get("suggestions"))):
        yield f"      [ ] {clean(each.get('label'))}{'  (recommended)' if each.get('isRecommended') is True else ''}"
        for action in map(mapping, items(each.get("actions"))):
            kind = clean(mapping(action.get("resource")).get("resourceType")) or clean(action.get("resourceId"))
            yield f"          {clean(action.get('type'))} {kind}: {clean(action.get('description'))}"
    for link in map(mapping, items(card.get("links"))):
        yield f"    Link: {clean(link.get('label'))}  {clean(link.get('url'))}  ({clean(link.get('type'))})"
    if reasons := [clean(mapping(each).get("display")) for each in items(card.get("overrideReasons"))]:
        yield from textwrap.wrap(
            f"Dismiss because: {' | '.join(reasons)}", _WIDTH, initial_indent="    ", subsequent_indent="      "
        )


def _findings(found: Sequence[Finding]) -> Iterator[str]:
    errors = sum(each.level == "error" for each in found)
    if not found:
        yield "conforms to CDS Hooks 2.0.1"
    else:
        yield f"findings: {errors} errors, {len(found) - errors} warnings"
    yield from (f"  {clean(str(each))}" for each in found)


# --- JSON -----------------------------------------------------------------------------------------------------------------


def discovery_json(found: Discovery) -> str:
    """The discovery document's services and findings."""
    return _dump({"services": found.services, "seconds": round(found.seconds, 3), "findings": _plain(found.findings)})


def calls_json(called: Sequence[Called]) -> str:
    """Every call with its whole answer."""
    return _dump({"calls": [_call_json(each) for each in called]})


def _call_json(called: Called) -> dict[str, Any]:
    return {
        "name": called.name,
        "service": called.service,
        "hook": called.hook,
        "status": called.status,
        "seconds": round(called.seconds, 3),
        "problem": called.problem,
        "prefetch": dict(called.prefetch),
        "response": called.body,
        "findings": _plain(called.findings),
        "feedback": list(called.feedback),
    }


def _plain(found: Sequence[Finding]) -> list[dict[str, str]]:
    return [{"level": each.level, "where": each.where, "words": each.words} for each in found]


def _dump(value: object) -> str:
    return json.dumps(value, indent=1, default=_number)


def _number(value: object) -> int | float:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(type(value).__name__)


# --- JUnit ----------------------------------------------------------------------------------------------------------------


def discovery_junit(found: Discovery) -> str:
    """One test case."""
    errors = [each for each in found.findings if each.level == "error"]
    suite = _suite("discovery", 1, len(errors) > 0, 0)
    case = ET.SubElement(suite, "testcase", classname="cds-hooks", name="discovery", time=f"{found.seconds:.3f}")
    _fill(case, errors, found.findings)
    return _xml(suite)


def calls_junit(called: Sequence[Called], name: str) -> str:
    """One test case for each call. Cards are not in it, so that a build server keeps nothing of a record."""
    failed = sum(bool(each.errors) for each in called)
    skipped = sum(not each.errors and bool(each.problem) for each in called)
    suite = _suite(name, len(called), failed, skipped)
    for each in called:
        place = f"cds-hooks.{each.service or each.hook}"
        time = f"{each.seconds:.3f}"
        case = ET.SubElement(suite, "testcase", classname=clean(place), name=clean(each.name), time=time)
        if each.problem and not each.errors:
            # a refusal may repeat what it likes in its words: only that it was one
            words = f"declined with {each.status}" if each.status else each.problem
            ET.SubElement(case, "skipped", message=words)
        _fill(case, each.errors, each.findings)
    return _xml(suite)


def _suite(name: str, tests: int, failures: int, skipped: int) -> ET.Element:
    return ET.Element(
        "testsuite",
        name=clean(name),
        tests=str(tests),
        failures=str(int(failures)),
        errors="0",
        skipped=str(skipped),
    )


def _fill(case: ET.Element, errors: Sequence[Finding], findings: Sequence[Finding]) -> None:
    if errors:
        failure = ET.SubElement(case, "failure", message=clean(f"{errors[0].where}: {errors[0].words}")[:200])
        failure.text = clean("\n".join(map(str, errors)))
    if warnings := [str(each) for each in findings if each.level != "error"]:
        ET.SubElement(case, "system-out").text = clean("\n".join(warnings))


def _xml(suite: ET.Element) -> str:
    top = ET.Element("testsuites")
    top.append(suite)
    ET.indent(top)
    return ET.tostring(top, encoding="unicode", xml_declaration=False)
