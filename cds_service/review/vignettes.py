"""Vignettes: one clinical case each, and what its rule has to answer. Ours are in `tests/vignettes/*.toml`.

A file has the rule's id, the guideline sets that are on (`sets`), a patient that every case starts from (`given`), and the
cases, which add to that patient or replace parts of it. A file or a case may name a `profile` ("us" if it does not); without
`sets` that profile is on as it is. `switches` takes other readings of disagreements (`switches.toml`). `expect` names the
verdict and, where they matter: `values` (a subset of what the rule computes), `level`, `missing` ("reason what", all of them)
and `says` (words on the card).
"""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from cds_service.clinical import profiles
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.patient import Patient
from cds_service.clinical.profiles import Profile, switches
from cds_service.clinical.terminology import terminology
from cds_service.engine.gather import gather
from cds_service.fhir.chart import Chart
from cds_service.formats import strict_json
from cds_service.kernel.errors import ContentError
from cds_service.kernel.needs import Records
from cds_service.kernel.rules import Outcome, Rule, decide
from cds_service.kernel.thresholds import Thresholds
from cds_service.protocol.request import parse
from cds_service.review.call import hook_of, request_text
from cds_service.review.story import AS_OF
from hooks.patient_view import SERVICE

RULES: Mapping[str, Rule] = {rule.id: rule for rule in SERVICE.rules}
_SITE = ("sets", "profile", "switches")
_EXPECT = frozenset({"verdict", "values", "level", "missing", "says"})


@dataclass(frozen=True, eq=False)
class Case:
    """One vignette.

    Attributes:
        rule: id of the rule asked.
        name: the case in a clinician's words.
        sets: guideline sets that are on; none for the whole profile.
        story: the patient, see `story.py`.
        expect: the answer.
        site: the profile.
        switches: readings of disagreements that differ from those of the profile.
    """

    rule: str
    name: str
    sets: tuple[str, ...]
    story: Mapping[str, Any]
    expect: Mapping[str, Any]
    site: str = "us"
    switches: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.rule}: {self.name}"

    @property
    def as_of(self) -> dt.date:
        """The day of the case."""
        return dt.date.fromisoformat(self.story.get("as_of", AS_OF))

    @cached_property
    def profile(self) -> Profile:
        """The profile, with just the guideline sets of the case where it names any."""
        made = profiles.profile(self.site)
        made = made.only(self.sets) if self.sets else made
        return replace(made, switches=tuple(sorted({**dict(made.switches), **self.switches}.items())))

    @cached_property
    def records(self) -> Records:
        """The story as a CDS Hooks call, as the service reads it: JSON text in, records out."""
        call = parse(strict_json.load(request_text(self.story).encode()), hook=hook_of(self.story))
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


@lru_cache(maxsize=4)
def load(folder: Path) -> tuple[Case, ...]:
    """Every vignette of every file of a folder, in order.

    Raises:
        ContentError: a file is not about the rule it is named after, or has keys nobody knows.
    """
    return tuple(case for file in sorted(folder.glob("*.toml")) for case in _read(file))


def _read(file: Path) -> list[Case]:
    content_ = tomllib.loads(file.read_text(encoding="utf-8"))
    rule, given, cases = content_.pop("rule"), content_.pop("given", {}), content_.pop("case")
    common = {key: content_.pop(key) for key in _SITE if key in content_}
    if content_:
        raise ContentError(file.name, ", ".join(content_), "a vignette file knows no such key")
    if rule != file.stem or rule not in RULES:
        raise ContentError(file.name, "rule", f"is {rule}", "Name the file after a rule that runs.")
    return [_case(rule, given, common | case) for case in cases]


def _case(rule: str, given: Mapping[str, Any], told: dict[str, Any]) -> Case:
    name, expect = told.pop("name"), told.pop("expect")
    sets, site, chosen = (told.pop(key, other) for key, other in zip(_SITE, ((), "us", {}), strict=True))
    for key, value in chosen.items():
        if key not in switches() or switches()[key].option(value) is None:
            raise ContentError(f"{rule}.toml", name, f"{key} = {value!r} is no reading of switches.toml")
    if unknown := expect.keys() - _EXPECT:
        raise ContentError(f"{rule}.toml", name, f"unknown expectation {', '.join(sorted(unknown))}")
    story = json.loads(json.dumps({**given, **told}))
    return Case(rule, name, tuple(sets), story, expect, site, chosen)
