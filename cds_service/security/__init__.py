"""Who may call: registered clients, their keys, and the tokens they sign (`safety.md` A1-A23)."""
