"""Whose token is this? The checks of `safety.md` A1-A21 on the JWT of a CDS client (CDS Hooks 2.0.1, Trusting CDS Clients).

Order: the form, the issuer, the address of its keys, the key, the signature, the claims, and the token's id last: nothing is
fetched for a stranger, and nothing that a client did not sign is remembered. PyJWT checks signatures. It does not look at
`jku`, duplicate keys, the length of a life, an empty `jti` or a numeric string, so those checks are ours.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from cds_service.formats import strict_json
from cds_service.kernel.errors import InputError, NotAllowed, NotAuthenticated, RequestRefused
from cds_service.security.clients import Client, Registry
from cds_service.security.jwks import Key
from cds_service.security.keys import Keys
from cds_service.security.replay import Seen

SKEW = 30
MAX_LENGTH = 8_192
_MAX_NODES = 1_000
_MAX_ID = 256
# the year 5138: whatever is later was no date
_MAX_EPOCH = 10**11
# RFC 9110, 11.1: the scheme is case-insensitive
_BEARER = re.compile(r"bearer +([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.IGNORECASE)
_JWS = PyJWS()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, proven.

    Attributes:
        client: the registered client.
        tenant: the tenant its token names; "" for none.
        token_id: the token's `jti`, which may be logged.
    """

    client: Client
    tenant: str
    token_id: str


@dataclass(frozen=True, slots=True)
class _Token:
    compact: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def verify(headers: Sequence[str], *, audience: str, registry: Registry, keys: Keys, seen: Seen, now: float) -> Caller:
    """Verify the token of a call.

    Args:
        headers: the values of all its `Authorization` headers.
        audience: our address of the service called, as configured; never made from the `Host` header.
        registry: the registered clients.
        keys: their keys.
        seen: remembers used tokens.
        now: epoch seconds.

    Returns:
        Who calls.

    Raises:
        RequestRefused: several `Authorization` headers.
        NotAuthenticated: no valid, unused token of a registered client.
        NotAllowed: its token names a tenant that is not its own, or lacks the one it needs.
    """
    token = _read(headers)
    issuer = token.claims.get("iss")
    client = registry.of_issuer(issuer) if isinstance(issuer, str) else None
    if client is None:
        raise NotAuthenticated("unknown-issuer")
    algorithm = _check_header(token.header, client)
    candidates = keys.find(client, token.header.get("jku"), token.header["kid"], algorithm)
    if not any(_signed(token.compact, key, algorithm) for key in candidates):
        raise NotAuthenticated("bad-signature")
    expires = _check_times(token.claims, client, now)
    _check_audience(token.claims.get("aud"), audience)
    tenant = _tenant(token.claims.get("tenant", ""), client)
    token_id = token.claims.get("jti")
    if not isinstance(token_id, str) or not 1 <= len(token_id) <= _MAX_ID:
        raise NotAuthenticated("bad-jti")
    # remembered until no clock that we tolerate lets it pass
    if not seen.first_use(client.issuer, token_id, expires + SKEW):
        raise NotAuthenticated("replayed")
    return Caller(client, tenant, token_id)


def _read(headers: Sequence[str]) -> _Token:
    # A server in front may have joined two headers with a comma, which no token holds.
    if len(headers) > 1 or (headers and "," in headers[0]):
        raise RequestRefused("more than one Authorization header", "Authorization", "Send one.")
    if not headers:
        raise NotAuthenticated("no-token")
    if len(headers[0]) > MAX_LENGTH:
        raise NotAuthenticated("too-long")
    parts = _BEARER.fullmatch(headers[0].strip(" \t"))
    if not parts:
        raise NotAuthenticated("no-token")
    header, claims, _ = parts.groups()
    return _Token(".".join(parts.groups()), _object(header), _object(claims))


def _object(segment: str) -> Mapping[str, Any]:
    try:
        raw = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars="-_", validate=True)
        content = strict_json.load(raw, max_bytes=MAX_LENGTH, max_nodes=_MAX_NODES)
    except (binascii.Error, InputError):
        raise NotAuthenticated("malformed") from None
    if not isinstance(content, dict):
        raise NotAuthenticated("malformed")
    return content


def _check_header(header: Mapping[str, Any], client: Client) -> str:
    """The algorithm, if the header can be one of this client's."""
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in client.algorithms:
        raise NotAuthenticated("algorithm")
    if "crit" in header or "b64" in header:  # extensions: we know none
        raise NotAuthenticated("crit")
    # an access token ("at+jwt") of the same issuer must not pass for a client's token
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise NotAuthenticated("typ")
    if not isinstance(header.get("kid"), str):
        raise NotAuthenticated("unknown-key")
    if not isinstance(header.get("jku", ""), str):
        raise NotAuthenticated("foreign-jku")
    return algorithm


def _signed(compact: str, key: Key, algorithm: str) -> bool:
    try:
        _JWS.decode_complete(compact, key.public, algorithms=[algorithm])
    except PyJWTError:
        return False
    return True


def _check_times(claims: Mapping[str, Any], client: Client, now: float) -> int:
    """When the token expires, if it is in force and does not live too long."""
    issued, expires = _epoch(claims.get("iat")), _epoch(claims.get("exp"))
    starts = _epoch(claims.get("nbf", 0))
    if issued > now + SKEW or starts > now + SKEW:
        raise NotAuthenticated("not-yet-valid")
    if expires <= now - SKEW:
        raise NotAuthenticated("expired")
    # with the check above, this also bounds how long ago it was issued
    if not 0 <= expires - issued <= client.max_token_seconds:
        raise NotAuthenticated("lives-too-long")
    return expires


def _epoch(value: Any) -> int:
    """A NumericDate (RFC 7519): a number, and no numeric string or truth value, in a range that no arithmetic fails on."""
    if type(value) not in (int, Decimal) or not 0 <= value < _MAX_EPOCH:
        raise NotAuthenticated("bad-time")
    return int(value)


def _check_audience(value: Any, audience: str) -> None:
    if audience not in (value if isinstance(value, list) else [value]):
        raise NotAuthenticated("other-audience")


def _tenant(value: Any, client: Client) -> str:
    if not isinstance(value, str):
        raise NotAuthenticated("malformed")
    if (value not in client.tenants) if client.tenants else value:
        raise NotAllowed(
            "the tenant named by the token is not one of this client's",
            "tenant",
            "Register the tenant for the client, or send the client's own.",
        )
    return value
