"""The product in this process, with everything that comes out of it kept for a search."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from cds_service.cli import compose
from cds_service.engine.services import Service, installed
from cds_service.protocol.request import HookRequest
from cds_service.protocol.response import HookResponse
from cds_service.web import observe
from cds_service.web.settings import Settings
from tests.support import canary
from tests.support.golden import AS_OF

Answer = Callable[..., HookResponse]


@dataclass(slots=True)
class Watched:
    """One application and what it let out.

    Attributes:
        app: the application, with metrics.
        capture: standard output and standard error.
        answers: every answer.
        calls: every call as it was parsed.
        problems: every exception that became an error answer.
    """

    app: Flask
    capture: pytest.CaptureFixture[str]
    answers: list[TestResponse] = field(default_factory=list)
    calls: list[HookRequest] = field(default_factory=list)
    problems: list[Exception] = field(default_factory=list)

    def call(
        self,
        body: str | bytes,
        path: str = "/cds-services/bone-health-patient-view",
        *,
        method: str = "POST",
        content_type: str = "application/json",
        headers: Mapping[str, str] = canary.HEADERS,
    ) -> TestResponse:
        """Send a call, canaries in its headers included."""
        client = self.app.test_client()
        answer = client.open(path, method=method, data=body, headers={**headers, "Content-Type": content_type})
        self.answers.append(answer)
        return answer

    def traces(self) -> dict[str, set[str]]:
        """The kinds of canaries in each output; none where there is nothing to find.

        Searched: standard output and error, headers of all answers, bodies of those that are not cards, metrics, `repr` of
        the calls, and exceptions with their causes as Python would print them.
        """
        out, err = self.capture.readouterr()
        outputs = {
            "standard output": canary.found_in(out),
            "log": canary.found_in(err),
            "headers": canary.found_in(*(str(each.headers) for each in self.answers)),
            "errors": canary.found_in(*(each.text for each in self.answers if each.status_code != 200)),
            "metrics": canary.found_in(metrics_page(self.app)),
            "repr": canary.found_in(*map(repr, self.calls)),
            "exceptions": canary.found_in(*("".join(traceback.format_exception(each)) for each in self.problems)),
        }
        return {name: found for name, found in outputs.items() if found}


def metrics_page(app: Flask) -> str:
    """The metrics of an application."""
    return str(app.extensions[observe.EXTENSION].page().decode())


@lru_cache(maxsize=1)
def _product() -> Flask:
    # the port is not listened on: the application runs in this process
    return compose.build_app(Settings(as_of=AS_OF, metrics_port=9))


def watch(monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> Watched:
    """Watch the product, with metrics that begin at nothing."""
    watched = Watched(_product(), capture)
    monkeypatch.setitem(watched.app.extensions, observe.EXTENSION, compose.metrics_of(installed(), "en"))
    real, refused, fault = compose.answer, observe.refused, observe.fault

    def answer(service: Service, call: HookRequest, **rest: Any) -> HookResponse:
        watched.calls.append(call)
        return real(service, call, **rest)

    def note_refused(status: int, problem: Exception) -> None:
        watched.problems.append(problem)
        refused(status, problem)

    def note_fault(problem: Exception, place: str) -> None:
        watched.problems.append(problem)
        fault(problem, place)

    monkeypatch.setattr(compose, "answer", answer)
    monkeypatch.setattr(observe, "refused", note_refused)
    monkeypatch.setattr(observe, "fault", note_fault)
    capture.readouterr()
    return watched
