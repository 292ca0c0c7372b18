"""What became of calls and cards, counted for the clinical lead: rows in, a `Report` out. No database, no clock, no web."""
