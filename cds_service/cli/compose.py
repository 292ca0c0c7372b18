"""The application put together from its settings: services, callers, FHIR servers, database, metrics.

Everything that can be wrong is read here, before the first call.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from flask import Flask

from cds_service.cli import readiness, watcher
from cds_service.cli.readiness import Lately
from cds_service.cli.site import chosen_profile
from cds_service.clinical import attributes
from cds_service.clinical.profiles import Profile as BoneProfile
from cds_service.clinical.terminology import terminology
from cds_service.engine.answer import answer
from cds_service.engine.custody import Custody
from cds_service.engine.fetch import Fetcher
from cds_service.engine.gather import gather
from cds_service.engine.services import Profile, Service, installed
from cds_service.fhir.answers import Fetched
from cds_service.fhir.client import dialects
from cds_service.fhir.client.fetcher import HttpFetcher, Lanes, Server
from cds_service.formats.urls import Base, parse_base
from cds_service.kernel.account import Account
from cds_service.kernel.errors import REASONS, BoneCdsError, ContentError, StoreUnavailable
from cds_service.kernel.needs import Need, Resource
from cds_service.protocol.request import HookRequest
from cds_service.protocol.response import HookResponse, Link, LinkType
from cds_service.security.clients import Client, Registry, registry
from cds_service.security.keys import Keys
from cds_service.security.launchers import Ehr, ehrs, scopes_of
from cds_service.security.replay import ReplayGuard, Seen
from cds_service.security.tokens import Caller
from cds_service.smart import pages as smart
from cds_service.smart.launch import Tickets
from cds_service.smart.wire import Wire
from cds_service.store import site_key
from cds_service.store.audit import Audit
from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackBox
from cds_service.store.past import Past
from cds_service.store.reading import Reading
from cds_service.store.site_key import SiteKey
from cds_service.store.used_tokens import UsedTokens
from cds_service.summary import Summary, summary_of
from cds_service.web import admin, observe
from cds_service.web.admission import TURNS, Places
from cds_service.web.app import create_app
from cds_service.web.door import Door
from cds_service.web.ledger import Ledger
from cds_service.web.logs import Alarm
from cds_service.web.settings import Settings
from cds_service.web.worker import CallerGone, caller_gone

if TYPE_CHECKING:
    from cds_service.web.metrics import Metrics

# whoever calls where nobody is registered
_ANYBODY = ""
_DIALECT = "generic"
_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class _Site:
    """What calls of one client are answered with.

    Attributes:
        profiles: its clinical choices, by service id.
        fetcher: looks up at its FHIR servers; `None` where it has none.
        silent: its calls are answered without cards.
    """

    profiles: Mapping[str, Profile]
    fetcher: Fetcher | None
    silent: bool = False


def build_app(settings: Settings) -> Flask:
    """The application with every installed service.

    Raises:
        ContentError: a setting, a registered client, a profile or the content is wrong; or the database is of a newer version.
    """
    services = installed()
    registered = registry(settings.clients, "settings")
    clients = registered.all()
    # read once: a site file that changes takes effect at the next start, in all workers alike (D23)
    sites = _sites(settings, services, clients)
    _read_content(settings, services, sites)
    database = Database(settings.database_url, observe.store_failed) if settings.database_url else None
    if database:
        _migrate(database)
    door = _door(settings, registered, database) if database and clients else None
    key = site_key.read_or_make(settings.audit_key_file or site_key.beside(database.file)) if database else None
    ledger = _ledger(settings, database, key, services) if database and key else None
    rule_set = "/".join(dict.fromkeys(each.clinic.version for each in services))
    app = create_app(
        settings,
        services,
        partial(_respond, settings, sites, ledger),
        door=door,
        ledger=ledger,
        self_check=_self_check(settings, services, sites, rule_set, database),
        degraded=_degraded(settings, clients, database, key),
        rule_set=rule_set,
        attributes=partial(attributes.document, tuple({rule.id: rule for s in services for rule in s.rules}.values())),
        metrics=metrics_of(services, _LANGUAGE, clients) if settings.metrics_port else None,
    )
    if settings.sandbox:
        # here: a process that answers registered callers never loads it
        from cds_service.sandbox import pages
        from cds_service.sandbox.one_page import Demo

        pages.register(app, settings, {each.id: each for each in services})
        smart.register(app, public_url="", demo=Demo(settings, _open_chart(services)))
    if database and key and settings.admin_key_file:
        admin.register(app, _admin(settings.admin_key_file, key, database))
    if door and (known := ehrs(clients)):
        smart.register(
            app, public_url=settings.public_url, launches=_launches(settings, services, sites, known, door.seen)
        )
    return app


def _open_chart(services: Sequence[Service]) -> Service:
    """The service whose rules a summary shows."""
    return next(each for each in services if each.hook == "patient-view")


def _launches(
    settings: Settings, services: Sequence[Service], sites: Mapping[str, _Site], known: Mapping[Base, Ehr], seen: Seen
) -> smart.Launches:
    service = _open_chart(services)
    # half of what calls have: a page that somebody waits for must not keep cards from others
    most = max(1, settings.threads // 2)
    return smart.Launches(
        settings.public_url,
        known,
        scopes_of(service.needs),
        Tickets(secrets.token_bytes(32)),
        Wire(known, most),
        Places(most, settings.waiting // 2),
        seen.first_use,
        partial(_summary, settings, sites, service),
    )


def _summary(
    settings: Settings, sites: Mapping[str, _Site], service: Service, client: str, call: HookRequest
) -> tuple[Summary, Account]:
    site = sites[client]
    profile = site.profiles[service.id]
    records = gather(call, service.needs, site.fetcher)
    found = summary_of(service, records, cast("BoneProfile", profile), settings.day())
    states = {key: lookup.state.value for key, lookup in records.lookups.items()}
    return found, Account(found.rule_set, states, profile=profile.id)


def _sites(settings: Settings, services: Sequence[Service], clients: Sequence[Client]) -> Mapping[str, _Site]:
    """By name of the client; where nobody is registered, one for everybody."""
    anybody = Client(_ANYBODY, "", fhir_bases=tuple(_base(text) for text in settings.fhir_bases))
    lanes = Lanes()
    return {each.name: _site(settings, services, each, lanes) for each in clients or [anybody]}


def _site(settings: Settings, services: Sequence[Service], client: Client, lanes: Lanes) -> _Site:
    # a client that names neither profile nor site file has those of the settings
    own = client.profile is not None or client.site_file is not None
    profile, file = (
        (client.profile or settings.profile, client.site_file) if own else (settings.profile, settings.site_file)
    )
    profiles = {each.id: chosen_profile(each.clinic, profile, file) for each in services}
    dialect = dialects.dialect(client.dialect or _DIALECT)
    servers = [Server(base, dialect, client.ca_bundle, client.max_parallel_fetches) for base in client.fhir_bases]
    silent = settings.silent or client.silent
    if not servers and client.name == _ANYBODY:
        return _Site(profiles, None, silent)
    fetcher = HttpFetcher(servers, terminology(), lanes, seconds=settings.fetch_ms / 1000)
    return _Site(profiles, _Noted(fetcher), silent)


def _base(text: str) -> Base:
    try:
        return parse_base(text, insecure=True)
    except ValueError as problem:
        raise ContentError("settings", "fhir_bases", f"{problem}.", "Write the address as https://host/path.") from None


@dataclass(frozen=True, slots=True)
class _Noted:
    """A fetcher, and what the operator learns of it."""

    fetcher: HttpFetcher

    def fetch(
        self, fhir_server: str, token: str, patient_id: str, needs: Sequence[Need], known: Iterable[Resource]
    ) -> Fetched:
        """As `HttpFetcher`."""
        if not self.fetcher.knows(fhir_server):
            observe.alarm(Alarm.FETCH_REFUSED)
        began, gone = time.monotonic(), caller_gone()
        with TURNS.given_away():
            found = self.fetcher.fetch(fhir_server, token, patient_id, needs, known, gone)
        observe.fetched((each.state.lookup.value for each in found.answers.values()), time.monotonic() - began)
        if gone():
            raise CallerGone
        return found


def _door(settings: Settings, registered: Registry, database: Database) -> Door:
    def replay(_event: str, about: str) -> None:
        observe.alarm(Alarm.REPLAY_STORE_DOWN)

    def keys(_event: str, about: str) -> None:
        observe.alarm(Alarm.JWKS_FAILING)

    seen = ReplayGuard(UsedTokens(database), replay_store_down=settings.replay_store_down, alarm=replay)
    return Door(settings.public_url, registered, Keys(alarm=keys), seen)


def _ledger(settings: Settings, database: Database, key: SiteKey, services: Sequence[Service]) -> Ledger:
    former = [site_key.read(each) for each in settings.former_key_files]
    versions = {rule.id: rule.version for each in services for rule in each.rules}
    past = Past(database, [key, *former])
    return Ledger(Audit(database, key), versions, FeedbackBox(database), past)


def _admin(key_file: Path, key: SiteKey, database: Database) -> admin.Admin:
    """The page of reports. Its password is typed by people and kept by browsers, so it must not be the key of the hashes."""
    secret = site_key.read_secret(key_file)
    if SiteKey(secret).id == key.id:
        raise ContentError(
            "settings", "admin_key_file", "holds the site key.", "Make a secret of its own with: openssl rand -hex 32."
        )
    return admin.Admin(secret, Reading(database))


def _migrate(database: Database) -> None:
    """A database that is away does not stop the start: cards are given, and the first write that reaches it does this (G6)."""
    with contextlib.suppress(StoreUnavailable):
        database.migrate()
    database.close()  # the workers open their own


def metrics_of(services: Sequence[Service], language: str, clients: Iterable[Client] = ()) -> Metrics:
    """Metrics with labels for what these services ask and answer; `language` is any that has texts."""
    # here, since the library looks at its import whether processes share their counts (`web.wsgi.serve`)
    from cds_service.web.metrics import Metrics, Names

    needs = [need for each in services for need in each.needs]
    return Metrics(
        Names(
            services={each.id: each.hook for each in services},
            needs=frozenset(need.key for need in needs),
            rules=frozenset(rule.id for each in services for rule in each.rules),
            types=frozenset(need.resource_type for need in needs),
            unread=frozenset(reason for each in services for reason in each.texts(language).unread),
            clients=frozenset(each.name for each in clients),
            refusals=REASONS,
        )
    )


def _read_content(settings: Settings, services: Sequence[Service], sites: Mapping[str, _Site]) -> None:
    for service in services:
        for site in sites.values():
            profile = site.profiles[service.id]
            service.texts(profile.language, profile.wording)
        service.clinic.thresholds(settings.day())


def _self_check(
    settings: Settings,
    services: Sequence[Service],
    sites: Mapping[str, _Site],
    rule_set: str,
    database: Database | None,
) -> Callable[[], Sequence[str]]:
    """For `/readyz`: what keeps this process from working, and when that was last looked at."""
    content = partial(_problems, settings, services, sites)
    tried = Lately(
        readiness.SELF_TEST_S,
        readiness.SelfTest(
            services,
            lambda service, call, profile, day: answer(service, call, as_of=day, profile=profile),
            settings.day,
        ),
    )
    checks: list[Callable[[], Sequence[str]]] = [tried]
    if database:
        version = readiness.Version(rule_set, database)
        version.start()
        database.close()  # the workers open their own
        checks.append(Lately(readiness.VERSION_S, version))
    # a self-test without content would only say the same once more
    return lambda: content() or tuple(problem for check in checks for problem in check())


def _degraded(
    settings: Settings, clients: Sequence[Client], database: Database | None, key: SiteKey | None
) -> Callable[[], Sequence[str]]:
    """For `/readyz`: what does not work although cards are given."""
    files = [settings.site_file, *(each.site_file for each in clients)]
    checks: list[Callable[[], Sequence[str]]] = [
        Lately(readiness.FILES_S, readiness.Files(path for path in files if path)),
    ]
    if database and key:
        watch = watcher.InService(database, watcher.canaries(key, clients))
        nothing: Sequence[str] = ()
        checks += [database.problems, Lately(readiness.WATCH_S, watch, meanwhile=nothing)]
    return lambda: tuple(problem for check in checks for problem in check())


def _problems(settings: Settings, services: Sequence[Service], sites: Mapping[str, _Site]) -> tuple[str, ...]:
    """For `/readyz`: thresholds are in force from a date on, so what was fine yesterday is checked for today."""
    try:
        _read_content(settings, services, sites)
    except BoneCdsError as error:
        return (str(error),)
    return ()


def _respond(
    settings: Settings,
    sites: Mapping[str, _Site],
    ledger: Ledger | None,
    service: Service,
    call: HookRequest,
    caller: Caller | None,
) -> HookResponse:
    site = sites[caller.client.name if caller else _ANYBODY]
    response = answer(
        service,
        call,
        as_of=settings.day(),
        profile=site.profiles[service.id],
        fetcher=site.fetcher,
        unassessable_as_card=settings.on_unassessable == "card",
        custody=Custody(partial(ledger.answers, call, caller), site.silent, settings.record_groups) if ledger else None,
    )
    return _with_link(response, settings.public_url) if caller and caller.client.smart_client_id else response


def _with_link(response: HookResponse, public_url: str) -> HookResponse:
    """Each card leads to the summary, which the EHR launches: the address names no patient."""
    link = Link("One-page bone-health summary", f"{public_url.rstrip('/')}/smart/launch", LinkType.SMART)
    return replace(response, cards=tuple(replace(card, links=(*card.links, link)) for card in response.cards))
