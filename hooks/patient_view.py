"""`patient-view`: what to think of when the chart is opened."""

from __future__ import annotations

from functools import lru_cache

from cds_service.cards.suggest import load_orders
from cds_service.cards.texts import Texts, load
from cds_service.clinical import content
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.patient import ALL_NEEDS
from cds_service.clinical.rules import CHART_OPEN
from cds_service.clinical.terminology import terminology
from cds_service.engine.services import Service
from cds_service.fhir.search import prefetch


@lru_cache
def _texts(language: str, wording: tuple[tuple[str, str], ...] = ()) -> Texts:
    return load(content.text_files(language), wording)


SERVICE = Service(
    id="bone-health-patient-view",
    hook="patient-view",
    title="Bone health",
    description="Finds gaps in bone health care of adults with multiple sclerosis or on glucocorticoids, and says why.",
    usage_requirements="FHIR R4. Give every prefetch key; a key that is missing counts as not supplied, never as empty.",
    rules=CHART_OPEN,
    needs=ALL_NEEDS,
    prefetch=prefetch(ALL_NEEDS, terminology()),
    clinic=CLINIC,
    texts=_texts,
    orders=load_orders(content.orders_file(), "orders.toml"),
)
