"""Getting outside text in, strictly."""
