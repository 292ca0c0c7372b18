"""From the phrases of an instruction to its stages: how phrases belong together.

1. The phrases are cut at "then" (and at "reduce to") into sections, which follow one another.
2. In a section, phrases gather around amounts (`groups`).
3. Groups of one section add up when they stand at different times of the day ("2 in the morning and 1 at night"), and
   follow one another when each has its own length or day numbers ("40 mg x 2 days 30 mg x 2 days").
4. A rate and times of the day in one group must say the same number. Nothing that is left over is passed over:
   two rates, two lengths, an amount too many, an amount without a rate make the whole text unreadable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from cds_service.clinical.dosage.text.groups import ONE, Group, groups_of, rate_of
from cds_service.clinical.dosage.text.phrase import Item
from cds_service.clinical.dosage.text.stages import Stage, Unclear
from cds_service.clinical.dosage.text.tapers import after_taper
from cds_service.clinical.dosage.units import MILLIGRAM, TABLET, UNNAMED, Often, often, or_none
from cds_service.kernel.quantities import Interval, exactly

_MOST_STAGES = 60
_DAILY = often(1)
_SAYS_NOTHING = frozenset({"noise", "sep", "verb", "and"})
_MAY_STAND_IN_A_RATE = frozenset(
    ["rate", "slot", "clock", "weekday", "length", "prn", "upto", "verb", "noise", "and", "sep", "single"]
)
_MAY_STAND_IN_AN_AMOUNT = frozenset({"amount", "total", "bracket", "length", "prn", "verb", "noise", "sep"})


def stages_of(items: Sequence[Item]) -> list[Stage]:
    """The steps that the phrases tell, in order.

    Raises:
        Unclear: when they do not fit together, or in more than one way.
    """
    sections, taper = _sections(items)
    kinds = {item.kind for item in items}
    if "directed" in kinds and (len(sections) > 1 or taper):
        raise Unclear
    stages: list[Stage] = []
    for section, changed in sections:
        groups = groups_of(section)
        _inherit(groups, stages)
        stages += _stages_of_section(groups, several=len(sections) > 1)
        if changed:
            _check_change(stages[-1])
    if taper:
        stages = after_taper(stages, taper)
    _check(stages, stops=not taper and any(item.kind == "stop" and item.label == "then" for item in items))
    return stages


def rate_alone(items: Sequence[Item]) -> Stage:
    """How often, from an instruction that names no amount ("twice daily").

    Raises:
        Unclear: when it says more, or not that.
    """
    groups = groups_of(items)
    if any(item.kind not in _MAY_STAND_IN_A_RATE for item in items) or len(groups) != 1 or not groups[0].timed:
        raise Unclear
    rate, length = _rhythm(groups[0])
    return Stage({}, length, {}, rate, groups[0].as_needed)


def amount_alone(items: Sequence[Item]) -> Stage:
    """The amount of an instruction that says "take" and names no rate ("take 2 tablets").

    Raises:
        Unclear: when it says more, or not that.
    """
    groups = groups_of(items)
    if any(item.kind not in _MAY_STAND_IN_AN_AMOUNT for item in items) or items[0].kind != "verb":
        raise Unclear
    if len(groups) != 1 or not groups[0].amounts:
        raise Unclear
    return Stage({}, groups[0].length, groups[0].amounts, None, groups[0].as_needed)


# --- sections --------------------------------------------------------------------------------------------------------
def _sections(items: Sequence[Item]) -> tuple[list[tuple[list[Item], bool]], list[Item]]:
    """What "then" separates, each with whether "reduce to" opened it; and the taper at the end, when there is one."""
    down = next((place for place, item in enumerate(items) if item.kind == "by"), len(items))
    before, taper = items[:down], [item for item in items[down:] if item.kind not in (*_SAYS_NOTHING, "then")]
    if any(item.kind not in ("by", "to", "stop") for item in taper) or any(item.kind == "by" for item in taper[1:]):
        raise Unclear
    sections: list[tuple[list[Item], bool]] = [([], False)]
    for item in _until_stopped(before):
        if item.kind == "to":
            raise Unclear
        if item.kind == "then":
            sections.append(([], item.label == "change"))
        else:
            sections[-1][0].append(item)
    kept = [section for section in sections if any(item.kind not in _SAYS_NOTHING for item in section[0])]
    if not kept or kept[0] is not sections[0]:
        raise Unclear
    return kept, taper


def _until_stopped(items: Sequence[Item]) -> Iterator[Item]:
    """The phrases without "stop"; after "then stop" nothing may follow ("then off 7 days": and on again?)."""
    stopped = False
    for item in items:
        if item.kind == "stop":
            stopped = stopped or item.label == "then"
        elif stopped and item.kind not in _SAYS_NOTHING:
            raise Unclear
        else:
            yield item


def _check_change(stage: Stage) -> None:
    """After "decrease to", "0.5 tablets every 14 days" may be a dose or a step of a taper."""
    if stage.often is None or stage.often.period.high is None or stage.often.period.high > 2:
        raise Unclear


def _check(stages: Sequence[Stage], stops: bool) -> None:
    """Only the last step may go on; day numbers must count on; a daily dose is assumed only where all are daily."""
    if not stages or len(stages) > _MOST_STAGES or (stops and stages[-1].length is None):
        raise Unclear
    if any(stage.length is None or stage.once for stage in stages[:-1]):
        raise Unclear
    day: Decimal | None = Decimal(1)
    for stage in stages:
        if stage.first is not None and stage.first != day:
            raise Unclear
        length = stage.length.low if stage.length is not None and stage.length.exact else None
        day = None if day is None or length is None else day + length
    daily = all(stage.often is not None and stage.often.same_rate(_DAILY) for stage in stages)
    if any(stage.assumed for stage in stages) and not daily:
        raise Unclear


# --- groups of a section ---------------------------------------------------------------------------------------------
def _inherit(groups: list[Group], before: list[Stage]) -> None:
    """What a group takes over: the amount of the step before where it only names a rate, the unit where it names none."""
    if before and len(groups) == 1 and not groups[0].amounts and groups[0].rates and before[-1].each:
        groups[0].amounts = dict(before[-1].each)
    bare = [group for group in groups if UNNAMED in group.amounts]
    units = {unit for group in groups for unit in group.amounts} - {UNNAMED}
    if not units and before:
        units = set(before[-1].each or before[-1].amounts) - {UNNAMED}
    if units == {TABLET, MILLIGRAM} and any(TABLET in group.amounts for group in groups):
        units = {TABLET}
    if not bare or not units:
        return
    if len(units) > 1 or any(len(group.amounts) > 1 for group in bare):
        raise Unclear
    for group in bare:
        group.amounts = {next(iter(units)): group.amounts[UNNAMED]}


def _stages_of_section(groups: list[Group], several: bool) -> list[Stage]:
    if any(not group.amounts for group in groups):
        raise Unclear
    if len(groups) == 1:
        return [_stage(groups[0], several)]
    if all(group.span for group in groups):
        return [_stage(group) for group in groups]
    lengths = [group.length or group.doses for group in groups]
    if all(lengths):
        return _in_turn(groups)
    if any(lengths[:-1]) or any(group.span or group.doses or "single" in group.marks for group in groups):
        raise Unclear
    return [_together(groups)]


def _in_turn(groups: list[Group]) -> list[Stage]:
    """Steps with a length each, of which the doses only rise or only fall; others could as well run side by side."""
    if any(group.slots != groups[0].slots or group.joined == "and" or group.span for group in groups[1:]):
        raise Unclear
    stages = [_stage(group, several=True) for group in groups]
    if not _one_way([stage.amounts for stage in stages]):
        raise Unclear
    return stages


def _one_way(amounts: Sequence[Mapping[str, Interval]]) -> bool:
    """Whether the amounts only rise or only fall, in every unit: else two drugs or two strengths may be meant."""
    for unit in {unit for each in amounts for unit in each}:
        lows = [each[unit].low for each in amounts if unit in each]
        told = [low for low in lows if low is not None]
        if len(told) < len(amounts):
            return False
        rises = {one < other for one, other in pairwise(told)}
        if len(rises) > 1 or any(one == other for one, other in pairwise(told)):
            return False
    return True


def _together(groups: list[Group]) -> Stage:
    """Amounts at different times of one day, or on different days of the week, added."""
    if any(not group.timed for group in groups):
        raise Unclear
    if any(group.weekdays != groups[0].weekdays for group in groups):
        days = [day for group in groups for day in group.weekdays]
        apart = len(days) == len(set(days)) and all(group.weekdays for group in groups)
    else:
        slots = [slot for group in groups for slot in group.slots]
        by_time = all(group.slots for group in groups)
        one_rate = sum(bool(group.rates) for group in groups) == 1 and all(
            group.joined == "and" for group in groups[1:]
        )
        apart = len(slots) == len(set(slots)) and (by_time or one_rate)
    if not apart:
        raise Unclear
    return _sum(groups)


def _sum(groups: list[Group]) -> Stage:
    as_needed = any(group.as_needed for group in groups)
    parts = []
    for group in groups:
        rate, _ = _rhythm(group)
        parts.append({unit: rate.per_day(amount) for unit, amount in group.amounts.items()})
    total = parts[0]
    for part in parts[1:]:
        total = {unit: total[unit] + part[unit] for unit in total if unit in part}
    if not total:
        raise Unclear
    caps = [cap for group in groups for cap in group.caps]
    return Stage(_limited(total, caps, None, as_needed), groups[-1].length, as_needed=as_needed)


# --- one group -------------------------------------------------------------------------------------------------------
def _stage(group: Group, several: bool = False) -> Stage:
    """One group as a step. In a taper ("40 mg for 2 days then 30 mg for 2 days") an amount without a rate is daily."""
    if not group.timed and group.as_needed and group.caps:
        return _as_needed_up_to(group)
    assumed = several and not group.timed and group.length is not None
    if assumed:
        group.rates.append(_DAILY)
    rate, length = _rhythm(group)
    per_day = {unit: rate.per_day(amount) for unit, amount in group.amounts.items()}
    limited = _limited(per_day, group.caps, (group.amounts, rate), group.as_needed)
    first = None if group.span is None else group.span.low
    once = "single" in group.marks and length == ONE
    return Stage(limited, length, dict(group.amounts), rate, group.as_needed, first, assumed, once)


def _as_needed_up_to(group: Group) -> Stage:
    """An amount as needed with no rate but a most per day: anything from none to that."""
    if len(group.caps) != 1 or len(group.amounts) != 1 or group.doses:
        raise Unclear
    cap, (unit, amount) = group.caps[0], next(iter(group.amounts.items()))
    if cap.amount is None:
        raise Unclear
    most = Often(cap.amount, ONE).per_day(amount) if cap.unit == "dose" and unit != "dose" else cap.amount
    if cap.unit not in (unit, UNNAMED, "dose") or (cap.unit == UNNAMED and unit == MILLIGRAM):
        raise Unclear
    return Stage({unit: or_none(most)}, group.length, as_needed=True)


def _limited(
    per_day: Mapping[str, Interval],
    caps: Sequence[Item],
    intake: tuple[Mapping[str, Interval], Often] | None,
    as_needed: bool,
) -> dict[str, Interval]:
    """The amounts per day, as needed and below what is named as the most; a most in another unit stands beside them."""
    found = {unit: or_none(daily) if as_needed else daily for unit, daily in per_day.items()}
    for cap in caps:
        if cap.amount is None:
            raise Unclear
        for unit, daily in list(found.items()):
            if cap.unit == "dose" and unit != "dose":
                if intake is None:
                    raise Unclear
                found[unit] = _below(daily, Often(cap.amount, ONE).per_day(intake[0][unit]))
            elif cap.unit == unit or (cap.unit == UNNAMED and len(found) == 1 and unit != MILLIGRAM):
                found[unit] = _below(daily, cap.amount)
        if cap.unit not in (*found, UNNAMED, "dose"):
            found[cap.unit] = or_none(cap.amount)  # another statement about the same intake
    return found


def _below(daily: Interval, limit: Interval) -> Interval:
    if daily.low is None or daily.high is None or limit.low is None or limit.high is None:
        raise Unclear
    if limit.high < daily.low:  # "one daily, not more than 3 times a week": nobody can do both
        raise Unclear
    return Interval(min(daily.low, limit.low), min(daily.high, limit.high))


def _rhythm(group: Group) -> tuple[Often, Interval | None]:
    """How often and how long, where everything in the group agrees."""
    rate, length = rate_of(group), group.length
    if group.span is not None and group.span.low is not None and group.span.high is not None:
        days = exactly(group.span.high - group.span.low + 1)
        if length not in (None, days):
            raise Unclear
        length = days
    if "single" in group.marks and not group.rates:
        if length not in (None, ONE) or group.slots or group.weekdays or group.doses:
            raise Unclear
        return _DAILY, ONE
    if length is not None and length.high is not None and rate.period.low is not None and length.high < rate.period.low:
        raise Unclear  # "every 12 days for 10 days"
    return rate, length if group.doses is None else _by_doses(group.doses, rate, length)


def _by_doses(doses: Interval, rate: Often, length: Interval | None) -> Interval:
    per_day = rate.per_day(ONE)
    if length is not None or not per_day.low or not per_day.high or doses.low is None or doses.high is None:
        raise Unclear
    low, high = doses.low / per_day.high, doses.high / per_day.low
    return Interval(low.to_integral_value(rounding="ROUND_CEILING"), high.to_integral_value(rounding="ROUND_CEILING"))
