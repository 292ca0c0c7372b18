"""Breaks in the simulated year, and how many calls it takes until the charts tell.

    python -m bench.year.breaks [--patients N] [--seed N] [--processes N] [--out FILE]

The years of the patients are shifted against each other, so that there is no season: what changes is the break alone. In the
middle of the calls something breaks; the charts are drawn anew after more and more calls, until one of those that should tell does.
Where nothing is broken, every alarm is a false one.
"""

from __future__ import annotations

import datetime as dt
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from bench.year import command
from bench.year.calls import Change, Row, year_of
from bench.year.people import DAYS, FIRST_DAY, Json, person
from cds_service.watching.charts import Chart, State, charts_of
from cds_service.watching.feeds import feeds_of
from cds_service.watching.seen import SeenCall
from cds_service.watching.series import Collected

_PIECE = 100
_SERVICE = "bone-health-patient-view"
# after how many calls it is looked whether a break is noticed: each a quarter more than the one before
LOOKS = tuple(dict.fromkeys(round(25 * 1.25**n) for n in range(28)))
# orders of the same calls in which nothing is broken
CALM = 5


def another_code(values: Json, _day: dt.date) -> Json:
    """Results get codes of their own, which nothing maps: no search by our codes finds them any more."""
    changed = dict(values)
    for key, bundle in values.items():
        entries = bundle.get("entry", ()) if isinstance(bundle, dict) else ()
        kept = [each for each in entries if each["resource"]["resourceType"] not in {"Observation", "DiagnosticReport"}]
        if len(kept) < len(entries):
            changed[key] = {**bundle, "entry": kept}
    return changed


CHANGES: dict[str, Change | None] = {"as it is": None, "codes change": another_code}


def rows_of(first: int, *, size: int, seed: int, change: str) -> list[Row]:
    """The calls about a few patients."""
    return [
        row
        for number in range(first, first + size)
        for row in year_of(person(number, seed), seed, quiet=True, change=CHANGES[change]).rows
        if row.hook == "patient-view"
    ]


def lived(patients: int, seed: int, processes: int, change: str) -> list[Row]:
    """All calls at open charts."""
    with ProcessPoolExecutor(processes) as pool:
        work = partial(rows_of, size=min(_PIECE, patients), seed=seed, change=change)
        rows: list[Row] = []
        for piece in pool.map(work, range(0, patients, _PIECE)):
            rows += piece
            print(f"{change}: {len(rows)} calls", file=sys.stderr)
    return rows


def shifted(rows: Sequence[Row], seed: int) -> list[Row]:
    """The same calls with each patient's year begun on a day of its own, in the order of days."""
    moved = []
    for row in rows:
        by = random.Random(f"{seed}/{row.patient}").randrange(DAYS)
        moved.append(replace(row, day=FIRST_DAY + dt.timedelta(((row.day - FIRST_DAY).days + by) % DAYS)))
    order = random.Random(seed)
    return sorted(moved, key=lambda row: (row.day, order.random()))


def seen(rows: Sequence[Row]) -> Iterator[SeenCall]:
    """As the store tells them, spread over the hours of a day."""
    by_day: dict[dt.date, list[Row]] = {}
    for row in rows:
        by_day.setdefault(row.day, []).append(row)
    for day, of_day in by_day.items():
        midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
        for place, row in enumerate(of_day):
            time = midnight + dt.timedelta(hours=7 + 12 * place / len(of_day))
            yield SeenCall(
                time,
                _SERVICE,
                "",
                f"patient-{row.patient}",
                200,
                20,
                row.cards,
                row.fired,
                row.unsure,
                row.missing,
                "1",
            )


def out_of_control(rows: Sequence[Row]) -> list[Chart]:
    """The charts that tell."""
    collected = Collected()
    for call in seen(rows):
        collected.add(call)
    return [each for each in charts_of(collected) if each.state is State.OUT]


@dataclass(frozen=True, slots=True)
class Break:
    """Something that breaks.

    Attributes:
        name: what it is, for people.
        after: the calls from then on.
        tells: whether a chart is one of those that should tell.
    """

    name: str
    after: Sequence[Row]
    tells: Callable[[Chart], bool]


def noticed(before: Sequence[Row], broken: Break) -> tuple[int, str] | None:
    """After how many calls it was noticed, to the next of LOOKS, and by which chart; `None`: not in all of them."""
    for number in (each for each in LOOKS if each <= len(broken.after)):
        found = [each for each in out_of_control([*before, *broken.after[:number]]) if broken.tells(each)]
        if found:
            return number, found[0].name
    return None


def silent_rules(after: Sequence[Row], rules: Sequence[str]) -> Iterator[Break]:
    """Each rule stops firing: its condition was broken by a release."""
    for rule in rules:
        rows = [replace(row, fired=tuple(each for each in row.fired if each != rule)) for row in after]
        yield Break(f"{rule} stops firing", rows, lambda chart, rule=rule: chart.share == f"fires/{rule}")


def failing(after: Sequence[Row], key: str) -> Break:
    """A look-up fails in every call."""
    rows = [replace(row, missing=tuple(dict.fromkeys((*row.missing, key)))) for row in after]
    return Break(f"look-up {key} fails", rows, lambda chart: chart.share == f"missing/{key}")


def feed_noticed_after(rows: Sequence[Row]) -> dt.timedelta | None:
    """The client stops calling: how long until that is an alarm, to the quarter of an hour."""
    collected = Collected()
    for call in seen(rows):
        collected.add(call)
    last = dt.datetime.fromtimestamp(max(collected.clients[""]), dt.UTC)
    for quarter in range(1, 4 * 24 * 14):
        now = last + dt.timedelta(minutes=15 * quarter)
        if any(each.state is State.OUT for each in feeds_of(collected.clients, now)):
            return now - last
    return None


def shares(rows: Sequence[Row]) -> dict[str, float]:
    """How often each rule fires."""
    counted: dict[str, int] = {}
    for row in rows:
        for rule in row.fired:
            counted[rule] = counted.get(rule, 0) + 1
    return {rule: number / len(rows) for rule, number in sorted(counted.items(), key=lambda each: -each[1])}


def report(patients: int, seed: int, processes: int) -> str:
    """The figures as Markdown."""
    lives = lived(patients, seed, processes, "as it is")
    usual = shifted(lives, seed)
    changed = shifted(lived(patients, seed, processes, "codes change"), seed)
    half = len(usual) // 2
    before, after = usual[:half], usual[half:]
    rates = shares(before)
    rules = [rule for rule, share in rates.items() if share >= 0.002]
    picked = [rules[n * (len(rules) - 1) // 5] for n in range(6)]
    lines = [
        f"{patients} patients, seed {seed}: {len(usual):,} calls at open charts, the break after {half:,}.",
        "",
        "| break | usual share | noticed after calls | by the chart |",
        "|---|---|---|---|",
    ]
    breaks = [*silent_rules(after, dict.fromkeys(picked)), failing(after, "conditions")]
    codes = Break("results come under codes nobody maps", changed[half:], lambda chart: True)
    for each in [*breaks, codes]:
        found = noticed(before, each)
        share = f"{100 * rates[each.name.split()[0]]:.1f} %" if each.name.split()[0] in rates else ""
        told = f"{found[0]} | `{found[1]}`" if found else "not noticed | "
        lines.append(f"| {each.name} | {share} | {told} |")
        print(lines[-1], file=sys.stderr)
    silence = feed_noticed_after(usual)
    lines += [
        "",
        f"The client stops calling: noticed after {silence}." if silence else "The client stops calling: not noticed.",
    ]
    calm = [false_alarms(shifted(lives, seed + 1 + number)) for number in range(CALM)]
    wrong, watched = (sum(each[n] for each in calm) for n in (0, 1))
    lines.append(f"Nothing is broken: {wrong} new alarms in {watched:,} calls ({CALM} orders of the same calls).")
    return "\n".join(lines)


def false_alarms(rows: Sequence[Row], every: int = 1000) -> tuple[int, int]:
    """Alarms that begin while nothing is broken, looking after every thousandth call of the second half; and in how many calls."""
    told: set[tuple[str, str]] = set()
    alarms = 0
    for number in range(len(rows) // 2, len(rows) + 1, every):
        now = {(each.share, each.side.value) for each in out_of_control(rows[:number])}
        alarms += len(now - told)
        told = now
    return alarms, len(rows) - len(rows) // 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Break things and report."""
    command.run(arguments, "Breaks in a simulated year, and when they are noticed.", 4000, report)


if __name__ == "__main__":
    main()
