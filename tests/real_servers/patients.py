"""The patients whose outcomes are compared: `fixtures/scenarios/`, and public data of a dozen sources beside the checkout."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from cds_service.fhir.identity import with_id
from tests.realdata.corpus import DATA, cases, resources_of
from tests.support.golden import AS_OF, scenarios

Json = dict[str, Any]

_HL7 = "hl7-fhir-r4-core-examples"
_NHS = "acute_nominated-pharmacy_"
# Where the names of their files begin or, of archives, the patient. Small records, since Medplum looks at every resource in
# every search, and those in which rules find something: T-scores, bone drugs, vitamin D, steroids, multiple sclerosis.
_PICKED: dict[str, tuple[str, ...]] = {
    "careevolution-ms": ("r4-converted",),
    "dosage/nhs-eps-r4": (f"{_NHS}concurrent", f"{_NHS}consecutive-and", f"{_NHS}consecutive-dosage"),
    "ecqm-cms249-dxa-women-under-65": ("5436d957", "c2885ae7", "d21af7a9", "df8f004b"),
    "ecqm-cms56-promis-tscore-trap": ("3eecaeb3",),
    "ecqm-cms645-dxa-prostate-adt": ("05afd17d", "9bff7002"),
    "epic-shaped-capture": ("Patient/eNeMVHWfNoTsMTbrwWQQ30A3",),
    _HL7: ("Patient/f001", "Patient/f201", "Patient/pat1"),
    "hl7-us-core-examples/dxa": ("Patient/example",),
    "mimic-iv-demo-fhir": ("mimic-4c9069e4", "mimic-5ddeb201", "mimic-8659a6be", "mimic-c3412a5f"),
    "pacio-mcc-patricia-noelle": ("PatriciaNoell",),
    "smart-patients/r4-converted": (
        "patient-1098667",
        "patient-1137192",
        "patient-1642068",
        "patient-5555001",
        "patient-5555002",
        "patient-6666001",
        "patient-767980",
        "patient-7777704",
        "patient-8888803",
    ),
    "synthea-r4-2021": (
        "Adn_Portillo",
        "Ardith_Welch",
        "Asa_Hermiston",
        "Chad_Quigley",
        "Claudie_Walsh",
        "Moises_Rohan",
        "Sina_Yundt",
    ),
}
INVENTED = tuple(str(each) for each in scenarios() if not each.refused)
PUBLIC = tuple(f"{folder}/{start}" for folder, starts in _PICKED.items() for start in starts)


@dataclass(frozen=True, slots=True)
class Person:
    """One patient.

    Attributes:
        name: one of INVENTED or PUBLIC.
        bundle: the whole record.
        as_of: the day to look at it.
    """

    name: str
    bundle: Json
    as_of: dt.date

    @property
    def id(self) -> str:
        """Logical id of the Patient."""
        return next(str(r["id"]) for r in resources_of(self.bundle) if r["resourceType"] == "Patient")


@lru_cache(maxsize=1)
def people() -> dict[str, Person]:
    """All of them by name, each resource with an id. Where an earlier patient has an id for something else, or the same
    Patient, all ids get a prefix: on a server all live together, and every invented record has its `Condition/condition-1`.
    """
    taken: dict[tuple[str, str], Json] = {}
    found = {}
    for number, person in enumerate(itertools.chain(_invented(), _public()), 1):
        person = replace(person, bundle=_with_ids(person.bundle))
        if ("Patient", person.id) in taken or any(taken.get(key, each) != each for key, each in _keys(person)):
            person = replace(person, bundle=_prefixed(person.bundle, f"p{number}-"))
        taken.update(_keys(person))
        found[person.name] = person
    return found


def _invented() -> Iterator[Person]:
    for each in scenarios():
        if not each.refused:
            yield Person(str(each), each.json("bundle.json"), AS_OF)


def _public() -> Iterator[Person]:
    if not DATA.is_dir():
        return
    for case in cases(DATA, _may_hold_one):
        name = case.name.rpartition(", ")[2]
        for start in _PICKED[case.folder]:
            if name == start or (name.startswith(start) and "/" not in start):
                yield Person(f"{case.folder}/{start}", case.bundle, case.as_of)


def _may_hold_one(folder: str, file: str) -> bool:
    starts = _PICKED.get(folder, ())
    return any("/" in start or file.startswith(start) for start in starts)


def _keys(person: Person) -> list[tuple[tuple[str, str], Json]]:
    return [((r["resourceType"], r["id"]), r) for r in resources_of(person.bundle)]


def _with_ids(bundle: Json) -> Json:
    """A message or transaction need not repeat the id of its `fullUrl`; a resource may also have none at all."""
    entries = []
    for number, entry in enumerate(bundle["entry"], 1):
        resource = dict(with_id(entry["resource"], entry.get("fullUrl", "")))
        resource.setdefault("id", f"without-id-{number}")
        entries.append({**entry, "resource": resource})
    return {**bundle, "entry": entries}


def _prefixed(bundle: Json, prefix: str) -> Json:
    own = {f"{r['resourceType']}/{r['id']}" for r in resources_of(bundle)}

    def renamed(text: str) -> str:
        base, _, tail = text.rpartition("/")
        kind = base.rpartition("/")[2]
        return f"{base}/{prefix}{tail}" if f"{kind}/{tail}" in own else text

    def rename(value: Json) -> Json:
        if value.get("resourceType") and "id" in value and f"{value['resourceType']}/{value['id']}" in own:
            value = {**value, "id": f"{prefix}{value['id']}"}
        for key in ("reference", "fullUrl"):
            if isinstance(value.get(key), str):
                value = {**value, key: renamed(value[key])}
        return value

    found: Json = everywhere(bundle, rename)
    return found


def everywhere(value: Any, change: Callable[[Json], Json]) -> Any:
    """A copy of some JSON in which every object went through `change`, the inner ones first."""
    if isinstance(value, list):
        return [everywhere(each, change) for each in value]
    if isinstance(value, dict):
        return change({key: everywhere(each, change) for key, each in value.items()})
    return value
