"""The EHRs that may launch the one-page summary, by their registration (SMART App Launch)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cds_service.fhir.search import scope_of
from cds_service.formats.urls import Base, parse_base
from cds_service.kernel.needs import Need
from cds_service.security.clients import Client

WELL_KNOWN = "/.well-known/smart-configuration"
# of each of the EHR's two answers: how long it may take, and how large it may be
SECONDS = 3.0
MAX_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Ehr:
    """An EHR whose launches are taken.

    Attributes:
        client: its registration.
        base: its FHIR base.
        origins: where its authorization and token addresses may lie.
    """

    client: Client
    base: Base
    origins: tuple[Base, ...]

    def origin_of(self, url: str) -> Base | None:
        """The registered origin that an address lies at, if any."""
        return next((each for each in self.origins if each.covers(url)), None)


def ehrs(clients: Iterable[Client]) -> Mapping[Base, Ehr]:
    """Every FHIR base from which the summary can be launched."""
    return {
        base: Ehr(each, base, tuple(dict.fromkeys((replace(base, path=""), *each.smart_origins))))
        for each in clients
        if each.smart_client_id
        for base in each.fhir_bases
    }


def ehr_of(known: Mapping[Base, Ehr], iss: str) -> Ehr | None:
    """The EHR whose base `iss` is; below it or beside it is not it."""
    try:
        return known.get(parse_base(iss, insecure=True))
    except ValueError:
        return None


def scopes_of(needs: Iterable[Need]) -> list[str]:
    """`launch`, and what the look-ups need, each type once: to read by id, and to search and read."""
    return ["launch", *dict.fromkeys(map(scope_of, needs))]
