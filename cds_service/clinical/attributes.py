"""The source attributes of every rule (45 CFR 170.315(b)(11)(iv)(A)), found from what the rule rests on and reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cds_service import __version__
from cds_service.clinical import content, profiles
from cds_service.clinical.inputs import NOBODY, Inputs, inputs
from cds_service.clinical.patient import Patient
from cds_service.clinical.terminology import terminology
from cds_service.fhir.chart import Chart
from cds_service.formats import strict_toml
from cds_service.kernel.rules import Json, Rule
from cds_service.kernel.thresholds import Source

FILE = "attributes.toml"
_WORDS = {"type": "string", "minLength": 1}
_NAMES = {"type": "array", "items": _WORDS, "minItems": 1}
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["regulation", "developer", "funding", "released", "use"],
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(("regulation", "developer", "funding", "released"), _WORDS),
        "use": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["number", "name", "never"],
                "additionalProperties": False,
                "properties": {
                    "number": {"type": "integer"},
                    **dict.fromkeys(("name", "never", "as", "beside", "beside_concept"), _WORDS),
                    "facts": _NAMES,
                    "always": {"type": "boolean"},
                },
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One source attribute of one rule.

    Attributes:
        number: its place in the regulation, 1 to 13.
        name: what it is.
        value: in words; "not used" is said, never left out.
        used: whether the rule uses the patient attribute; true for 1 to 4, which are no patient attributes.
    """

    number: int
    name: str
    value: str
    used: bool = True


@lru_cache(maxsize=512)
def attributes(rule: Rule) -> tuple[Attribute, ...]:
    """The thirteen attributes of a rule, in the order of the regulation."""
    told = _told()
    release = f"version {rule.version} of the rule, in release {__version__} ({told['released']})"
    return (
        Attribute(1, "bibliographic citation", "; ".join(citation(each) for each in sources(rule))),
        Attribute(2, "developer", told["developer"]),
        Attribute(3, "funding source", told["funding"]),
        Attribute(4, "release and revision dates", release),
        *_uses(rule),
    )


@lru_cache(maxsize=512)
def sources(rule: Rule) -> tuple[Source, ...]:
    """What the rule rests on: the document its cards name, those of its guideline sets, those of its numbers."""
    named = [content.sources()[rule.source]] if rule.source else []
    named += [content.guideline_sets()[name].source for name in rule.sets]
    numbers = content.thresholds(_day())
    named += [numbers[key].source for key in inputs_of(rule).numbers]
    return tuple(dict.fromkeys(named))


def citation(source: Source) -> str:
    """The document in one line, with its address where somebody opened it."""
    return f"{source.title}. {source.url}" if source.url else source.title


@lru_cache(maxsize=4)
def document(rules: tuple[Rule, ...]) -> Json:
    """The attributes of all rules, for `GET /sources`; plain JSON, nothing about a patient. Made when first asked for."""
    return {
        "regulation": _told()["regulation"],
        "release": __version__,
        "rules": [
            {
                "rule": rule.id,
                "name": rule.name.replace("_", " "),
                "version": rule.version,
                "attributes": [
                    {"number": each.number, "name": each.name, "used": each.used, "value": each.value}
                    for each in attributes(rule)
                ],
            }
            for rule in rules
        ],
    }


def _uses(rule: Rule) -> Iterator[Attribute]:
    facts = facts_of(rule)
    concepts = {concept for _, concept in inputs_of(rule).look_ups}
    for use in _told()["use"]:
        seen = facts.intersection(use.get("facts", ()))
        used = use.get("always", False) or bool(seen)
        beside = use.get("beside_concept") in concepts
        value = f"used: {use['as']}" if used else use["beside"] if beside else use["never"]
        yield Attribute(use["number"], use["name"], value, used)


@lru_cache(maxsize=512)
def facts_of(rule: Rule) -> frozenset[str]:
    """The facts that are worked out for the rule: those it declares, and those they rest on."""
    known = {name for name in vars(Patient) if not name.startswith("_")}
    found = set(rule.reads)
    numbers = content.thresholds(_day())
    for name in profiles.built_in():
        patient = Patient(Chart(NOBODY, terminology(), _day()), numbers, profiles.profile(name))
        rule.decide(patient, numbers)
        found |= vars(patient).keys() & known
    return frozenset(found)


@lru_cache(maxsize=512)
def inputs_of(rule: Rule) -> Inputs:
    """What the rule reads and offers under any built-in profile."""
    return inputs(rule, _day(), [profiles.profile(name) for name in profiles.built_in()])


@lru_cache(maxsize=1)
def _day() -> dt.date:
    """A day on which every number is in force."""
    return max(each.since for each in content.all_thresholds())


@lru_cache(maxsize=1)
def _told() -> dict[str, Any]:
    return strict_toml.load(content.read(FILE), FILE, _SCHEMA)
