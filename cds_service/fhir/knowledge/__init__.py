"""The rule book as FHIR R4 knowledge artifacts: value sets, plan definitions, libraries, activity definitions."""
