"""The one-page summary of an invented patient, for `/summary`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response

from cds_service.clinical.profiles import built_in
from cds_service.engine.services import Service
from cds_service.kernel.errors import RequestRefused
from cds_service.sandbox import calls, drawn, guard
from cds_service.sandbox.patients import SandboxPatient, patients
from cds_service.summary import Summary
from cds_service.web.settings import Settings


@dataclass(frozen=True, slots=True)
class Demo:
    """The invented patients, each as one page.

    Attributes:
        settings: see `Settings`.
        service: that of an open chart.
    """

    settings: Settings
    service: Service

    def refuse(self) -> Response | None:
        """A refusal for callers of other machines."""
        return guard.on_this_machine()

    def listed(self) -> Sequence[SandboxPatient]:
        """All of them."""
        return tuple(patients().values())

    def choices(self) -> Mapping[str, Sequence[str]]:
        """What can be asked for."""
        return {"profile": tuple(reversed(built_in())), "units": tuple(calls.UNITS)}

    def summary(self, ident: str, told: Mapping[str, str]) -> Summary | None:
        """The page of one of them, or `None`; look-ups that fail for the patient fail here too.

        Raises:
            InputError: a choice or a day that there is not.
        """
        patient = patients().get(ident)
        if patient is None:
            return None
        known = {*self.choices(), "as_of"}
        if told.keys() - known:
            raise RequestRefused("the address has a part that is not known", "", f"Known: {', '.join(sorted(known))}.")
        asked: dict[str, Any] = {
            "service": self.service.id,
            "request": {
                "hook": self.service.hook,
                "hookInstance": ident,
                "context": {"userId": "Practitioner/demo", "patientId": ident},
            },
            "record": patient.record,
            "failing": patient.failing,
            "profile": self.settings.profile,
            "units": "profile",
            **told,
        }
        return drawn.summary(calls.read({self.service.id: self.service}, asked, self.settings.day()))
