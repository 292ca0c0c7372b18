"""From records to a decision: gather, evaluate, arrange. Knows no bone."""
