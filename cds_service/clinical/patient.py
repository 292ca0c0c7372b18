"""All facts about one patient, each worked out when a rule first asks for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cached_property, wraps
from typing import Any, TypeVar, cast

from cds_service.clinical import needs
from cds_service.clinical.exposure import Exposure
from cds_service.clinical.facts import (
    body,
    bone_density,
    comedication,
    conditions,
    demographics,
    doses,
    falls,
    family_history,
    fractures,
    frax,
    glucocorticoids,
    height_loss,
    kidney,
    laboratory,
    lifestyle,
    menopause,
    mobility,
    multiple_sclerosis,
    orders,
    ost,
    pregnancy,
    supplies,
    therapies,
    timed_walk,
    vitamin_d,
    vitamin_d_doses,
    weekly_doses,
)
from cds_service.clinical.facts.bone_density import Measure, Scan, Score
from cds_service.clinical.facts.comedication import Medication
from cds_service.clinical.facts.conditions import Diagnosis
from cds_service.clinical.facts.demographics import Sex
from cds_service.clinical.facts.doses import DoseGiven
from cds_service.clinical.facts.falls import Fall, FallsQuestion
from cds_service.clinical.facts.fractures import Fracture
from cds_service.clinical.facts.frax import Frax
from cds_service.clinical.facts.laboratory import Lab, Tested
from cds_service.clinical.facts.lifestyle import Smoking
from cds_service.clinical.facts.mobility import MobilityAid
from cds_service.clinical.facts.multiple_sclerosis import MsType
from cds_service.clinical.facts.supplies import Supply
from cds_service.clinical.facts.therapies import Therapy
from cds_service.clinical.facts.vitamin_d import VitaminD
from cds_service.clinical.facts.vitamin_d_doses import VitaminDDose
from cds_service.clinical.facts.weekly_doses import DailyOrder
from cds_service.clinical.profiles import Profile
from cds_service.fhir.chart import Chart
from cds_service.kernel.facts import Fact, Series
from cds_service.kernel.quantities import Interval
from cds_service.kernel.thresholds import Thresholds

Method = TypeVar("Method", bound=Callable[..., Any])


def _once(method: Method) -> Method:
    """Work a fact that takes names out once per patient and names."""

    @wraps(method)
    def remembered(self: Patient, *names: str) -> Any:
        key = (method, names)
        if key not in self._named:
            self._named[key] = method(self, *names)
        return self._named[key]

    return cast(Method, remembered)


class Patient:
    """The facts rules read; every attribute is a fact of `clinical/facts/` under the name rules declare."""

    def __init__(self, chart: Chart, thresholds: Thresholds, profile: Profile) -> None:
        self.chart = chart
        self._t = thresholds
        self.profile = profile
        self._shared: dict[tuple[object, int], object] = {}
        self._named: dict[tuple[object, tuple[str, ...]], Any] = {}

    @property
    def as_of(self) -> dt.date:
        """The day the patient is looked at."""
        return self.chart.as_of

    def choice(self, switch: str) -> str:
        """The reading the site takes of a disagreement between guidelines (`switches.toml`)."""
        return self.profile.choice(switch)

    @cached_property
    def age(self) -> Fact[Interval]:
        """Completed years."""
        return demographics.age(self.chart)

    @cached_property
    def sex(self) -> Fact[Sex]:
        """Sex for clinical use, as recorded."""
        return demographics.sex(self.chart)

    @cached_property
    def deceased(self) -> Fact[bool]:
        """Whether the patient has died."""
        return demographics.deceased(self.chart)

    @cached_property
    def postmenopausal(self) -> Fact[bool]:
        """Whether menopause has passed; never assumed before the policy age."""
        presumed_from = self._t["policy.postmenopausal-presumed-age"]
        return menopause.postmenopausal(self.chart, self.age, self.sex, presumed_from)

    @cached_property
    def exposure(self) -> Exposure:
        """Systemic glucocorticoids, day by day; orders being written as if they were signed."""
        return glucocorticoids.exposure(self.chart, self._glucocorticoids)

    @cached_property
    def ordered_exposure(self) -> Exposure:
        """The systemic glucocorticoids that are being ordered, day by day; empty when a chart is opened."""
        return glucocorticoids.ordered_exposure(self.chart, self._glucocorticoids)

    @cached_property
    def _glucocorticoids(self) -> tuple[glucocorticoids.Told, ...]:
        """Read once: the timeline of everything and that of the orders alone are laid out from the same courses."""
        return glucocorticoids.told(self.chart, self._t, self.profile.equal)

    @cached_property
    def scores(self) -> Series[Score]:
        """T-scores, Z-scores and bone mineral densities."""
        return bone_density.scores(self.chart)

    @cached_property
    def scans(self) -> Series[Scan]:
        """DXA examinations, with or without vertebral fracture assessment."""
        return bone_density.scans(self.chart)

    @cached_property
    def lowest_t(self) -> Fact[Score]:
        """Lowest T-score of lumbar spine, total hip and femoral neck (DEF-08)."""
        return bone_density.lowest(self.scores, Measure.T)

    @cached_property
    def lowest_z(self) -> Fact[Score]:
        """Lowest Z-score of the same sites."""
        return bone_density.lowest(self.scores, Measure.Z)

    @cached_property
    def frax(self) -> Series[Frax]:
        """FRAX results on record; never computed here."""
        return frax.frax_results(self.chart)

    @cached_property
    def fractures(self) -> Series[Fracture]:
        """Fractures in adult life."""
        return fractures.fractures(self.chart)

    @cached_property
    def atypical_fractures(self) -> Series[Fracture]:
        """Atypical femoral fractures: a harm of antiresorptive drugs, never among `fractures`."""
        return fractures.atypical_femoral(self.chart)

    @cached_property
    def therapies(self) -> Series[Therapy]:
        """Osteoporosis drugs, past and present."""
        return therapies.bone_therapies(self.chart, self._t, self._t.days("policy.open-therapy-trusted-days"))

    @property
    def at_order(self) -> bool:
        """Whether the call is about orders that are being written."""
        return self.chart.records.drafts is not None

    @cached_property
    def order_kinds(self) -> frozenset[str]:
        """The kinds of drugs that are being ordered (`facts.orders`); none when a chart is opened."""
        return orders.kinds(self.chart)

    @cached_property
    def ordered_therapies(self) -> tuple[Therapy, ...]:
        """Osteoporosis drugs that are being ordered; empty when a chart is opened."""
        return therapies.ordered_therapies(self.chart)

    @cached_property
    def weekly_doses(self) -> tuple[DailyOrder, ...]:
        """Orders being written of drugs that come in weekly doses, with what they come to a day."""
        return weekly_doses.daily_orders(self.chart)

    @cached_property
    def supplies(self) -> Series[Supply]:
        """How long the oral bisphosphonates last that were handed out, by drug."""
        return supplies.supplies(self.chart)

    @cached_property
    def egfr(self) -> Fact[Lab]:
        """Latest estimated glomerular filtration rate."""
        return laboratory.egfr(self.chart)

    @cached_property
    def calcium(self) -> Fact[Lab]:
        """Latest calcium, adjusted for albumin where that is on record."""
        return laboratory.calcium(self.chart)

    @cached_property
    def creatinine(self) -> Fact[Lab]:
        """Latest creatinine."""
        return laboratory.creatinine(self.chart)

    @cached_property
    def albumin(self) -> Fact[Lab]:
        """Latest albumin."""
        return laboratory.albumin(self.chart)

    @cached_property
    def clearance(self) -> Fact[Interval]:
        """Creatinine clearance by Cockcroft-Gault with actual weight, mL/min."""
        return kidney.clearance(self.chart, self._t)

    @cached_property
    def vitamin_d(self) -> Series[VitaminD]:
        """25-OH vitamin D results."""
        return vitamin_d.vitamin_d(self.chart)

    @cached_property
    def vitamin_d_doses(self) -> Series[VitaminDDose]:
        """Single doses of vitamin D, in international units."""
        return vitamin_d_doses.vitamin_d_doses(self.chart)

    @cached_property
    def ms(self) -> Series[Diagnosis]:
        """Multiple sclerosis."""
        return multiple_sclerosis.ms(self.chart)

    @cached_property
    def edss(self) -> Fact[Interval]:
        """Latest Expanded Disability Status Scale."""
        return multiple_sclerosis.edss(self.chart)

    @cached_property
    def mobility(self) -> Series[MobilityAid]:
        """Walking aid, wheelchair, bed."""
        return mobility.mobility(self.chart)

    @cached_property
    def falls(self) -> Series[Fall]:
        """Falls on record."""
        return falls.falls(self.chart)

    @cached_property
    def falls_in_year(self) -> Fact[Interval]:
        """How many falls in the last twelve months."""
        return falls.falls_in_year(self.chart)

    @cached_property
    def falls_asked(self) -> Series[FallsQuestion]:
        """When somebody asked about falls."""
        return falls.falls_asked(self.chart)

    @cached_property
    def timed_walk(self) -> Fact[Interval]:
        """Latest Timed 25-Foot Walk, seconds; none found never means that it was not done."""
        return timed_walk.timed_walk(self.chart)

    @cached_property
    def bmi(self) -> Fact[Interval]:
        """Latest body mass index, kg/m2."""
        return body.bmi(self.chart)

    @cached_property
    def weight(self) -> Fact[Interval]:
        """Latest body weight, kg."""
        return body.weight(self.chart)

    @cached_property
    def ost(self) -> Fact[Interval]:
        """Osteoporosis Self-assessment Tool, from the latest weight; a hint only."""
        return ost.ost(self.chart, self._t)

    @cached_property
    def height_loss(self) -> Fact[Interval]:
        """Tallest adult height on record minus the latest one, cm."""
        return height_loss.height_loss(self.chart)

    @cached_property
    def parental_hip_fracture(self) -> Fact[bool]:
        """Whether mother or father broke a hip."""
        return family_history.parental_hip_fracture(self.chart)

    @cached_property
    def pregnancy_possible(self) -> Fact[bool]:
        """May become pregnant, as far as the record tells."""
        return pregnancy.pregnancy_possible(self.chart, self.age, self.sex, self.postmenopausal)

    @cached_property
    def pregnant(self) -> Fact[bool]:
        """Pregnant now, as far as the record tells."""
        return pregnancy.pregnant(self.chart, self._t.days("policy.pregnancy-trusted-days"))

    @cached_property
    def ms_type(self) -> Fact[MsType]:
        """Relapsing, primary or secondary progressive."""
        return multiple_sclerosis.ms_type(self.chart)

    @cached_property
    def smoking(self) -> Fact[Smoking]:
        """Smoking status."""
        return lifestyle.smoking(self.chart)

    @cached_property
    def alcohol(self) -> Fact[Interval]:
        """Alcoholic drinks a day."""
        return lifestyle.alcohol(self.chart)

    @_once
    def diagnoses(self, *concepts: str) -> Series[Diagnosis]:
        """Conditions of those concepts."""
        return conditions.diagnoses(self.chart, *concepts)

    @_once
    def tests(self, *concepts: str) -> Series[Tested]:
        """Laboratory tests of those concepts that were done, whatever they showed and however long ago."""
        return laboratory.tests(self.chart, *concepts)

    @_once
    def doses(self, ingredient: str) -> Series[DoseGiven]:
        """Doses of an injected osteoporosis drug ("denosumab", "zoledronic_acid", "romosozumab", "ibandronate")."""
        return doses.doses(self.chart, ingredient)

    @_once
    def current_drugs(self, *prefixes: str) -> Series[Medication]:
        """Medication of those concepts taken now."""
        return comedication.current(self.chart, *prefixes, trusted_days=self._t.days("policy.open-order-trusted-days"))


F = TypeVar("F")


def shared(criterion: Callable[[Patient, Thresholds], F]) -> Callable[[Patient, Thresholds], F]:
    """Work a criterion out once per patient, however many rules ask for it."""

    @wraps(criterion)
    def once(p: Patient, t: Thresholds) -> F:
        key = (criterion, id(t))
        if key not in p._shared:
            p._shared[key] = criterion(p, t)
        return cast(F, p._shared[key])

    return once


# What has to be looked up to tell whether the patient is in one of our two groups (S5).
SCOPE_NEEDS = (needs.CONDITIONS, needs.MEDICATION_REQUESTS)
ALL_NEEDS = (
    needs.PATIENT,
    needs.CONDITIONS,
    *needs.MEDICATIONS,
    *needs.BONE_RESULTS,
    needs.PROCEDURES,
    needs.VITAMIN_D,
    needs.LABORATORY,
    needs.SECONDARY_CAUSES,
    needs.FRACTURE_RISK,
    needs.FUNCTION,
    needs.LIFESTYLE,
    needs.FAMILY_HISTORY,
)
