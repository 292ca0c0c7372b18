"""What a clinical reviewer works with: vignettes, rule pages, sign-offs, the effect of a change. Not used to answer calls."""
