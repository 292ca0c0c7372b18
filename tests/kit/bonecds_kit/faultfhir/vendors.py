"""Servers as they were seen in recorded traffic of public sandboxes: nothing here is a fault."""

from __future__ import annotations

from collections.abc import Mapping

from bonecds_kit.faultfhir.pages import Quirks

VENDORS: Mapping[str, Quirks] = {
    "generic": Quirks(page_size=20),
    "epic": Quirks(
        page_size=50,
        outcome_entry=True,
        total="page",
        next_link="relative",
        observation_needs=("code", "category"),
        suppressed=("survey", "procedure"),
        denied=("MedicationDispense",),
    ),
    "athenahealth": Quirks(page_size=20, total="none", denied=("MedicationRequest",)),
    "nextgen": Quirks(page_size=25, next_link="other-case", observation_needs=("code", "category")),
    "eclinicalworks": Quirks(
        page_size=20, refused_parameters=("_count",), content_type="application/json+fhir;charset=UTF-8"
    ),
    "drchrono": Quirks(page_size=20, search_mode=False, broken=("MedicationStatement",)),
    "cerner": Quirks(page_size=20),
    "inferno": Quirks(page_size=0, html_denied=("Procedure",)),
    "medhost": Quirks(page_size=0, total="none", self_link=False, content_type="application/json"),
}
