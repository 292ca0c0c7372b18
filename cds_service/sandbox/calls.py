"""One call of the page, answered by the same functions as a call of an EHR, with the trace beside the answer.

The page sends the record; what an EHR does with the prefetch templates is done here, so that the request shown is the whole
request. Nothing is logged and nothing outlives the call.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from jsonschema import Draft202012Validator

from cds_service.cards.escape import unescaped
from cds_service.clinical.profiles import Profile
from cds_service.engine.answer import Decision, answer, decide
from cds_service.engine.explanation import outcome_json
from cds_service.engine.gather import from_bundle, gather
from cds_service.engine.services import Service
from cds_service.fhir import in_memory
from cds_service.fhir.read import items, mapping, string
from cds_service.kernel.errors import InputError, RequestRefused
from cds_service.kernel.needs import Records
from cds_service.protocol import outcome
from cds_service.protocol.request import parse
from cds_service.sandbox import markdown
from cds_service.summary import Quantity
from cds_service.web.routes import status_of

Json = dict[str, Any]
PATIENT = "{{context.patientId}}"
# in what units values are shown beside those of the laboratory; the profile's own where nothing is chosen
UNITS: Mapping[str, Mapping[str, str]] = {
    "profile": {},
    "conventional": {"vitamin-d": "ng/mL", "calcium": "mg/dL", "creatinine": "mg/dL"},
    "si": {"vitamin-d": "nmol/L", "calcium": "mmol/L", "creatinine": "umol/L"},
}
# how a look-up can fail, and what a client sends then; `incomplete` and `not-supplied` are done to the value itself
FAILURES: Mapping[str, str] = {
    "failed": "Failed (timeout)",
    "not-permitted": "Not permitted",
    "incomplete": "Incomplete (more pages)",
    "not-supplied": "Not supplied",
}
_OUTCOMES = {"failed": ("timeout", "The search took too long."), "not-permitted": ("forbidden", "Not in the scope.")}
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["service", "request", "profile", "units"],
    "properties": {
        "service": {"type": "string"},
        "request": {"type": "object", "required": ["context"], "properties": {"context": {"type": "object"}}},
        "record": {"type": "object"},
        "profile": {"enum": ["us", "uk", "ca"]},
        "units": {"enum": list(UNITS)},
        "as_of": {"type": "string"},
        "failing": {"type": "object", "additionalProperties": {"enum": list(FAILURES)}},
        # for what-if alone: what is varied, and what is set to another value meanwhile
        "vary": {"enum": [each.value for each in Quantity]},
        "held": {
            "type": "object",
            "propertyNames": {"enum": [each.value for each in Quantity]},
            "additionalProperties": {"type": "number"},
        },
    },
}
_CHECK = Draft202012Validator(_SCHEMA)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page asked, read.

    Attributes:
        told: as sent.
        service: that is called.
        as_of: the day to look at.
        profile: the site's choices.
    """

    told: Mapping[str, Any]
    service: Service
    as_of: dt.date
    profile: Profile

    def request(self) -> Json:
        """The CDS Hooks request as an EHR would send it.

        Raises:
            InputError: the record is none of one patient.
        """
        sent = dict(self.told["request"])
        if "prefetch" not in sent:
            sent["prefetch"] = prefetch(self.service, sent, self.told.get("record", {}), self.told.get("failing", {}))
        return sent


def read(services: Mapping[str, Service], told: object, day: dt.date) -> Asked:
    """Read what the page sent: `service`, `request` (CDS Hooks, without prefetch), `record` (a Bundle), `profile`, `units`,
    `as_of`, `failing` (prefetch key to a key of `FAILURES`).

    Args:
        services: by id.
        told: parsed JSON.
        day: the day to look at where `as_of` is not given.

    Raises:
        InputError: the page sent something else than it should.
    """
    if error := next(iter(_CHECK.iter_errors(told)), None):
        where = ".".join(str(part) for part in error.absolute_path)
        raise RequestRefused("the call of the page is not of the form it should have", where, "Load the page again.")
    asked = mapping(told)
    service = services.get(asked["service"])
    if service is None:
        raise RequestRefused("there is no such service", "service", f"Known: {', '.join(services)}.")
    profile = _profile(service, asked["profile"], asked["units"])
    return Asked(asked, service, _day(asked.get("as_of"), day), profile)


def run(asked: Asked, *, as_card: bool, correlation_id: str) -> Json:
    """Answer one call of the page.

    Args:
        asked: see `read`.
        as_card: the setting `on_unassessable`.
        correlation_id: for a refusal.

    Returns:
        `request` as an EHR would have sent it, `status`, `response`, `details` (node trees of the cards), `ms`, `trace`.
    """
    service, as_of, profile = asked.service, asked.as_of, asked.profile
    sent = dict(asked.told["request"])
    began = time.perf_counter()
    try:
        sent = asked.request()
        began = time.perf_counter()
        call = parse(sent, hook=service.hook)
        found = answer(service, call, as_of=as_of, profile=profile, unassessable_as_card=as_card)
        status, response = 200, found.to_json()
    except InputError as problem:
        status, issue = status_of(problem)
        response = outcome.operation_outcome(issue, str(problem), correlation_id, problem.where)
    spent = time.perf_counter() - began
    return {
        "request": sent,
        "status": status,
        "response": response,
        "details": [markdown.nodes(string(card.get("detail"))) for card in response.get("cards", ())],
        "ms": round(spent * 1000, 1),
        "trace": _trace(service, sent, as_of, profile),
    }


def _day(text: str | None, default: dt.date) -> dt.date:
    if not text:
        return default
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise RequestRefused("the day is not one of the calendar", "as_of", "Write YYYY-MM-DD.") from None


def _profile(service: Service, name: str, units: str) -> Profile:
    """The built-in profile, with the units of the page in place of its own: a site file as a site would write it."""
    lines = [f'base = "{name}"', "[units]", *(f'{analyte} = "{unit}"' for analyte, unit in UNITS[units].items())]
    made: Profile = service.clinic.site("\n".join(lines), f"{name}.toml")
    return made


# --- what an EHR does with the templates ------------------------------------------------------------------------------
def prefetch(service: Service, sent: Mapping[str, Any], record: Mapping[str, Any], failing: Mapping[str, str]) -> Json:
    """The templates of a service, run over one patient's record.

    Raises:
        InputError: the record is not of one patient, or a key cannot fail that way.
        PatientMismatch: something of another patient is in it.
    """
    # refuses what mixes patients: a search by patient would pass over it without a word
    from_bundle(record, service.needs)
    held = [mapping(entry).get("resource") for entry in items(record.get("entry"))]
    patient_id = string(mapping(sent["context"]).get("patientId"))
    base = string(sent.get("fhirServer"))
    kinds = {need.key: need.resource_type for need in service.needs}
    if failing.keys() - kinds.keys():
        raise RequestRefused("there is no such look-up", "failing", f"Known: {', '.join(kinds)}.")
    made = {}
    for key, template in service.prefetch.items():
        of_type = [each for each in held if isinstance(each, dict) and each.get("resourceType") == kinds[key]]
        value = _value(template, kinds[key], of_type, patient_id, base)
        how = failing.get(key)
        if how != "not-supplied":
            made[key] = _broken(value, how, key) if how else value
    return made


def _value(template: str, kind: str, held: Sequence[Json], patient_id: str, base: str) -> Json | None:
    path, _, query = template.partition("?")
    if not query:
        return next((each for each in held if f"{kind}/{each.get('id')}" == path.replace(PATIENT, patient_id)), None)
    asked = parse_qsl(query.replace(PATIENT, patient_id))
    # not by patient: all of the record is this patient's, and what does not say so must be seen by the reader
    found = in_memory.search(kind, held, [(name, value) for name, value in asked if name != "patient"])
    entries: list[Json] = [{"resource": each, "search": {"mode": "match"}} for each in found.page]
    if base:
        entries = [{"fullUrl": f"{base}/{kind}/{each['resource'].get('id')}", **each} for each in entries]
    link = [{"relation": "self", "url": f"{base or '.'}/{kind}?{urlencode({'patient': patient_id})}"}]
    return {"resourceType": "Bundle", "type": "searchset", "total": found.total, "link": link, "entry": entries}


def _broken(value: Json | None, how: str, key: str) -> Json:
    """What a client sends for a look-up that went wrong."""
    if how in _OUTCOMES:
        code, words = _OUTCOMES[how]
        return {
            "resourceType": "OperationOutcome",
            "issue": [{"severity": "error", "code": code, "diagnostics": words}],
        }
    if value is None or value["resourceType"] != "Bundle":
        raise RequestRefused("a read has no pages", f"failing.{key}", "Choose another failure.")
    more = {"relation": "next", "url": f"{value['link'][0]['url']}&page=2"}
    # without a total, as servers answer that have not counted yet
    return {key: each for key, each in value.items() if key != "total"} | {"link": [*value["link"], more]}


# --- why ----------------------------------------------------------------------------------------------------------------
def _trace(service: Service, sent: Json, as_of: dt.date, profile: Profile) -> Json | None:
    """Every rule with its verdict; `None` for a call that could not be read.

    Evaluated once more: the service asks only the rules that may speak at the hook, and refuses in ways of its own. An answer made
    of this evaluation would be another function's than that which an EHR gets.
    """
    if "prefetch" not in sent:
        return None
    try:
        call = parse(sent, hook=service.hook)
        records = gather(call, service.needs)
        return _as_json(service, records, decide(service, records, as_of, profile, call.hook_instance))
    except InputError:
        return None


def _as_json(service: Service, records: Records, decision: Decision) -> Json:
    texts = service.texts(decision.evaluation.profile.language, decision.evaluation.profile.wording)
    evaluation = decision.evaluation
    return {
        "as_of": evaluation.as_of.isoformat(),
        "profile": evaluation.profile.id,
        "rule_set": evaluation.rule_set,
        "scope": texts.truth(evaluation.scope.truth),
        "silent": texts.silent[evaluation.silent] if evaluation.silent else "",
        "outcomes": [
            {
                **outcome_json(each, texts),
                "name": each.rule.name.replace("_", " "),
                "not_known": [
                    unescaped(f"{texts.gaps[gap.kind.value]}: {texts.of_gap(gap)}") for gap in each.not_known
                ],
            }
            for each in evaluation.outcomes
        ],
        "unread": [
            {"resource": each["resource"], "reason": texts.unread.get(each["reason"], each["reason"])}
            for each in evaluation.unread
        ],
        "lookups": {key: lookup.state.value for key, lookup in records.lookups.items() if key in service.prefetch},
    }
