"""A patient in a few words of TOML, turned into FHIR R4 (`call.py` makes a CDS Hooks call of it).

A story is a table such as

    sex = "female"
    age = 62
    menopause = "yes"
    steroids = [{ drug = "prednisone", mg = 5, taken = 91 }]
    dxa = { ago = "13 months", t = { spine = -1.2 } }

What a story does not list is absent from a record that was looked up completely; `incomplete` says otherwise.
Times are told as "12 months", "1 year 1 day", "0 days" (before the day of the story), or as a FHIR date ("2024", "2024-05-17").
Every code stands in `clinical/valuesets/` (`test_vignettes.py` checks it); nothing here is read by the service.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cds_service.kernel.dates import plus_days, plus_months

AS_OF = "2026-06-15"
PATIENT_ID = "p1"
Json: TypeAlias = dict[str, Any]

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
# Where two products of one drug matter, the story names a route; the codes are those of the ingredients.
DRUGS = {
    "prednisone": "8640", "prednisolone": "8638", "methylprednisolone": "6902", "hydrocortisone": "5492",
    "cortisone": "2878", "dexamethasone": "3264", "betamethasone": "1514", "triamcinolone": "10759",
    "deflazacort": "22396", "fluticasone": "41126", "budesonide": "19831", "corticotropin": "376",
    "alendronate": "46041", "risedronate": "73056", "zoledronic acid": "77655", "denosumab": "993449",
    "teriparatide": "32915", "abaloparatide": "1921069", "romosozumab": "2123126", "raloxifene": "72143",
    "cholecalciferol": "2418", "carbamazepine": "2002", "phenytoin": "8183", "sertraline": "36437",
    "diazepam": "3322", "zolpidem": "39993",
}  # fmt: skip
ROUTES = {
    "oral": ("26643006", "Oral route"),
    "iv": ("47625008", "Intravenous route"),
    "topical": ("6064005", "Topical route"),
    "inhaled": ("", "Inhalation"),
}
CONDITIONS = {
    "multiple sclerosis": (SNOMED, "24700007"),
    "osteoporosis": (SNOMED, "64859006"),
    "adrenal insufficiency": (ICD, "E27.1"),
    "hypopituitarism": (ICD, "E23.0"),
    "malabsorption": (SNOMED, "32230006"),
    "coeliac disease": (SNOMED, "396331005"),
    "myocardial infarction": (SNOMED, "22298006"),
    "stroke": (SNOMED, "230690007"),
    "hypogonadism": (SNOMED, "48130008"),
    "premature menopause": (SNOMED, "373717006"),
    "wheelchair": (SNOMED, "225612007"),
    "walking aid": (SNOMED, "360006004"),
    "bed": (ICD, "Z74.01"),
    "reduced mobility": (SNOMED, "8510008"),
    "rheumatoid arthritis": (SNOMED, "69896004"),
}
# The code that says "osteoporotic", and the one of the injury chapter that leaves the cause open
FRACTURES = {
    "hip": ("M80.051A", "S72.001A"),
    "vertebra": ("M80.08XA", "S32.010A"),
    "wrist": ("M80.031A", "S52.501A"),
    "humerus": ("M80.021A", "S42.201A"),
    "pelvis": ("M80.0B1A", "S32.501A"),
    "rib": ("", "S22.31XA"),
    "hand": ("M80.041A", ""),
    "not stated": ("Z87.310", "Z87.81"),
}
_TRAFFIC = "V89.2XXA"
_T_SITES = {"spine": ("38267-1", ""), "hip": ("38264-8", ""), "neck": ("38263-0", "femoral neck")}
_Z_SITES = {"spine": ("85394-5", ""), "hip": ("80933-5", ""), "neck": ("80934-3", "femoral neck")}
_VITAMIN_D = {"ng/mL": "62292-8", "nmol/L": "68438-1", "": "62292-8"}
_FRAX_INPUTS = ("Glucocorticoids", "Rheumatoid arthritis", "Secondary osteoporosis")

_SPAN = re.compile(r"(?:(\d+) years?)? ?(?:(\d+) months?)? ?(?:(\d+) days?)?")
KEYS = frozenset(
    ["as_of", "sex", "age", "born", "menopause", "deceased", "steroids", "dxa", "frax", "fractures", "conditions",
     "edss", "falls", "therapies", "vitamin_d", "egfr", "bmi", "drugs", "pregnant", "incomplete"]
)  # fmt: skip


def resources(story: Mapping[str, Any]) -> list[Json]:
    """The patient and everything on record, as FHIR resources."""
    unknown = set(story) - KEYS
    assert not unknown, f"a story knows no {', '.join(sorted(unknown))}"
    record = _Record(dt.date.fromisoformat(story.get("as_of", AS_OF)))
    record.patient(story)
    for key, write in _WRITERS.items():
        for each in _each(story.get(key)):
            write(record, each)
    return record.written


def bundle_text(story: Mapping[str, Any]) -> str:
    """The whole record as one Bundle, JSON text."""
    entries = [{"resource": resource} for resource in resources(story)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


def written_codes(story: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(system, code) of every coding that says what a resource is about."""
    for resource in resources(story):
        concept = resource.get("code") or resource.get("medicationCodeableConcept") or {}
        yield from ((coding["system"], coding["code"]) for coding in concept.get("coding", ()))


@dataclass(slots=True)
class _Record:
    """Writes resources; numbers them in order."""

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
        about = {} if kind == "Patient" else {"subject": {"reference": f"Patient/{PATIENT_ID}"}}
        ident = PATIENT_ID if kind == "Patient" else f"{kind.lower()}-{len(self.written)}"
        resource = {"resourceType": kind, "id": ident, **about}
        resource |= {key: value for key, value in elements.items() if value not in (None, [], {})}
        self.written.append(resource)
        return resource

    def patient(self, story: Mapping[str, Any]) -> None:
        """Who; `age` alone puts the birthday a hundred days back."""
        born = story.get("born")
        if born is None and "age" in story:
            born = plus_months(plus_days(self.as_of, -100), -12 * int(story["age"])).isoformat()
        dead = story.get("deceased")
        self.add("Patient", gender=story.get("sex"), birthDate=born, deceasedBoolean=dead)

    def condition(self, told: Any) -> None:
        """A name, or a table with `name`, `ago` and `over` (when it ended)."""
        told = {"name": told} if isinstance(told, str) else told
        over = self.day(told["over"]) if "over" in told else None
        self.add(
            "Condition",
            clinicalStatus=_status("resolved" if over else "active"),
            verificationStatus=_status(told.get("verification", "confirmed")),
            code=_concept(*CONDITIONS[told["name"]]),
            onsetDateTime=self.day(told.get("ago", "3 years")),
            abatementDateTime=over,
        )

    def menopause(self, told: str) -> None:
        """Yes is a diagnosis; no is one that was looked for and refuted."""
        self.add(
            "Condition",
            clinicalStatus=_status("active") if told == "yes" else None,
            verificationStatus=_status("confirmed" if told == "yes" else "refuted"),
            code=_concept(ICD, "Z78.0") if told == "yes" else _concept(SNOMED, "76498008"),
            recordedDate=self.day("60 days"),
        )

    def fracture(self, told: Json) -> None:
        """`low_trauma` true, false (a traffic accident) or not listed (cause not on record)."""
        osteoporotic, injury = FRACTURES[told["site"]]
        cause = told.get("low_trauma")
        due_to = "http://hl7.org/fhir/StructureDefinition/condition-dueTo"
        self.add(
            "Condition",
            clinicalStatus=_status("active"),
            verificationStatus=_status("confirmed"),
            code=_concept(ICD, osteoporotic if cause else injury),
            onsetDateTime=self.day(told.get("ago", "2 years")),
            extension=[{"url": due_to, "valueCodeableConcept": _concept(ICD, _TRAFFIC)}] if cause is False else None,
        )

    def fall(self, told: str) -> None:
        """When, or "repeated"."""
        when = {"onsetDateTime": self.day("30 days" if told == "repeated" else told)}
        code = _concept(ICD, "R29.6") if told == "repeated" else _concept(SNOMED, "1912002")
        self.add("Condition", code=code, clinicalStatus=_status("active"), **when)

    def observed(self, code: tuple[str, str], ago: str, **value: Any) -> None:
        """A final result."""
        self.add("Observation", status="final", code=_concept(*code), effectiveDateTime=self.day(ago), **value)

    def dxa(self, told: Json) -> None:
        """A DXA with its report; scores by site."""
        ago = told.get("ago", "30 days")
        for key, sites, unit in (("t", _T_SITES, "{T-score}"), ("z", _Z_SITES, "{Z-score}")):
            for site, value in told.get(key, {}).items():
                code, where = sites[site]
                self.observed((LOINC, code), ago, valueQuantity=_quantity(value, unit), bodySite=_text(where))
        code = "83014-1" if told.get("vfa") else "83311-1"
        self.add("DiagnosticReport", status="final", code=_concept(LOINC, code), effectiveDateTime=self.day(ago))

    def frax(self, told: Json) -> None:
        """Probabilities in percent; `with_bmd` and `ticked` as the calculator was filled in."""
        named = {name: name.lower() in told.get("ticked", ()) for name in _FRAX_INPUTS}
        if "with_bmd" in told:
            named["Femoral neck BMD entered"] = told["with_bmd"]
        inputs = [{"code": {"text": f"FRAX input: {name}"}, "valueBoolean": value} for name, value in named.items()]
        for key, code in (("mof", "90265-0"), ("hip", "90266-8")):
            if key in told:
                ago, value = told.get("ago", "30 days"), _quantity(told[key], "%")
                self.observed((LOINC, code), ago, valueQuantity=value, component=inputs)

    def vitamin_d(self, told: Json) -> None:
        """25-OH vitamin D; a value such as ">150" keeps its comparator, a unit of "" stays away."""
        unit = told.get("unit", "ng/mL")
        value = _quantity(told["value"], unit)
        self.observed((LOINC, _VITAMIN_D[unit]), told.get("ago", "30 days"), valueQuantity=value)

    def measured(self, code: tuple[str, str], unit: str) -> Callable[[Any], None]:
        """A plain number, or a table with `value` and `ago`."""

        def write(told: Any) -> None:
            told = told if isinstance(told, Mapping) else {"value": told}
            self.observed(code, told.get("ago", "30 days"), valueQuantity=_quantity(told["value"], unit))

        return write

    def pregnant(self, told: bool | str) -> None:
        """A pregnancy status of 30 days ago; a time instead of true is when she was pregnant."""
        ago = told if isinstance(told, str) else "30 days"
        self.observed((LOINC, "82810-3"), ago, valueCodeableConcept=_text("Pregnant" if told else "Not pregnant"))

    def steroid(self, told: Json) -> None:
        """An order; infusions also as administered, day by day.

        `taken` days so far, today included; or `ended`: when the last day was; or `since`: when the first was.
        `days` ordered in all; without it the order has no end.
        """
        days = told.get("days", 0)
        if "ended" in told:
            first = plus_days(self.exact(told["ended"]), 1 - days)
        else:
            first = plus_days(self.as_of, 1 - told["taken"]) if "taken" in told else self.exact(told["since"])
        last = plus_days(first, days - 1) if days else None
        route = told.get("route", "oral")
        status = told.get("status", "completed" if last and last < self.as_of else "active")
        self.medication(told["drug"], first, last, status, _dosage(told.get("mg"), route), told.get("reason"))
        if route == "iv":
            for number in range(days):
                self.administered(told["drug"], plus_days(first, number), told["mg"], route)

    def therapy(self, told: Json) -> None:
        """An osteoporosis drug: injections `doses` ago, or an order `since` then that was `stopped` then.

        An order that goes on is renewed until 90 days from now; with `open` it was never renewed and has no end.
        """
        for ago in told.get("doses", ()):
            self.administered(told["drug"], self.exact(ago), told["mg"], "iv")
        if "since" in told:
            stopped = self.exact(told["stopped"]) if "stopped" in told else None
            end = None if told.get("open") else stopped or plus_days(self.as_of, 90)
            status = "completed" if stopped else "active"
            self.medication(told["drug"], self.exact(told["since"]), end, status, _dosage(told.get("mg"), "oral"))

    def drug(self, told: Any) -> None:
        """A drug taken now: its name, or a table with `drug` and `since`."""
        told = {"drug": told} if isinstance(told, str) else told
        self.medication(told["drug"], self.exact(told.get("since", "90 days")), None, "active", {})

    def medication(
        self, drug: str, first: dt.date, last: dt.date | None, status: str, dosage: Json, reason: str | None = None
    ) -> None:
        """A MedicationRequest."""
        bounds = {"start": first.isoformat()} | ({"end": last.isoformat()} if last else {})
        repeat = {**dosage.get("timing", {}).get("repeat", {}), "boundsPeriod": bounds}
        self.add(
            "MedicationRequest",
            status=status,
            intent="order",
            medicationCodeableConcept=_concept(RXNORM, DRUGS[drug], drug),
            authoredOn=first.isoformat(),
            dosageInstruction=[{**dosage, "timing": {"repeat": repeat}}],
            reasonCode=[_concept(*CONDITIONS[reason])] if reason else None,
        )

    def administered(self, drug: str, day: dt.date, mg: float, route: str) -> None:
        """A MedicationAdministration."""
        self.add(
            "MedicationAdministration",
            status="completed",
            medicationCodeableConcept=_concept(RXNORM, DRUGS[drug], drug),
            effectiveDateTime=day.isoformat(),
            dosage={"route": _route(route), "dose": _quantity(mg, "mg")},
        )


_WRITERS: Mapping[str, Callable[[_Record, Any], None]] = {
    "menopause": _Record.menopause,
    "conditions": _Record.condition,
    "fractures": _Record.fracture,
    "falls": _Record.fall,
    "dxa": _Record.dxa,
    "frax": _Record.frax,
    "vitamin_d": _Record.vitamin_d,
    "egfr": lambda record, told: record.measured((LOINC, "98979-8"), "mL/min/{1.73_m2}")(told),
    "bmi": lambda record, told: record.measured((LOINC, "39156-5"), "kg/m2")(told),
    "edss": lambda record, told: record.measured((SNOMED, "273554001"), "{score}")(told),
    "pregnant": _Record.pregnant,
    "steroids": _Record.steroid,
    "therapies": _Record.therapy,
    "drugs": _Record.drug,
}


def _each(told: Any) -> Sequence[Any]:
    if told is None:
        return ()
    return told if isinstance(told, list) else (told,)


def _status(code: str) -> Json:
    return {"coding": [{"code": code}]}


def _concept(system: str, code: str, text: str = "") -> Json:
    return {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})


def _text(words: str) -> Json | None:
    return {"text": words} if words else None


def _quantity(value: Any, unit: str) -> Json:
    comparator = {}
    if isinstance(value, str):
        comparator, value = {"comparator": value[0]}, float(value[1:])
    return {"value": value, **comparator} | ({"unit": unit, "system": UCUM, "code": unit} if unit else {})


def _route(route: str) -> Json:
    code, words = ROUTES[route]
    return _concept(SNOMED, code, words) if code else {"text": words}


def _dosage(mg: Any, route: str) -> Json:
    """Once a day; a range as [low, high]; a dose in words as words, without structure."""
    if not isinstance(mg, int | float | list):
        return {"text": mg, "route": _route(route)} if mg else {"route": _route(route)}
    if isinstance(mg, list):
        low, high = mg
        amount = {"doseRange": {"low": _quantity(low, "mg"), "high": _quantity(high, "mg")}}
    else:
        amount = {"doseQuantity": _quantity(mg, "mg")}
    timing = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    return {"route": _route(route), "timing": timing, "doseAndRate": [amount]}
