"""All that is read from the records in tests of facts, in `read/<test file>.txt` beside them.

A test of a fact asks about one thing: a date, a truth. Here, for the records of every such test, all facts are asked for, with
what shows them and what is missing, and compared with the file; so that a lost gap, date or reference is noticed wherever a
test has a record that has one.

    WRITE_WHAT_IS_READ=1 pytest tests/unit/facts tests/unit/glucocorticoids

writes the files anew; read the difference before committing it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import re
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pytest

from cds_service.clinical import profiles
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.patient import ALL_NEEDS, Patient
from cds_service.clinical.risk_inputs import risk_inputs
from cds_service.clinical.terminology import terminology
from cds_service.fhir.chart import Chart
from cds_service.kernel.dates import DateSpan
from cds_service.kernel.needs import Lookup, LookupState, Records
from tests.vignettes.poorer_records import LESS, resources_of, retold, with_other

_NUMBERS = CLINIC.thresholds(dt.date(2026, 6, 15))
_US = profiles.profile("us")
_NOTHING = (None, "", (), frozenset())
_INJECTED = ("denosumab", "zoledronic_acid", "romosozumab", "ibandronate")
# facts that are asked for with a concept, and the families of concepts that are worth asking for
_NAMED = {
    "diagnoses": r"(cond|alcohol|menopause|smoking|therapy\.status|fracture\.history)\..*",
    "tests": r"lab\.(phosphate|ALP|magnesium|PTH|TSH|SPEP|tTG_IgA|testosterone|creatinine|eGFR|albumin)",
    "current_drugs": r"(comed|calcium|vitamin_d|calcium_vitamin_d)\..*",
}


def read_from(chart: Chart) -> list[str]:
    """A line for each fact that says something else than it would of a person with nothing on record."""
    usual = _of_nobody(chart.as_of)
    return [f"{name}: {value}" for name, value in _facts(chart) if usual.get(name) != value]


@lru_cache(maxsize=64)
def _of_nobody(day: dt.date) -> Mapping[str, str]:
    looked = Lookup(LookupState.COMPLETE)
    return dict(
        _facts(Chart(Records("p1", dict.fromkeys((need.key for need in ALL_NEEDS), looked)), terminology(), day))
    )


def _facts(chart: Chart) -> Iterator[tuple[str, str]]:
    patient = Patient(chart, _NUMBERS, _US)
    for name, fact in vars(Patient).items():
        if isinstance(fact, cached_property) and not name.startswith("_"):
            yield name, said(getattr(patient, name))
    for ingredient in _INJECTED:
        yield f"doses of {ingredient}", said(patient.doses(ingredient))
    for name, concepts in _concepts().items():
        for concept in concepts:
            found = getattr(patient, name)(concept)
            if found.items:
                yield f"{name} {concept}", said(found)
    for key, criterion in risk_inputs(patient).found.items():
        yield f"for risk models {key}", said(criterion)
    yield "set aside", "; ".join(sorted(f"{each.resource} {each.reason}" for each in chart.unread))


@lru_cache(maxsize=1)
def _concepts() -> Mapping[str, list[str]]:
    return {
        name: [each for each in sorted(terminology().names()) if re.fullmatch(family, each)]
        for name, family in _NAMED.items()
    }


# --- if less is told -------------------------------------------------------------------------------------------------
_HERE = Path(__file__).parent
_AT_MOST = 2
_LESS = ("has no date", "has no value or dose")
# lines that rest on other facts alone
_RESTING = ("for risk models", "clearance", "ost", "lowest", "pregnancy_possible", "falls_in_year")


def _if_less_is_told(item: pytest.Item, chart: Chart) -> Iterator[str]:
    """What is read otherwise if one of a few resources tells less; for the first of the cases of a test."""
    others = getattr(item, "callspec", None)
    if item.path.parent != _HERE or (others is not None and any(others.indices.values())):
        return
    usual = read_from(chart)
    records = [each for each in resources_of(chart.records) if each.get("resourceType") != "Patient"]
    if len(records) > _AT_MOST:
        return
    for less in _LESS:
        told = LESS[less]
        for each in records:
            changed = retold(each, told)
            if changed != each:
                other = Chart(with_other(chart.records, each, changed), chart.terminology, chart.as_of)
                name = f"{each.get('resourceType')}/{each.get('id')}"
                changes = (line for line in read_from(other) if line not in usual and not line.startswith(_RESTING))
                yield from (f"if {name} {less}, {line}" for line in changes)


# --- values in words -------------------------------------------------------------------------------------------------
def said(value: object) -> str:
    """A fact in one line, without what is empty."""
    match value:
        case DateSpan():
            return (
                value.text if str(value.latest) == value.text else f"{value.text} = {value.earliest} to {value.latest}"
            )
        case Decimal():
            return f"{value.normalize():f}"
        case Enum():
            return str(value.value)
        case tuple() | list():
            return f"[{'; '.join(map(said, value))}]"
        case set() | frozenset():
            return f"{{{', '.join(sorted(map(said, value)))}}}"
        case Mapping():
            return f"{value.get('resourceType', 'object')}/{value.get('id', '')}"
    if dataclasses.is_dataclass(value):
        told = ((each.name, getattr(value, each.name)) for each in dataclasses.fields(value))
        inside = ", ".join(f"{name}={said(each)}" for name, each in told if each not in _NOTHING)
        return f"{type(value).__name__}({inside})"
    return str(value)


# --- files -----------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=64)
def _written(test_file: Path) -> dict[str, str]:
    """What is written of the tests of a file, by test."""
    path = _beside(test_file)
    blocks = path.read_text("utf-8").split("\n# ")[1:] if path.exists() else []
    return {name: lines.rstrip("\n") for name, _, lines in (block.partition("\n") for block in blocks)}


def _beside(test_file: Path) -> Path:
    return test_file.parent / "read" / f"{test_file.stem}.txt"


def _write(test_file: Path, tests: Mapping[str, str]) -> None:
    path = _beside(test_file)
    path.parent.mkdir(exist_ok=True)
    blocks = "\n\n".join(f"# {name}\n{lines}" for name, lines in tests.items() if lines)
    head = "All that is read in these tests; tests/unit/facts/everything_read.py says how this file is written anew."
    path.write_text(f"{head}\n\n{blocks}\n", "utf-8")


# --- for conftest.py -------------------------------------------------------------------------------------------------
_WRITING = bool(os.environ.get("WRITE_WHAT_IS_READ"))
_found: dict[Path, dict[str, str]] = defaultdict(dict)
# tests that look at the records of a whole year, day by day, have more
_MOST = 12


def reading(item: pytest.Item) -> Generator[None, Any, Any]:
    """Note the records that the test looks at, then read all of them."""
    made: list[Chart] = []
    original = Chart.__post_init__

    def noting(self: Chart) -> None:
        original(self)
        made.append(self)

    Chart.__post_init__ = noting  # type: ignore[method-assign]
    try:
        result = yield
    finally:
        Chart.__post_init__ = original  # type: ignore[method-assign]
    if made and len(made) <= _MOST and not hasattr(getattr(item, "function", None), "hypothesis"):
        name = item.name.encode("unicode_escape").decode()
        told = "\n".join(line for chart in made for line in (*read_from(chart), *_if_less_is_told(item, chart)))
        if _WRITING:
            _found[item.path][name] = told
        else:
            assert told == _written(item.path).get(name, ""), __doc__
    return result


def finish() -> None:
    """Write the files anew, when asked to."""
    for test_file, tests in _found.items():
        _write(test_file, tests)
