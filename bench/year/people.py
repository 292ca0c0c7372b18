"""Invented patients and what happens to them in a year. Every share is invented and stated here; nothing is an estimate.

A patient is what is on record (a story of `review.story`, with dates) and visits: a day, the hook, who opens the chart, and
what is ordered. The same seed and number give the same patient.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

FIRST_DAY = dt.date(2026, 1, 1)
DAYS = 365
FEMALE = 0.7
AGES = (28, 88, 62)  # lowest, highest, most frequent
MS = 0.45
# on record at the start of the year
ON_RECORD = {"dxa": 0.3, "vitamin_d": 0.5, "fractures": 0.12, "alendronate": 0.1, "kidney": 0.75}
# courses of glucocorticoids, by kind
STEROIDS = {"none": 0.45, "long": 0.25, "begins": 0.12, "short": 0.1, "pulse": 0.08}
# what happens in the year
NEW_FRACTURE = 0.03
DOSE_STEP = 0.15
BONE_DRUG_ORDERS = 0.08  # written three times, some against a label
POOR_KIDNEY = 0.3  # of those
VISITS = (1, 7)  # opened charts in the year, evenly
CLINICIANS = ("Practitioner/gp", "Practitioner/neurologist")


@dataclass(frozen=True, slots=True)
class Visit:
    """A chart is opened, or an order written."""

    day: dt.date
    hook: str
    user: str
    order: Json | None = None


@dataclass(slots=True)
class Person:
    """One patient.

    Attributes:
        number: who.
        base: what does not change.
        dated: (from that day on record, key of a story, what), in the order of days.
        visits: in the order of days.
    """

    number: int
    base: Json
    dated: list[tuple[dt.date, str, Json]] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)

    def story(self, day: dt.date) -> Json:
        """What is on record that day."""
        told: Json = {**self.base, "as_of": day.isoformat()}
        for since, key, what in self.dated:
            if since <= day:
                told[key] = [*told.get(key, ()), what]
        return told


def person(number: int, seed: int) -> Person:
    """The patient of that number."""
    dice = random.Random(f"{seed}/{number}")
    female = dice.random() < FEMALE
    age = int(dice.triangular(*AGES))
    base: Json = {"sex": "female" if female else "male", "born": f"{FIRST_DAY.year - age}-03-07"}
    if female:
        base["menopause"] = "yes" if age > 51 else "no"
    if dice.random() < MS:
        base["conditions"] = [{"name": "multiple sclerosis", "ago": "2019-05-01"}]
    made = Person(number, base, list(_record(dice)))
    made.dated += _steroids(dice, made.visits)
    made.dated += _events(dice, made.visits)
    days = sorted(dice.sample(range(DAYS), dice.randint(*VISITS)))
    made.visits += [Visit(_day(n), "patient-view", dice.choice(CLINICIANS)) for n in days]
    made.dated.sort(key=lambda each: each[0])
    made.visits.sort(key=lambda each: (each.day, each.hook))
    return made


def _day(number: int) -> dt.date:
    return FIRST_DAY + dt.timedelta(number)


def _ago(dice: random.Random, years: float) -> str:
    return _day(-dice.randint(20, int(years * DAYS))).isoformat()


def _record(dice: random.Random) -> Iterator[tuple[dt.date, str, Json]]:
    before = _day(-1)
    if dice.random() < ON_RECORD["dxa"]:
        spine = round(dice.gauss(-1.6, 1.1), 1)
        yield (
            before,
            "dxa",
            {"ago": _ago(dice, 6), "t": {"spine": spine, "hip": round(spine + dice.gauss(0.2, 0.4), 1)}},
        )
    if dice.random() < ON_RECORD["vitamin_d"]:
        yield before, "vitamin_d", {"value": round(dice.uniform(8, 45)), "unit": "ng/mL", "ago": _ago(dice, 3)}
    if dice.random() < ON_RECORD["fractures"]:
        yield (
            before,
            "fractures",
            {"site": dice.choice(("hip", "wrist", "vertebra")), "low_trauma": True, "ago": _ago(dice, 8)},
        )
    if dice.random() < ON_RECORD["alendronate"]:
        yield before, "therapies", {"drug": "alendronate", "mg": 70, "every": "week", "since": _ago(dice, 4)}
    if dice.random() < ON_RECORD["kidney"]:
        yield before, "creatinine", {"value": round(dice.uniform(0.6, 1.2), 1), "unit": "mg/dL", "ago": _ago(dice, 0.5)}
        yield (
            before,
            "calcium",
            {"value": round(dice.uniform(8.8, 10.0), 1), "unit": "mg/dL", "adjusted": True, "ago": _ago(dice, 0.5)},
        )


def _steroids(dice: random.Random, visits: list[Visit]) -> Iterator[tuple[dt.date, str, Json]]:
    kind = dice.choices(list(STEROIDS), list(STEROIDS.values()))[0]
    mg, begins = dice.choice((5, 7.5, 10, 20)), _day(dice.randint(10, DAYS - 60))
    if kind == "long":
        since = _day(-dice.randint(30, 900))
        yield since, "steroids", {"drug": "prednisone", "mg": mg, "since": since.isoformat(), "days": 2000}
        if dice.random() < DOSE_STEP:
            yield begins, "steroids", {"drug": "prednisone", "mg": 30, "since": begins.isoformat(), "days": 120}
    elif kind in {"begins", "short"}:
        days = 200 if kind == "begins" else 14
        order = {"drug": "prednisone", "mg": mg, "days": days}
        user = dice.choice(CLINICIANS)
        visits += [Visit(begins, hook, user, order) for hook in ("order-select", "order-sign")]
        yield begins + dt.timedelta(1), "steroids", {**order, "since": begins.isoformat()}
    elif kind == "pulse":
        yield (
            begins,
            "steroids",
            {"drug": "methylprednisolone", "mg": 1000, "route": "iv", "since": begins.isoformat(), "days": 5},
        )


def _events(dice: random.Random, visits: list[Visit]) -> Iterator[tuple[dt.date, str, Json]]:
    if dice.random() < NEW_FRACTURE:
        on = _day(dice.randint(0, DAYS))
        yield on, "fractures", {"site": "hip", "low_trauma": True, "ago": on.isoformat()}
    if dice.random() < BONE_DRUG_ORDERS:
        poor, first, user = dice.random() < POOR_KIDNEY, dice.randint(0, 120), dice.choice(CLINICIANS)
        if poor:
            yield _day(-1), "egfr", {"value": 22, "ago": _day(-10).isoformat()}
        order = {"drug": "alendronate", "mg": 70, "every": "week", "days": 84}
        for number in range(3):
            day = _day(first + 84 * number)
            visits += [Visit(day, hook, user, order) for hook in ("order-select", "order-sign")]


def story_of(told: Json, order: Mapping[str, Any] | None) -> Json:
    """A story with what is being ordered."""
    return {**told, "orders": [dict(order)]} if order else told
