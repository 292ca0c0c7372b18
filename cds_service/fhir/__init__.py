"""Reading FHIR R4 tolerantly from plain JSON, and building what we send."""
