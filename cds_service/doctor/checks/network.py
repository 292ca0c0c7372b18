"""Certificates and clocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from cds_service.doctor.finding import CLOCK, TLS, Finding
from cds_service.security.tokens import SKEW

SOON_DAYS = 21
CLOSE_S = 5
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a TLS handshake showed.

    Attributes:
        server: host and port.
        expires: when the certificate ends, seconds since 1970; 0 where the handshake failed.
        version: "TLSv1.3".
        problem: why the handshake failed: "connection", or the reason of the TLS library.
        where: which setting names the server.
    """

    server: str
    where: str
    expires: float = 0
    version: str = ""
    problem: str = ""


def certificate(seen: Certificate, now: float) -> Finding:
    """It is trusted, for that name, and for some weeks to come."""
    about = f"{seen.server} ({seen.where})"
    if seen.problem == "connection":
        return TLS.warned(
            "no connection from this machine",
            "Check name, port and firewall, or look from where it is called.",
            about,
        )
    if seen.problem:
        return TLS.failed(f"not accepted: {seen.problem}", _how_to_mend(seen), about)
    days = int((seen.expires - now) // _DAY)
    if days < SOON_DAYS:
        return TLS.warned(f"ends in {days} days", "Renew the certificate, and find out why nobody did.", about)
    return TLS.passed(f"accepted for this name, ends in {days} days, {seen.version}", about)


def _how_to_mend(seen: Certificate) -> str:
    problem = seen.problem.lower()
    if "expired" in problem:
        return "Renew the certificate."
    if "hostname" in problem or "ip address mismatch" in problem:
        return "Use the name the certificate was made for, or have one made for this name."
    if "self" in problem or "issuer" in problem:
        named = "--ca-bundle" if seen.where == "public_url" else "ca_bundle of the client (FHIR servers only)"
        return f"Send the whole chain. If a hospital's own authority made it, name its certificate: {named}."
    return "Offer TLS 1.2 or newer with a certificate that this machine trusts."


@dataclass(frozen=True, slots=True)
class Told:
    """What a server said the time is.

    Attributes:
        server: host and port.
        header: its `Date` header.
        began: our time when it was asked, seconds since 1970.
        ended: our time when its answer was there: a first answer may take seconds.
    """

    server: str
    header: str
    began: float
    ended: float


def clocks(dates: Iterable[Told]) -> Iterator[Finding]:
    """Our clock against those of others."""
    for each in dates:
        server, theirs = each.server, _time(each.header)
        if theirs is None:
            yield CLOCK.skipped("the server tells no time", server)
            continue
        # written at any time while we waited; a header has whole seconds, so theirs is up to one more
        apart = max(each.began - theirs - 1, theirs - each.ended, 0)
        words = f"{apart:.0f} s apart"
        if apart <= CLOSE_S:
            yield CLOCK.passed(words, server)
        elif apart <= SKEW:
            yield CLOCK.warned(f"{words}; up to {SKEW} s are tolerated", "Let NTP set both clocks.", server)
        else:
            yield CLOCK.failed(
                f"{words}: more than the {SKEW} s that are tolerated in a token",
                "Let NTP set the clock of this machine, and tell the owner of the other.",
                server,
            )


def _time(header: str) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp()
    except (ValueError, TypeError):
        return None
