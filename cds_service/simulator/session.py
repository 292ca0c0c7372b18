"""What a client does with one CDS service: discover it, call it, tell it what became of its cards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from cds_service.fhir.read import items, mapping, string
from cds_service.formats import strict_json
from cds_service.kernel.errors import InputError
from cds_service.simulator import calls, conformance
from cds_service.simulator.conformance import Finding
from cds_service.simulator.signing import Signer
from cds_service.simulator.wire import MAX_BYTES, Answer, NoAnswer, Wire

_PATH = "cds-services"
# "412 Precondition Failed: the CDS Service is unable to retrieve the necessary FHIR data" (2.0.1, HTTP Status Codes)
_DECLINED = 412


@dataclass(frozen=True, slots=True)
class Discovery:
    """The discovery document.

    Attributes:
        services: its entries, as they came.
        findings: what is not right with it.
        seconds: how long it took.
    """

    services: tuple[Mapping[str, Any], ...]
    findings: tuple[Finding, ...]
    seconds: float

    def service(self, ident: str) -> Mapping[str, Any]:
        """The entry of that id.

        Raises:
            InputError: there is none.
        """
        found = [each for each in self.services if each.get("id") == ident]
        if not found:
            known = ", ".join(string(each.get("id")) for each in self.services) or "none"
            raise InputError("the discovery document lists no such service", "SERVICE_ID", f"Listed: {known}.")
        return found[0]


@dataclass(frozen=True, slots=True)
class Called:
    """One call and its answer.

    Attributes:
        name: what the report calls it: the service, or the request file.
        service: id.
        hook: of the call.
        seconds: to the last byte of the answer; 0 without one.
        status: HTTP status; 0 without an answer.
        problem: why there is no answer with cards, else "".
        body: the answer, parsed; `None` where it is not strict JSON.
        findings: what is not right with it.
        prefetch: how the look-up of each key went.
        feedback: what became of the feedback, one line each.
    """

    name: str
    service: str
    hook: str
    seconds: float = 0.0
    status: int = 0
    problem: str = ""
    body: Any = field(default=None, repr=False)
    findings: tuple[Finding, ...] = ()
    prefetch: Mapping[str, str] = field(default_factory=dict)
    feedback: tuple[str, ...] = ()

    @property
    def cards(self) -> list[Mapping[str, Any]]:
        """The cards, as far as they are objects."""
        return list(map(mapping, items(mapping(self.body).get("cards")))) if self.status == 200 else []

    @property
    def declined(self) -> bool:
        """Whether the service said that it cannot tell from what was sent, which is no fault of it."""
        return self.status == _DECLINED

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that break the specification."""
        return tuple(each for each in self.findings if each.level == "error")


class Session:
    """One client at one CDS service.

    Args:
        wire: the way to it.
        signer: makes the tokens; `None` to send none.
        now: seconds since 1970.
        secrets: what may be sent and must not be shown, should the service send it back.
    """

    def __init__(
        self, wire: Wire, signer: Signer | None, now: Callable[[], float], secrets: Sequence[str] = ()
    ) -> None:
        self._wire, self._signer, self._now, self._secrets = wire, signer, now, tuple(secrets)

    def discover(self) -> Discovery:
        """Read the discovery document.

        Raises:
            InputError: there is none at this address.
        """
        try:
            answer = self._wire.get(_PATH)
        except NoAnswer as problem:
            raise InputError(f"no discovery document: {problem}", "URL", "Is the service running there?") from None
        body = _parsed(answer)
        if answer.status != 200 or not isinstance(body, dict):
            what = f"status {answer.status}" if answer.status != 200 else "the answer is not strict JSON"
            raise InputError(f"no discovery document: {what}", "URL", "Give the part before /cds-services.")
        services = tuple(map(mapping, items(body.get("services"))))
        return Discovery(services, tuple(conformance.of_discovery(body)), answer.seconds)

    def version(self) -> str:
        """The version of rules and content that `/readyz` tells; empty where it tells none, or is not to be reached."""
        try:
            return string(mapping(_parsed(self._wire.get("readyz"))).get("rule_set"))
        except NoAnswer:
            return ""

    def call(self, service: str, body: Mapping[str, Any], name: str = "") -> Called:
        """Send one call."""
        path = f"{_PATH}/{quote(service, safe='')}"
        made = Called(name or service, service, string(body.get("hook")))
        try:
            token = self._token(path)
            answer = self._wire.post(path, calls.as_bytes(body), token)
        except NoAnswer as problem:
            words = str(problem)
            return replace(made, problem=words, findings=(Finding("error", "(answer)", words),))
        found = _parsed(answer, (*self._secrets, token))
        made = replace(made, seconds=answer.seconds, status=answer.status, body=found)
        if answer.status == _DECLINED:
            return replace(made, problem=f"the service declined: {_said(found)}")
        findings = conformance.of_answer(answer.status, answer.content_type, found, answer.seconds)
        if answer.status == 200:
            return replace(made, findings=tuple(findings))
        # a finding goes to build servers, and what a service says about a refusal may repeat what it was sent
        refusal = Finding("error", "status", f"the call was refused with {answer.status}")
        return replace(made, problem=f"refused with {answer.status}: {_said(found)}", findings=(refusal,))

    def feedback(self, called: Called, outcome: str) -> Called:
        """Tell the service what became of the cards of a call."""
        when = dt.datetime.fromtimestamp(self._now(), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body, left_out = calls.feedback_of(called.cards, outcome, when)
        lines = [f"not sent: {each}" for each in left_out]
        if not body["feedback"]:
            return replace(called, feedback=(*lines, "no feedback to send"))
        path = f"{_PATH}/{quote(called.service, safe='')}/feedback"
        number = len(body["feedback"])
        try:
            answer = self._wire.post(path, calls.as_bytes(body), self._token(path))
        except NoAnswer as problem:
            return _with(called, lines, Finding("error", "feedback", str(problem)))
        if answer.status == 404:
            return _with(called, lines, Finding("warning", "feedback", "the service has no feedback address (404)"))
        if answer.status not in (200, 202, 204):
            return _with(called, lines, Finding("error", "feedback", f"was refused with {answer.status}"))
        return replace(called, feedback=(*lines, f"{outcome}: {number} sent, status {answer.status}"))

    def _token(self, path: str) -> str:
        return self._signer.token(self._wire.base.url(path), int(self._now())) if self._signer else ""


def _with(called: Called, lines: Sequence[str], finding: Finding) -> Called:
    return replace(called, feedback=tuple(lines), findings=(*called.findings, finding))


def _parsed(answer: Answer, secrets: Sequence[str] = ()) -> Any:
    body = answer.body
    for secret in filter(None, secrets):
        # both spellings of a slash in JSON; other characters of a token have one
        for spelt in (secret, secret.replace("/", "\\/")):
            body = body.replace(spelt.encode(), b"(token)")
    try:
        return strict_json.load(body, max_bytes=MAX_BYTES)
    except InputError:
        return None


def _said(body: object) -> str:
    """What an OperationOutcome says, in the words of the service."""
    issues = map(mapping, items(mapping(body).get("issue")))
    said = (string(each.get("diagnostics")) or string(mapping(each.get("details")).get("text")) for each in issues)
    return next(filter(None, said), "no reason given")[:300]
