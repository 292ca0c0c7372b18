"""The client of the EHR's FHIR server: the only place that opens a socket to it."""
