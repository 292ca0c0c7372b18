"""A simulated year: invented patients, invented clinicians with stated behaviour, the real rules and cards."""
