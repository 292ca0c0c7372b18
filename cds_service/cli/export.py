"""`bonecds export`: the rule book as FHIR R4 knowledge artifacts, one file each and an index."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from cds_service.cards.suggest import Order
from cds_service.cards.texts import Texts
from cds_service.cli.help_option import HELP
from cds_service.clinical import basis, content, profiles, signoffs
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.grades import grades
from cds_service.clinical.inputs import inputs
from cds_service.clinical.terminology import notices, terminology
from cds_service.engine.services import Service, installed
from cds_service.fhir.codes import Entry
from cds_service.fhir.knowledge import collection, orders, rules, valuesets
from cds_service.fhir.knowledge.artifacts import Json, terms
from cds_service.fhir.knowledge.content import RuleContent, SignOff
from cds_service.kernel.errors import InputError
from cds_service.kernel.rules import Rule
from cds_service.kernel.thresholds import Source, Thresholds

INDEX = "index.json"
_LANGUAGE = "en"
_CHECKED = "read in the source itself"


@dataclass(frozen=True)
class RuleBook:
    """The content of the installed services, as the builders want it.

    Attributes:
        services: the services.
        signed: the sign-off of each rule that has one for what it says now, by id.
    """

    services: tuple[Service, ...]
    signed: Mapping[str, SignOff]

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """Every rule once, in the order of the services."""
        return {rule.id: rule for service in self.services for rule in service.rules}

    @cached_property
    def orders(self) -> Mapping[str, Order]:
        """Every order that a card may offer."""
        return {key: order for service in self.services for key, order in service.orders.items()}

    @cached_property
    def texts(self) -> Texts:
        """The words."""
        return self.services[0].texts(_LANGUAGE)

    @cached_property
    def numbers(self) -> Thresholds:
        """The newest value of every number, whatever the date: the same content gives the same files."""
        return Thresholds(content.all_thresholds(), self._newest)

    @cached_property
    def concepts(self) -> Mapping[str, tuple[Entry, ...]]:
        """The codes of every concept."""
        found: dict[str, list[Entry]] = {}
        for row in terminology().rows():
            found.setdefault(row.concept, []).append(row)
        return {name: tuple(found[name]) for name in sorted(found)}

    @cached_property
    def told(self) -> tuple[RuleContent, ...]:
        """The rules with all that stands elsewhere about them."""
        return tuple(self._told(rule) for rule in self.rules.values())

    @cached_property
    def _newest(self) -> dt.date:
        return max(number.since for number in content.all_thresholds())

    def _told(self, rule: Rule) -> RuleContent:
        sites = [profiles.profile(name) for name in profiles.built_in()]
        found = inputs(rule, self._newest, sites)
        return RuleContent(
            rule=rule,
            hooks=tuple(service.hook for service in self.services if rule in service.rules),
            sources=_documents(rule),
            numbers=tuple(self.numbers[key] for key in found.numbers),
            look_ups=found.look_ups,
            orders=tuple(key for key in found.orders if key in self.offered),
            strength=self.texts.strength[rule.strength],
            check=self.texts.check.get(rule.check, _CHECKED),
            grade=grades().get(rule.strength),
            signed=self.signed.get(rule.id),
        )

    @property
    def offered(self) -> Mapping[str, Order]:
        """The orders that have a definition: not the changes of an order that is being written."""
        return {key: order for key, order in self.orders.items() if not order.change}

    def artifacts(self) -> Iterator[Json]:
        """Every artifact but the index."""
        version = terminology().version
        for name, rows in self.concepts.items():
            yield valuesets.value_set(name, rows, notices(), version)
        groups = valuesets.groups([each for told in self.told for each in _by_type(told).values()], self.concepts)
        for name, members in groups.items():
            yield valuesets.group(name, members, version)
        for key, order in self.offered.items():
            codings = [dict(coding) for coding in order.codings]
            words = (order.label, order.description, order.text)
            terms, drug = self._terms(codings), order.dosage is not None
            yield orders.activity_definition(key, *words, codings, terms, CLINIC.version, drug=drug)
        titles = {key: order.label for key, order in self.offered.items()}
        for told in self.told:
            grouped = replace(told, look_ups=tuple(_grouped(told, groups)))
            yield rules.library(grouped)
            yield rules.plan_definition(grouped, titles)

    def _terms(self, codings: Iterable[Mapping[str, str]]) -> str:
        licences = {(row.system, row.code): row.licence for row in terminology().rows()}
        return terms((licences.get((each["system"], each["code"]), "") for each in codings), notices())


def _documents(rule: Rule) -> tuple[Source, ...]:
    """The documents that the rule's cards name, whichever guideline set a site has it from."""
    if rule.source:
        return (content.sources()[rule.source],)
    return tuple(content.guideline_sets()[name].source for name in rule.sets)


def _by_type(told: RuleContent) -> Mapping[str, set[str]]:
    """The concepts a rule looks for, by resource type."""
    found: dict[str, set[str]] = {}
    for kind, concept in told.look_ups:
        found.setdefault(kind, set()).add(concept)
    return found


def _grouped(told: RuleContent, groups: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    for kind, concepts in _by_type(told).items():
        yield from ((kind, name) for name in valuesets.joined(concepts, groups))


def signatures(book: Iterable[Rule]) -> Mapping[str, SignOff]:
    """The sign-offs that came with this release and still fit their rule."""
    found = {}
    for rule in book:
        days = [each.on for each in signoffs.shipped() if basis.valid(rule, [each])]
        if days:
            found[rule.id] = SignOff(approved=min(days), reviewed=max(days))
    return found


@click.command(context_settings=HELP)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write although DIR is not empty; files of the same name are replaced.")
def export(folder: Path, *, force: bool) -> None:
    """Write the rule book to DIR as FHIR R4: ValueSet, Library, PlanDefinition and ActivityDefinition, and an index.

    The same content gives the same files. What they are and what they cannot say: docs/knowledge-as-fhir.md.
    """
    _prepare(folder, force=force)
    services = installed()
    book = RuleBook(services, signatures(rule for service in services for rule in service.rules))
    written: list[Json] = []
    counts: Counter[str] = Counter()
    for artifact in book.artifacts():
        kind = artifact["resourceType"]
        if kind not in counts:
            click.echo(f"writing {kind} ...", err=True)
        _write(folder / f"{kind}-{artifact['id']}.json", artifact)
        written.append(artifact)
        counts[kind] += 1
    # last, so that a folder with an index is a complete one
    _write(folder / INDEX, collection.index(written, CLINIC.version))
    told = ", ".join(f"{counts[kind]} {kind}" for kind in sorted(counts))
    click.echo(f"{folder}: {len(written)} artifacts ({told}) and {INDEX}, rule set {CLINIC.version}")


def _prepare(folder: Path, *, force: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
        if force:
            (folder / INDEX).unlink(missing_ok=True)
    except OSError as problem:
        raise InputError(f"the folder cannot be used: {type(problem).__name__}", str(folder)) from None
    if occupied and not force:
        raise InputError("the folder is not empty", str(folder), "Name another one, or add --force.")


def _write(path: Path, artifact: Mapping[str, Any]) -> None:
    try:
        path.write_text(json.dumps(artifact, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as problem:
        raise InputError(f"the file cannot be written: {type(problem).__name__}", str(path)) from None
