"""A service without medicine: enough to show how every CDS Hooks service of this project behaves on the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import Flask

from cds_service.kernel.account import Account
from cds_service.kernel.rules import Level
from cds_service.protocol.request import HookRequest
from cds_service.protocol.response import (
    Action,
    ActionType,
    Card,
    HookResponse,
    Link,
    OverrideReason,
    Source,
    Suggestion,
    Topic,
)
from cds_service.web.app import Service, create_app
from cds_service.web.settings import Settings

OVERRIDES = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
# One card with everything a card may have.
CARD = Card(
    uuid="4e0a3a1e-3231-4575-ab81-028d5fe2d760",
    summary="25-OH vitamin D 18 ng/mL on 2026-05-17: low. Consider repletion.",
    indicator=Level.WARNING,
    source=Source(
        "Example guideline",
        "https://guideline.example.org",
        topic=Topic("VITD-01", "https://bonecds.example.org/rules"),
    ),
    detail="**Why now**\n\nThe result is below 20 ng/mL.",
    suggestions=(
        Suggestion(
            "Order a DXA",
            "9d3a0c65-1d1f-4b3c-a2c6-0a0d1f5d7f10",
            (
                Action(
                    ActionType.CREATE,
                    "Order a DXA",
                    {"resourceType": "ServiceRequest", "status": "draft", "intent": "proposal", "note": []},
                ),
            ),
        ),
    ),
    override_reasons=(OverrideReason("patient-refuses", OVERRIDES, "Patient refuses"),),
    links=(Link("Guideline", "https://guideline.example.org/vitamin-d"),),
    extension={"org.bonecds.rules": [{"id": "VITD-01", "version": 1, "verdict": "recommend"}]},
)


@dataclass(frozen=True, slots=True)
class StubService:
    """The least that can be offered."""

    id: str = "stub-patient-view"
    hook: str = "patient-view"
    title: str = "Stub"
    description: str = "Answers every call with one card."
    usage_requirements: str = "FHIR R4"
    prefetch: Mapping[str, str] = field(default_factory=lambda: {"patient": "Patient/{{context.patientId}}"})


def one_card(_service: Service, _call: HookRequest, _caller: object = None) -> HookResponse:
    """What the stub answers unless told otherwise."""
    return HookResponse((CARD,), Account(lookups={"patient": "complete"}))


def stub_app(
    settings: Settings | None = None, answer: Callable[[Service, HookRequest], HookResponse] = one_card
) -> Flask:
    """The application with the stub behind it."""
    return create_app(settings or Settings(), [StubService()], lambda service, call, _caller: answer(service, call))
