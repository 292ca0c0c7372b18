"""The vignettes of `tests/vignettes/`, read once."""

from __future__ import annotations

from pathlib import Path

from cds_service.review.vignettes import RULES, Case, load

FOLDER = Path(__file__).parent.parent / "vignettes"


def all_cases() -> tuple[Case, ...]:
    """Every vignette of every file, in order."""
    return load(FOLDER)


__all__ = ("RULES", "Case", "all_cases")
