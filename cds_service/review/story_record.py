"""Writes the FHIR resources of a story; knows dates, drugs and values, not what a story may say."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from cds_service.kernel.dates import plus_days, plus_months
from cds_service.kernel.errors import ContentError
from cds_service.review.story_codes import CONDITIONS, DRUGS, ROUTES, RXNORM, SNOMED, UCUM, Coded

Json: TypeAlias = dict[str, Any]
PATIENT_ID = "p1"

_SPAN = re.compile(r"(?:(\d+) years?)? ?(?:(\d+) months?)? ?(?:(\d+) days?)?")
# FamilyMemberHistory says `patient` where everything else says `subject`
_ABOUT = {"Patient": "", "FamilyMemberHistory": "patient"}
_PERIODS = {"day": "d", "week": "wk", "month": "mo"}

Key = TypeVar("Key")
Value = TypeVar("Value")


def known(words: Mapping[Key, Value], word: Key, key: str) -> Value:
    """What a word of the story stands for.

    Raises:
        ContentError: nobody knows the word; names those there are.
    """
    if word not in words:
        raise ContentError("story", key, f"{word!r} is not known", f"Known are: {', '.join(map(str, words))}.")
    return words[word]


@dataclass(slots=True)
class Record:
    """Writes resources about one patient; numbers them in order."""

    as_of: dt.date
    written: list[Json] = field(default_factory=list)

    def day(self, told: str) -> str:
        """A time told as "12 months" or as a date, as a FHIR date."""
        return self.exact(told).isoformat() if _SPAN.fullmatch(told) else told

    def exact(self, told: str) -> dt.date:
        """A time told as "12 months 1 day" or as a full date, as a day."""
        match = _SPAN.fullmatch(told)
        if match is None:
            return dt.date.fromisoformat(told)
        years, months, days = (int(part or 0) for part in match.groups())
        return plus_days(plus_months(self.as_of, -12 * years - months), -days)

    def add(self, kind: str, **elements: Any) -> Json:
        """One resource about the patient."""
        subject = _ABOUT.get(kind, "subject")
        about = {subject: {"reference": f"Patient/{PATIENT_ID}"}} if subject else {}
        ident = PATIENT_ID if kind == "Patient" else f"{kind.lower()}-{len(self.written)}"
        resource = {"resourceType": kind, "id": ident, **about}
        resource |= {key: value for key, value in elements.items() if value not in (None, [], {})}
        self.written.append(resource)
        return resource

    def observed(self, code: Json, ago: str, **elements: Any) -> None:
        """A final result."""
        self.add("Observation", status="final", code=code, effectiveDateTime=self.day(ago), **elements)

    def ordered(
        self, drug: str, first: dt.date, last: dt.date | None, status: str, dosage: Json, reason: str | None = None
    ) -> None:
        """A MedicationRequest; without a last day it has no end."""
        bounds = {"start": first.isoformat()} | ({"end": last.isoformat()} if last else {})
        repeat = {**dosage.get("timing", {}).get("repeat", {}), "boundsPeriod": bounds}
        self.add(
            "MedicationRequest",
            status=status,
            intent="order",
            medicationCodeableConcept=_drug(drug),
            authoredOn=first.isoformat(),
            dosageInstruction=[{**dosage, "timing": {"repeat": repeat}}],
            reasonCode=[concept(*known(CONDITIONS, reason, "reason"))] if reason else None,
        )

    def drafted(self, drug: str, dosage: Json, days: int | None, start: str | None) -> None:
        """A draft MedicationRequest of today; without `days` it has no end."""
        timing = dosage.get("timing", {})
        bounds = {"boundsDuration": {**quantity(days, "d"), "unit": "days"}} if days else {}
        if start:
            first = self.exact(start)
            bounds = {"boundsPeriod": {"start": first.isoformat()}}
            if days:
                bounds["boundsPeriod"]["end"] = plus_days(first, days - 1).isoformat()
        instruction = {**dosage, "timing": {"repeat": {**timing.get("repeat", {}), **bounds}}} if bounds else dosage
        draft = self.add(
            "MedicationRequest",
            status="draft",
            intent="order",
            medicationCodeableConcept=_drug(drug),
            authoredOn=self.as_of.isoformat(),
            dosageInstruction=[instruction],
        )
        draft["id"] = f"draft-{len(self.written)}"

    def handed_out(self, drug: str, day: dt.date, days: int | None) -> None:
        """A MedicationDispense; without a number of days it does not say how long it lasts."""
        self.add(
            "MedicationDispense",
            status="completed",
            medicationCodeableConcept=_drug(drug),
            whenHandedOver=day.isoformat(),
            daysSupply=quantity(days, "d") if days else None,
        )

    def administered(self, drug: str, day: dt.date, mg: float, route: str) -> None:
        """A MedicationAdministration."""
        self.add(
            "MedicationAdministration",
            status="completed",
            medicationCodeableConcept=_drug(drug),
            effectiveDateTime=day.isoformat(),
            dosage={"route": _route(route), "dose": quantity(mg, "mg")},
        )


def status(code: str) -> Json:
    """A clinical or verification status."""
    return {"coding": [{"code": code}]}


def concept(system: str, code: str, words: str = "") -> Json:
    """A CodeableConcept with one code."""
    return {"coding": [{"system": system, "code": code}]} | ({"text": words} if words else {})


def coded(told: Coded) -> Json:
    """The same from a pair."""
    return concept(*told)


def text(words: str) -> Json | None:
    """A CodeableConcept in words only; nothing for no words."""
    return {"text": words} if words else None


def quantity(value: Any, unit: str) -> Json:
    """A number, or ">150" with its comparator; a unit of "" stays away."""
    comparator = {}
    if isinstance(value, str):
        comparator, value = {"comparator": value[0]}, float(value[1:])
    return {"value": value, **comparator} | ({"unit": unit, "system": UCUM, "code": unit} if unit else {})


def dosage(mg: Any, route: str, every: str = "day", unit: str = "mg") -> Json:
    """Once a day, week or month; a range as [low, high]; a dose in words as words, without structure."""
    if not isinstance(mg, int | float | list):
        return {"text": mg, "route": _route(route)} if mg else {"route": _route(route)}
    if isinstance(mg, list):
        low, high = mg
        amount = {"doseRange": {"low": quantity(low, unit), "high": quantity(high, unit)}}
    else:
        amount = {"doseQuantity": quantity(mg, unit)}
    timing = {"repeat": {"frequency": 1, "period": 1, "periodUnit": known(_PERIODS, every, "every")}}
    return {"route": _route(route), "timing": timing, "doseAndRate": [amount]}


def _drug(name: str) -> Json:
    return concept(RXNORM, known(DRUGS, name, "drug"), name)


def _route(route: str) -> Json:
    code, words = known(ROUTES, route, "route")
    return concept(SNOMED, code, words) if code else {"text": words}
