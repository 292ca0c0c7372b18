"""A made-up service with a handful of rules and words: the engine and the cards know no bone, so their tests need none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cds_service.cards import texts
from cds_service.cards.suggest import Order, load_orders
from cds_service.cards.texts import Texts
from cds_service.engine.evaluate import Evaluation, evaluate
from cds_service.engine.services import Service
from cds_service.kernel.criteria import Criterion, all_of, any_of
from cds_service.kernel.facts import Evidence, Gap
from cds_service.kernel.figures import Supporting
from cds_service.kernel.needs import Need, Records
from cds_service.kernel.rules import Finding, Json, Kind, Level, Proposal, Rule, Status, rule
from cds_service.kernel.thresholds import Source, Threshold, Thresholds
from cds_service.kernel.truth import Truth

AS_OF = dt.date(2026, 6, 15)
SOURCE = Source("g", "Guideline 2020", "A made-up guideline", "https://example.org/g", 2020)
LIMIT = Threshold("g.dose", "dose", Decimal("7.50"), "mg/d", dt.date(2020, 1, 1), SOURCE, "Table 1", "V")
NEEDS = (Need("patient", "Patient", by_id=True), Need("results", "Observation"), Need("orders", "MedicationRequest"))

# id of the rule: topic of its card. X-0 defines something, all others ask somebody to do something.
RULES = {
    "X-0": "roof",
    "X-1": "roof",
    "X-2": "roof",
    "X-3": "walls",
    "X-4": "windows",
    "X-5": "curtains",
}

TEXTS = """
population = []

[rules.X-0]
summary = "Definition."
options = []
[lines]
"X-0 X-7" = ["{% if v.slates %}{{ v.slates }} slates are loose{% endif %}", "{% if v.slates %}Roofs of that age leak{% endif %}"]

[rules.X-1]
summary = "Roof leaks: {{ v.drops }} drops a day."
options = ["Mend it", "{% if v.rain %}Bring in the cat{% endif %}"]
[rules.X-2]
summary = "Roof is old."
options = ["Mend it", "Sell the house"]
[rules.X-3]
summary = "Walls are damp."
options = ["{% if 'X-5' in rules %}Dry walls and curtains{% else %}Dry the walls{% endif %}"]
[rules.X-4]
summary = "Windows rattle{% if shown %}: {{ shown | join(', ') }}{% endif %}."
options = []
[rules.X-5]
summary = "Curtains\\n  are wet."
options = ["Wash them"]

[blocks]
product = "House"
yes = "yes"
no = "no"
unknown = "not known"
why-now = "Why now"
options = "Options"
not-known = "Not known"
basis = "Basis"
undated = "no date"
more-lines = "and {n} more on record"
and-more-names = "and more"
also = "Also due: {titles}."
preview = "preview"
gap-summary = "Check incomplete: {names}."
gap-basis = "What was not looked at is never taken as absent."
withheld = "No draft of {drafts} ({reason})"
withheld-not-known = "not known: {names}"

[evidence]
age = "Age {value}"
leak = "Leak: {value}, {note} ({on})"

[criteria]
drops = "at least {threshold} {unit}"
wet = "it is wet"

[gaps]
not-supplied = "Not supplied"
not-permitted = "Not permitted"
failed = "Look-up failed"
partial = "Only partly supplied"
not-recorded = "Not on record"
too-old = "Too old to count"
unit-unknown = "Unit not known"
conflicting = "Contradictory on record"
dose-unreadable = "Dose not readable"
unreadable = "Not readable"

[names]
results = "results of the plumber"
orders = "orders"
"unit:mg/d" = "mg a day"

[strength]
strong = "strong recommendation"

[check]
P = "not from a guideline"

[silent]
pulled-down = "the house is gone"

[unread]

[explain]

[topics.roof]
code = "Roof"
title = "The roof"
order = 1

[topics.walls]
code = "Walls"
title = "The walls"
order = 2

[topics.windows]
code = "Windows"
title = "The windows"
order = 3
absorbed_by = ["roof", "walls"]

[topics.curtains]
code = "Curtains"
title = "The curtains"
order = 4
absorbed_by = ["windows"]

[topics.data-gaps]
code = "DataGaps"
title = "Check incomplete"
order = 9

[[override]]
code = "not-now"
display = "Not now"
"""

ORDERS = """
[plumber]
label = "Call the plumber"
description = "Draft order: plumber"
text = "Plumber, today"
codings = [
  { system = "http://example.org/trades", code = "17", display = "Plumber" },
  { system = "http://example.net", code = "P" },
]

[roofer]
label = "Call the roofer"
description = "Draft order: roofer"
text = "Roofer"
codings = [{ system = "http://example.org/trades", code = "18" }]
"""


def words() -> Texts:
    """The texts above."""
    return texts.load({"texts/made-up.toml": TEXTS})


def orders() -> Mapping[str, Order]:
    """The orders above."""
    return load_orders(ORDERS, "orders.toml")


# --- criteria and findings -------------------------------------------------------------------------------------------
def yes(*evidence: Evidence) -> Criterion:
    """Something that holds."""
    return Criterion("wet", Truth.YES, evidence)


def no() -> Criterion:
    """Something that does not."""
    return Criterion("wet", Truth.NO)


def unknown(*gaps: Gap) -> Criterion:
    """Something that is not known."""
    return Criterion("wet", Truth.UNKNOWN, gaps=gaps)


def recommends(
    level: Level = Level.INFO,
    *,
    evidence: Sequence[Evidence] = (),
    beside: Sequence[Gap] = (),
    values: Mapping[str, Json] | None = None,
    propose: Sequence[str] = (),
) -> Finding:
    """A rule that recommends; `beside` stayed unknown without keeping it from doing so."""
    applies = any_of(yes(*evidence), unknown(*beside)) if beside else yes(*evidence)
    proposals = tuple(Proposal(order) for order in propose)
    return Finding(applies, no(), {"drops": 3, **(values or {})}, proposals, level)


def satisfied(**values: Json) -> Finding:
    """A rule whose work is done, or a definition that holds."""
    return Finding(yes(), yes(), values)


def not_applicable() -> Finding:
    """A rule that is not about this patient."""
    return Finding(no())


def cannot_tell_whether_it_applies(*gaps: Gap) -> Finding:
    """A rule that may or may not be about this patient."""
    return Finding(unknown(*gaps), no())


def cannot_tell_whether_it_is_done(*gaps: Gap) -> Finding:
    """A rule that is about this patient, who may have had what it asks for."""
    return Finding(all_of(yes()), unknown(*gaps))


# --- the service -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Profile:
    """A site's choices."""

    id: str = "here"
    sets: tuple[str, ...] = ("house",)
    preview: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    unsigned: bool = True
    card_cap: int = 3
    order_advice: str = "select"
    language: str = "en"
    not_kept: tuple[str, ...] = ()
    wording: tuple[tuple[str, str], ...] = ()
    days: int = 100
    quiet_for_the_user_alone: tuple[str, ...] = ()
    percent: Mapping[str, int] = field(default_factory=dict)

    def quiet_days(self, _topic: str, *, accepted: bool, reasons: Sequence[str]) -> int:
        """Three times as long after a suggestion was taken, or for a good reason."""
        return self.days * 3 if accepted or "never" in reasons else self.days

    def percent_shown(self, rule: str) -> int:
        """To all unless the test says otherwise."""
        return self.percent.get(rule, 100)


@dataclass(frozen=True)
class Clinic:
    """Knowledge that says what the test wants: the facts of a patient are the findings of the rules."""

    findings: Mapping[str, Finding]
    scope: Criterion = field(default_factory=yes)
    silent: str = ""
    version: str = "1+abc"
    signed_rules: frozenset[str] = frozenset()
    ordered: frozenset[str] = frozenset()
    guards: Mapping[str, Criterion] = field(default_factory=dict)
    found: frozenset[str] = frozenset()

    def profile(self, _name: str) -> Profile:
        return Profile()

    def site(self, _text: str, _file: str) -> Profile:
        return Profile()

    def signed(self, rule: Rule, _profile: Any) -> bool:
        return rule.id in self.signed_rules

    def thresholds(self, as_of: dt.date) -> Thresholds:
        return Thresholds((LIMIT,), as_of)

    def facts(self, records: Records, _as_of: dt.date, _thresholds: Thresholds, _profile: Any) -> Any:
        return {"records": records, **self.findings}

    def silent_because(self, _facts: Any, _thresholds: Thresholds) -> str:
        return self.silent

    def orders(self, _facts: Any) -> frozenset[str]:
        return self.ordered

    def against(self, order: str, _facts: Any, _thresholds: Any) -> Criterion | None:
        return self.guards.get(order)

    def in_scope(self, _facts: Any, _thresholds: Thresholds) -> Criterion:
        return self.scope

    def unread(self, _facts: Any) -> Sequence[Mapping[str, str]]:
        return ({"resource": "Observation/9", "reason": "no-date"},)

    def news(self, _facts: Any, _thresholds: Thresholds) -> frozenset[str]:
        return self.found

    def group(self, _facts: Any) -> tuple[str, str]:
        """Nobody's."""
        return "", ""

    def unread_kinds(self, _facts: Any) -> Mapping[tuple[str, str], int]:
        return {("Observation", "no-date"): 1}

    def source(self, _rule: Rule, _profile: Any) -> Source:
        return SOURCE

    def figures(self, _facts: Any) -> tuple[Supporting, ...]:
        return ()


def made_rule(
    ident: str, *, sets: tuple[str, ...] = ("house",), status: Status = Status.STABLE, check: str = "V"
) -> Rule:
    """A rule that answers what the facts say."""

    def found(facts: Any, _numbers: Thresholds) -> Finding:
        finding: Finding = facts[ident]
        return finding

    kind = Kind.DEFINITION if ident == "X-0" else Kind.ACTION
    card = RULES[ident]
    return rule(ident, sets=sets, card=card, reads=(), check=check, strength="strong", kind=kind, status=status)(found)


def service(clinic: Clinic) -> Service:
    """A service that runs the rules the clinic has findings for."""
    return Service(
        id="house",
        hook="patient-view",
        title="House",
        description="Looks after a house",
        usage_requirements="",
        rules=tuple(made_rule(ident) for ident in RULES if ident in clinic.findings),
        needs=NEEDS,
        prefetch={},
        clinic=clinic,
        texts=lambda _language, _wording=(): words(),
        orders=orders(),
    )


def evaluated(
    findings: Mapping[str, Finding], *, scope: Criterion | None = None, silent: str = "", cap: int = 3
) -> Evaluation:
    """What the rules said: rule by rule as given."""
    clinic = Clinic(findings, scope or yes(), silent)
    return evaluate(service(clinic), Records("p1", {}), AS_OF, Profile(card_cap=cap))
