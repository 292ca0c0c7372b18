"""The one-page bone-health summary in a browser: opened from an EHR as a SMART app, or on invented patients in the sandbox.

Nothing of a launch is kept: the access token lives for the one call that reads the record, and the page is the answer to it.
"""
