"""The invented patients of `fixtures/scenarios/`, one Bundle each, and what each shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from cds_service.kernel.errors import ContentError

Json = dict[str, Any]
# where a wheel has them, and where they stand in a checkout
_FOLDER = "scenarios"


@dataclass(frozen=True, slots=True)
class SandboxPatient:
    """One invented patient.

    Attributes:
        id: name of the scenario, and logical id of the Patient.
        name: for people.
        shows: who it is, in a sentence.
        expected: what the service should say, in a sentence.
        gender: as recorded.
        birth_date: as recorded.
        record: the whole record, a Bundle of type collection; ids are unique among all patients.
        failing: prefetch keys whose look-up fails, and how (`calls.FAILURES`).
        orders: the orders that are being written when the chart is opened.
    """

    id: str
    name: str
    shows: str
    expected: str
    gender: str
    birth_date: str
    record: Json
    failing: Mapping[str, str]
    orders: Sequence[Json]


@lru_cache(maxsize=1)
def patients() -> Mapping[str, SandboxPatient]:
    """All of them by id, in the order of their names of scenario.

    Raises:
        ContentError: there are none.
    """
    installed = Path(str(resources.files("cds_service.sandbox"))) / _FOLDER
    checkout = Path(__file__).parents[2] / "fixtures" / _FOLDER
    folder = installed if installed.is_dir() else checkout
    # a call that is refused has no record
    found = [_patient(each) for each in sorted(folder.glob("*/")) if (each / "bundle.json").is_file()]
    if not found:
        raise ContentError(str(folder), "(folder)", "holds no patients", "Install the wheel, or use a whole checkout.")
    return {each.id: each for each in found}


def _patient(folder: Path) -> SandboxPatient:
    call = _read(folder / "request.json")
    held = [entry["resource"] for entry in _read(folder / "bundle.json")["entry"]]
    names = {f"{each['resourceType']}/{each['id']}": _name(folder.name, each) for each in held}
    record = [_renamed(each, names) for each in held]
    patient = next(each for each in record if each["resourceType"] == "Patient")
    drafts = call["context"].get("draftOrders", {}).get("entry", [])
    paragraph = (folder / "README.md").read_text("utf-8").split("\n\n", 1)[1].strip()
    shows, _, expected = paragraph.partition(". ")
    name = patient["name"][0]
    return SandboxPatient(
        folder.name,
        f"{' '.join(name['given'])} {name['family']}",
        f"{shows}.",
        expected,
        patient["gender"],
        patient["birthDate"],
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in record]},
        {key: "failed" for key, value in call["prefetch"].items() if value["resourceType"] == "OperationOutcome"},
        [_renamed(each["resource"], names) for each in drafts],
    )


def _read(file: Path) -> Json:
    return dict(json.loads(file.read_text("utf-8")))


def _name(scenario: str, resource: Json) -> str:
    """Two scenarios may use the same ids, and one FHIR server may not."""
    return scenario if resource["resourceType"] == "Patient" else f"{scenario}-{resource['id']}"


def _renamed(resource: Json, names: Mapping[str, str]) -> Json:
    """The resource under its new id, and its references to others under theirs."""
    changed = dict(_references(resource, names))
    own = f"{resource['resourceType']}/{resource['id']}"
    return changed | {"id": names.get(own, resource["id"])}


def _references(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_references(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    changed = {key: _references(each, names) for key, each in value.items()}
    target = value.get("reference")
    if isinstance(target, str) and target in names:
        changed["reference"] = f"{target.partition('/')[0]}/{names[target]}"
    return changed
