"""From FHIR Dosage and Timing to mg per day. Structured elements only; free text is *unreadable*, never a guess (S7)."""
