"""What a call was about, in codes of ours and numbers: all that a log or a metric may know of it (S8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Account:
    """The account of one call. No value of the record, no id, no text of a sender.

    Attributes:
        rule_set: version of the rules and the content that were asked.
        lookups: state per need key, both as in `kernel.needs`.
        verdicts: verdict per id of a rule that was asked.
        gaps: how many different gaps rules met, per `GapKind` value.
        unread: how many resources could not be used for their value, per resource type and reason (`texts/` [unread]).
        profile: the profile of clinical choices.
        sex: "female", "male" or "" where it is not known or not kept.
        age_band: ten years of age, such as "60-69"; "" likewise. Both are for the store of a site that wants
            them, and never for a log or a label.
    """

    rule_set: str = ""
    lookups: Mapping[str, str] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)
    gaps: Mapping[str, int] = field(default_factory=dict)
    unread: Mapping[tuple[str, str], int] = field(default_factory=dict)
    profile: str = ""
    sex: str = ""
    age_band: str = ""

    @property
    def key_states(self) -> Mapping[str, int]:
        """How many look-ups ended in each state."""
        return Counter(self.lookups.values())

    def rules_with(self, verdict: str) -> tuple[str, ...]:
        """Ids of the rules that answered so."""
        return tuple(rule for rule, given in self.verdicts.items() if given == verdict)
