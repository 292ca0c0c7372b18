"""The 17 disagreements on invented patients: the same record under every profile, side by side.

One file each in `fixtures/disagreements/`: the row, a patient (keys as in vignettes), the rules or values in which the
disagreement shows, and what each profile answers. `other` shows the same patient under the other reading, for rows on
which our profiles agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cds_service.clinical import profiles
from cds_service.engine.answer import Decision, decide
from cds_service.formats import strict_toml
from cds_service.review.vignettes import Case
from hooks.patient_view import SERVICE

FOLDER = Path("fixtures/disagreements")
_ANSWERS = {"type": "object", "additionalProperties": {"type": "string"}}
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["switch", "who", "record", "expect"],
    "additionalProperties": False,
    "properties": {
        "switch": {"type": "string"},
        "who": {"type": "string", "minLength": 1},
        "record": {"type": "object"},
        "expect": {"type": "object", "required": ["us", "uk", "ca"], "additionalProperties": _ANSWERS},
        "other": {
            "type": "object",
            "required": ["profile", "reading", "expect"],
            "additionalProperties": False,
            "properties": {"profile": {"type": "string"}, "reading": {"type": "string"}, "expect": _ANSWERS},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One row with its patient.

    Attributes:
        file: name of the file.
        switch: the switch in `switches.toml`.
        who: the patient in words.
        record: the patient as a story.
        expect: per profile, what is asked (see `_answer`) and the answer.
        other: the same patient under another reading: profile, reading, answers; empty where the profiles differ.
    """

    file: str
    switch: str
    who: str
    record: Mapping[str, Any]
    expect: Mapping[str, Mapping[str, str]]
    other: Mapping[str, Any]

    @property
    def row(self) -> str:
        """Its row in the rule book ("D4")."""
        return profiles.switches()[self.switch].row

    def answers(self, profile: str) -> dict[str, str]:
        """What the rules of `expect` answer for this patient under that profile."""
        return self._asked(profile, {}, self.expect[profile])

    def other_answers(self) -> dict[str, str]:
        """The same under the other reading."""
        taken = {self.switch: self.other["reading"]}
        return self._asked(self.other["profile"], taken, self.other["expect"])

    def _asked(self, profile: str, taken: Mapping[str, str], asked: Iterable[str]) -> dict[str, str]:
        case = Case("", self.who, (), self.record, {}, profile, taken)
        decision = decide(SERVICE, case.records, case.as_of, case.profile, "disagreements")
        return {each: _answer(each, decision) for each in asked}


def _answer(asked: str, decision: Decision) -> str:
    """Of "GC-04" the verdict, of "GC-04 cum12_mg" that value, of "MS-01 proposes" what can be ordered.

    "off" where the profile does not run the rule.
    """
    rule, _, value = asked.partition(" ")
    outcome = next((each for each in decision.evaluation.outcomes if each.rule.id == rule), None)
    if outcome is None:
        return "off"
    if value == "proposes":
        return ", ".join(each.order for each in outcome.finding.propose) or "nothing"
    return str(outcome.finding.values.get(value, "nothing")) if value else outcome.verdict.value


@lru_cache(maxsize=2)
def load(folder: Path) -> tuple[Disagreement, ...]:
    """Every disagreement, in the order of the rows."""
    found = tuple(_read(folder))
    return tuple(sorted(found, key=lambda each: (int(each.row[1:]), each.file)))


def _read(folder: Path) -> Iterator[Disagreement]:
    for file in sorted(folder.glob("*.toml")):
        told = strict_toml.load(file.read_text("utf-8"), file.name, _SCHEMA)
        yield Disagreement(
            file.name, told["switch"], told["who"], _plain(told["record"]), told["expect"], told.get("other", {})
        )


def _plain(value: Any) -> Any:
    """Numbers as JSON writes them."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return float(value) if type(value).__name__ == "Decimal" else value
