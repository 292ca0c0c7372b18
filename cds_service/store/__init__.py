"""What outlives a call: tokens that were used, and one audit record per call. `docs/store.md` is the page for operators."""
