"""A CDS Hooks client without an EHR: discovery, prefetch, calls, feedback, and whether the answers keep to the specification."""
