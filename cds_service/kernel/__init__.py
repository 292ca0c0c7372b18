"""Words of the clinical core: facts, truth, criteria, thresholds, rules. Standard library only."""
