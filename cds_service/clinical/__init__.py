"""Everything a clinician reviews: facts, rules, guideline numbers, value sets, words. Pure: no I/O, no clock."""
