"""From what a call carries, and what its FHIR server has, to records of one proven patient (S2, S4; `safety.md` D1-D4).

A foreign Patient refuses the whole call. A foreign resource fails its whole key: dropping it would turn a
mix-up into "none found". A resource that cannot be attributed is not used, and its key no longer proves
absence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from cds_service.engine.draft_orders import DraftOrders, orders_of
from cds_service.engine.fetch import Fetcher, lacking, merged
from cds_service.fhir import answers
from cds_service.fhir.answers import Answer
from cds_service.fhir.identity import Attribution, OnePatient, is_merged, one_patient, with_id
from cds_service.fhir.read import string
from cds_service.formats import strict_json
from cds_service.kernel.errors import InputError, JsonRefused, PatientMismatch
from cds_service.kernel.needs import Drafts, Lookup, LookupState, Need, Records, Resource

_MERGED = "the Patient record was merged into another one"
_SERVER = "FHIR server"


class Call(Protocol):
    """What is read of a CDS Hooks request."""

    @property
    def patient_id(self) -> str:
        """`context.patientId`."""
        ...

    @property
    def prefetch(self) -> Mapping[str, Any]:
        """The prefetch values by key, as parsed JSON."""
        ...

    @property
    def fhir_server(self) -> str | None:
        """The FHIR base of the client."""
        ...

    @property
    def access_token(self) -> str | None:
        """The token for it."""
        ...

    @property
    def encounter_id(self) -> str | None:
        """`context.encounterId`."""
        ...

    @property
    def hook(self) -> str:
        """The hook that fired."""
        ...

    @property
    def context(self) -> Mapping[str, Any]:
        """The whole context of the hook."""
        ...


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Resources of one key, by whose they are."""

    ours: tuple[Resource, ...]
    foreign: Counter[str]
    unattributed: Counter[str]

    def words(self) -> list[str]:
        """What to report, without values."""
        found = []
        if self.foreign:
            found.append(f"resources of another patient or another server: {self.foreign.total()}")
        if self.unattributed:
            found.append(f"resources that do not say whose they are: {self.unattributed.total()}")
        return found


def gather(call: Call, needs: Sequence[Need], fetcher: Fetcher | None = None) -> Records:
    """Read the prefetch of one call, and fetch what it lacks.

    Args:
        call: the request; its patient, prefetch, FHIR base and draft orders are read.
        needs: what was asked for; values under other keys may show presence, never absence.
        fetcher: looks up at the FHIR server of the call, where the call names one and brings a token for it (CDS Hooks
            asks for both); without it only what was sent is read.

    Returns:
        One look-up per need; keys that were neither sent nor fetched are NOT_SUPPLIED.

    Raises:
        PatientMismatch: a Patient other than the one of the call is among the data (D1), or an order is for
            somebody else (D5). Where the data that was sent shows it, nothing is fetched.
    """
    types = {need.key: need.resource_type for need in needs}
    asked = {key: answers.read(call.prefetch.get(key), key in call.prefetch, kind) for key, kind in types.items()}
    others = {
        key: answers.read(value, present=True, resource_type="")
        for key, value in call.prefetch.items()
        if key not in types
    }
    who = one_patient(call.patient_id, call.fhir_server, _pairs((*asked.values(), *others.values())))
    problems: list[str] = []
    drafts = _drafts(orders_of(call.hook, call.context), who, problems)
    lookups = {key: _lookup(key, found, who, problems) for key, found in asked.items()}
    extra: list[Resource] = []
    for number, found in enumerate(others.values(), 1):
        # The name of a key that we did not ask for is text of the client: it is not repeated.
        place = f"a key that was not asked for ({number})"
        extra += _lookup(place, found, who, problems, keep=True).resources
    if fetcher and call.fhir_server and call.access_token:
        known = (*(r for lookup in lookups.values() for r in lookup.resources), *extra)
        orders = drafts.everything if drafts else ()
        missing = lacking(needs, lookups)
        fetched = fetcher.fetch(call.fhir_server, call.access_token, call.patient_id, missing, (*known, *orders))
        pairs = _pairs((*asked.values(), *others.values(), *fetched.answers.values()))
        who = one_patient(call.patient_id, call.fhir_server, pairs)
        for key, found in fetched.answers.items():
            lookups[key] = merged(lookups[key], _lookup(key, found, who, problems, source=_SERVER))
        extra += _lookup("medications", fetched.medications, who, problems, source=_SERVER, keep=True).resources
    problems += _merged((*(r for lookup in lookups.values() for r in lookup.resources), *extra))
    return Records(call.patient_id, lookups, tuple(extra), tuple(problems), drafts, call.encounter_id, who.bases)


def _drafts(found: DraftOrders | None, who: OnePatient, problems: list[str]) -> Drafts | None:
    """The orders of a call. One that names no patient is the patient's of the call: it stands in its context."""
    if found is None:
        return None
    for resource, url in zip(found.resources, found.full_urls, strict=True):
        if who.belongs(resource, url) is Attribution.FOREIGN:
            raise PatientMismatch(
                "an order is for another patient than the call is about",
                "context.draftOrders",
                "Send the orders of the patient in context.patientId.",
            )
    if found.detail:
        problems.append(f"draft orders: {found.detail}")
    sorted_ = list(zip(found.resources, found.selected, strict=True))
    return Drafts(
        tuple(resource for resource, selected in sorted_ if selected),
        tuple(resource for resource, selected in sorted_ if not selected),
    )


def _lookup(
    key: str, found: Answer, who: OnePatient, problems: list[str], *, source: str = "prefetch", keep: bool = False
) -> Lookup:
    """The outcome of one key; with `keep`, foreign resources are left out instead of failing it."""
    result = _sort(found, who)
    if "Patient" in result.foreign:
        raise PatientMismatch(
            "the call carries a Patient other than the one it is about",
            f"{source}: {key}",
            "Send data of one patient, from one FHIR server, per call.",
        )
    state, resources = found.state.lookup, result.ours
    words = [found.detail, *result.words()] if found.detail else result.words()
    if result.foreign and not keep:
        state, resources = LookupState.FAILED, ()
    elif result.unattributed:
        state = LookupState.PARTIAL
    if words:
        place = key if source == "prefetch" else f"{source}: {key}"
        problems.append(f"{place}: {'; '.join(words)}")
    return Lookup(state, resources, "" if state is LookupState.COMPLETE else "; ".join(words))


def _sort(found: Answer, who: OnePatient) -> _Sorted:
    ours: list[Resource] = []
    foreign: Counter[str] = Counter()
    unattributed: Counter[str] = Counter()
    belongs = who.belongs
    for resource, url in zip(found.resources, found.full_urls, strict=True):
        verdict = belongs(resource, url)
        if verdict is Attribution.YES:
            ours.append(resource)
        elif verdict is Attribution.FOREIGN:
            foreign[_type_of(resource)] += 1
        else:
            unattributed[_type_of(resource)] += 1
    return _Sorted(tuple(ours), foreign, unattributed)


def _pairs(values: Iterable[Answer]) -> Iterable[tuple[Resource, str]]:
    for found in values:
        yield from zip(found.resources, found.full_urls, strict=True)


def _merged(resources: Iterable[Resource]) -> list[str]:
    merged = any(r.get("resourceType") == "Patient" and is_merged(r) for r in resources)
    return [f"patient: {_MERGED}"] if merged else []


_TYPE_NAME = re.compile(r"[A-Z][A-Za-z]{2,40}")


def _type_of(resource: Resource) -> str:
    kind = string(resource.get("resourceType"))
    return kind if _TYPE_NAME.fullmatch(kind) else "resource"


def from_bundle(bundle: object, needs: Sequence[Need], draft_orders: object = None, hook: str = "") -> Records:
    """Read a whole-patient record in which everything counts as completely looked up.

    Args:
        bundle: a Bundle of any kind, a list of resources or Bundles, one resource, or NDJSON text.
        needs: each gets all resources of its type; resources of other types become `extra`.
        draft_orders: the Bundle of orders being written, for an order hook; all count as selected.
        hook: the hook that is replayed.

    Returns:
        Complete look-ups; PARTIAL where entries could not be read or do not say whose they are.

    Raises:
        InputError: not FHIR, or not exactly one Patient.
        PatientMismatch: resources of another patient are among the data.
    """
    found = answers.read_all(_as_bundle(bundle))
    found = replace(found, resources=tuple(map(with_id, found.resources, found.full_urls)))
    patient_id = _only_patient(found)
    who = one_patient(patient_id, None, _pairs((found,)))
    drafts = _drafts(orders_of(hook, {"draftOrders": draft_orders}), who, [])
    result = _sort(found, who)
    if result.foreign:
        counts = ", ".join(f"{kind} {number}" for kind, number in sorted(result.foreign.items()))
        raise PatientMismatch(
            "resources of another patient or another server are among the data",
            counts,
            "Send one patient at a time.",
        )
    by_type: dict[str, list[Resource]] = {}
    for resource in result.ours:
        by_type.setdefault(string(resource.get("resourceType")), []).append(resource)
    whole = LookupState.PARTIAL if found.state is answers.AnswerState.PARTIAL else LookupState.COMPLETE
    lookups = {}
    for need in needs:
        here = LookupState.PARTIAL if need.resource_type in result.unattributed else whole
        words = [found.detail, *result.words()] if here is LookupState.PARTIAL else []
        resources = tuple(by_type.get(need.resource_type, ()))
        lookups[need.key] = Lookup(here, resources, "; ".join(word for word in words if word))
    asked = {need.resource_type for need in needs}
    extra = tuple(r for kind, resources in by_type.items() if kind not in asked for r in resources)
    problems = [found.detail] if found.detail else []
    if result.unattributed:
        counts = ", ".join(f"{kind} {number}" for kind, number in sorted(result.unattributed.items()))
        problems.append(f"resources that do not say whose they are: {counts}")
    return Records(patient_id, lookups, extra, (*problems, *_merged(result.ours)), drafts, None, who.bases)


def _as_bundle(data: object) -> object:
    """Lists and NDJSON as a Bundle; anything else as it is."""
    if isinstance(data, str):
        data = [_line(number, line) for number, line in enumerate(data.split("\n"), 1) if line.strip()]
    if not isinstance(data, list):
        return data
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": item} for item in data]}


def _line(number: int, line: str) -> object:
    try:
        return strict_json.load(line.encode("utf-8", "surrogatepass"))
    except JsonRefused as problem:
        raise JsonRefused(problem.what, f"line {number}", "NDJSON has one resource a line.") from None


def _only_patient(found: Answer) -> str:
    patients = [r for r in found.resources if r.get("resourceType") == "Patient"]
    if not patients:
        raise InputError(
            "no Patient resource was found", next_step="Send a Bundle with the patient and the whole record."
        )
    names = {string(patient.get("id")) for patient in patients}
    if len(names) > 1:
        raise InputError(f"{len(names)} Patient resources were found", next_step="Send one patient at a time.")
    if names == {""}:
        raise InputError("the Patient has no id", next_step="Give it an id, or its entry a fullUrl.")
    return names.pop()
