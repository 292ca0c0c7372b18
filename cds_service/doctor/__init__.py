"""Whether a site's settings fit its EHR: what was looked at, what was seen, why it matters and what to do."""
