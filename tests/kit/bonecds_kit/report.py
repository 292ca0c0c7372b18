"""The report: as lines, as JSON, and as JUnit XML for whatever collects the results of tests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from xml.etree import ElementTree as ET

from bonecds_kit.run import Result, State

_STATES: tuple[State, ...] = ("ok", "wrong", "not run", "by hand")


def as_text(results: Sequence[Result]) -> str:
    """One line a row, what is wrong below it, and a summary at the end."""
    return "\n".join([*_lines(results), "", summary(results)])


def summary(results: Sequence[Result]) -> str:
    """How many rows have which state."""
    counted = Counter(result.state for result in results)
    return ", ".join(f"{counted[state]} {state}" for state in _STATES)


def _lines(results: Sequence[Result]) -> Iterator[str]:
    for service, rows in groupby(results, key=lambda each: each.service):
        yield service
        for result in rows:
            state = "WRONG" if result.state == "wrong" else result.state
            told = result.why or (result.by_hand if result.state == "by hand" else "")
            yield f"  {state:8}{result.row:5}{result.title}" + (f" ({told})" if told else "")
            for problem in result.problems:
                yield f"{'':15}{problem.call}: came {problem.came}, right is {problem.right}"
            if result.by_hand and result.state != "by hand":
                reads = "" if result.key_reads is None else f" It was read {result.key_reads} times."
                yield f"{'':15}by hand, too: {result.by_hand}{reads}"


def as_json(results: Sequence[Result]) -> str:
    """Every result with all that is known, and how many rows have which state."""
    counted = Counter(result.state for result in results)
    document = {"summary": {state: counted[state] for state in _STATES}, "results": [asdict(each) for each in results]}
    return json.dumps(document, indent=2)


def as_junit(results: Sequence[Result]) -> str:
    """One test case a row; what was not run, and what is left to do by hand, is skipped."""
    suite = ET.Element("testsuite", name="bonecds-testkit", tests=str(len(results)))
    for result in results:
        case = ET.SubElement(suite, "testcase", classname=result.service, name=f"{result.row} {result.title}")
        if result.state == "wrong":
            told = "\n".join(f"{each.call}: came {each.came}, right is {each.right}" for each in result.problems)
            ET.SubElement(case, "failure", message=f"{len(result.problems)} wrong").text = told
        elif result.state != "ok":
            ET.SubElement(case, "skipped", message=f"{result.state}: {result.why or result.by_hand}")
    counted = Counter(result.state for result in results)
    suite.set("failures", str(counted["wrong"]))
    suite.set("skipped", str(counted["not run"] + counted["by hand"]))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


FORMATS = {"text": as_text, "json": as_json, "junit": as_junit}
