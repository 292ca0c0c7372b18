"""The clinical knowledge as the engine sees it (`engine.services.Clinic`)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

from cds_service import __version__
from cds_service.clinical import content, needs
from cds_service.clinical.concepts import taking, total_in
from cds_service.clinical.patient import SCOPE_NEEDS, Patient
from cds_service.clinical.rules.common import on_record
from cds_service.clinical.terminology import terminology
from cds_service.fhir.chart import Chart
from cds_service.fhir.identity import is_merged
from cds_service.kernel.criteria import Criterion, any_of, holds, less_than
from cds_service.kernel.facts import Known
from cds_service.kernel.needs import Records
from cds_service.kernel.rules import Rule
from cds_service.kernel.thresholds import Source, Thresholds
from cds_service.kernel.truth import Truth

# Which document a guideline set's cards name as their source
_SOURCE_OF_SET = {
    "acr2022": "acr2022",
    "bhof_iscd": "iscd2023",
    "nice": "nice_cg146",
    "vd_iom2011": "iom2011",
    "vd_es2011": "es2011",
    "vd_es2024": "es2024",
    "vd_ros2018": "ros2018",
    "vd_ms_ca": "ms_canada2018",
    "vd_ms_iran2016": "iran_ms2016",
    "ms": "project",
}
_SOURCE_OF_RULE = {"MS-03": "bisson2019", "VD-01": "es2024", "VD-05": "es2011"}


class Clinic:
    """Bone health in adults with multiple sclerosis or on glucocorticoids."""

    @property
    def version(self) -> str:
        """Version of the rules and a hash of all content: two workers with different content show it (D23)."""
        return _version()

    def profile(self, name: str) -> content.Profile:
        """The profile of that name."""
        return content.profile(name)

    def thresholds(self, as_of: dt.date) -> Thresholds:
        """The numbers in force on that day."""
        return content.thresholds(as_of)

    def facts(self, records: Records, as_of: dt.date, thresholds: Thresholds, profile: content.Profile) -> Patient:
        """The facts, worked out as rules ask for them."""
        return Patient(Chart(records, terminology(), as_of), thresholds, profile)

    def silent_because(self, facts: Patient, thresholds: Thresholds) -> str:
        """Deceased, under age, or merged into another record: no card (D6, D7, clinical.md 15)."""
        if is_merged(facts.chart.patient):
            return "merged"
        if isinstance(facts.deceased, Known) and facts.deceased.value:
            return "deceased"
        if less_than("adult", facts.age, thresholds["acr2022.adult-age"]).truth is Truth.YES:
            return "under-age"
        return ""

    def in_scope(self, facts: Patient, thresholds: Thresholds) -> Criterion:
        """MS on record, or a systemic glucocorticoid now or in the last year."""
        if not facts.chart.patient:
            return holds("patient-known", Truth.UNKNOWN, gaps=facts.chart.gaps(needs.PATIENT))
        window = total_in(facts.exposure, thresholds.days("policy.scope-days"))
        recent = window.value.more_than(Decimal(0))
        found = any(truth is Truth.YES for truth in (recent, taking(facts.exposure).truth))
        looked = not facts.gaps(*SCOPE_NEEDS)
        open_ = facts.chart.gaps(*SCOPE_NEEDS)
        steroids = holds(
            "gc-recent", Truth.YES if found else Truth.NO if looked else Truth.UNKNOWN, window.evidence, open_
        )
        return any_of(on_record("ms", facts.ms), steroids)

    def unread(self, facts: Patient) -> Sequence[Mapping[str, str]]:
        """Resources that were set aside for their value, and statuses that do not count, with their number."""
        by_status = [
            {"resource": reason, "reason": f"status, {n}"} for reason, n in sorted(facts.chart.set_aside.items())
        ]
        by_value = [{"resource": each.resource, "reason": each.reason} for each in facts.chart.unread]
        problems = [{"resource": "", "reason": problem} for problem in facts.chart.records.problems]
        return [*by_value, *by_status, *problems]

    def source(self, rule: Rule, profile: content.Profile) -> Source:
        """The document the rule rests on; vitamin D rules take the site's vitamin D profile."""
        if rule.id in _SOURCE_OF_RULE:
            return content.sources()[_SOURCE_OF_RULE[rule.id]]
        first = profile.vitamin_d if profile.vitamin_d in rule.sets else rule.sets[0]
        return content.sources()[_SOURCE_OF_SET[first]]


@lru_cache(maxsize=1)
def _version() -> str:
    digest = hashlib.sha256()
    for name, text in content.all_files():
        digest.update(name.encode())
        digest.update(text.encode())
    digest.update(terminology().version.encode())
    return f"{__version__}+{digest.hexdigest()[:12]}"


CLINIC = Clinic()
