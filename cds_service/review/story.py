"""A patient in a few words of TOML, turned into FHIR R4 (`call.py` makes a CDS Hooks call of it).

A story is a table such as

    sex = "female"
    age = 62
    menopause = "yes"
    steroids = [{ drug = "prednisone", mg = 5, taken = 91 }]
    dxa = { ago = "13 months", t = { spine = -1.2 } }

What a story does not list is absent from a record that was looked up completely; `incomplete` says otherwise.
Times are told as "12 months", "1 year 1 day", "0 days" (before the day of the story), or as a FHIR date ("2024",
"2024-05-17").
The names of drugs, diagnoses, fractures and tests are those of `story_codes.py`.

Most keys take one thing or a list of things. What has a date takes `ago`, mostly 30 days where it is not told; what is
measured may be a plain number, or a table with `value`; ">150" keeps its comparator, a unit of "" stays away.

    as_of         the day of the story; 15 June 2026 where it is not told
    sex           "female", "male", "unknown"
    age, born     completed years, or the birth date ("1964", "1964-03-07")
    deceased      true
    menopause     "yes", or "no" (looked for and refuted)
    pregnant      true, false, or when she was
    conditions    "osteoporosis", or { name, ago, over (when it ended), verification = "refuted" }
    fractures     { site = "hip", ago, low_trauma = true or false (a traffic accident); not told: cause not on record }
    falls         when, or "repeated"
    falls_asked   when somebody asked about falls, and heard of none
    family        "parental hip fracture", or { member = "mother", condition = "hip fracture" }
    smoking       "current", "former", "never", or { value, ago }
    alcohol       drinks a day
    weight        kg; one, or several with `ago`
    height        cm; likewise
    bmi           kg/m2
    edss          0 to 10
    timed_walk    Timed 25-Foot Walk, seconds
    dxa           { ago, t = { spine, hip, neck }, z = { ... }, bmd = { spine, hip } in g/cm2, vfa = true }
    frax          { ago, mof, hip, with_bmd = true, ticked = ["glucocorticoids"] }
    vitamin_d     { value, unit = "ng/mL" or "nmol/L", ago }
    creatinine    { value, unit = "mg/dL" or "umol/L", ago }
    egfr          mL/min/1.73 m2
    calcium       { value, unit = "mmol/L" or "mg/dL", adjusted = false (for albumin), low, high (its limits), ago }
    albumin       { value, unit = "g/L" or "g/dL", ago }
    tests         "TSH", or { name, ago, value }: a laboratory test that was done
    steroids      { drug, mg, route, days (in all), and one of: taken (days so far), since, ended; reason; status }
    therapies     osteoporosis drugs: { drug, doses = ["9 months"], mg } injected on these days; or
                  { drug, mg, every = "week", since, stopped; open = true: never renewed, no end };
                  supplied = [{ ago, days }]: what was handed out
    drugs         other drugs: "sertraline", or { drug, since, stopped, mg, tablets or units (international), every = "day",
                  "week", "month" }
    orders        what is being ordered: { drug, mg or tablets, units (international), every, route, days, text, start, beside =
                  true (in the basket, not the order the call is about) }; without `days` the order has no end
    incomplete    { conditions = "failed" }: prefetch keys and their state, see `call.STATES`

Every code stands in `clinical/valuesets/` (`test_story.py` checks it); nothing here answers a call.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cds_service.kernel.dates import plus_days, plus_months
from cds_service.kernel.errors import ContentError
from cds_service.review import story_codes as codes
from cds_service.review import story_drugs
from cds_service.review.story_codes import ICD, LOINC, RXNORM, SNOMED, UCUM
from cds_service.review.story_record import (
    PATIENT_ID,
    Json,
    Record,
    coded,
    concept,
    known,
    quantity,
    status,
    text,
)

__all__ = [
    "AS_OF",
    "ICD",
    "KEYS",
    "LOINC",
    "PATIENT_ID",
    "RXNORM",
    "SNOMED",
    "UCUM",
    "Json",
    "bundle_text",
    "drafts",
    "resources",
    "written_codes",
]

AS_OF = "2026-06-15"
_RECENT = "30 days"
_FRAX_INPUTS = ("Glucocorticoids", "Rheumatoid arthritis", "Secondary osteoporosis")


def resources(story: Mapping[str, Any]) -> list[Json]:
    """The patient and everything on record, as FHIR resources.

    Raises:
        ContentError: a key or a name of the story that nobody knows.
    """
    if unknown := sorted(set(story) - KEYS):
        raise ContentError(
            "story", ", ".join(unknown), "a story knows no such key", f"Known are: {', '.join(sorted(KEYS))}."
        )
    record = Record(dt.date.fromisoformat(story.get("as_of", AS_OF)))
    _patient(record, story)
    for key, write in _WRITERS.items():
        for each in _each(story.get(key)):
            write(record, each)
    return record.written


def drafts(story: Mapping[str, Any]) -> list[tuple[Json, bool]]:
    """The orders being written, and for each whether the call is about it; none where a chart is opened."""
    record = Record(dt.date.fromisoformat(story.get("as_of", AS_OF)))
    selected = []
    for told in _each(story.get("orders")):
        story_drugs.draft(record, told)
        selected.append(not told.get("beside", False))
    return list(zip(record.written, selected, strict=True))


def bundle_text(story: Mapping[str, Any]) -> str:
    """The whole record as one Bundle, JSON text."""
    entries = [{"resource": resource} for resource in resources(story)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


def written_codes(story: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(system, code) of every coding that says what a resource is about, or what an answer is."""
    for resource in resources(story):
        told = [resource.get("code"), resource.get("medicationCodeableConcept"), resource.get("valueCodeableConcept")]
        told += [each["code"] for each in resource.get("condition", ())]
        for each in told:
            yield from ((coding["system"], coding["code"]) for coding in (each or {}).get("coding", ()))


def _each(told: Any) -> Sequence[Any]:
    if told is None:
        return ()
    return told if isinstance(told, list) else (told,)


def _table(told: Any, name: str) -> Json:
    """A bare name or number as the table it stands for."""
    return dict(told) if isinstance(told, Mapping) else {name: told}


# --- who -------------------------------------------------------------------------------------------------------------
def _patient(record: Record, story: Mapping[str, Any]) -> None:
    """Who; `age` alone puts the birthday a hundred days back."""
    born = story.get("born")
    if born is None and "age" in story:
        born = plus_months(plus_days(record.as_of, -100), -12 * int(story["age"])).isoformat()
    record.add("Patient", gender=story.get("sex"), birthDate=born, deceasedBoolean=story.get("deceased"))


# --- diagnoses -------------------------------------------------------------------------------------------------------
def _condition(record: Record, told: Any) -> None:
    told = _table(told, "name")
    over = record.day(told["over"]) if "over" in told else None
    record.add(
        "Condition",
        clinicalStatus=status("resolved" if over else "active"),
        verificationStatus=status(told.get("verification", "confirmed")),
        code=coded(known(codes.CONDITIONS, told["name"], "conditions")),
        onsetDateTime=record.day(told.get("ago", "3 years")),
        abatementDateTime=over,
    )


def _menopause(record: Record, told: str) -> None:
    record.add(
        "Condition",
        clinicalStatus=status("active") if told == "yes" else None,
        verificationStatus=status("confirmed" if told == "yes" else "refuted"),
        code=concept(ICD, "Z78.0") if told == "yes" else concept(SNOMED, "76498008"),
        recordedDate=record.day("60 days"),
    )


def _fracture(record: Record, told: Json) -> None:
    osteoporotic, injury = known(codes.FRACTURES, told["site"], "fractures")
    cause = told.get("low_trauma")
    due_to = "http://hl7.org/fhir/StructureDefinition/condition-dueTo"
    accident = {"url": due_to, "valueCodeableConcept": coded(codes.TRAFFIC)}
    record.add(
        "Condition",
        clinicalStatus=status("active"),
        verificationStatus=status("confirmed"),
        code=concept(ICD, osteoporotic if cause else injury),
        onsetDateTime=record.day(told.get("ago", "2 years")),
        extension=[accident] if cause is False else None,
    )


def _fall(record: Record, told: str) -> None:
    kind, when = (told, _RECENT) if told == "repeated" else ("once", told)
    code = coded(codes.FALLS[kind])
    record.add("Condition", code=code, clinicalStatus=status("active"), onsetDateTime=record.day(when))


def _falls_asked(record: Record, told: str) -> None:
    record.observed(concept(LOINC, "52552-7"), told, valueQuantity=quantity(0, ""))


def _family(record: Record, told: Any) -> None:
    """A diagnosis of the patient ("family history of"), or what a relative had."""
    told = _table(told, "name")
    if "member" not in told:
        code = coded(known(codes.FAMILY, told["name"], "family"))
        when = record.day(told.get("ago", "3 years"))
        record.add("Condition", clinicalStatus=status("active"), code=code, recordedDate=when)
        return
    role = known(codes.MEMBERS, told["member"], "family")
    had = known({**codes.CONDITIONS, "hip fracture": codes.HIP_FRACTURE}, told["condition"], "family")
    record.add(
        "FamilyMemberHistory",
        status="completed",
        date=record.day(told.get("ago", _RECENT)),
        relationship=concept(codes.ROLES, role),
        condition=[{"code": coded(had)}],
    )


# --- results ---------------------------------------------------------------------------------------------------------
def _result(unit: str, by_unit: Mapping[str, str], key: str) -> Callable[[Record, Any], None]:
    """Writes a result whose LOINC code depends on its unit; `unit` is the one of a plain number."""

    def write(record: Record, told: Any) -> None:
        told = {"unit": unit, **_table(told, "value")}
        code = concept(LOINC, known(by_unit, told["unit"], key))
        record.observed(code, told.get("ago", _RECENT), valueQuantity=quantity(told["value"], told["unit"]))

    return write


def _measured(system: str, code: str, unit: str) -> Callable[[Record, Any], None]:
    """Writes a result that has one code and one unit."""

    def write(record: Record, told: Any) -> None:
        told = _table(told, "value")
        record.observed(concept(system, code), told.get("ago", _RECENT), valueQuantity=quantity(told["value"], unit))

    return write


def _calcium(record: Record, told: Any) -> None:
    told = {"unit": "mmol/L", "adjusted": True, **_table(told, "value")}
    unit = told["unit"]
    code = concept(LOINC, known(codes.CALCIUM, (unit or "mmol/L", told["adjusted"]), "calcium"))
    limits = {end: quantity(told[end], unit) for end in ("low", "high") if end in told}
    value = quantity(told["value"], unit)
    record.observed(code, told.get("ago", _RECENT), valueQuantity=value, referenceRange=[limits] if limits else None)


def _test(record: Record, told: Any) -> None:
    told = _table(told, "name")
    code, usual, unit = known(codes.TESTS, told["name"], "tests")
    shown = quantity(told.get("value", usual), unit)
    record.observed(concept(LOINC, code), told.get("ago", _RECENT), valueQuantity=shown)


def _timed_walk(record: Record, told: Any) -> None:
    """No code is verified: it is found by its name, as in records."""
    told = _table(told, "value")
    name = {"text": "Timed 25-Foot Walk (T25FW)"}
    record.observed(name, told.get("ago", _RECENT), valueQuantity=quantity(told["value"], "s"))


def _smoking(record: Record, told: Any) -> None:
    told = _table(told, "value")
    answer = concept(SNOMED, known(codes.SMOKING, told["value"], "smoking"))
    record.observed(concept(LOINC, "72166-2"), told.get("ago", _RECENT), valueCodeableConcept=answer)


def _pregnant(record: Record, told: bool | str) -> None:
    ago = told if isinstance(told, str) else _RECENT
    answer = text("Pregnant" if told else "Not pregnant")
    record.observed(concept(LOINC, "82810-3"), ago, valueCodeableConcept=answer)


def _dxa(record: Record, told: Json) -> None:
    """Scores by site, and the report."""
    ago = told.get("ago", _RECENT)
    scales = (("t", codes.T_SCORES, "{T-score}"), ("z", codes.Z_SCORES, "{Z-score}"), ("bmd", codes.DENSITIES, "g/cm2"))
    for key, sites, unit in scales:
        for site, value in told.get(key, {}).items():
            code, where = known(sites, site, "dxa")
            record.observed(concept(LOINC, code), ago, valueQuantity=quantity(value, unit), bodySite=text(where))
    report = concept(LOINC, "83014-1" if told.get("vfa") else "83311-1")
    record.add("DiagnosticReport", status="final", code=report, effectiveDateTime=record.day(ago))


def _frax(record: Record, told: Json) -> None:
    """Probabilities in percent; `with_bmd` and `ticked` as the calculator was filled in."""
    named = {name: name.lower() in told.get("ticked", ()) for name in _FRAX_INPUTS}
    if "with_bmd" in told:
        named["Femoral neck BMD entered"] = told["with_bmd"]
    inputs = [{"code": {"text": f"FRAX input: {name}"}, "valueBoolean": value} for name, value in named.items()]
    for key, code in (("mof", "90265-0"), ("hip", "90266-8")):
        if key in told:
            ago, value = told.get("ago", _RECENT), quantity(told[key], "%")
            record.observed(concept(LOINC, code), ago, valueQuantity=value, component=inputs)


_WRITERS: Mapping[str, Callable[[Record, Any], None]] = {
    "menopause": _menopause,
    "conditions": _condition,
    "fractures": _fracture,
    "falls": _fall,
    "falls_asked": _falls_asked,
    "family": _family,
    "dxa": _dxa,
    "frax": _frax,
    "vitamin_d": _result("ng/mL", codes.VITAMIN_D, "vitamin_d"),
    "egfr": _measured(LOINC, "98979-8", "mL/min/{1.73_m2}"),
    "creatinine": _result("mg/dL", codes.CREATININE, "creatinine"),
    "calcium": _calcium,
    "albumin": _result("g/L", codes.ALBUMIN, "albumin"),
    "tests": _test,
    "bmi": _measured(LOINC, "39156-5", "kg/m2"),
    "weight": _measured(LOINC, "29463-7", "kg"),
    "height": _measured(LOINC, "8302-2", "cm"),
    "smoking": _smoking,
    "alcohol": _measured(LOINC, "74013-4", "{drinks}/d"),
    "edss": _measured(SNOMED, "273554001", "{score}"),
    "timed_walk": _timed_walk,
    "pregnant": _pregnant,
    "steroids": story_drugs.steroid,
    "therapies": story_drugs.therapy,
    "drugs": story_drugs.drug,
}
KEYS = frozenset({"as_of", "sex", "age", "born", "deceased", "incomplete", "orders", *_WRITERS})
