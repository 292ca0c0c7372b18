"""Osteoporosis drugs as single orders, supplies, doses and list entries tell of them.

Oncology strengths of the same drugs are not osteoporosis therapy: denosumab 120 mg, zoledronic acid 4 mg (trap 23).
Neither are Yorvipath, burosumab and hormone therapy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from cds_service.clinical.dosage.course import dosages_of
from cds_service.clinical.dosage.product import Product, product_of
from cds_service.clinical.dosage.structured import amount_mg
from cds_service.clinical.facts.answers import ahead
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import codes_in, items, mapping, when
from cds_service.kernel.needs import Resource
from cds_service.kernel.truth import Truth


class DrugClass(Enum):
    """Classes that rules tell apart. BISPHOSPHONATE: route not stated."""

    BISPHOSPHONATE_ORAL = "oral bisphosphonate"
    BISPHOSPHONATE_IV = "intravenous bisphosphonate"
    BISPHOSPHONATE = "bisphosphonate"
    DENOSUMAB = "denosumab"
    PTH_ANALOGUE = "parathyroid hormone analogue"
    ROMOSOZUMAB = "romosozumab"
    SERM = "selective oestrogen receptor modulator"
    CALCITONIN = "calcitonin"
    STRONTIUM = "strontium"


_CLASSES = {
    "alendronate": DrugClass.BISPHOSPHONATE_ORAL,
    "risedronate": DrugClass.BISPHOSPHONATE_ORAL,
    "etidronate": DrugClass.BISPHOSPHONATE_ORAL,
    "tiludronate": DrugClass.BISPHOSPHONATE_ORAL,
    "clodronate": DrugClass.BISPHOSPHONATE,
    "ibandronate": DrugClass.BISPHOSPHONATE,
    "pamidronate": DrugClass.BISPHOSPHONATE_IV,
    "zoledronic_acid": DrugClass.BISPHOSPHONATE_IV,
    "denosumab": DrugClass.DENOSUMAB,
    "teriparatide": DrugClass.PTH_ANALOGUE,
    "abaloparatide": DrugClass.PTH_ANALOGUE,
    "romosozumab": DrugClass.ROMOSOZUMAB,
    "raloxifene": DrugClass.SERM,
    "bazedoxifene": DrugClass.SERM,
    "lasofoxifene": DrugClass.SERM,
    "calcitonin": DrugClass.CALCITONIN,
    "strontium": DrugClass.STRONTIUM,
}
_OTHER_USES = frozenset({"therapy.oncology", "therapy.not_osteoporosis", "therapy.hormone"})
_CLASS_ONLY = "therapy.class"
# the osteoporosis dose of drugs that are also cancer drugs (terminology.md 5.1)
_OSTEOPOROSIS_MG = {"denosumab": Decimal(60), "zoledronic_acid": Decimal(5)}
INJECTED = frozenset({"zoledronic_acid", "pamidronate", "denosumab", "romosozumab"})
ADMINISTRATION, DISPENSE = "MedicationAdministration", "MedicationDispense"


@dataclass(frozen=True, slots=True)
class BoneDrug:
    """What one medication resource says about one osteoporosis drug.

    Attributes:
        ingredient: our name of the drug ("zoledronic_acid").
        drug_class: see `DrugClass`.
        resource: the resource.
        mg: how much one dose, or one unit of the product, holds; `None` where that is not one number.
        sure: false when it may be for something else, such as bone metastases.
    """

    ingredient: str
    drug_class: DrugClass
    resource: Resource
    mg: Decimal | None
    sure: bool

    @property
    def given(self) -> bool:
        """Whether it shows a dose that reached the patient."""
        return self.resource.get("resourceType") in (ADMINISTRATION, DISPENSE)

    @property
    def injected(self) -> Truth:
        """Whether it is given as an injection; unknown where the route of a bisphosphonate is not told."""
        if self.ingredient in INJECTED or self.drug_class is DrugClass.BISPHOSPHONATE_IV:
            return Truth.YES
        return Truth.UNKNOWN if self.drug_class is DrugClass.BISPHOSPHONATE else Truth.NO


def bone_drugs(chart: Chart) -> Iterator[BoneDrug]:
    """Every medication resource about an osteoporosis drug, in the order of the record; cancer doses left out."""
    for found in chart.drugs("therapy."):
        if not _for_other_uses(found) and not ahead(chart, found.resource, when(found.resource)):
            yield from _told(chart, found)


def ordered_bone_drugs(chart: Chart) -> Iterator[BoneDrug]:
    """Every osteoporosis drug among the orders the call is about; cancer doses left out."""
    for found in chart.ordered("therapy."):
        if not _for_other_uses(found):
            yield from _told(chart, found)


def _for_other_uses(found: Found) -> bool:
    return any(entry.concept in _OTHER_USES for entry in found.entries)


def _told(chart: Chart, found: Found) -> Iterator[BoneDrug]:
    resource, concepts = found.resource, {entry.concept for entry in found.entries}
    product = product_of(found.entries)
    if product is None:
        if _CLASS_ONLY in concepts:
            yield BoneDrug("bisphosphonate", DrugClass.BISPHOSPHONATE, resource, None, sure=True)
        return
    drug_class = _CLASSES.get(product.ingredient)
    if drug_class is None:
        return
    mg = _dose_mg(resource, product)
    usual = _OSTEOPOROSIS_MG.get(product.ingredient)
    if usual is not None and mg is not None and mg != usual:
        return
    sure = usual is None or mg is not None or "therapy.drug" in concepts
    yield BoneDrug(product.ingredient, _routed(drug_class, found, chart), resource, mg, sure)


def _dose_mg(resource: Resource, product: Product) -> Decimal | None:
    """Mg of one dose: as written, else what one unit of the product holds; `None` when that is not one number."""
    written = {each for dosage in dosages_of(resource) for each in _written_mg(dosage, product)}
    if written:
        return written.pop() if len(written) == 1 else None
    return next(iter(product.strengths)) if len(product.strengths) == 1 else None


def _written_mg(dosage: object, product: Product) -> Iterator[Decimal]:
    content = mapping(dosage)
    quantities = [content.get("dose"), content.get("doseQuantity")]
    given = [mapping(each) for each in items(content.get("doseAndRate"))]
    ordered = [each for each in given if "ordered" in codes_in(each.get("type"))] or given
    quantities += [each.get("doseQuantity") for each in ordered]
    for quantity in quantities:
        amount = amount_mg(quantity, product) if isinstance(quantity, dict) else None
        if amount is not None and amount.exact and amount.low is not None:
            yield amount.low


def _routed(drug_class: DrugClass, found: Found, chart: Chart) -> DrugClass:
    """Ibandronate and clodronate exist as tablets and as injections: the written route, else the dose form, tells."""
    if drug_class is not DrugClass.BISPHOSPHONATE:
        return drug_class
    routes: set[str] = set()
    for dosage in dosages_of(found.resource):
        routes |= chart.terminology.concepts(mapping(dosage).get("route"))
    forms = {entry.form for entry in found.entries}
    if "route.oral" in routes or any("oral" in form for form in forms):
        return DrugClass.BISPHOSPHONATE_ORAL
    if "route.intravenous" in routes or any("inject" in form or "syringe" in form for form in forms):
        return DrugClass.BISPHOSPHONATE_IV
    return drug_class
