"""The FHIR server of a client: what it says it can do, what the token may see, and how the look-ups went."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from cds_service.doctor.finding import ALLOWED, IN_TIME, METADATA, PREFETCH, SCOPES, SEARCH, Finding, counted
from cds_service.fhir.answers import Answer, AnswerState
from cds_service.fhir.read import items, mapping, string
from cds_service.fhir.search import scope_of
from cds_service.formats.urls import Base, parse_base
from cds_service.kernel.needs import Lookup, LookupState, Need
from cds_service.security.clients import Client

_VERSION = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}(\.[0-9]{1,2})?(-[A-Za-z0-9]{1,20})?")
_SCOPE = re.compile(r"(?:patient|user|system)/(\*|[A-Z][A-Za-z]+)\.(read|write|\*|c?r?u?d?s?)(\?\S*)?")
_MEDICATION = "Medication"


def allowed(client: Client) -> Iterator[Finding]:
    """The FHIR servers it may name."""
    if not client.fhir_bases:
        yield ALLOWED.skipped("none is listed: only prefetch is used", client.name)
    for base in client.fhir_bases:
        yield ALLOWED.passed(f"{base}, as fhirServer of its calls", client.name)


# --- metadata -------------------------------------------------------------------------------------------------------------


def no_metadata(base: Base, problem: str) -> Finding:
    """There is no CapabilityStatement."""
    words = problem.lower()
    if "tls" in words:
        fix = "See the line about its certificate."
    elif "address that is not called" in words:
        fix = "The name leads to this machine or to a link-local address: correct the name server, or the base."
    else:
        fix = "Check the base (the part before /metadata), the firewall, and whether the server runs."
    return METADATA.failed(problem, fix, str(base))


def metadata(base: Base, body: object, needs: Sequence[Need]) -> Iterator[Finding]:
    """What a CapabilityStatement declares, against what we ask for.

    Args:
        base: as registered.
        body: the answer of `metadata`, parsed.
        needs: what is looked up.
    """
    about = str(base)
    if mapping(body).get("resourceType") != "CapabilityStatement":
        yield METADATA.failed("the answer is no CapabilityStatement", "Register the FHIR base, not a portal.", about)
        return
    version = string(mapping(body).get("fhirVersion"))
    shown = version if _VERSION.fullmatch(version) else "of a form that cannot be read"
    if not version.startswith("4.0."):
        fix = "Register the address of the R4 endpoint (4.0.1); most vendors serve each version at one of its own."
        yield METADATA.failed(f"fhirVersion {shown}", fix, about)
    lacking = list(_undeclared(mapping(body), needs))
    if lacking:
        fix = "Have them switched on; where a server only forgets to declare them, the search lines below decide."
        seen = f"fhirVersion {shown}; not declared by {counted(len(lacking), 'type')} we use"
        yield METADATA.warned(seen, fix, about, tuple(lacking))
    elif version.startswith("4.0."):
        yield METADATA.passed(f"fhirVersion {shown}, and every search we use is declared", about)
    if not _same(string(mapping(mapping(body).get("implementation")).get("url")), base):
        yield METADATA.warned(
            "the server names itself by another address than the one that is registered",
            "Compare fhirServer in a call of the EHR with fhir_bases: it must be the registered one, part by part.",
            about,
        )


def _undeclared(body: Mapping[str, Any], needs: Sequence[Need]) -> Iterator[str]:
    rest = next((each for each in map(mapping, items(body.get("rest"))) if each.get("mode", "server") == "server"), {})
    resources = {string(each.get("type")): each for each in map(mapping, items(mapping(rest).get("resource")))}
    wanted: dict[str, set[str]] = {}
    for need in needs:
        parameters = set() if need.by_id else {"patient"} | ({"code"} if need.concepts else set())
        wanted.setdefault(need.resource_type, set()).update(parameters)
    wanted[_MEDICATION] = {"_id"}
    for kind, parameters in wanted.items():
        found = resources.get(kind)
        if found is None:
            yield f"{kind}: the whole type"
            continue
        known = {string(mapping(each).get("name")) for each in items(found.get("searchParam"))}
        # _id is there for every type, and rarely declared
        if missing := sorted(parameters - known - {"_id"}):
            yield f"{kind}: search by {', '.join(missing)}"


def _same(text: str, base: Base) -> bool:
    try:
        return not text or parse_base(text, insecure=True) == base
    except ValueError:
        return False


# --- scopes ---------------------------------------------------------------------------------------------------------------


def scopes(scope: str, needs: Sequence[Need], not_kept: Collection[str], about: str) -> Iterator[Finding]:
    """The scope of a token against what the look-ups need.

    Args:
        scope: as the token endpoint granted it; SMART App Launch 1 or 2.
        needs: what is looked up.
        not_kept: keys that this EHR never supplies.
        about: whose token it is.
    """
    found = smart_scopes(scope.split())
    if not found:
        fix = "Ask for the scopes of docs/reference/data-read.md; the search lines say what the token is worth."
        yield SCOPES.warned("what was granted is not written as SMART scopes", fix, about)
        return
    needed = {scope_of(need): need for need in needs if need.key not in not_kept}
    missing = [text for text, need in needed.items() if which_part(found, need.resource_type, text) is None]
    narrowed = [text for text, need in needed.items() if which_part(found, need.resource_type, text) == "narrowed"]
    if missing:
        yield SCOPES.failed(
            f"{counted(len(missing), 'scope')} missing", "Have the client granted them.", about, tuple(missing)
        )
    if narrowed:
        fix = "Have them granted for the whole type; else what lies outside is named as missing on each card."
        yield SCOPES.warned(f"{counted(len(narrowed), 'scope')} for a part only", fix, about, tuple(narrowed))
    if which_part(found, _MEDICATION, "patient/Medication.rs") is None:
        yield SCOPES.warned(
            "patient/Medication.rs is missing: drugs that orders name by reference cannot be read",
            "Have it granted, unless this EHR always writes the drug into the order.",
            about,
        )
    if not missing and not narrowed:
        yield SCOPES.passed(f"all {len(needed)} scopes that the look-ups need are granted", about)


def smart_scopes(scopes: Iterable[str]) -> list[re.Match[str]]:
    """Those among them that are about resources, in parts; for `which_part`."""
    return [match for each in scopes if (match := _SCOPE.fullmatch(each))]


def which_part(found: Iterable[re.Match[str]], kind: str, needed: str) -> str | None:
    """What of a needed scope others give: "whole", "narrowed" (a scope with a query), or `None`."""
    best = None
    for scope in found:
        named, may, query = scope.groups()
        letters = {"read": "rs", "write": "cud", "*": "cruds"}.get(may, may)
        if named in ("*", kind) and set(needed.rpartition(".")[2]) <= set(letters):
            best = "narrowed" if query and best != "whole" else "whole"
    return best


# --- look-ups -------------------------------------------------------------------------------------------------------------


def search(need: Need, found: Lookup, not_kept: Collection[str]) -> Finding:
    """How one look-up went, strictly."""
    number = counted(len(found.resources), "resource")
    if found.state is LookupState.COMPLETE:
        return SEARCH.passed(f"complete, {number}", need.key)
    if need.key in not_kept:
        return SEARCH.skipped(f"{found.state.value}; the site's choices say that its EHR does not keep these", need.key)
    if found.state is LookupState.PARTIAL:
        return SEARCH.warned(f"incomplete, {number}: {found.detail}", _mend(found.detail), need.key)
    return SEARCH.failed(found.detail or found.state.value, _mend(found.detail), need.key)


# What a look-up says, and what to do; the first that fits.
_FIXES = (
    ("not registered", "Register this base in fhir_bases of the client."),
    ("not permitted", "Have the scope granted; if this EHR keeps no such data, name the key in not_kept of the site file."),
    ("by category", "Ask the vendor for search by code, or map the categories; advice goes on with what is found."),
    ("did not search by patient", "The server ignores the patient: do not use it before its vendor has mended that."),
    ("did not search by", "The server ignores a parameter: have it switched on, or name the right dialect."),
    ("does not say what it searched for", "Ask the vendor for the self link of search results."),
    ("more results than it sent", "Ask the vendor why results are held back; consent or sensitivity filters do this."),
    ("more pages", "Ask the vendor for larger pages."),
    ("pages", "Ask the vendor how its pages are linked; NextGen needs dialect = \"nextgen\"."),
    ("next page", "The server links its pages to another address: have its external address configured."),
    ("redirect", "Register the address it redirects to."),
    ("not json", "A login page or proxy answers in its place: let this machine through."),
    ("not valid json", "A proxy changes the answer, or the server is at fault: compare with curl."),
    ("not the result of a search", "This is no FHIR search endpoint: check the base."),
    ("not in time", "Find out what makes the server slow; fetch_ms is the deadline of a whole call."),
    ("no connection", "Check name, port and firewall."),
    ("tls", "See the line about its certificate."),
    ("whose they are", "Ask the vendor for subject or patient in every resource."),
    ("another patient", "Report it to the owner of the FHIR server at once: it gave data of somebody else."),
    ("http 4", "The server does not know this search: name its dialect, or ask the vendor."),
    ("http 5", "The server fails: its owner finds the reason in its log."),
)  # fmt: skip


def _mend(detail: str) -> str:
    words = detail.lower()
    return next((fix for part, fix in _FIXES if part in words), "Compare with the same search by curl.")


def in_time(seconds: float, deadline: float, about: str) -> Finding:
    """All look-ups together, against the deadline of a call."""
    words = f"all look-ups together took {seconds:.1f} s; the deadline is {deadline:.1f} s (fetch_ms)"
    if seconds <= deadline:
        return IN_TIME.passed(words, about)
    return IN_TIME.warned(
        words, "Have the EHR send prefetch, raise max_parallel_fetches, or raise fetch_ms if it waits that long.", about
    )


def prefetch(found: Mapping[str, Answer], about: str) -> Iterator[Finding]:
    """What an EHR that fills our templates at this server would send.

    Args:
        found: by key: the first page, read as prefetch.
        about: the server.
    """
    good = [key for key, each in found.items() if each.state in (AnswerState.DATA, AnswerState.EMPTY)]
    if len(good) == len(found):
        yield PREFETCH.passed(f"all {len(found)} templates are answered whole in one page", about)
        return
    yield PREFETCH.passed(f"{len(good)} of {len(found)} templates are answered whole in one page", about)
    for key, each in found.items():
        if key not in good:
            words = each.detail or each.state.value
            fix = (
                "The rest is fetched by the service where this FHIR server is registered and the call brings a token."
                if each.state is AnswerState.PARTIAL
                else "Have the EHR leave this key out: the service then looks it up by itself, in other ways too."
            )
            yield PREFETCH.warned(f"{each.state.value}: {words}", fix, key)
