"""The rules of the rule book, one module per family, ids as in `clinical.md`."""

from __future__ import annotations

from cds_service.clinical.rules import (
    diagnosis,
    glucocorticoid_assessment,
    glucocorticoid_risk,
    glucocorticoid_therapy,
    glucocorticoid_treatment,
    multiple_sclerosis,
    nice_glucocorticoids,
    vitamin_d,
)

CHART_OPEN = (
    *glucocorticoid_assessment.RULES,
    *glucocorticoid_risk.RULES,
    *glucocorticoid_treatment.RULES,
    *glucocorticoid_therapy.RULES,
    *nice_glucocorticoids.RULES,
    *diagnosis.RULES,
    *vitamin_d.RULES,
    *multiple_sclerosis.RULES,
)
