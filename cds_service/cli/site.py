"""Which profile a command works with: a built-in one by name, or a site file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cds_service.engine.services import Clinic
from cds_service.kernel.errors import InputError


def chosen_profile(clinic: Clinic, name: str, site_file: Path | None) -> Any:
    """The profile to work with.

    Args:
        clinic: the knowledge it belongs to.
        name: a built-in profile.
        site_file: where given, this file instead.

    Raises:
        InputError: there is no such profile, or the file cannot be read.
        ContentError: the file contradicts itself or names what there is not.
    """
    if site_file is None:
        return clinic.profile(name)
    try:
        text = site_file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"the site file cannot be read: {type(problem).__name__}", str(site_file)) from None
    return clinic.site(text, str(site_file))
