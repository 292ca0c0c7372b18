"""The CDS Hooks wire format: strict in what is sent, tolerant in what is received."""
