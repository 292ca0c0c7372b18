"""What CMS249 expects of its own 38 test patients, beside what we read in them.

The measure is about DXA scans of women under 65. `denominator-exclusion: 1` in the expected MeasureReport of a case says
that CMS sees a risk factor that justifies a scan. We look at each woman on the last day of the measurement period.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cds_service.clinical.patient import Patient
from cds_service.kernel.criteria import less_than
from cds_service.kernel.truth import Truth
from hooks.patient_view import SERVICE
from tests.realdata.corpus import Case, Json, resources_of
from tests.realdata.run import evaluated

FOLDER = "ecqm-cms249-dxa-women-under-65"

# Diagnoses of the value sets that speak for a raised fracture risk; each is a concept some rule or card may read.
DIAGNOSES = (
    "cond.osteoporosis",
    "cond.osteoporosis_drug_induced",
    "cond.osteopenia",
    "cond.rheumatoid_arthritis",
    "cond.malabsorption",
    "cond.diabetes_type_1",
    "cond.lupus",
    "cond.cushing",
    "cond.hyperparathyroidism",
    "cond.hyperparathyroidism_primary",
    "cond.hyperthyroidism",
    "cond.hypogonadism",
    "cond.amenorrhoea",
    "cond.anorexia_nervosa",
    "cond.ankylosing_spondylitis",
    "cond.chronic_liver",
    "cond.ckd",
    "cond.myeloma",
    "cond.osteogenesis_imperfecta",
    "cond.transplant",
)
DRUGS = ("comed.aromatase_inhibitor", "comed.gnrh_adt", "comed.dmpa", "comed.immunosuppressant")


@dataclass(frozen=True, slots=True)
class Compared:
    """One case.

    Attributes:
        id: first eight characters of the case.
        title: what the authors of the case say it tests.
        cms: whether CMS sees a risk factor.
        ours: the risk factors we read.
    """

    id: str
    title: str
    cms: bool
    ours: tuple[str, ...]

    @property
    def agree(self) -> bool:
        """Whether both see a risk factor, or neither does."""
        return self.cms == bool(self.ours)


def compared(among: Iterable[Case]) -> list[Compared]:
    """The cases of the measure among all, by id."""
    return [_compared(case) for case in among if case.folder == FOLDER]


def _compared(case: Case) -> Compared:
    expected = next(r for r in resources_of(case.bundle) if r["resourceType"] == "MeasureReport")
    on = dt.date.fromisoformat(expected["period"]["end"])
    facts = evaluated(replace(case, as_of=on)).evaluation.facts
    return Compared(case.name[:8], _title(expected), _excluded(expected), tuple(_factors(facts, on)))


def _factors(facts: Patient, on: dt.date) -> Iterator[str]:
    thin = less_than("bmi-below", facts.bmi, SERVICE.clinic.thresholds(on)["ms.bmi"])
    if thin.truth is Truth.YES:
        yield "low body mass index"
    if facts.exposure.courses:
        yield "glucocorticoids"
    if any(fracture.low_trauma is not Truth.NO for fracture in facts.fractures.items):
        yield "fracture"
    if facts.ms.items:
        yield "multiple sclerosis"
    for concept in DIAGNOSES:
        if facts.diagnoses(concept).items:
            yield concept.removeprefix("cond.").replace("_", " ")
    for concept in DRUGS:
        if facts.current_drugs(concept).items:
            yield concept.removeprefix("comed.").replace("_", " ")


def _excluded(expected: Json) -> bool:
    (group,) = expected["group"]
    counts = {each["code"]["coding"][0]["code"]: each["count"] for each in group["population"]}
    return bool(counts["denominator-exclusion"])


def _title(expected: Json) -> str:
    titles = [each.get("valueMarkdown", "") for each in expected["extension"] if "Description" in each["url"]]
    return str(titles[0]).strip().rstrip(".")
