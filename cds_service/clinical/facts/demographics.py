"""Who the patient is, as far as rules may ask: age, sex, whether alive, whether the record was merged (D6, D7)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Any

from cds_service.clinical import needs
from cds_service.fhir.chart import Chart
from cds_service.fhir.read import codes_in, items, mapping, name_of, string
from cds_service.kernel.dates import DateSpan, completed_years, parse_date
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import Interval

NEEDS = (needs.PATIENT,)

# nobody has lived longer than 122 years; older birth dates are place-holders (1900-01-01) or slips
_OLDEST = 120


class Sex(Enum):
    """Sex as recorded for clinical use."""

    FEMALE = "female"
    MALE = "male"


def age(chart: Chart) -> Fact[Interval]:
    """Age in completed years; an interval with a doubt when the birth date is partial."""
    patient = chart.patient
    if not patient:
        return _no_patient(chart, "age")
    name = name_of(patient)
    if patient.get("birthDate") is None:
        return Unknown((Gap(GapKind.NOT_RECORDED, "age", "", name),))
    birth = parse_date(patient["birthDate"])
    if birth is None:
        return Unknown((Gap(GapKind.UNREADABLE, "age", "birth date not readable", name),))
    youngest, oldest = completed_years(birth, chart.as_of)
    if oldest < 0:
        return Unknown((Gap(GapKind.UNREADABLE, "age", "birth date in the future", name),))
    if youngest > _OLDEST:
        return Unknown((Gap(GapKind.UNREADABLE, "age", f"birth date more than {_OLDEST} years ago", name),))
    years = Interval(Decimal(max(youngest, 0)), Decimal(min(oldest, _OLDEST)))
    return Known(years, (Evidence("age", str(years), resource=name),), _partial(birth, name))


def _partial(birth: DateSpan, name: str) -> tuple[Gap, ...]:
    if birth.exact:
        return ()
    known = "year" if len(birth.text) == len("1970") else "month"
    return (Gap(GapKind.NOT_RECORDED, "birth-date", f"only the {known} of birth is on record", name),)


def sex(chart: Chart) -> Fact[Sex]:
    """Sex for clinical use: what an extension records for that purpose, else the administrative gender.

    The first source that gives exactly one answer counts: HL7 sex parameter for clinical use, US Core sex,
    HL7 recorded sex or gender, `Patient.gender`. "Specified" (neither typical setting applies) is not known.
    """
    patient = chart.patient
    if not patient:
        return _no_patient(chart, "sex")
    name = name_of(patient)
    for answers in (
        _clinical_use(chart),
        _us_core(patient),
        _recorded(chart),
        [string(patient.get("gender"))],
    ):
        read = {_SEX.get(answer.lower()) for answer in answers} if answers else set()
        if "specified" in answers:
            break
        if len(read) == 1 and (found := read.pop()) is not None:
            return Known(found, (Evidence("sex", found.value, resource=name),))
    return Unknown((Gap(GapKind.NOT_RECORDED, "sex", "", name),))


_SEX = {
    "female": Sex.FEMALE,
    "male": Sex.MALE,
    "f": Sex.FEMALE,
    "m": Sex.MALE,
    "female-typical": Sex.FEMALE,
    "male-typical": Sex.MALE,
    "248152002": Sex.FEMALE,  # SNOMED CT codes of US Core 6 and later
    "248153007": Sex.MALE,
}
_CLINICAL_USE = "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse"
_RECORDED = "http://hl7.org/fhir/StructureDefinition/individual-recordedSexOrGender"
# renamed to individual-sex in US Core 9
_US_CORE = (
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-sex",
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-individual-sex",
)


def _clinical_use(chart: Chart) -> list[str]:
    return list(_current_values(chart, _CLINICAL_USE, "period"))


def _recorded(chart: Chart) -> list[str]:
    return list(_current_values(chart, _RECORDED, "effectivePeriod"))


def _us_core(patient: Resource) -> list[str]:
    found: list[str] = []
    for url in _US_CORE:
        for extension in _extensions(patient, url):
            found.extend(_coded(extension))
    return found


def _current_values(chart: Chart, url: str, period: str) -> Iterator[str]:
    """The coded values of complex extensions of that kind which have not ended."""
    for extension in _extensions(chart.patient, url):
        ends = [mapping(part.get("valuePeriod")).get("end") for part in _extensions(extension, period)]
        if any((end := parse_date(text)) and end.latest < chart.as_of for text in ends):
            continue
        for part in _extensions(extension, "value"):
            yield from _coded(part)


def _coded(extension: Resource) -> Iterator[str]:
    if code := string(extension.get("valueCode")) or string(mapping(extension.get("valueCoding")).get("code")):
        yield code
    yield from codes_in(extension.get("valueCodeableConcept"))


def _extensions(element: Resource, url: str) -> Iterator[Any]:
    return (found for each in items(element.get("extension")) if string((found := mapping(each)).get("url")) == url)


def deceased(chart: Chart) -> Fact[bool]:
    """Whether the patient has died; without a statement the patient counts as alive."""
    patient = chart.patient
    if not patient:
        return _no_patient(chart, "deceased")
    name = name_of(patient)
    flag, date = patient.get("deceasedBoolean"), patient.get("deceasedDateTime")
    died = parse_date(date)
    odd = (date is not None and died is None) or (flag is not None and not isinstance(flag, bool))
    if odd or (died and (flag is False or died.earliest > chart.as_of)):
        return Unknown((Gap(GapKind.UNREADABLE, "deceased", "", name),))
    if died or flag:
        return Known(True, (Evidence("deceased", "", died, name),))
    return Known(False, (Evidence("alive", "", None, name),))


def merged(chart: Chart) -> bool:
    """Whether the record was merged into another one (D6)."""
    links = (mapping(link) for link in items(chart.patient.get("link")))
    return any(string(link.get("type")).lower() == "replaced-by" for link in links)


def _no_patient(chart: Chart, what: str) -> Unknown:
    return Unknown(chart.gaps(needs.PATIENT) or (Gap(GapKind.NOT_RECORDED, what),))
