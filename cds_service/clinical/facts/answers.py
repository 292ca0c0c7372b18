"""Dates, yes-or-no answers and activity as Conditions and Observations give them; shared by the fact readers."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from cds_service.fhir import status
from cds_service.fhir.chart import Chart
from cds_service.fhir.codes import canonical_system
from cds_service.fhir.read import code_text, codes_in, items, mapping, number, span, string, when
from cds_service.kernel.dates import DateSpan, parse_date, plus_months
from cds_service.kernel.needs import Resource
from cds_service.kernel.truth import Truth

# "yes" and "no" as SNOMED CT qualifiers, LOINC answers and HL7 v2-0136 write them, and as words
_YES = frozenset({"373066001", "la33-6", "y", "yes", "true"})
_NO = frozenset({"373067005", "la32-8", "n", "no", "false"})
_ACTIVE = frozenset({"active", "recurrence", "relapse"})
_OVER = frozenset({"inactive", "remission", "resolved"})
_YEARS = frozenset({"a", "year", "years", "yr", "yrs"})
_LONGEST_LIFE = 120

_ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
# ICD-10-CM 7th character of injuries, fractures and external causes: A, B and C are the initial encounter
_SEVENTH = re.compile(r"[MSTVWXY]\w{5}(\w)")
_INITIAL = frozenset("ABC")


def born(chart: Chart) -> DateSpan | None:
    """The birth date of the patient, as far as it is known."""
    return parse_date(chart.patient.get("birthDate"))


def begun(chart: Chart, condition: Resource) -> DateSpan | None:
    """When a Condition began: its onset, else some day up to the one on which it was recorded."""
    onset = condition.get("onsetPeriod")
    found = (
        parse_date(condition.get("onsetDateTime"))
        or (span(onset.get("start"), onset.get("end")) if isinstance(onset, dict) else None)
        or _at_age(chart, mapping(condition.get("onsetAge")))
    )
    return _not_after(found, chart.as_of) if found else recorded_by(chart, recorded(condition))


def recorded(condition: Resource) -> DateSpan | None:
    """When a Condition was written down (`assertedDate` before R4)."""
    return parse_date(condition.get("recordedDate")) or parse_date(condition.get("assertedDate"))


def recorded_by(chart: Chart, known: DateSpan | None) -> DateSpan | None:
    """Some day of the patient's life up to that one."""
    if known is None:
        return None
    birth = born(chart)
    first = birth.earliest if birth and birth.earliest <= known.latest else dt.date.min
    if known.earliest > chart.as_of:
        return known
    return DateSpan(first, min(known.latest, chart.as_of), f"by {known}")


def only_recorded(on: DateSpan | None) -> bool:
    """Whether the span says no more than "by that day"."""
    return on is not None and on.text.startswith("by ")


def _at_age(chart: Chart, age: Resource) -> DateSpan | None:
    years, birth = number(age.get("value")), born(chart)
    unit = (string(age.get("code")) or string(age.get("unit"))).lower()
    if years is None or birth is None or unit not in _YEARS or age.get("comparator"):
        return None
    if not 0 <= years <= _LONGEST_LIFE or years != years.to_integral_value():
        return None
    months = int(years) * 12
    return DateSpan(plus_months(birth.earliest, months), plus_months(birth.latest, months + 12), f"age {years}")


def _not_after(on: DateSpan, as_of: dt.date) -> DateSpan:
    """A span that has begun cannot end after today; one that lies ahead is left as it is."""
    return on if on.earliest > as_of or on.latest <= as_of else DateSpan(on.earliest, as_of, on.text)


def observed(chart: Chart, observation: Resource) -> DateSpan | None:
    """When an Observation was made."""
    on = when(observation)
    return _not_after(on, chart.as_of) if on else None


def ahead(chart: Chart, resource: Resource, on: DateSpan | None) -> bool:
    """Whether the resource is dated after the day asked about: then it is not used, and reported (D15)."""
    if on is None or on.earliest <= chart.as_of:
        return False
    chart.set_unread(resource, "future-date")
    return True


def activity(condition: Resource, as_of: dt.date) -> Truth:
    """Is the Condition still there? Unknown where neither status nor end says so, or where they disagree."""
    told = status.clinical_status(condition)
    ended = _ended(condition, as_of)
    if told in _ACTIVE:
        return Truth.UNKNOWN if ended else Truth.YES
    return Truth.NO if told in _OVER or ended else Truth.UNKNOWN


def _ended(condition: Resource, as_of: dt.date) -> bool:
    period = mapping(condition.get("abatementPeriod"))
    end = parse_date(condition.get("abatementDateTime")) or parse_date(period.get("end"))
    if end is not None:
        return end.latest <= as_of
    told = condition.get("abatementBoolean"), condition.get("abatementString"), condition.get("abatementAge")
    return any(value not in (None, False) for value in told)


def yes_or_no(chart: Chart, part: Resource, *meaning_yes: str) -> Truth:
    """The answer an Observation gives; unknown where it gives none that can be read.

    Args:
        chart: the chart.
        part: the Observation, or the component with the answer.
        meaning_yes: concepts that, as the answer, mean yes ("postmenopausal" under "menopausal status").
    """
    if part.get("dataAbsentReason"):
        return Truth.UNKNOWN
    if isinstance(told := part.get("valueBoolean"), bool):
        return Truth.of(told)
    coded = part.get("valueCodeableConcept")
    if chart.terminology.concepts(coded) & set(meaning_yes):
        return Truth.YES
    words = {*codes_in(coded), code_text(coded).lower(), string(part.get("valueString")).lower()}
    yes, no = bool(words & _YES), bool(words & _NO)
    return Truth.UNKNOWN if yes == no else Truth.of(yes)


def plain_value(part: Resource, units: frozenset[str]) -> Decimal | None:
    """The number of an Observation whose unit is one of those (lower case; "" allows none)."""
    if part.get("dataAbsentReason"):
        return None
    quantity = part.get("valueQuantity")
    if not isinstance(quantity, dict):
        return number(part.get("valueInteger")) if "" in units else None
    said = {string(quantity.get(name)).lower() for name in ("code", "unit")} - {""}
    if quantity.get("comparator") or not (said or {""}) <= units:
        return None
    return number(quantity.get("value"))


def newest_first(on: DateSpan | None) -> tuple[int, int]:
    """Sort key: newest first, undated last."""
    return (0, 0) if on is None else (-on.latest.toordinal(), -on.earliest.toordinal())


def icd_10_cm(codeable: object) -> list[str]:
    """The ICD-10-CM codes of a CodeableConcept, without dots, upper case."""
    codings = [mapping(c) for concept in items(codeable) for c in items(mapping(concept).get("coding"))]
    return [
        string(coding.get("code")).replace(".", "").upper()
        for coding in codings
        if canonical_system(string(coding.get("system"))) == _ICD_10_CM
    ]


def follow_up(codeable: object) -> bool:
    """Whether the 7th character says follow-up care or sequela, and no other code says initial encounter.

    Such a code proves the event, but its date is that of the visit (`terminology.md` 6.2).
    """
    seventh = {match.group(1) for code in icd_10_cm(codeable) if (match := _SEVENTH.fullmatch(code))}
    return bool(seventh) and not seventh & _INITIAL
