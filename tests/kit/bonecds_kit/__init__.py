"""Tools that test any CDS Hooks service from outside; nothing here imports the service."""

__version__ = "0.1.0"
