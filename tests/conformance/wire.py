"""A CDS client for tests. It sends text, and checks every answer it gets against the schemas and HL7's invariants."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from cds_service.protocol import validate

# `PREFETCH` stands for what a service needs; tests change the text around it.
CALL = """{
  "hook": "patient-view",
  "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
  "fhirServer": "https://ehr.example.org/fhir",
  "context": {
    "userId": "Practitioner/example",
    "patientId": "p1",
    "encounterId": "e1"
  },
  "prefetch": PREFETCH
}"""
PATIENT = '{"patient": {"resourceType": "Patient", "id": "p1", "birthDate": "1950-03-04"}}'


@dataclass(frozen=True, slots=True)
class Wire:
    """One application under test.

    Attributes:
        app: the application.
        service_id: its patient-view service.
        body: a call that service answers with 200.
    """

    app: Flask
    service_id: str
    body: str

    @property
    def path(self) -> str:
        return f"/cds-services/{self.service_id}"

    def entry(self) -> dict[str, Any]:
        """What discovery says about the service."""
        listed = json.loads(self.get("/cds-services").text)["services"]
        return next(each for each in listed if each["id"] == self.service_id)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self._checked(self.app.test_client().get(path, headers=_named(headers)))

    def call(
        self,
        body: str | bytes | None = None,
        *,
        path: str | None = None,
        content_type: str = "application/json",
        **headers: str,
    ) -> TestResponse:
        """POST to the service: its own body unless another is given."""
        sent = self.body if body is None else body
        headers = {"Content-Type": content_type, **_named(headers)} if content_type else _named(headers)
        return self._checked(self.app.test_client().post(path or self.path, data=sent, headers=headers))

    def with_change(self, old: str, new: str) -> TestResponse:
        """The service's own body with one piece of text replaced."""
        return self.call(changed(self.body, old, new))

    def options(self, path: str, **headers: str) -> TestResponse:
        return self.app.test_client().options(path, headers=_named(headers))

    def _checked(self, answer: TestResponse) -> TestResponse:
        path = answer.request.path
        if answer.status_code >= 400:
            check_outcome(answer)
        elif path == self.path:
            assert validate.violations_of_response(answer.json) == []
        elif path.rstrip("/") == "/cds-services" and answer.status_code == 200:
            assert validate.violations_of_discovery(answer.json) == []
        return answer


def changed(text: str, old: str, new: str) -> str:
    """The text with one place replaced, which must be there: a test must not pass because its change was not made."""
    assert text.count(old) == 1, f"{old!r} must stand in the text once"
    return text.replace(old, new)


def check_outcome(answer: TestResponse) -> None:
    """Items 43 and 71: an OperationOutcome with the correlation id of the header, and nothing of our insides."""
    assert answer.content_type == "application/fhir+json"
    body = json.loads(answer.text)
    assert body["resourceType"] == "OperationOutcome"
    assert [issue["severity"] for issue in body["issue"]] == ["error"]
    assert answer.headers["X-Correlation-Id"] in body["issue"][0]["diagnostics"]
    assert "Traceback" not in answer.text


def diagnostics(answer: TestResponse) -> str:
    """The words of an OperationOutcome."""
    return str(json.loads(answer.text)["issue"][0]["diagnostics"])


def expression(answer: TestResponse) -> list[str]:
    """The place an OperationOutcome names."""
    return list(json.loads(answer.text)["issue"][0].get("expression", []))


def _named(headers: dict[str, str]) -> dict[str, str]:
    """Accept_Language -> Accept-Language."""
    return {name.replace("_", "-"): value for name, value in headers.items()}
