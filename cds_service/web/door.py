"""Who is let in: callers whose token proves that they are registered, or, where nobody is registered, everybody (A22)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cds_service.security.clients import Registry
from cds_service.security.keys import Keys
from cds_service.security.replay import Seen
from cds_service.security.tokens import Caller, verify


@dataclass(frozen=True, slots=True)
class Door:
    """Lets registered clients in.

    Attributes:
        public_url: address under which callers reach the service, as configured: `Host` is what the caller wrote (A12).
        registry: the registered clients.
        keys: their keys.
        seen: remembers used tokens.
        now: epoch seconds.
    """

    public_url: str
    registry: Registry
    keys: Keys
    seen: Seen
    now: Callable[[], float] = time.time

    def admit(self, authorization: Sequence[str], service_id: str) -> Caller:
        """Who calls.

        Args:
            authorization: the values of all `Authorization` headers.
            service_id: the service called.

        Raises:
            RequestRefused: several `Authorization` headers.
            NotAuthenticated: no valid, unused token of a registered client.
            NotAllowed: a tenant that is not the client's.
        """
        audience = f"{self.public_url.rstrip('/')}/cds-services/{service_id}"
        return verify(
            authorization, audience=audience, registry=self.registry, keys=self.keys, seen=self.seen, now=self.now()
        )
