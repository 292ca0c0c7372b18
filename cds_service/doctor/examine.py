"""All checks in their order, each as soon as it is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cds_service.clinical.terminology import terminology
from cds_service.doctor import probes
from cds_service.doctor.checks import codes, fhir, keys, network, settings, smart, store
from cds_service.doctor.finding import (
    ALLOWED,
    AUDIT_KEY,
    CLOCK,
    CODES,
    DATABASE,
    IN_TIME,
    PREFETCH,
    SCOPES,
    SEARCH,
    TLS,
    Finding,
)
from cds_service.doctor.site import Ask, Site
from cds_service.engine.evaluate import evaluate
from cds_service.formats.urls import Base, parse_base
from cds_service.kernel.errors import ContentError, PatientMismatch
from cds_service.security.clients import Client
from cds_service.security.launchers import ehrs
from cds_service.store import condition, site_key

Say = Callable[[str], None]
# the hook whose rules read the whole chart
_CHART = "patient-view"


def examine(site: Site, ask: Ask, say: Say) -> Iterator[Finding]:
    """Look at everything that the settings name.

    Args:
        site: the settings.
        ask: token, patient and clock.
        say: told what is at work, for whoever waits.
    """
    yield from settings.settings(site)
    yield settings.callers(site)
    yield settings.sandbox(on=site.sandbox)
    yield from settings.silent(site)
    look = _Look(site, ask, say)
    yield from look.public()
    yield from look.store()
    yield store.admin_key(probes.key_file(site.admin_key_file) if site.admin_key_file else None)
    for client in site.clients:
        yield from look.keys(client)
        if site.public_url:
            yield settings.tokens(client, site.public_url, [each.id for each in site.services])
    for client in site.callers:
        yield from look.servers(client)
    for client in site.clients:
        yield from look.launches(client)
    yield from look.clocks()
    yield from look.patient()


@dataclass(slots=True)
class _Look:
    """One examination; notes what several checks need."""

    site: Site
    ask: Ask
    say: Say
    _dates: dict[str, network.Told] = field(default_factory=dict)
    _shaken: set[tuple[str, int]] = field(default_factory=set)

    def _note(self, base: Base, date: str, began: float) -> None:
        """What a server said the time is; the first word counts, and one that said nothing did not answer."""
        server = f"{base.host}:{base.port}"
        if date:
            self._dates.setdefault(server, network.Told(server, date, began, self.ask.clock()))

    def _certificate(self, base: Base, where: str, ca_file: str | None = None) -> Iterator[Finding]:
        """Of an https server, once."""
        if base.scheme == "https" and (base.host, base.port) not in self._shaken:
            self._shaken.add((base.host, base.port))
            yield network.certificate(probes.certificate(base, where, ca_file), self.ask.clock())

    # --- the service itself -------------------------------------------------------------------------------------------

    def public(self) -> Iterator[Finding]:
        """Its public address."""
        known = settings.public_url(self.site)
        if known:
            yield known
            yield TLS.skipped("there is no https address to look at", "public_url")
            return
        base = parse_base(self.site.public_url)
        self.say(f"calling {base}")
        yield from self._certificate(base, "public_url", self.ask.ca_file)
        found = probes.discovery(base, self.ask.ca_file)
        expected = [each.id for each in self.site.services]
        yield settings.discovered(found.status, found.ids, expected, found.problem)

    def store(self) -> Iterator[Finding]:
        """Its database and its key."""
        address = self.site.database_url
        if not address:
            yield store.no_database(self.site.registered)
            yield AUDIT_KEY.skipped("there is no record of calls")
            return
        self.say("looking at the database")
        try:
            yield from store.database(condition.examine(address))
            file = self.site.audit_key_file or site_key.beside(condition.file_of(address))
        except ContentError as problem:
            check = AUDIT_KEY if problem.key == "audit_key_file" else DATABASE
            yield check.failed(problem.problem.removesuffix("."), problem.fix)
            return
        yield store.audit_key(probes.key_file(file))
        for number, former in enumerate(self.site.former_key_files):
            yield store.former_key(probes.key_file(former), f"former_key_files.{number}")

    # --- clients and their servers ------------------------------------------------------------------------------------

    def keys(self, client: Client) -> Iterator[Finding]:
        """The keys of a client, where they are published or as they are written down."""
        if client.jwks:
            yield from keys.key_set(client, "in the settings", client.jwks)
        for url in client.jwks_urls:
            self.say(f"fetching the keys of {client.name}")
            base = parse_base(url, insecure=True)
            yield from self._certificate(base, f"jwks_urls of {client.name}")
            began = self.ask.clock()
            found = probes.published(url)
            self._note(base, found.date, began)
            if found.keys is None:
                yield keys.unreachable(client, url, found.problem)
            else:
                yield from keys.key_set(client, url, found.keys, found.max_age)

    def servers(self, client: Client) -> Iterator[Finding]:
        """The FHIR servers a client may name."""
        yield from fhir.allowed(client)
        if client.ca_bundle and not probes.readable(client.ca_bundle):
            yield ALLOWED.failed(
                "ca_bundle holds no certificates that can be read",
                "Name a PEM file that the user of the service may read.",
                client.name,
            )
            return
        for base in client.fhir_bases:
            self.say(f"asking {base} for its metadata")
            yield from self._certificate(base, f"fhir_bases of {client.name or 'the settings'}", client.ca_bundle)
            token = self.ask.token if (client, base) == self._chosen() else ""
            began = self.ask.clock()
            found = probes.metadata(base, client, token)
            self._note(base, found.date, began)
            if found.problem:
                yield fhir.no_metadata(base, found.problem)
            else:
                yield from fhir.metadata(base, found.body, self.site.needs)

    def launches(self, client: Client) -> Iterator[Finding]:
        """Whether its EHR can launch the summary."""
        if not client.smart_client_id:
            yield smart.not_launched(client)
            return
        if client.ca_bundle and not probes.readable(client.ca_bundle):
            return  # said of its FHIR servers
        for ehr in ehrs([client]).values():
            self.say(f"asking {ehr.base} how it launches")
            began = self.ask.clock()
            found = probes.smart_configuration(ehr)
            self._note(ehr.base, found.date, began)
            if found.problem:
                yield smart.unreadable(ehr, found.problem)
            else:
                yield from smart.launch(ehr, found.body, self.site.needs, self.site.profiles[client.name].not_kept)

    def clocks(self) -> Iterator[Finding]:
        """Our clock against those of the servers that answered."""
        if not self._dates:
            yield CLOCK.skipped("no other server answered")
        yield from network.clocks(self._dates.values())

    # --- a patient ----------------------------------------------------------------------------------------------------

    def _chosen(self) -> tuple[Client, Base] | None:
        """The client and the FHIR server that token and patient belong to: the only one there is, or the one that was named."""
        every = [(client, base) for client in self.site.callers for base in client.fhir_bases]
        named = [(client, base) for client, base in every if self.ask.fhir_base in ("", str(base))]
        return named[0] if len(named) == 1 else None

    def patient(self) -> Iterator[Finding]:
        """Everything that takes a token, or a token and a patient."""
        chosen = self._chosen()
        reason = self._why_not(chosen)
        if chosen is None or reason:
            for check in (SCOPES, SEARCH, IN_TIME, CODES, PREFETCH):
                yield check.skipped(reason)
            return
        client, base = chosen
        not_kept = self.site.profiles[client.name].not_kept
        if self.ask.scope:
            yield from fhir.scopes(self.ask.scope, self.site.needs, not_kept, str(base))
        else:
            yield SCOPES.skipped("what was granted is not known: give the JSON that the token endpoint answered")
        if not self.ask.patient:
            for check in (SEARCH, IN_TIME, CODES, PREFETCH):
                yield check.skipped("no patient was named (--patient)")
            return
        yield from self._record(client, base)

    def _why_not(self, chosen: tuple[Client, Base] | None) -> str:
        if not any(client.fhir_bases for client in self.site.callers):
            return "no FHIR server is listed"
        if chosen is None:
            return "there are several FHIR servers: name one by --client and --fhir"
        return "" if self.ask.token else "no token was given (--token-file, --token-env)"

    def _record(self, client: Client, base: Base) -> Iterator[Finding]:
        token, patient, needs = self.ask.token, self.ask.patient, self.site.needs
        profile = self.site.profiles[client.name]
        self.say(f"looking a patient up at {base}: {len(needs)} look-ups, a minute at most")
        try:
            found = probes.looked_up(base, client, token, patient, needs)
        except PatientMismatch:
            yield SEARCH.failed(
                "the server gave the Patient of somebody else",
                "Report it to the owner of the FHIR server at once.",
                "patient",
            )
            return
        for need in needs:
            yield fhir.search(need, found.records.lookup(need.key), profile.not_kept)
        yield fhir.in_time(found.seconds, self.site.fetch_seconds, str(base))
        yield from codes.told(codes.count(found.records.resources(), terminology()))
        yield from codes.unread(self._unread(client, found))
        self.say(f"filling {len(self.site.templates)} prefetch templates at {base}")
        sent = probes.sent_as_prefetch(base, client, token, patient, needs, self.site.templates)
        yield from fhir.prefetch(sent, str(base))

    def _unread(self, client: Client, found: probes.LookedUp) -> dict[tuple[str, str], int]:
        """What no rule could use, counted: the rules have to be asked, since they read as they go."""
        service = next((each for each in self.site.services if each.hook == _CHART), self.site.services[0])
        evaluation = evaluate(service, found.records, self.ask.day, self.site.profiles[client.name])
        ours = {need.resource_type for need in self.site.needs}
        told = service.clinic.unread_kinds(evaluation.facts)
        return {(kind, reason): number for (kind, reason), number in told.items() if kind in ours}
