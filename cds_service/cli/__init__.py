"""The `bonecds` command."""
