"""What one CDS Hooks service is: declared once in `hooks/`, found by entry point."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol

from cds_service.cards.suggest import Order
from cds_service.cards.texts import Texts
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.errors import ContentError
from cds_service.kernel.figures import Supporting
from cds_service.kernel.needs import Need, Records
from cds_service.kernel.rules import Rule
from cds_service.kernel.thresholds import Source, Thresholds

GROUP = "cds_service.services"


class Profile(Protocol):
    """A site's choices, as far as the engine needs them."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def sets(self) -> tuple[str, ...]:
        """Guideline sets that are on, most important first."""

    @property
    def preview(self) -> tuple[str, ...]:
        """Preview rules that are on all the same; "*" for all."""

    @property
    def off(self) -> tuple[str, ...]:
        """Rules that are off although their set is on."""

    @property
    def unsigned(self) -> bool:
        """Whether rules run that nobody has signed in their present form."""

    @property
    def order_advice(self) -> str:
        """At which of the two order hooks advice about an order is given: "select" or "sign"."""

    @property
    def card_cap(self) -> int:
        """Most cards in one answer."""

    def quiet_days(self, topic: str, *, accepted: bool, reasons: Sequence[str]) -> int:
        """For how many days a topic stays silent for a patient after its card was answered so; 0: not at all."""

    @property
    def quiet_for_the_user_alone(self) -> tuple[str, ...]:
        """Reasons that silence a topic for the user who gave them, and for nobody else."""

    def percent_shown(self, rule: str) -> int:
        """To how many of a hundred patients what a rule says is shown; for the others it stays in silent mode."""

    @property
    def language(self) -> str:
        """Language of the cards."""

    @property
    def wording(self) -> tuple[tuple[str, str], ...]:
        """Texts of the site that replace those of the language."""

    @property
    def not_kept(self) -> tuple[str, ...]:
        """Need keys that count as looked up although the EHR never supplies them."""


class Clinic(Protocol):
    """The clinical knowledge behind a service, seen from the engine, which knows no bone."""

    @property
    def version(self) -> str:
        """Version of rules and content."""

    def profile(self, name: str) -> Any:
        """The built-in profile of that name."""

    def site(self, text: str, file: str) -> Any:
        """The profile that a site file describes."""

    def signed(self, rule: Rule, profile: Any) -> bool:
        """Whether somebody signed the rule as it is."""

    def thresholds(self, as_of: dt.date) -> Thresholds:
        """The numbers in force on that day."""

    def facts(self, records: Records, as_of: dt.date, thresholds: Thresholds, profile: Any) -> Any:
        """The facts rules read."""

    def silent_because(self, facts: Any, thresholds: Thresholds) -> str:
        """Why no card at all may be given (a key of `texts/` [silent]); empty when cards may be given."""

    def orders(self, facts: Any) -> frozenset[str]:
        """The kinds of orders the call is about; none when a chart is opened."""

    def against(self, order: str, facts: Any, thresholds: Thresholds) -> Criterion | None:
        """What speaks against a draft of that order, or keeps it from being offered; `None` where nothing can."""

    def in_scope(self, facts: Any, thresholds: Thresholds) -> Criterion:
        """Whether the patient belongs to the groups the service is for (S5)."""

    def unread(self, facts: Any) -> Sequence[Mapping[str, str]]:
        """What was set aside and why, for the operator: resource and reason."""

    def unread_kinds(self, facts: Any) -> Mapping[tuple[str, str], int]:
        """How many resources could not be used for their value, per resource type and reason."""

    def news(self, facts: Any, thresholds: Thresholds) -> frozenset[str]:
        """What is found about the patient of which anything new makes an answered topic speak again."""

    def group(self, facts: Any) -> tuple[str, str]:
        """Sex and age band, for reports that compare groups; empty where not known."""

    def source(self, rule: Rule, profile: Any) -> Source:
        """The document a rule's card names as its source."""

    def figures(self, facts: Any) -> Sequence[Supporting]:
        """What the risk models of the profile say, in support of cards; none unless a site switches one on."""


class TextsOf(Protocol):
    """Where a service gets its words from."""

    def __call__(self, language: str, wording: tuple[tuple[str, str], ...] = ()) -> Texts:
        """The words of a language, with those of a site in place of ours; read once."""


@dataclass(frozen=True, slots=True)
class Service:
    """One CDS Hooks service.

    Attributes:
        id: in the URL; distinct per hook, since the public sandbox keeps only one hook per id.
        hook: the CDS Hooks hook it answers.
        title: for people.
        description: for people.
        usage_requirements: what the client has to know.
        rules: the rules it runs, in the order of their ids.
        needs: what those rules read, in the order of the prefetch.
        prefetch: the templates derived from the needs.
        clinic: the knowledge.
        texts: the words of a language, read once.
        orders: the orders that cards may offer.
    """

    id: str
    hook: str
    title: str
    description: str
    usage_requirements: str
    rules: tuple[Rule, ...]
    needs: tuple[Need, ...]
    prefetch: Mapping[str, str]
    clinic: Clinic
    texts: TextsOf
    orders: Mapping[str, Order]


def installed() -> tuple[Service, ...]:
    """The services that installed distributions declare, by id.

    Raises:
        ContentError: an entry point does not name a `Service`, or two declare the same id.
    """
    found: dict[str, Service] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        service = point.load()
        if not isinstance(service, Service):
            raise ContentError("entry points", point.name, "is not a Service", "See hooks/patient_view.py.")
        if service.id in found:
            raise ContentError("entry points", point.name, f"id {service.id!r} is declared twice")
        found[service.id] = service
    return tuple(found.values())
