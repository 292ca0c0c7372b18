"""The clinical knowledge as the engine sees it (`engine.services.Clinic`)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

from cds_service import __version__
from cds_service.clinical import basis, content, needs, profiles, risk_models
from cds_service.clinical.news import news
from cds_service.clinical.patient import ALL_NEEDS, Patient
from cds_service.clinical.risk_inputs import risk_inputs
from cds_service.clinical.rules import RULES, offers
from cds_service.clinical.rules.common import in_our_groups
from cds_service.clinical.terminology import terminology
from cds_service.fhir.chart import Chart
from cds_service.fhir.identity import is_merged
from cds_service.kernel.criteria import Criterion, holds, less_than
from cds_service.kernel.facts import Fact, Known
from cds_service.kernel.figures import Supporting
from cds_service.kernel.needs import Records
from cds_service.kernel.quantities import Interval
from cds_service.kernel.rules import Rule
from cds_service.kernel.thresholds import Source, Thresholds
from cds_service.kernel.truth import Truth

# older people are too few to be told apart in a report
_OLDEST = 90


class Clinic:
    """Bone health in adults with multiple sclerosis or on glucocorticoids."""

    @property
    def version(self) -> str:
        """Version of the rules and a hash of all content: two workers with different content show it (D23)."""
        return _version()

    def profile(self, name: str) -> profiles.Profile:
        """The built-in profile of that name."""
        return _checked(profiles.profile(name), f"profiles/{name}.toml")

    def site(self, text: str, file: str) -> profiles.Profile:
        """The profile that a site file describes."""
        return _checked(profiles.site(text, file), file)

    def signed(self, rule: Rule, profile: profiles.Profile) -> bool:
        """Whether somebody signed the rule as it is."""
        return basis.valid(rule, profile.signatures) is not None

    def thresholds(self, as_of: dt.date) -> Thresholds:
        """The numbers in force on that day."""
        return content.thresholds(as_of)

    def facts(self, records: Records, as_of: dt.date, thresholds: Thresholds, profile: profiles.Profile) -> Patient:
        """The facts, worked out as rules ask for them."""
        return Patient(Chart(records, terminology(), as_of), thresholds, profile)

    def silent_because(self, facts: Patient, thresholds: Thresholds) -> str:
        """Deceased, under age, merged into another record (D6, D7, clinical.md 15), or none of our drugs ordered: no card."""
        if is_merged(facts.chart.patient):
            return "merged"
        if isinstance(facts.deceased, Known) and facts.deceased.value:
            return "deceased"
        if less_than("adult", facts.age, thresholds["acr2022.adult-age"]).truth is Truth.YES:
            return "under-age"
        if facts.at_order and not facts.order_kinds:
            return "no-order-of-ours"
        return ""

    def orders(self, facts: Patient) -> frozenset[str]:
        """The kinds of drugs the call is about: "glucocorticoid", "bone-drug", "vitamin-d"; none when a chart is opened."""
        return facts.order_kinds

    def against(self, order: str, facts: Patient, thresholds: Thresholds) -> Criterion | None:
        """What speaks against a draft of a drug; `None` for what needs no such look."""
        return offers.against(order, facts, thresholds)

    def in_scope(self, facts: Patient, thresholds: Thresholds) -> Criterion:
        """MS on record, or a systemic glucocorticoid now or in the last year; or a drug of ours is being ordered."""
        if facts.order_kinds:
            return holds("ordered", Truth.YES)
        if not facts.chart.patient:
            return holds("patient-known", Truth.UNKNOWN, gaps=facts.chart.gaps(needs.PATIENT))
        return in_our_groups(facts, thresholds)

    def unread(self, facts: Patient) -> Sequence[Mapping[str, str]]:
        """Resources that were set aside for their value, and statuses that do not count, with their number."""
        by_status = [
            {"resource": reason, "reason": f"status, {n}"} for reason, n in sorted(facts.chart.set_aside.items())
        ]
        by_value = [{"resource": each.resource, "reason": each.reason} for each in facts.chart.unread]
        problems = [{"resource": "", "reason": problem} for problem in facts.chart.records.problems]
        return [*by_value, *by_status, *problems]

    def unread_kinds(self, facts: Patient) -> Mapping[tuple[str, str], int]:
        """How many resources were set aside for their value, per type and reason; no ids."""
        return Counter((each.resource.partition("/")[0], each.reason) for each in facts.chart.unread)

    def news(self, facts: Patient, thresholds: Thresholds) -> frozenset[str]:
        """What makes an answered topic speak again when it is new."""
        return news(facts, thresholds)

    def group(self, facts: Patient) -> tuple[str, str]:
        """Sex, and ten years of age such as "60-69" ("90-" from 90 on); empty where not known for certain."""
        sex = facts.sex
        return sex.value.value if isinstance(sex, Known) else "", _band(facts.age)

    def source(self, rule: Rule, profile: profiles.Profile) -> Source:
        """The document the rule rests on: its own, else that of the first guideline set the site has it from."""
        if rule.source:
            return content.sources()[rule.source]
        name = next((each for each in profile.sets if each in rule.sets), rule.sets[0])
        return content.guideline_sets()[name].source

    def figures(self, facts: Patient) -> Sequence[Supporting]:
        """What the risk models of the profile say; no rule sees it."""
        models = risk_models.chosen(facts.profile.risk_models)
        if not models:
            return ()
        inputs = risk_inputs(facts)
        return [Supporting(risk_models.TOPICS, each.title, each.figure(inputs), each.licence_note) for each in models]


def _band(age: Fact[Interval]) -> str:
    if not isinstance(age, Known) or age.value.low is None or age.value.high is None:
        return ""
    first, last = (int(bound) // 10 * 10 for bound in (age.value.low, age.value.high))
    if first != last:
        return ""
    return f"{first}-{first + 9}" if first < _OLDEST else f"{_OLDEST}-"


def _checked(made: profiles.Profile, file: str) -> profiles.Profile:
    risk_models.chosen(made.risk_models, file)
    profiles.check_names(made, RULES, [need.key for need in ALL_NEEDS], file)
    return made


@lru_cache(maxsize=1)
def _version() -> str:
    digest = hashlib.sha256()
    for name, text in content.all_files():
        digest.update(name.encode())
        digest.update(text.encode())
    digest.update(terminology().version.encode())
    return f"{__version__}+{digest.hexdigest()[:12]}"


CLINIC = Clinic()
