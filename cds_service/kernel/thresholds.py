"""Clinical numbers with unit, date in force, source and place in the source. They live in `guidelines/*.toml`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from cds_service.kernel.errors import ContentError


@dataclass(frozen=True, slots=True)
class Source:
    """A published document (or a decision of this project) that a number or a rule rests on.

    Attributes:
        id: key of `guidelines/sources.toml` ("acr2022").
        label: how cards name it ("ACR 2022").
        title: full citation.
        url: where it is published.
        year: year of publication.
    """

    id: str
    label: str
    title: str
    url: str
    year: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number in force on the day asked about.

    Attributes:
        key: "<guideline>.<name>", the only way rules can reach the number.
        label: what it is, for people.
        value: the number, in `unit`.
        unit: UCUM unit, "1" for none.
        since: first day in force.
        source: the document.
        where: the place in the document ("Table 1").
        check: V, V2, R or P, the verification label of `clinical.md` section 0.
    """

    key: str
    label: str
    value: Decimal
    unit: str
    since: dt.date
    source: Source
    where: str
    check: str


class Thresholds:
    """All numbers in force on one day, by key."""

    def __init__(self, values: Iterable[Threshold], as_of: dt.date) -> None:
        """Keep for every key the newest value that is in force on `as_of`."""
        self._values: dict[str, Threshold] = {}
        for value in sorted(values, key=lambda v: v.since):
            if value.since <= as_of:
                self._values[value.key] = value

    def __getitem__(self, key: str) -> Threshold:
        """The number of that key.

        Raises:
            ContentError: no guideline file has it in force.
        """
        try:
            return self._values[key]
        except KeyError:
            raise ContentError("guidelines/", key, "no value in force", "Add it with a date and a source.") from None

    def optional(self, key: str) -> Threshold | None:
        """The number, where the guideline has one (not every vitamin D profile has every class)."""
        return self._values.get(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def number(self, key: str) -> Decimal:
        """The bare value, for arithmetic."""
        return self[key].value

    def days(self, key: str) -> int:
        """The bare value of a threshold counted in whole days or months."""
        return int(self[key].value)

    def nudged(self, key: str, by: Decimal) -> Thresholds:
        """A copy with one number changed: the pin test shows that some vignette notices."""
        copy = object.__new__(Thresholds)
        copy._values = {**self._values, key: replace(self[key], value=self[key].value + by)}
        return copy
