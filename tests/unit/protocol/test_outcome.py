"""OperationOutcomes are FHIR, and name places only as paths."""

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from cds_service.protocol.outcome import operation_outcome


def test_item_43_an_outcome_is_valid_fhir_and_names_the_key():
    body = operation_outcome("incomplete", "The key is missing.", "c1", "prefetch.bone-density")
    assert OperationOutcome.model_validate(body).issue[0].expression == ["prefetch.bone-density"]
    assert body["issue"][0]["diagnostics"] == "The key is missing. Correlation id: c1"


@pytest.mark.parametrize("where", ["", "line 3, column 9", "'a\\'b'", "prefetch: x"])
def test_a_place_that_is_no_path_is_left_out(where: str):
    assert "expression" not in operation_outcome("invalid", "Wrong.", "c1", where)["issue"][0]
