"""The two requests of a launch to its EHR, by the transport that FHIR look-ups use: bounded in time and size, no redirect."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from cds_service.fhir.client.transport import Attempt, NoResponse, Response, Transport
from cds_service.formats.urls import Base
from cds_service.security.launchers import MAX_BYTES, SECONDS, WELL_KNOWN, Ehr
from cds_service.smart.launch import Endpoints, ehr_fault, read_configuration

_OK = 200
# minutes lie between two requests: a connection kept open would be one that the EHR has closed
_HEADERS = {"Accept": "application/json", "Connection": "close"}


class Wire:
    """Connections to the registered origins.

    Args:
        ehrs: by FHIR base.
        parallel: most requests at a time.
    """

    def __init__(self, ehrs: Mapping[Base, Ehr], parallel: int) -> None:
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="smart")
        # by client too: each has certificate authorities of its own
        self._ways = {
            (each.client.name, origin): Transport(origin, ca_bundle=each.client.ca_bundle, connections=parallel)
            for each in ehrs.values()
            for origin in each.origins
        }

    def configuration(self, ehr: Ehr) -> Endpoints:
        """Ask where the EHR's endpoints are.

        Raises:
            LaunchRefused: no answer, not in time, or not a usable one.
        """
        url = f"{ehr.base}{WELL_KNOWN}"
        way = self._ways[ehr.client.name, ehr.origins[0]]
        body = self._body(
            "smart-configuration",
            lambda attempt: way.get(url, token=None, attempt=attempt, max_bytes=MAX_BYTES, headers=_HEADERS),
        )
        return read_configuration(ehr, body)

    def token(self, ehr: Ehr, url: str, form: str) -> bytes:
        """Bring the code to the token endpoint.

        Raises:
            LaunchRefused: no answer, not in time, or it is not 200.
        """
        origin = ehr.origin_of(url)
        if origin is None:
            raise ehr_fault("smart-foreign-endpoint")
        way = self._ways[ehr.client.name, origin]
        return self._body(
            "smart-token",
            lambda attempt: way.post_form(url, form, attempt=attempt, max_bytes=MAX_BYTES, headers=_HEADERS),
        )

    def _body(self, reason: str, ask: Callable[[Attempt], Response]) -> bytes:
        attempt = Attempt(time.monotonic() + SECONDS)
        answer = self._pool.submit(ask, attempt)
        try:
            found = answer.result(SECONDS)
        except (NoResponse, TimeoutError):
            raise ehr_fault(reason) from None
        finally:
            # a body that drips, and whatever else would outlast the time
            attempt.cut()
        # also a redirect: wherever it leads, nobody registered it
        if found.status != _OK:
            raise ehr_fault(reason)
        return found.body
