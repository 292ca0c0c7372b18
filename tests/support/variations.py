"""Other ways to send the same record: the answer may not depend on which one a server chose (`safety.md` D)."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, TypeAlias

from cds_service.review.call import searchset
from cds_service.review.story import ICD, LOINC, PATIENT_ID, RXNORM, UCUM, Json

Variation: TypeAlias = Callable[[Json, Random], Json]
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENTS = ("T00:10:00+14:00", "T23:30:00-08:00", "T12:00:00Z", "T08:15")


def bundles(values: Json) -> Iterator[Json]:
    """The Bundles among the prefetch values."""
    return (value for value in values.values() if value and value["resourceType"] == "Bundle")


def resources_in(values: Json) -> Iterator[Json]:
    """Every resource, one object each."""
    for value in values.values():
        if value and value["resourceType"] == "Bundle":
            yield from (entry["resource"] for entry in value["entry"])
        elif value:
            yield value


def permuted(values: Json, random: Random) -> Json:
    """Entries, and the keys of every object, in another order."""
    for bundle in bundles(values):
        random.shuffle(bundle["entry"])
    return dict(_shuffled(values, random))


def _shuffled(value: Any, random: Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: _shuffled(value[key], random) for key in keys}
    return [_shuffled(each, random) for each in value] if isinstance(value, list) else value


def duplicated(values: Json, random: Random) -> Json:
    """Some resources twice in the same Bundle (D11)."""
    for bundle in bundles(values):
        again = [copy.deepcopy(entry) for entry in bundle["entry"] if random.random() < 0.6]
        bundle["entry"] += again
    return values


def told_twice(values: Json, random: Random) -> Json:
    """Some resources a second time under an id of their own, as two systems send them; doses given are not repeated."""
    for bundle in bundles(values):
        for entry in list(bundle["entry"]):
            twin = copy.deepcopy(entry)
            twin["resource"]["id"] += "-other-system"
            if random.random() < 0.6 and twin["resource"]["resourceType"] != "MedicationAdministration":
                bundle["entry"].append(twin)
    return values


def with_noise(values: Json, random: Random) -> Json:
    """Resources that mean nothing to us, unknown fields, extensions."""
    noise = {
        "Observation": {"status": "final", "code": _concept(LOINC, "8867-4"), "valueQuantity": {"value": 72}},
        "Condition": {"code": _concept(ICD, "J45.909"), "onsetDateTime": "2019-02-30"},
        "MedicationRequest": {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": _concept(RXNORM, "6809"),
        },
        "Procedure": {"status": "completed", "code": _concept(ICD, "0DJ08ZZ")},
        "DiagnosticReport": {"status": "final", "code": _concept(LOINC, "58410-2")},
    }
    number = 0
    for bundle in bundles(values):
        for kind, elements in random.sample(sorted(noise.items()), 2):
            number += 1
            about = {"resourceType": kind, "id": f"noise-{number}", "subject": {"reference": f"Patient/{PATIENT_ID}"}}
            if kind in {entry["resource"]["resourceType"] for entry in bundle["entry"]}:
                bundle["entry"].insert(random.randint(0, len(bundle["entry"])), {"resource": {**about, **elements}})
    for resource in resources_in(values):
        resource["x-vendor"] = {"nested": [1, None, {"deep": True}]}
        resource.setdefault("extension", []).append({"url": "https://ehr.example/x", "valueString": "osteoporosis"})
        resource["meta"] = {"lastUpdated": "2026-06-01T08:00:00Z", "tag": [{"code": "x"}]}
    return values


def with_errors(values: Json, random: Random) -> Json:
    """Beside every resource a twin that was entered in error, with more alarming content."""
    for bundle in bundles(values):
        for entry in list(bundle["entry"]):
            twin = copy.deepcopy(entry)
            wrong = twin["resource"]
            wrong["id"] += "-error"
            if wrong["resourceType"] == "Condition":
                wrong["verificationStatus"] = _status("entered-in-error")
            else:
                wrong["status"] = "entered-in-error"
            if "valueQuantity" in wrong:
                wrong["valueQuantity"]["value"] = random.choice([-4.9, 0.1, 199])
            bundle["entry"].insert(random.randint(0, len(bundle["entry"])), twin)
    return values


def renamed(values: Json, random: Random) -> Json:
    """Every resource but the patient under another id; copies of one resource keep one id."""
    names = iter(random.sample(range(10_000, 99_999), 500))
    given: dict[str, str] = {}
    for resource in resources_in(values):
        if resource["resourceType"] != "Patient":
            old = f"{resource['resourceType']}/{resource['id']}"
            resource["id"] = given.setdefault(old, f"x{next(names)}")
    return values


def in_pages(values: Json, random: Random) -> Json:
    """Each search as several pages, all of them there, in a batch-response."""
    for key, value in values.items():
        if value and value["resourceType"] == "Bundle":
            cut = random.randint(0, len(value["entry"]))
            found = [entry["resource"] for entry in value["entry"]]
            pages = [{"resource": searchset(found[:cut])}, {"resource": searchset(found[cut:])}]
            values[key] = {"resourceType": "Bundle", "type": "batch-response", "entry": pages}
    return values


def under_more_keys(values: Json, random: Random) -> Json:
    """Some of the record again under keys that nobody asked for."""
    for number, key in enumerate(random.sample(sorted(values), 4)):
        values[f"site-specific-{number}"] = copy.deepcopy(values[key])
    return values


def without_lists(values: Json, random: Random) -> Json:
    """A lone object where FHIR has a list of one, as Epic and the public sandbox send it."""
    return {key: _unlisted(value) for key, value in values.items()}


def _unlisted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unlisted(each) for key, each in value.items()}
    if isinstance(value, list):
        return _unlisted(value[0]) if len(value) == 1 else [_unlisted(each) for each in value]
    return value


def with_times(values: Json, random: Random) -> Json:
    """Days as moments, in whatever zone the server writes; the day that is written counts (D13)."""
    for resource in resources_in(values):
        if resource["resourceType"] != "Patient":
            _give_times(resource, random)
    return values


def _give_times(value: Any, random: Random) -> None:
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, str) and _DAY.fullmatch(each):
            value[key] = each + random.choice(_MOMENTS)
        elif isinstance(each, dict | list):
            _give_times(each, random)


def in_other_mass_units(values: Json, random: Random) -> Json:
    """Steroid doses in grams or micrograms."""
    for quantity in _doses(values):
        factor, unit = random.choice([(1000, "ug"), (0.001, "g")])
        quantity |= {"value": round(quantity["value"] * factor, 9), "unit": unit, "code": unit, "system": UCUM}
    return values


_TEN_MG_TABLET = "198145"  # prednisone 10 MG Oral Tablet
_PREDNISONE = "8640"


def in_tablets(values: Json, random: Random) -> Json:
    """Prednisone as so many tablets of 10 mg."""
    for resource in resources_in(values):
        coding = resource.get("medicationCodeableConcept", {}).get("coding", [{}])[0]
        quantities = list(_doses({"only": resource}))
        if coding.get("code") == _PREDNISONE and quantities:
            coding["code"] = _TEN_MG_TABLET
            for quantity in quantities:
                quantity |= {"value": round(quantity["value"] / 10, 9), "unit": "tablet", "code": "{tbl}"}
    return values


def _doses(values: Json) -> Iterator[Json]:
    """Every amount in mg, also inside ranges."""
    for resource in resources_in(values):
        if resource["resourceType"].startswith("Medication"):
            yield from (quantity for quantity in _objects(resource) if quantity.get("code") == "mg")


def _objects(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(each)


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}], "text": "something else"}


def _status(code: str) -> Json:
    return {"coding": [{"code": code}]}


def as_one_bundle(values: Mapping[str, Any]) -> Json:
    """The whole record as one Bundle, each resource once."""
    once = {json.dumps(resource, sort_keys=True): resource for resource in resources_in(dict(values))}
    entries = [{"resource": resource} for resource in once.values()]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


# The card's very words stay the same under these ...
SAME_WORDS: tuple[Variation, ...] = (
    permuted, duplicated, told_twice, with_noise, with_errors, renamed, in_pages, under_more_keys, without_lists, with_times,
)  # fmt: skip
# ... and verdicts and computed values under these too, where the words repeat a dose as it was ordered.
SAME_VERDICTS: tuple[Variation, ...] = (in_other_mass_units, in_tablets)
