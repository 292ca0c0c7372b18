"""Settings as a whole: who may call, the sandbox, and what callers have to send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cds_service.doctor.finding import CALLERS, PUBLIC_URL, SANDBOX, SETTINGS, SILENT, TOKEN, Finding, counted
from cds_service.doctor.site import Site
from cds_service.formats.urls import is_loopback, parse_base
from cds_service.security.clients import Client


def settings(site: Site) -> Iterator[Finding]:
    """They were read; what in them is for trials only is said."""
    named = f"{counted(site.registered, 'client')} registered"
    yield SETTINGS.passed(f"read; {named}, {len(site.services)} services")
    if site.fixed_day:
        yield SETTINGS.warned(
            f"as_of is set: every patient is looked at as on {site.fixed_day.isoformat()}",
            "Take as_of out, unless this is a demonstration or a replay.",
        )
    if site.insecure_public_bind and site.registered:
        yield SETTINGS.warned(
            "insecure_public_bind is set although clients are registered",
            "Take it out: without clients the service should not start.",
        )


def callers(site: Site) -> Finding:
    """Nobody who is not registered is answered where others than this machine can reach the service."""
    if site.registered:
        return CALLERS.passed("only registered clients are answered")
    if is_loopback(site.host.strip("[]")) and not _is_public(site.public_url):
        return CALLERS.warned(
            f"nobody is registered; the service listens on {site.host} only",
            "Fine for a trial on this machine. Register callers before a proxy passes calls of others on.",
        )
    return CALLERS.failed(
        "nobody is registered, and other machines can reach the service: whoever calls is answered",
        "Register the callers ([[clients]]), or listen on 127.0.0.1.",
    )


def _is_public(url: str) -> bool:
    try:
        return bool(url) and not is_loopback(parse_base(url, insecure=True).host)
    except ValueError:
        return True


def sandbox(*, on: bool) -> Finding:
    """It is off."""
    if on:
        return SANDBOX.failed("the sandbox is on", "Set sandbox = false where the service is not for trials.")
    return SANDBOX.passed("off")


def silent(site: Site) -> Iterator[Finding]:
    """Cards are shown, to all callers."""
    fix = "Take silent = true out when the trial is over; bonecds report shows what would have been shown."
    if site.silent:
        yield SILENT.warned("silent mode: no card is shown to anybody", fix)
        return
    named = [client.name for client in site.clients if client.silent]
    for name in named:
        yield SILENT.warned("silent mode of this client: no card is shown", fix, name)
    if not named:
        yield SILENT.passed("off: cards are shown")


def tokens(client: Client, public_url: str, service_ids: Sequence[str]) -> Finding:
    """What a client must write into its tokens, to be compared with what it does write."""
    base = public_url.rstrip("/")
    names = client.jwks_urls or ("(none: its keys are exchanged by hand)",)
    details = (
        f"iss     {client.issuer}",
        *(f"jku     {each}" for each in names),
        *(f"aud     {base}/cds-services/{each}" for each in service_ids),
        f"alg     {', '.join(client.algorithms)}",
        f"exp     at most {client.max_token_seconds} s after iat",
        f"tenant  {', '.join(sorted(client.tenants)) or '(none)'}",
    )
    return TOKEN.passed("compare with what the client sends, letter by letter", client.name, details)


def public_url(site: Site) -> Finding | None:
    """Whether the address is one that others can call; `None` where that has to be tried."""
    if not site.public_url:
        return PUBLIC_URL.skipped("there is none: callers are not registered")
    try:
        base = parse_base(site.public_url, insecure=True)
    except ValueError as problem:
        return PUBLIC_URL.failed(f"public_url {problem}", "Write https://host or https://host/path.")
    if base.scheme == "http":
        return PUBLIC_URL.warned(
            "it is http on this machine: no other machine can call it",
            "Write the https address of the proxy in front, as the EHR calls it.",
        )
    return None


def discovered(status: int, ids: Sequence[str] | None, expected: Sequence[str], problem: str = "") -> Finding:
    """Whether this service answers at its public address.

    Args:
        status: of `GET /cds-services`; 0 without an answer.
        ids: of the services listed; `None` where the answer is no discovery document.
        expected: ids of ours.
        problem: why there is no answer.
    """
    if problem:
        return PUBLIC_URL.warned(
            f"from this machine it does not answer: {problem}",
            "Start the service and its proxy. If it runs, look from a machine of the EHR: the way out and back in may be shut.",
        )
    if status != 200 or ids is None:
        return PUBLIC_URL.failed(
            f"/cds-services answers with status {status}" if status != 200 else "something else answers there",
            "Have the proxy pass this path on as it is, with its method and headers.",
        )
    if missing := sorted(set(expected) - set(ids)):
        return PUBLIC_URL.failed(
            f"another service, or another release, answers there: no {', '.join(missing)}",
            "Have the proxy pass calls on to this service.",
        )
    return PUBLIC_URL.passed(f"the service answers there with its {len(expected)} services")
