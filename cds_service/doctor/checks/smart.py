"""Whether an EHR can launch the one-page summary: its `.well-known/smart-configuration` against the registration."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cds_service.doctor.checks.fhir import smart_scopes, which_part
from cds_service.doctor.finding import LAUNCH, Finding, counted
from cds_service.fhir.read import items, mapping, string
from cds_service.fhir.search import scope_of
from cds_service.formats.urls import parse_base
from cds_service.kernel.needs import Need
from cds_service.security.clients import Client
from cds_service.security.launchers import WELL_KNOWN, Ehr, scopes_of

# what a launch rests on, as SMART App Launch 2.2 names it
_CAPABILITIES = ("launch-ehr", "client-public", "context-ehr-patient", "permission-v2")
_ENDPOINTS = {"authorization_endpoint": "authorization", "token_endpoint": "token"}


def not_launched(client: Client) -> Finding:
    """Nothing to look at."""
    return LAUNCH.skipped("not applicable: no smart_client_id, so the summary is not launched", client.name)


def unreadable(ehr: Ehr, problem: str) -> Finding:
    """There is no configuration, or none that a launch could read."""
    words = problem.lower()
    if "status 404" in words:
        fix = "Register the FHIR base below which the EHR publishes it; a server without it launches no SMART app."
    elif "tls" in words:
        fix = "See the line about its certificate."
    else:
        fix = "Check the base with curl from this machine: a launch needs the answer, status 200, within three seconds."
    return LAUNCH.failed(f"{WELL_KNOWN}: {problem}", fix, str(ehr.base))


def launch(ehr: Ehr, body: object, needs: Sequence[Need], not_kept: Collection[str]) -> Iterator[Finding]:
    """What the document says, against the registration and what the look-ups need.

    Args:
        ehr: the registration.
        body: the document, parsed.
        needs: what is looked up.
        not_kept: keys that this EHR never supplies.
    """
    about, told = str(ehr.base), mapping(body)
    found = [
        *_endpoints(ehr, told, about),
        *_challenge(told, about),
        *_capabilities(told, about),
        *_scopes(told, [need for need in needs if need.key not in not_kept], about),
    ]
    yield from found
    if not found:
        yield LAUNCH.passed("addresses at registered origins, S256, launch from the EHR", about)


def _endpoints(ehr: Ehr, told: Mapping[str, Any], about: str) -> Iterator[Finding]:
    for name, word in _ENDPOINTS.items():
        url = string(told.get(name))
        if not url:
            yield LAUNCH.failed(f"it names no {name}", "Have the EHR publish it: no launch works without.", about)
        elif not ehr.origin_of(url):
            # of what others wrote, an origin is shown and nothing else
            try:
                origin = str(replace(parse_base(url.partition("?")[0], insecure=True), path=""))
            except ValueError as problem:
                yield LAUNCH.failed(f"its {name} {problem}", "Have the EHR correct its document.", about)
                continue
            fix = f'If that is where this EHR has people log in, add it: smart_origins = ["{origin}"]. If not, ask the vendor.'
            yield LAUNCH.failed(f"its {word} address is at {origin}, which is not registered", fix, about)


def _challenge(told: Mapping[str, Any], about: str) -> Iterator[Finding]:
    methods = told.get("code_challenge_methods_supported")
    if methods is None:
        yield LAUNCH.warned(
            "it does not say which code_challenge_methods_supported it has",
            "Ask the vendor whether PKCE with S256 is checked: if not, a stolen code can be used.",
            about,
        )
    elif not (isinstance(methods, list) and "S256" in methods):
        fix = "Ask the vendor for PKCE with S256 (SMART 2.0 demands it): launches are refused without."
        yield LAUNCH.failed("S256 is not among its code_challenge_methods_supported", fix, about)


def _capabilities(told: Mapping[str, Any], about: str) -> Iterator[Finding]:
    listed = items(told.get("capabilities"))
    if missing := [each for each in _CAPABILITIES if each not in listed]:
        yield LAUNCH.warned(
            f"not among its capabilities: {', '.join(missing)}",
            "Have them switched on for this app; where the EHR only forgets to list them, a launch for trial decides.",
            about,
        )


def _scopes(told: Mapping[str, Any], needs: Sequence[Need], about: str) -> Iterator[Finding]:
    listed = [string(each) for each in items(told.get("scopes_supported"))]
    if not listed:
        return  # optional in the standard
    known = smart_scopes(listed)
    kinds = {scope_of(need): need.resource_type for need in needs}
    missing = [
        each
        for each in scopes_of(needs)
        if each not in listed and (each not in kinds or not which_part(known, kinds[each], each))
    ]
    if missing:
        fix = "Have the vendor add them for this app; some list only a part, and then a launch for trial decides."
        yield LAUNCH.warned(
            f"{counted(len(missing), 'scope')} we ask for not among its scopes_supported", fix, about, tuple(missing)
        )
