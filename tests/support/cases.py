"""The vignettes of `tests/vignettes/*.toml`: one clinical case each, and what its rule has to answer.

A file has the rule's id, the guideline sets that are on (`sets`), a patient that every case starts from (`given`), and the
cases, which add to that patient or replace parts of it. `expect` names the verdict and, where they matter: `values` (a subset
of what the rule computes), `level`, `missing` ("reason what", all of them) and `says` (words on the card).
"""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from cds_service.clinical import content
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.content import Profile
from cds_service.clinical.patient import Patient
from cds_service.clinical.terminology import terminology
from cds_service.engine.gather import gather
from cds_service.fhir.chart import Chart
from cds_service.formats import strict_json
from cds_service.kernel.needs import Records
from cds_service.kernel.rules import Outcome, Rule, decide
from cds_service.kernel.thresholds import Thresholds
from cds_service.protocol.request import parse
from hooks.patient_view import SERVICE
from tests.support.call import request_text
from tests.support.story import AS_OF

FOLDER = Path(__file__).parent.parent / "vignettes"
RULES: Mapping[str, Rule] = {rule.id: rule for rule in SERVICE.rules}
_EXPECT = frozenset({"verdict", "values", "level", "missing", "says"})


@dataclass(frozen=True, eq=False)
class Case:
    """One vignette.

    Attributes:
        rule: id of the rule asked.
        name: the case in a clinician's words.
        sets: guideline sets that are on.
        story: the patient, see `story.py`.
        expect: the answer.
    """

    rule: str
    name: str
    sets: tuple[str, ...]
    story: Mapping[str, Any]
    expect: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.rule}: {self.name}"

    @property
    def as_of(self) -> dt.date:
        """The day of the case."""
        return dt.date.fromisoformat(self.story.get("as_of", AS_OF))

    @cached_property
    def profile(self) -> Profile:
        """The US profile with just the guideline sets of the case."""
        return content.profile("us").only(self.sets)

    @cached_property
    def records(self) -> Records:
        """The story as a CDS Hooks call, as the service reads it: JSON text in, records out."""
        call = parse(strict_json.load(request_text(self.story).encode()), hook="patient-view")
        return gather(call, SERVICE.needs)

    @cached_property
    def chart(self) -> Chart:
        """The records, indexed; the same for every set of thresholds."""
        return Chart(self.records, terminology(), self.as_of)

    def facts(self, thresholds: Thresholds) -> Patient:
        """The facts under those thresholds."""
        return Patient(self.chart, thresholds, self.profile)

    def outcome(self, thresholds: Thresholds | None = None) -> Outcome:
        """The answer of the case's rule, under the thresholds in force or under others."""
        numbers = thresholds or CLINIC.thresholds(self.as_of)
        return decide(RULES[self.rule], self.facts(numbers), numbers)

    def answer(self, outcome: Outcome) -> dict[str, Any]:
        """As much of an outcome as the case has an opinion about, in the shape of `expect`."""
        values = outcome.finding.values
        seen = {
            "verdict": outcome.verdict.value,
            "level": outcome.finding.level.value,
            "missing": sorted({f"{gap.kind.value} {gap.what}" for gap in outcome.missing}),
            "values": {key: values.get(key) for key in self.expect.get("values", ())},
        }
        return {key: seen[key] for key in self.expect if key in seen}

    @property
    def expected(self) -> dict[str, Any]:
        """`expect` without what is on the card; the order of what is missing does not matter."""
        wanted = {key: value for key, value in self.expect.items() if key != "says"}
        return wanted | ({"missing": sorted(wanted["missing"])} if "missing" in wanted else {})


@lru_cache(maxsize=1)
def all_cases() -> tuple[Case, ...]:
    """Every vignette of every file, in order."""
    return tuple(case for file in sorted(FOLDER.glob("*.toml")) for case in _read(file))


def _read(file: Path) -> list[Case]:
    content_ = tomllib.loads(file.read_text(encoding="utf-8"))
    rule, sets, given = content_.pop("rule"), content_.pop("sets"), content_.pop("given", {})
    cases = content_.pop("case")
    assert not content_, f"{file.name}: unknown keys {list(content_)}"
    assert rule == file.stem, f"{file.name} is about {rule}"
    return [_case(rule, sets, given, case) for case in cases]


def _case(rule: str, sets: list[str], given: Mapping[str, Any], told: dict[str, Any]) -> Case:
    name, expect = told.pop("name"), told.pop("expect")
    on = told.pop("sets", sets)
    assert expect.keys() <= _EXPECT, f"{rule}: {name}: unknown expectation"
    return Case(rule, name, tuple(on), json.loads(json.dumps({**given, **told})), expect)
