"""The phrases of a dose instruction: an instruction becomes a row of `Item`s, or nothing.

The text (already `tokens.normal`) is cut from left to right. At each place the first phrase of the tables that fits is
taken; where none fits, the whole text is unreadable. So a word that nobody foresaw can never change a dose unseen.
"""

from __future__ import annotations

import re
from typing import Final

from cds_service.clinical.dosage.text.harmless import HARMLESS, HARMLESS_PHRASES, MEALS
from cds_service.clinical.dosage.text.phrase import Item, Rule, always
from cds_service.clinical.dosage.text.phrases_amount import AMOUNTS, BARE_AMOUNT
from cds_service.clinical.dosage.text.phrases_course import CONDITIONS, LENGTHS, NEXT
from cds_service.clinical.dosage.text.phrases_rate import CAPS, RATES, SLOTS, WEEKDAYS

_VERBS = (
    r"(?:take|taken|give|given|inject|administer|swallow|use|inhale|apply|chew|dissolve|insert|instill?|place|put|infuse|start"
    r"|continue|have)"
)

RULES: Final[tuple[Rule, ...]] = (
    *NEXT,
    *CAPS,
    *WEEKDAYS[:1],
    *RATES,
    *WEEKDAYS[1:],
    *LENGTHS,
    *AMOUNTS,
    *CONDITIONS,
    *SLOTS,
    (MEALS, always("meals")),
    (HARMLESS_PHRASES, always("noise")),
    (_VERBS, always("verb")),
    (r"(?:and|&|\+|plus)", always("and")),
    (r"/", always("sep", "/")),
    (r"-", always("noise")),
    BARE_AMOUNT,
    (HARMLESS, always("noise")),
)
"""Phrases, which end where a word or a number ends."""
MARKS: Final[tuple[Rule, ...]] = (
    (r"[,;](?!\d)", always("sep", ",")),
    (r"[.:](?!\d)", always("sep", ".")),
    (r"[()\"']", always("noise")),
)
_BOUND = r"(?![a-z0-9#]|\.\d)"
_ALL = (*((pattern + _BOUND, build) for pattern, build in RULES), *MARKS)
_EACH = tuple((re.compile(pattern), build) for pattern, build in _ALL)
_ANY = re.compile("|".join(f"(?P<r{place}>{pattern})" for place, (pattern, _) in enumerate(_ALL)))


def items_of(text: str) -> list[Item] | None:
    """The phrases of a normal text, in order; `None` when one place fits no phrase or its numbers make no sense."""
    found: list[Item] = []
    place = 0
    while place < len(text):
        if text[place] == " ":
            place += 1
            continue
        match = _ANY.match(text, place)
        if match is None or match.end() == place or match.lastgroup is None:
            return None
        pattern, build = _EACH[int(match.lastgroup[1:])]
        again = pattern.match(text, place)
        item = build(again) if again else None
        if item is None:
            return None
        found.append(item)
        place = match.end()
    return found
