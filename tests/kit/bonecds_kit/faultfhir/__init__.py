"""A FHIR R4 server on loopback that fails as real servers do, one fault at a time. Standard library only.

    with FaultFhir(resources) as ehr:
        ehr.fault("drip-body", on="Observation", page=2)
        ...call the service with fhirServer = ehr.base and the token ehr.token...
        assert ehr.requests

`FAULTS` lists what can go wrong, `VENDORS` how the servers of vendors differ without anything being wrong.
"""

from bonecds_kit.faultfhir.faults import FAULTS, Fault
from bonecds_kit.faultfhir.pages import Quirks
from bonecds_kit.faultfhir.server import FaultFhir, Seen
from bonecds_kit.faultfhir.vendors import VENDORS

__all__ = ["FAULTS", "VENDORS", "Fault", "FaultFhir", "Quirks", "Seen"]
