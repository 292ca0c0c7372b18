"""Groups: one amount and the phrases around it, which say how often, when, how long and on what condition.

In most instructions the amount comes first ("2 tablets in the morning and 1 at night"); where the first phrase is a
time ("on day 1 take 2 tablets"), every amount comes after its time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cds_service.clinical.dosage.text.phrase import Item
from cds_service.clinical.dosage.text.stages import Unclear
from cds_service.clinical.dosage.units import MILLIGRAM, TABLET, UNNAMED, Often, or_none
from cds_service.kernel.quantities import Interval, exactly

ONE = exactly(1)
_TIMES = frozenset({"rate", "slot", "clock", "weekday", "span", "length"})
_GLUES = ("", "/", ",", ".", "and")
"""What may stand between two phrases, the weakest first."""


@dataclass(slots=True)
class Group:
    """One amount and what stands around it.

    Attributes:
        amounts: per intake, by unit.
        rates: how often; several must come to the same.
        slots: times of the day.
        between: what stands between each two of these: "and", another glue, or nothing.
        weekdays: days of the week.
        length: days.
        doses: number of intakes.
        span: first and last day by number.
        caps: the most per day.
        marks: "single", "prn", "divided", "meals", "daily-assumed".
        joined: what stands before it.
    """

    amounts: dict[str, Interval] = field(default_factory=dict)
    rates: list[Often] = field(default_factory=list)
    slots: list[str] = field(default_factory=list)
    between: list[str] = field(default_factory=list)
    weekdays: set[str] = field(default_factory=set)
    length: Interval | None = None
    doses: Interval | None = None
    span: Interval | None = None
    caps: list[Item] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)
    joined: str = ""

    @property
    def timed(self) -> bool:
        """Whether anything says how often."""
        return bool(self.rates or self.slots or self.weekdays or self.span or "single" in self.marks)

    @property
    def as_needed(self) -> bool:
        """Whether it may also be none."""
        return "prn" in self.marks


def groups_of(items: Sequence[Item]) -> list[Group]:
    """The phrases of a section, gathered around its amounts.

    Raises:
        Unclear: when a phrase has no one place to belong to.
    """
    amounts = [item for item in items if item.kind == "amount"]
    first = next((item.kind for item in items if item.kind in _TIMES or item.kind == "amount"), "")
    gathered = _Gathered(times_first=first in _TIMES and bool(amounts))
    for item in items:
        gathered.add(item)
    if gathered.up_to:
        raise Unclear
    return gathered.groups


@dataclass(slots=True)
class _Gathered:
    """The groups so far, and what the next phrase must know about the last."""

    times_first: bool
    groups: list[Group] = field(default_factory=lambda: [Group()])
    up_to: bool = False
    glue: str = ""
    last: str = ""

    @property
    def group(self) -> Group:
        return self.groups[-1]

    def add(self, item: Item) -> None:
        """Put one phrase where it belongs."""
        match item.kind:
            case "noise" | "directed":
                pass
            case "and" | "sep" | "verb":
                self._between(item)
            case "upto" if not self.up_to:
                self.up_to = True
            case _:
                self._tells(item)
                self.last, self.glue = item.kind, ""

    def _between(self, item: Item) -> None:
        glue = {"and": "and", "sep": item.label}.get(item.kind, "." if self.last and self.group.amounts else "")
        self.glue = max(self.glue, glue, key=_GLUES.index)

    def _tells(self, item: Item) -> None:
        match item.kind:
            case "amount":
                self._amount(item)
            case "total" | "bracket":
                self._other_words(item)
            case "amount-or-rate":
                self._amount_or_rate(item)
            case "amount-or-cap":
                self._amount_or_cap(item)
            case "cap":
                self.group.caps.append(item)
            case "single" | "prn" | "divided" | "meals":
                self.group.marks.add(item.kind)
            case _:
                self._time(item)
        if self.up_to:
            raise Unclear

    def _taken(self, interval: Interval) -> Interval:
        """The number, from none on where "up to" stands before it."""
        found = or_none(interval) if self.up_to else interval
        self.up_to = False
        return found

    # --- amounts -----------------------------------------------------------------------------------------------------
    def _amount(self, item: Item) -> None:
        if item.amount is None:
            raise Unclear
        if self.last == "amount" and not self.glue and item.unit == MILLIGRAM and self.group.amounts.keys() == {TABLET}:
            self._other_words(replace(item, kind="bracket"))
            return
        if self.group.amounts:
            if self.times_first or not (self.group.timed or self.group.length or self.group.doses):
                raise Unclear  # two amounts and nothing between them that says how often
            self.groups.append(Group(joined=self.glue))
        amount = self._taken(item.amount)
        self.group.amounts[item.unit] = amount
        if item.more is not None:
            self.group.amounts[MILLIGRAM] = or_none(item.more) if amount.low == 0 else item.more

    def _other_words(self, item: Item) -> None:
        """The same amount in another unit: "1 tablet (10 mg total)"."""
        amounts = self.group.amounts
        if item.amount is None or len(amounts) != 1 or self.last != "amount":
            raise Unclear
        unit, amount = next(iter(amounts.items()))
        if item.unit == unit and item.amount == amount:
            return
        if item.kind == "bracket" and unit != MILLIGRAM and amount != ONE:
            return  # "2 tablets (5 mg)": each, or both together? the tablets are clear
        if unit == UNNAMED or item.unit == unit:
            raise Unclear
        amounts[item.unit] = or_none(item.amount) if amount.low == 0 else item.amount

    def _amount_or_rate(self, item: Item) -> None:
        if item.rate is None or item.amount is None or self.times_first or self.glue:
            raise Unclear
        if self.group.amounts and not self.group.timed:
            if UNNAMED in self.group.amounts:
                raise Unclear  # "1 2/day": one, two, or one to two
            self.group.rates.append(Often(self._taken(item.rate.times), item.rate.period))
            return
        self._amount(Item("amount", item.amount))
        self.group.rates.append(Often(ONE, item.rate.period) if item.label else item.rate)

    def _amount_or_cap(self, item: Item) -> None:
        """As in "up to 8 a day": the most a day beside a dose, else a dose of none up to 8."""
        if item.amount is None or self.up_to:
            raise Unclear
        if self.group.amounts:
            self.group.caps.append(Item("cap", item.amount, item.unit))
            self.group.marks.add("prn")
            return
        self.group.amounts[item.unit] = or_none(item.amount)
        self.group.rates.append(Often(ONE, ONE))

    # --- times -------------------------------------------------------------------------------------------------------
    def _time(self, item: Item) -> None:
        if self.times_first and self.group.amounts and item.kind in _TIMES and self._opens(item):
            self.groups.append(Group(joined=self.glue))
        group = self.group
        match item.kind:
            case "rate" if item.rate is not None:
                self._rate(item.rate)
            case "slot" | "clock":
                self._slot(item)
            case "weekday":
                group.weekdays |= set(item.label.split())
            case "length" if group.length in (None, item.amount):
                group.length = self._taken(item.amount or ONE)
            case "doses" if group.doses is None:
                group.doses = self._taken(item.amount or ONE)
            case "span" if group.span is None:
                group.span = item.amount
            case _:
                raise Unclear

    def _opens(self, item: Item) -> bool:
        """Whether a time after the amount opens the next group, where amounts come last."""
        return self.group.length is not None if item.kind == "length" else self.group.timed

    def _rate(self, rate: Often) -> None:
        if self.up_to and self.group.rates:
            # "every 4 hours, up to 4 times a day"
            self.up_to = False
            self.group.caps.append(Item("cap", rate.per_day(ONE), "dose"))
            self.group.marks.add("prn")
            return
        self.group.rates.append(Often(self._taken(rate.times), rate.period))

    def _slot(self, item: Item) -> None:
        """A time of the day, with what joins it to the one before; a more exact word for the same time is none."""
        group = self.group
        if item.label in group.slots or (not self.glue and _same_hour(item.label, group.slots)):
            return
        if group.slots:
            group.between.append(self.glue)
        elif self.glue == "and" and group.amounts:
            raise Unclear  # "twice daily and at bedtime", "before meals and at bedtime": once more than we know
        group.slots.append(item.label)


_HOURS = {
    "morning": range(4, 12),
    "noon": range(11, 15),
    "afternoon": range(12, 19),
    "evening": range(16, 23),
    "night": (*range(18, 25), *range(4)),
}


def _same_hour(label: str, slots: Sequence[str]) -> bool:
    """Whether an hour only makes a time of the day exact, or the other way round: "in the morning at 8:00"."""
    both = {label, *slots}
    hours = [int(each.split(":")[0]) for each in both if ":" in each]
    parts = [each for each in both if ":" not in each]
    return len(hours) == 1 and len(parts) == 1 and hours[0] in _HOURS[parts[0]]


# --- how often -------------------------------------------------------------------------------------------------------
_ONE_TIME = ({"evening", "night"}, {"noon", "afternoon"}, {"afternoon", "evening"})


def rate_of(group: Group) -> Often:
    """How often, where rates, times of the day and days of the week of a group agree.

    Raises:
        Unclear: when they do not, or say nothing.
    """
    slots, daily = _number_of_slots(group), Often(ONE, ONE)
    told = group.rates[0] if group.rates else None
    if not group.timed or any(told is None or not rate.same_rate(told) for rate in group.rates):
        raise Unclear
    if told is not None and slots and told.times != exactly(slots):
        raise Unclear
    if told is None and "meals" in group.marks and not group.span:
        raise Unclear  # "before meals and at bedtime"
    if "divided" in group.marks and (told is None or slots or not told.same_rate(daily)):
        raise Unclear
    if "single" in group.marks and told is not None and told.times != ONE:
        raise Unclear
    if group.weekdays:
        return _on_weekdays(len(group.weekdays), told, slots)
    return told or Often(exactly(max(slots, 1)), ONE)


def _on_weekdays(days: int, told: Often | None, slots: int) -> Often:
    if told is None:
        return Often(exactly(days * max(slots, 1)), exactly(7))
    if told.period == ONE:
        return Often(told.times.times(days), exactly(7))
    whole_weeks = told.period.exact and told.period.low is not None and told.period.low % 7 == 0
    if whole_weeks and told.times == exactly(days):
        return told
    raise Unclear


def _number_of_slots(group: Group) -> int:
    """Times of the day; a list of them needs "and" (or "/") before the last, else one may only explain another."""
    if group.between and group.between[-1] not in ("and", "/"):
        raise Unclear
    neighbours = zip(group.between, group.slots[:-1], group.slots[1:], strict=True)
    if any(glue == "." or (not glue and {one, other} in _ONE_TIME) for glue, one, other in neighbours):
        raise Unclear
    return len(group.slots)
