"""What answered one look-up, and whether it proves that nothing else exists (S2).

An answer is a prefetch value or a page that the FHIR server sent to a search of ours: both are read here. CDS Hooks
knows five states of a prefetch key (absent, null, empty Bundle, OperationOutcome, data that may have a next page); each
has its own branch. What was found is kept even from a broken answer, because presence needs no proof; but then the
state is PARTIAL and nothing may be concluded from what is not in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from cds_service.kernel.needs import LookupState, Resource


class AnswerState(Enum):
    """What an answer turned out to be (CDS Hooks 2.0.1, "Prefetch")."""

    ABSENT = "absent"
    NULL = "null"
    EMPTY = "empty"
    DATA = "data"
    PARTIAL = "partial"
    FAILED = "failed"
    NOT_PERMITTED = "not-permitted"

    @property
    def lookup(self) -> LookupState:
        """How the look-up went: null and an empty Bundle are complete look-ups that found nothing."""
        return _LOOKUP_STATE[self]


_LOOKUP_STATE = {
    AnswerState.ABSENT: LookupState.NOT_SUPPLIED,
    AnswerState.NULL: LookupState.COMPLETE,
    AnswerState.EMPTY: LookupState.COMPLETE,
    AnswerState.DATA: LookupState.COMPLETE,
    AnswerState.PARTIAL: LookupState.PARTIAL,
    AnswerState.FAILED: LookupState.FAILED,
    AnswerState.NOT_PERMITTED: LookupState.NOT_PERMITTED,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read.

    Attributes:
        state: see `AnswerState`.
        resources: what was found; empty unless the state is DATA or PARTIAL.
        full_urls: the `fullUrl` of each resource, in the same order; "" where there is none.
        detail: what was odd, in our own words; never a value from the record.
    """

    state: AnswerState
    resources: tuple[Resource, ...] = ()
    full_urls: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the FHIR server of a call gave.

    Attributes:
        answers: one for each need that was asked for, by key.
        medications: Medications that the records of the call refer to and do not hold.
    """

    answers: Mapping[str, Answer]
    medications: Answer


class _Fault(Enum):
    """Why a value does not prove absence."""

    NOT_PERMITTED = "the server may not show all of it"
    FAILED = "the server reported an error"
    NOT_FHIR = "the value is not a FHIR resource"
    COUNT_ONLY = "the server counted results but sent none"
    ODD_BUNDLE = "a Bundle of a kind that no search returns"
    OTHER_TYPES = "only resources of other types than the one asked for"
    INCOMPLETE = "the server says that its answer is not complete"
    MORE_PAGES = "there are more pages than were sent"
    UNREADABLE = "entries that could not be read"


# Without any resource, these leave nothing to work with; the other faults leave an incomplete answer.
_FATAL = frozenset({_Fault.FAILED, _Fault.NOT_FHIR, _Fault.COUNT_ONLY, _Fault.ODD_BUNDLE})

# hl7.org/fhir/R4/valueset-issue-type.html: "security" and the codes below it that mean "you may not".
# Epic answers 400 with severity *warning* and code "suppressed" for categories the client may not see.
_DENIED = frozenset({"security", "login", "expired", "forbidden", "suppressed"})
_CUT_SHORT = frozenset({"incomplete", "too-costly", "throttled", "timeout"})
_HARMLESS = frozenset({"warning", "information", "success"})

# A missing type is what the public sandbox and hand-made test requests send.
_SEARCH_KINDS = frozenset({"searchset", "collection", "batch-response", ""})

# Resources that travel along with an answer without being asked for; nothing to report.
_COMPANIONS = frozenset(
    {"Medication", "Patient", "Practitioner", "PractitionerRole", "Organization", "Location", "Encounter"}
)
# A batch-response holds searchset Bundles; nobody nests deeper.
_MAX_DEPTH = 3
_HTTP_STATUS = re.compile(r"\s*([1-5]\d\d)\b")


def read(value: object, present: bool, resource_type: str) -> Answer:
    """Read one answer: a prefetch value, or a page of a search.

    Args:
        value: parsed JSON, of any type.
        present: whether the request has the key at all.
        resource_type: the FHIR type that was asked for; "" for a key we did not ask for.

    Returns:
        State and resources; odd input never raises and is never taken for "none found".
    """
    if not present:
        return Answer(AnswerState.ABSENT)
    if value is None:
        return Answer(AnswerState.NULL)
    reading = _Reading(resource_type)
    reading.add(value, "", kinds=_SEARCH_KINDS)
    return reading.result()


def read_all(value: object) -> Answer:
    """Read a whole-patient Bundle of any kind, or one resource: every type counts as asked for."""
    reading = _Reading("")
    reading.add(value, "", kinds=None)
    return reading.result()


@dataclass(slots=True)
class _Reading:
    """Collects resources and faults while a value is walked."""

    asked: str
    resources: list[Resource] = field(default_factory=list)
    full_urls: list[str] = field(default_factory=list)
    faults: Counter[_Fault] = field(default_factory=Counter)
    strangers: int = 0

    def add(self, value: object, full_url: str, *, kinds: frozenset[str] | None, depth: int = 0) -> None:
        """Take in a resource, or what a Bundle or an OperationOutcome says."""
        kind = value.get("resourceType") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(kind, str) or not kind:
            self.faults[_Fault.NOT_FHIR if depth == 0 else _Fault.UNREADABLE] += 1
        elif kind == "OperationOutcome":
            self.faults.update(_faults_of(value))
        elif kind != "Bundle":
            self.resources.append(value)
            self.full_urls.append(full_url)
        elif depth < _MAX_DEPTH:
            self._add_bundle(value, kinds, depth)
        else:
            self.faults[_Fault.UNREADABLE] += 1

    def _add_bundle(self, bundle: Mapping[str, Any], kinds: frozenset[str] | None, depth: int) -> None:
        before = len(self.resources)
        if kinds is not None and _word(bundle.get("type"), missing="") not in kinds:
            self.faults[_Fault.ODD_BUNDLE] += 1
        for entry in _items(bundle.get("entry")):
            self._add_entry(entry, kinds, depth + 1)
        if any(_word(_object(link).get("relation")) == "next" for link in _items(bundle.get("link"))):
            self.faults[_Fault.MORE_PAGES] += 1
        # `total` is not a count to rely on: Epic gives the size of the page, MEDHOST and athenahealth none.
        # But a count without data (eClinicalWorks: an empty bundle with total 50) is not "none found" (B12).
        if len(self.resources) == before and _more_than_zero(bundle.get("total")):
            self.faults[_Fault.COUNT_ONLY] += 1

    def _add_entry(self, entry: object, kinds: frozenset[str] | None, depth: int) -> None:
        if not isinstance(entry, dict):
            self.faults[_Fault.UNREADABLE] += 1
            return
        if "response" in entry and (faults := _faults_of_response(_object(entry["response"]))):
            self.faults.update(faults)
            return
        resource, full_url = entry.get("resource"), entry.get("fullUrl")
        self.add(resource, full_url if isinstance(full_url, str) else "", kinds=kinds, depth=depth)
        if self.asked and _is_stranger(resource, self.asked) and not _is_include(entry):
            self.strangers += 1

    def result(self) -> Answer:
        """The state that follows from what was collected."""
        if self.asked and self.resources and not any(r["resourceType"] == self.asked for r in self.resources):
            # somebody typed another query under our key (Epic: prefetch is configured by hand)
            self.faults[_Fault.OTHER_TYPES] += 1
        return Answer(self._state(), tuple(self.resources), tuple(self.full_urls), self._detail())

    def _state(self) -> AnswerState:
        if self.resources:
            return AnswerState.PARTIAL if self.faults else AnswerState.DATA
        if _Fault.NOT_PERMITTED in self.faults:
            return AnswerState.NOT_PERMITTED
        if not _FATAL.isdisjoint(self.faults):
            return AnswerState.FAILED
        return AnswerState.PARTIAL if self.faults else AnswerState.EMPTY

    def _detail(self) -> str:
        words = [
            f"{fault.value}: {self.faults[fault]}" if fault is _Fault.UNREADABLE else fault.value
            for fault in _Fault
            if fault in self.faults
        ]
        if self.strangers:
            words.append(f"resources of types that were not asked for: {self.strangers}")
        return "; ".join(words)


def _faults_of(outcome: Mapping[str, Any]) -> list[_Fault]:
    """What an OperationOutcome says against the answer; nothing for hints such as Epic's 4101 and 4119."""
    issues = _items(outcome.get("issue"))
    return [fault for issue in issues if (fault := _fault_of(_object(issue)))] if issues else [_Fault.FAILED]


def _fault_of(issue: Mapping[str, Any]) -> _Fault | None:
    severity, code = _word(issue.get("severity")), _word(issue.get("code"))
    if code in _DENIED:
        return _Fault.NOT_PERMITTED
    if severity not in _HARMLESS:  # error, fatal, or not readable
        return _Fault.FAILED
    return _Fault.INCOMPLETE if code in _CUT_SHORT else None


def _faults_of_response(response: Mapping[str, Any]) -> list[_Fault]:
    """What the HTTP status of one part of a batch-response says; nothing below 400."""
    status = response.get("status")
    match = _HTTP_STATUS.match(str(status)) if isinstance(status, str | int) else None
    if match is None or int(match[1]) < 400:
        return []
    if match[1] in ("401", "403"):
        return [_Fault.NOT_PERMITTED]
    outcome = response.get("outcome")
    return [_Fault.FAILED, *(_faults_of(outcome) if isinstance(outcome, dict) else ())]


def _is_stranger(resource: object, asked: str) -> bool:
    kind = _object(resource).get("resourceType")
    if not isinstance(kind, str) or kind == asked or kind in _COMPANIONS:
        return False
    return kind not in ("OperationOutcome", "Bundle")


def _is_include(entry: Mapping[str, Any]) -> bool:
    return _word(_object(entry.get("search")).get("mode")) == "include"


def _more_than_zero(total: object) -> bool:
    """Whether `total` promises results; a total that is not a number is not a promise of none."""
    if total is None:
        return False
    if isinstance(total, int | float | Decimal) and not isinstance(total, bool):
        return total > 0
    return total != "0"


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> Sequence[Any]:
    if isinstance(value, list):
        return value
    return () if value is None else (value,)


def _word(value: object, *, missing: str = "?") -> str:
    """A code in lower case; "?" for what is not a text, `missing` where there is nothing."""
    if value is None:
        return missing
    return value.strip().lower() if isinstance(value, str) else "?"
