"""One look-up at a FHIR server: pages followed, checked against what was asked, and never "none" from a failure.

Rows B5 and B11-B17 of `safety.md`. An answer counts as looked up only if it is a `searchset` Bundle that says that it
searched for what we asked: servers may ignore a search parameter and still answer 200 (FHIR calls that lenient).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import parse_qsl, urljoin

from cds_service.fhir import answers
from cds_service.fhir.answers import Answer, AnswerState
from cds_service.fhir.client.dialects import Dialect
from cds_service.fhir.client.queries import Query, Way
from cds_service.fhir.client.transport import Attempt, NoResponse, Response, Trouble
from cds_service.fhir.read import items, mapping, string
from cds_service.formats import strict_json
from cds_service.formats.urls import Base
from cds_service.kernel.errors import InputError
from cds_service.kernel.needs import Resource

NOT_IN_TIME = Trouble.NOT_IN_TIME.value
_HEADERS = {"Accept": "application/fhir+json", "Prefer": "handling=strict", "User-Agent": "bonecds"}
# HTTP answers that mean "I do not know this search": another way may be gone
_NOT_UNDERSTOOD = frozenset({400, 404, 405, 414, 422, 501})
_MAY_PASS = frozenset({429, 503})
_LONGEST_WAIT = 1  # seconds; more does not fit into a call that a clinician waits for
_PAUSE = 0.05
_PATIENT = ("patient", "subject")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one look-up may bring.

    Attributes:
        pages: most pages of one search.
        entries: no further page is asked for after this many entries.
        bytes: most decoded bytes of all pages together.
    """

    pages: int = 20
    entries: int = 5_000
    bytes: int = 8_000_000


class Get(Protocol):
    """`Transport.get`."""

    def __call__(self, url: str, *, token: str, attempt: Attempt, max_bytes: int, headers: dict[str, str]) -> Response:
        """Send one GET."""
        ...


class Found:
    """What a look-up has brought so far. One thread fills it; any other may ask at any time how far it is."""

    def __init__(self) -> None:
        self._pages: list[Answer] = []
        self._faults: list[tuple[AnswerState, str]] = []

    def add(self, page: Answer) -> None:
        """A page that was read."""
        self._pages.append(page)

    def fault(self, state: AnswerState, words: str) -> None:
        """Something for which the look-up does not prove absence; `state` is the answer's where nothing was found."""
        self._faults.append((state, words))

    def answer(self, *, finished: bool) -> Answer:
        """What is known now; if not finished, it was not in time."""
        pages, faults = tuple(self._pages), list(self._faults)
        if not finished:
            faults.append((AnswerState.FAILED, NOT_IN_TIME))
        faults += [(page.state, page.detail) for page in pages if page.state not in _GOOD]
        # a hint about a good page ("resources of types that were not asked for") is not a fault, and is passed on
        hints = [page.detail for page in pages if page.state in _GOOD and page.detail]
        detail = "; ".join(dict.fromkeys([*(words for _, words in faults if words), *hints]))
        resources, full_urls = _each_once(pages)
        states = {state for state, _ in faults}
        if resources:
            state = AnswerState.PARTIAL if states else AnswerState.DATA
        else:
            state = next((each for each in _WORST_FIRST if each in states), AnswerState.EMPTY)
        return Answer(state, resources, full_urls, detail)


_GOOD = frozenset({AnswerState.DATA, AnswerState.EMPTY})
_WORST_FIRST = (AnswerState.NOT_PERMITTED, AnswerState.FAILED, AnswerState.PARTIAL)


def _each_once(pages: Iterable[Answer]) -> tuple[tuple[Resource, ...], tuple[str, ...]]:
    """Resources of all pages; one that moved from a page to the next while we read counts once (B17)."""
    found: dict[object, tuple[Resource, str]] = {}
    for page in pages:
        for resource, url in zip(page.resources, page.full_urls, strict=True):
            found.setdefault(_same(resource), (resource, url))
    return tuple(resource for resource, _ in found.values()), tuple(url for _, url in found.values())


def _same(resource: Resource) -> object:
    """Equal for the same version of the same resource."""
    ident = string(resource.get("id"))
    version = string(mapping(resource.get("meta")).get("versionId"))
    return (resource.get("resourceType"), ident, version) if ident else id(resource)


class _Stop(Exception):
    """The look-up, or this way of it, ends here."""

    def __init__(self, state: AnswerState, words: str, *, not_understood: bool = False) -> None:
        self.state, self.words, self.not_understood = state, words, not_understood
        super().__init__(words)


@dataclass(slots=True)
class LookUp:
    """One look-up at one server.

    Attributes:
        get: sends a GET.
        base: the registered base.
        dialect: of the server.
        token: of this call.
        attempt: how long it may take.
        limits: how much it may bring.
        found: what it has brought.
    """

    get: Get
    base: Base
    dialect: Dialect
    token: str = field(repr=False)
    attempt: Attempt
    limits: Limits
    found: Found
    _bytes: int = 0
    _retried: bool = False

    def read(self, resource_type: str, ident: str) -> None:
        """Read one resource by its id; "not found" is a failure, since the call is about it."""
        url = self.base.url(f"{resource_type}/{ident}")
        try:
            resource = self._json(url)
            kind = mapping(resource).get("resourceType")
            if kind == "OperationOutcome":
                raise _outcome_instead(resource)
            if kind != resource_type:
                raise _Stop(AnswerState.FAILED, "the answer is not the resource that was asked for")
            self.found.add(Answer(AnswerState.DATA, (resource,), (url,)))
        except _Stop as stop:
            self.found.fault(stop.state, stop.words)

    def search(self, ways: Iterable[Way]) -> None:
        """Go the first way that the server understands."""
        stop: _Stop | None = None
        for way in ways:
            try:
                for query in way.queries:
                    _Walk(self, query).go()
            except _Stop as stopped:
                stop = stopped
                if stop.not_understood:
                    continue
            else:
                stop = None
            if way.caveat:
                self.found.fault(AnswerState.PARTIAL, way.caveat)
            break
        if stop:
            self.found.fault(stop.state, stop.words)

    def _json(self, url: str) -> Any:
        """The JSON of a 200."""
        response = self._response(url)
        self._bytes += len(response.body)
        is_json = "json" in response.content_type  # application/json+fhir too; never HTML
        if response.status != 200:
            raise _refusal(response.status, _parsed(response.body) if is_json else None)
        if not is_json:
            raise _Stop(AnswerState.FAILED, "the answer is not JSON")
        found = _parsed(response.body)
        if found is None:
            raise _Stop(AnswerState.FAILED, "the answer is not valid JSON, or has too many values")
        return found

    def _response(self, url: str) -> Response:
        """The response, after one more try where that may help (B14)."""
        try:
            response = self._get(url)
        except NoResponse as problem:
            if problem.trouble is not Trouble.NO_CONNECTION or not self._may_retry(_PAUSE):
                raise _Stop(AnswerState.FAILED, problem.trouble.value) from None
        else:
            wait = response.retry_after
            if response.status not in _MAY_PASS or wait is None or wait > _LONGEST_WAIT or not self._may_retry(wait):
                return response
        try:
            return self._get(url)
        except NoResponse as problem:
            raise _Stop(AnswerState.FAILED, problem.trouble.value) from None

    def _get(self, url: str) -> Response:
        most = max(self.limits.bytes - self._bytes, 0)
        return self.get(url, token=self.token, attempt=self.attempt, max_bytes=most, headers=_HEADERS)

    def _may_retry(self, wait: float) -> bool:
        """Once in a look-up, and only where the wait leaves time; waits."""
        if self._retried or self.attempt.is_over or self.attempt.until - time.monotonic() <= wait:
            return False
        self._retried = True
        time.sleep(wait)
        return True


def _parsed(body: bytes) -> Any:
    """Strict JSON; `None` for what is not."""
    try:
        return strict_json.load(body, max_bytes=len(body))
    except InputError:
        return None


def _refusal(status: int, body: object) -> _Stop:
    words = f"HTTP {status}"
    if status in (401, 403):
        return _Stop(AnswerState.NOT_PERMITTED, f"not permitted, {words}")
    if 300 <= status < 400:
        return _Stop(AnswerState.FAILED, f"redirects are not followed, {words}")
    # Epic: 400 with severity warning and code "suppressed" for a category that the client may not see
    if mapping(body).get("resourceType") == "OperationOutcome" and _outcome_instead(body).state is not _FAILED:
        return _Stop(AnswerState.NOT_PERMITTED, f"not permitted, {words}")
    return _Stop(AnswerState.FAILED, f"the FHIR server answered {words}", not_understood=status in _NOT_UNDERSTOOD)


_FAILED = AnswerState.FAILED


def _outcome_instead(outcome: object) -> _Stop:
    """An OperationOutcome where a result belongs, whatever its severity: there was no result."""
    found = answers.read(outcome, present=True, resource_type="")
    if found.state is AnswerState.NOT_PERMITTED:
        return _Stop(AnswerState.NOT_PERMITTED, "not permitted")
    return _Stop(_FAILED, found.detail or "the answer is an OperationOutcome and no result")


class _Walk:
    """The pages of one search."""

    def __init__(self, lookup: LookUp, query: Query) -> None:
        self._lookup, self._query, self._found = lookup, query, lookup.found
        self._seen: set[str] = set()
        self._entries = 0
        self._different: set[object] = set()
        self._total = 0

    def go(self) -> None:
        url: str | None = self._lookup.base.url(str(self._query))
        while url is not None:
            self._seen.add(url)
            page = self._page(url)
            first = len(self._seen) == 1
            self._check(page, first=first)
            entries = items(page.get("entry"))
            matches = [mapping(each["resource"]) for each in map(mapping, entries) if _is_match(each)]
            self._entries += len(matches)
            self._different.update(map(_same, matches))
            # on a later page, `total` counts what earlier pages brought
            plain = {name: value for name, value in page.items() if name != "total" or first}
            plain["link"] = [each for each in items(page.get("link")) if not _is(each, "next")]
            self._found.add(answers.read(plain, present=True, resource_type=self._query.resource_type))
            url = self._next(page)
        different = len(self._different)
        if self._total > different:
            # Epic's total is that of the page, so fewer than delivered is normal; more never is
            self._found.fault(AnswerState.PARTIAL, "the server counted more results than it sent")
        elif self._entries > different and self._total != different:
            # what moved to a later page came twice; what moved to an earlier one never came (B17)
            self._found.fault(AnswerState.PARTIAL, "the pages changed while they were read")

    def _page(self, url: str) -> Mapping[str, Any]:
        try:
            page = mapping(self._lookup._json(url))
        except _Stop as stop:
            # a page that went away is no reason to search in another way
            stop.not_understood = stop.not_understood and len(self._seen) == 1
            raise
        if page.get("resourceType") == "OperationOutcome":
            raise _outcome_instead(page)
        if page.get("resourceType") != "Bundle" or page.get("type") != "searchset":
            raise _Stop(_FAILED, "the answer is not the result of a search")
        return page

    def _check(self, page: Mapping[str, Any], *, first: bool) -> None:
        """Note where the server did not search for what was asked (B12, B16)."""
        total = page.get("total")
        if isinstance(total, int) and not isinstance(total, bool):
            if not first and total not in (0, self._total) and not items(page.get("entry")):
                self._found.fault(AnswerState.PARTIAL, "the server counted more results than it sent")
            self._total = max(self._total, total)
        own = next((string(mapping(each).get("url")) for each in items(page.get("link")) if _is(each, "self")), "")
        if own:
            if first:  # that of a later page may be a session id and nothing else (Epic)
                self._check_self(own)
        elif not items(page.get("entry")) and total != 0:
            self._found.fault(AnswerState.PARTIAL, "the server does not say what it searched for")
        elif any(not self._fits(mapping(each)) for each in items(page.get("entry"))):
            self._found.fault(AnswerState.PARTIAL, "the server did not search by code")

    def _check_self(self, own: str) -> None:
        said: dict[str, set[str]] = {}
        for name, value in parse_qsl(own.partition("?")[2], keep_blank_values=True):
            name = "patient" if name.partition(":")[0] in _PATIENT else name
            said.setdefault(name, set()).update(map(_bare, value.split(",")))
        for name, values in self._query.by:
            if name == "patient" and said.get(name) != set(values):
                raise _Stop(_FAILED, "the server did not search by patient")
            if not said.get(name, set()) >= set(map(_bare, values)):
                self._found.fault(AnswerState.PARTIAL, f"the server did not search by {name.lstrip('_')}")

    def _fits(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry carries a code that was asked for; whose it is is looked at where all data meet."""
        resource = mapping(entry.get("resource"))
        codes = {_bare(each) for name, values in self._query.by if name == "code" for each in values}
        if not codes or resource.get("resourceType") != self._query.resource_type:
            return True
        return any(string(mapping(each).get("code")) in codes for each in _codings(resource))

    def _next(self, page: Mapping[str, Any]) -> str | None:
        link = next((each for each in items(page.get("link")) if _is(each, "next")), None)
        if link is None:
            return None
        lookup = self._lookup
        target = string(mapping(link).get("url"))
        # Epic sends "Observation?sessionID=..." alone
        url = _joined(f"{lookup.base}/", target)
        if not target or not self._covered(url):
            raise _Stop(AnswerState.PARTIAL, "the next page is at another address")
        if url in self._seen:
            raise _Stop(AnswerState.PARTIAL, "the pages go in circles")
        if len(self._seen) >= lookup.limits.pages or self._entries >= lookup.limits.entries:
            raise _Stop(AnswerState.PARTIAL, "there are more pages than are read")
        return url

    def _covered(self, url: str) -> bool:
        base = self._lookup.base
        if self._lookup.dialect.same_path_case:
            return base.covers(url)
        return replace(base, path=base.path.lower()).covers(url.lower())


def _is_match(entry: Mapping[str, Any]) -> bool:
    """Whether an entry is one of those that `total` counts."""
    resource = mapping(entry.get("resource"))
    mode = string(mapping(entry.get("search")).get("mode"))
    return bool(resource) and resource.get("resourceType") != "OperationOutcome" and mode in ("", "match")


def _is(link: object, relation: str) -> bool:
    return string(mapping(link).get("relation")).lower() == relation


def _joined(base: str, target: str) -> str:
    try:
        return urljoin(base, target)
    except ValueError:
        return ""


def _bare(value: str) -> str:
    """A code without its system, an id without its type."""
    return value.rsplit("|", 1)[-1].rsplit("/", 1)[-1]


def _codings(resource: Mapping[str, Any]) -> Iterable[object]:
    return items(mapping(resource.get("code")).get("coding"))
