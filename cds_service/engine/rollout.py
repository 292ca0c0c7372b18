"""Silent mode of single rules: what they say is shown to some patients first, always the same ones, and recorded for all."""

from __future__ import annotations

import hashlib

_HUNDRED = 100


def shown_to(rule: str, patient_id: str, percent: int) -> bool:
    """Whether a patient is among those to whom a rule speaks.

    A patient who is stays so while the percentage grows. Each rule has its own order of patients, so that nobody is the first
    for every new rule.

    Args:
        rule: its id.
        patient_id: as the EHR has it.
        percent: of a hundred patients, how many.
    """
    if percent >= _HUNDRED:
        return True
    drawn = hashlib.sha256(f"{rule}\0{patient_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(drawn[:8]) % _HUNDRED < percent
