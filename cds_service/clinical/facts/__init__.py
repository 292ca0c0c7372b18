"""Facts about one patient: pure readers from FHIR to typed values with their evidence and completeness."""
