"""A dose in words: digits (`tokens`), known phrases (`words` and its tables), groups of them (`groups`, `grammar`), tapers."""
