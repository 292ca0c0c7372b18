"""What is examined: a site's settings, as far as the checks read them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cds_service.engine.services import Profile, Service
from cds_service.kernel.needs import Need
from cds_service.security.clients import Client


@dataclass(frozen=True, slots=True)
class Site:
    """A site's settings.

    Attributes:
        services: what is served.
        host: address that is listened on.
        public_url: address at which callers reach the service; "" for none.
        clients: the registered clients that are looked at.
        registered: how many clients are registered in all.
        anybody: stands for callers where nobody is registered.
        insecure_public_bind: as the setting.
        fixed_day: the day of `as_of`, where one is set.
        fetch_seconds: the deadline of all look-ups of a call.
        database_url: as the setting.
        audit_key_file: as the setting.
        former_key_files: as the setting.
        admin_key_file: as the setting.
        silent: silent mode for everybody.
        profiles: clinical choices, by name of the client ("" for anybody).
        sandbox: whether the sandbox page is on.
    """

    services: tuple[Service, ...]
    host: str
    public_url: str
    clients: tuple[Client, ...]
    registered: int
    anybody: Client
    insecure_public_bind: bool
    fixed_day: dt.date | None
    fetch_seconds: float
    database_url: str = field(repr=False)
    audit_key_file: Path | None
    former_key_files: tuple[Path, ...]
    admin_key_file: Path | None
    silent: bool
    profiles: Mapping[str, Profile]
    sandbox: bool

    @property
    def needs(self) -> tuple[Need, ...]:
        """What the services look up, each once."""
        return tuple({need.key: need for service in self.services for need in service.needs}.values())

    @property
    def templates(self) -> Mapping[str, str]:
        """Their prefetch templates, each once."""
        return {key: template for service in self.services for key, template in service.prefetch.items()}

    @property
    def callers(self) -> tuple[Client, ...]:
        """The clients that are looked at; one that stands for anybody where nobody is registered."""
        return self.clients if self.registered else (self.anybody,)


@dataclass(frozen=True, slots=True)
class Ask:
    """What the examiner brings along.

    Attributes:
        clock: seconds since 1970.
        day: the day to look at the patient.
        token: access token for the FHIR server; "" for none.
        scope: what was granted with it; "" where that is not known.
        patient: logical id of a patient to look up; "" for none.
        fhir_base: which of the registered FHIR servers token and patient belong to; "" where there is one only.
        ca_file: certificate authorities to trust for `public_url` in place of the public ones.
    """

    clock: Callable[[], float]
    day: dt.date
    token: str = field(default="", repr=False)
    scope: str = ""
    patient: str = field(default="", repr=False)
    fhir_base: str = ""
    ca_file: str | None = None
