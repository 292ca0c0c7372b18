"""FHIR R4 search over resources in memory: what the public CDS Hooks sandbox, SMART clients and our prefetch templates ask.

Values of one parameter are alternatives, repeated parameters all hold (R4, "Search", 3.1.1.4.17). A partial date is an interval
of days, on both sides; times of day are not compared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cds_service.fhir.read import items, mapping, string
from cds_service.kernel.dates import DateSpan, parse_date
from cds_service.kernel.errors import InputError

Resource = Mapping[str, Any]
Pairs = Sequence[tuple[str, str]]
# parameters of the result, not of the resource
COUNT, OFFSET, FORMAT = "_count", "_offset", "_format"
MOST = 1000


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter.

    Attributes:
        type: its FHIR type: token, reference, date or string.
        fields: elements of the resource that it looks at.
    """

    type: str
    fields: tuple[str, ...]


def _token(*fields: str) -> Parameter:
    return Parameter("token", fields)


def _date(*fields: str) -> Parameter:
    return Parameter("date", fields)


_WHOSE = Parameter("reference", ("subject", "patient"))
_SUBJECT = {"patient": _WHOSE, "subject": _WHOSE}
_STATUS, _CATEGORY, _CODE = {"status": _token("status")}, {"category": _token("category")}, {"code": _token("code")}
_DRUG = {"code": _token("medicationCodeableConcept"), **_SUBJECT, **_STATUS}
_EFFECTIVE = _date("effectiveDateTime", "effectivePeriod")
PARAMETERS: Mapping[str, Mapping[str, Parameter]] = {
    "Patient": {
        "name": Parameter("string", ("name",)),
        "gender": _token("gender"),
        "birthdate": _date("birthDate"),
        "identifier": _token("identifier"),
    },
    "Condition": {
        **_SUBJECT, **_CODE, **_CATEGORY,
        "clinical-status": _token("clinicalStatus"),
        "verification-status": _token("verificationStatus"),
        "onset-date": _date("onsetDateTime", "onsetPeriod"),
        "recorded-date": _date("recordedDate"),
    },
    "MedicationRequest": {**_DRUG, **_CATEGORY, "intent": _token("intent"), "authoredon": _date("authoredOn")},
    "MedicationDispense": {**_DRUG, "whenhandedover": _date("whenHandedOver")},
    "MedicationAdministration": {**_DRUG, "effective-time": _EFFECTIVE},
    "MedicationStatement": {**_DRUG, **_CATEGORY, "effective": _EFFECTIVE},
    "Observation": {**_SUBJECT, **_CODE, **_CATEGORY, **_STATUS, "date": _EFFECTIVE},
    "DiagnosticReport": {**_SUBJECT, **_CODE, **_CATEGORY, **_STATUS, "date": _EFFECTIVE},
    "Procedure": {**_SUBJECT, **_CODE, **_CATEGORY, **_STATUS, "date": _date("performedDateTime", "performedPeriod")},
    "FamilyMemberHistory": {"patient": _WHOSE, **_STATUS, "date": _date("date")},
}  # fmt: skip
# of other types, which the prefetch templates of other services may ask for
_OF_ANY_TYPE = {
    **_SUBJECT, **_CODE, **_CATEGORY, **_STATUS, "type": _token("type"), "intent": _token("intent"),
}  # fmt: skip
ID = Parameter("token", ("id",))


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a search.

    Attributes:
        total: how many resources match.
        page: those of the page that was asked for.
        applied: the parameters that were understood.
        not_applied: the names of those that were not.
        offset: number of resources before the page.
        count: longest page.
    """

    total: int
    page: tuple[Resource, ...]
    applied: Pairs
    not_applied: tuple[str, ...]
    offset: int
    count: int


def search(resource_type: str, resources: Iterable[Resource], asked: Pairs, *, most: int = MOST) -> Found:
    """Search resources of one type.

    Args:
        resource_type: of the resources; those that are not in `PARAMETERS` have a few common parameters.
        resources: of that type.
        asked: names and values, decoded, in the order they came.
        most: longest page.

    Raises:
        InputError: a value that its parameter cannot have.
    """
    known = {**PARAMETERS.get(resource_type, _OF_ANY_TYPE), "_id": ID}
    conditions = [_condition(name, known[name], value) for name, value in asked if name in known]
    matches = [each for each in resources if all(holds(each) for holds in conditions)]
    told = dict(asked)
    count, offset = min(_whole(told, COUNT, most), most), _whole(told, OFFSET, 0)
    results = {COUNT, OFFSET, FORMAT}
    return Found(
        len(matches),
        tuple(matches[offset : offset + count]),
        [(name, value) for name, value in asked if name in known or name == COUNT],
        tuple(dict.fromkeys(name for name, _ in asked if name not in known and name not in results)),
        offset,
        count,
    )


def _whole(told: Mapping[str, str], name: str, default: int) -> int:
    text = told.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InputError("must be a whole number", name, "Write digits alone.")
    return int(text)


def _condition(name: str, parameter: Parameter, value: str) -> Callable[[Resource], bool]:
    makers = {"token": _is_token, "reference": _is_reference, "date": _is_date, "string": _has_words}
    tests = [makers[parameter.type](name, each.strip()) for each in value.split(",")]
    fields = parameter.fields
    return lambda resource: any(test(resource.get(field)) for field in fields for test in tests)


def _is_token(_name: str, wanted: str) -> Callable[[Any], bool]:
    """`code`, `system|code`, `|code` (no system) or `system|` (any code)."""
    system, bar, code = wanted.rpartition("|")

    def holds(value: Any) -> bool:
        return any(
            (not code or code == own_code) and (not bar or system == own_system)
            for own_system, own_code in _tokens(value)
        )

    return holds


def _tokens(value: Any) -> Iterator[tuple[str, str]]:
    """The systems and codes of a code, CodeableConcept, Identifier, or a list of those."""
    for each in items(value):
        if isinstance(each, str):
            yield "", each
        for coding in (*items(mapping(each).get("coding")), each):
            told = mapping(coding)
            if code := string(told.get("code")) or string(told.get("value")):
                yield string(told.get("system")), code


def _is_reference(_name: str, wanted: str) -> Callable[[Any], bool]:
    """`id`, `Patient/id`, or an address that ends so."""
    ident = _tail(wanted)

    def holds(value: Any) -> bool:
        return bool(ident) and _tail(string(mapping(value).get("reference"))) == ident

    return holds


def _tail(reference: str) -> str:
    return reference.rpartition("/")[2].removeprefix("urn:uuid:")


def _has_words(_name: str, wanted: str) -> Callable[[Any], bool]:
    """The beginning of any part of a name, whatever its case."""
    begin = wanted.casefold()

    def holds(value: Any) -> bool:
        parts = (
            part for name in items(value) for part in (name.get("family"), name.get("text"), *items(name.get("given")))
        )
        return any(string(part).casefold().startswith(begin) for part in parts)

    return holds


_COMPARED: Mapping[str, Callable[[DateSpan, DateSpan], bool]] = {
    "eq": lambda own, asked: asked.earliest <= own.earliest and own.latest <= asked.latest,
    "ne": lambda own, asked: not (asked.earliest <= own.earliest and own.latest <= asked.latest),
    "ge": lambda own, asked: own.latest >= asked.earliest,
    "le": lambda own, asked: own.earliest <= asked.latest,
    "gt": lambda own, asked: own.latest > asked.latest,
    "lt": lambda own, asked: own.earliest < asked.earliest,
}


def _is_date(name: str, wanted: str) -> Callable[[Any], bool]:
    prefix, text = (wanted[:2], wanted[2:]) if wanted[:2] in _COMPARED else ("eq", wanted)
    span = parse_date(text)
    if span is None:
        raise InputError(
            "is not a date this server can search by", name, f"Prefixes: {', '.join(_COMPARED)}; YYYY-MM-DD."
        )
    compared = _COMPARED[prefix]

    def holds(value: Any) -> bool:
        own = _span(value)
        return own is not None and compared(own, span)

    return holds


def _span(value: Any) -> DateSpan | None:
    if not isinstance(value, dict):
        return parse_date(value)
    start, end = parse_date(value.get("start")), parse_date(value.get("end"))
    if start is None and end is None:
        return None
    return DateSpan(start.earliest if start else dt.date.min, end.latest if end else dt.date.max, "")


def bundle(resource_type: str, found: Found, base: str, query: Callable[[Pairs], str]) -> dict[str, Any]:
    """The answer to a search.

    Args:
        resource_type: the type searched.
        found: see `search`.
        base: address of the server.
        query: writes names and values as a query string.
    """
    address = f"{base}/{resource_type}"
    links = [{"relation": "self", "url": f"{address}?{query(found.applied)}".rstrip("?")}]
    after = found.offset + len(found.page)
    if found.page and after < found.total:
        rest = [(name, value) for name, value in found.applied if name != COUNT]
        following = query([*rest, (COUNT, str(found.count)), (OFFSET, str(after))])
        links.append({"relation": "next", "url": f"{address}?{following}"})
    entries: list[dict[str, Any]] = [
        {"fullUrl": f"{address}/{each['id']}", "resource": each, "search": {"mode": "match"}} for each in found.page
    ]
    if found.not_applied:
        words = f"Not applied: {', '.join(name[:60] for name in found.not_applied)}. The result holds more than was asked for."
        issue = {"severity": "warning", "code": "not-supported", "diagnostics": words}
        notice = {"resourceType": "OperationOutcome", "id": "not-applied", "issue": [issue]}
        entries.append({"resource": notice, "search": {"mode": "outcome"}})
    made = {"resourceType": "Bundle", "type": "searchset", "total": found.total, "link": links}
    return {**made, "entry": entries} if entries else made
