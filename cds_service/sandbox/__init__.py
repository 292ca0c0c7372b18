"""The sandbox: a page that plays the EHR, its API, and a small FHIR endpoint over invented patients.

Off unless the setting `sandbox` is on; never beside registered clients. Nothing sent here is logged or kept.
Feedback goes to the service's own address, and is kept where there is a database.
"""
