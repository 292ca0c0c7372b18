"""Tools that test any CDS Hooks service from outside; nothing here imports the service."""
