"""From arranged outcomes to cards: words, escaped; proposals as FHIR drafts. Knows no bone."""
