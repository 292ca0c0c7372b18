"""The body of every answer that is not 2xx: a FHIR OperationOutcome, as 3.0 will ask and 2.0.1 allows."""

from __future__ import annotations

import re
from typing import Any

# What may stand in `expression`: a path into the request, not "line 3, column 9".
_PATH = re.compile(r"[A-Za-z][\w\-]*(?:\.[\w\-]+|\[\d+\])*")


def operation_outcome(code: str, diagnostics: str, correlation_id: str, where: str = "") -> dict[str, Any]:
    """One error.

    Args:
        code: FHIR issue type (hl7.org/fhir/R4/valueset-issue-type.html).
        diagnostics: what is wrong and what to do, without values from the record.
        correlation_id: finds the call in our log.
        where: JSON path or prefetch key the error is about.

    Returns:
        The OperationOutcome as JSON.
    """
    issue: dict[str, Any] = {
        "severity": "error",
        "code": code,
        "diagnostics": f"{diagnostics} Correlation id: {correlation_id}",
    }
    if _PATH.fullmatch(where):
        issue["expression"] = [where]
    return {"resourceType": "OperationOutcome", "issue": [issue]}
