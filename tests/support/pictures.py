"""Pictures of invented people, each drawn one way: what the golden files and the pages of docs/images hold.

    python -m tests.support.pictures --write

writes them anew; look at them before committing.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from cds_service.kernel.dates import DateSpan, parse_date
from cds_service.kernel.quantities import Interval, between, exactly
from cds_service.pictures import (
    MonthShare,
    Picture,
    Share,
    coverage,
    glucocorticoids,
    rate_bars,
    rates_over_time,
    rule_map,
    t_scores,
    vitamin_d,
)
from cds_service.pictures.picture import Line, Mark, Period
from cds_service.pictures.plot_coverage import Lookup, State
from cds_service.pictures.plot_glucocorticoids import Dose, Window
from cds_service.pictures.plot_rule_map import CANNOT_TELL, NOT_APPLICABLE, RECOMMENDS, SATISFIED, RuleRow
from cds_service.pictures.plot_t_scores import TScore
from cds_service.pictures.plot_vitamin_d import Band, Result
from cds_service.reports.rates import Rate

GOLDEN = Path(__file__).parent.parent / "unit" / "pictures" / "golden"
IMAGES = Path(__file__).parent.parent.parent / "docs" / "images"
AS_OF = dt.date(2026, 6, 15)
# those that docs/pictures.md shows
SHOWN = ("t-scores", "vitamin-d", "glucocorticoids", "coverage", "rule-map")

NORMAL = Line(Decimal("-1.0"), "normal: T-score at or above -1")
LOW = Line(Decimal("-2.5"), "osteoporosis range: T-score at or below -2.5")
ENTRY = Line(Decimal("2.5"), "glucocorticoids count from a daily dose of at least 2.5 mg/d")
ADJUST = Line(Decimal("7.5"), "FRAX is adjusted above 7.5 mg/d")
HIGH = Line(Decimal(30), "very high risk: daily dose at least 30 mg/d")
YEAR = Line(Decimal(5000), "very high risk: dose in a year, at least 5000 mg")
BANDS = (
    Band("deficient", None, Decimal(12)),
    Band("insufficient", Decimal(12), Decimal(20)),
    Band("sufficient", Decimal(20), Decimal(50)),
    Band("potential concern", Decimal(50), None),
)


def day(text: str) -> DateSpan:
    """A date as FHIR writes it: a year, a month or a day."""
    span = parse_date(text)
    assert span is not None
    return span


def window(first: str = "2025-05-01", last: str = "2026-09-15") -> Window:
    """Days drawn; the last year is summed."""
    return Window(dt.date.fromisoformat(first), dt.date.fromisoformat(last), dt.date(2025, 6, 16), AS_OF)


def dose(first: str, last: str, daily: Interval, *, pulse: bool = False) -> Dose:
    """A stretch of days."""
    return Dose(dt.date.fromisoformat(first), dt.date.fromisoformat(last), daily, pulse)


def _t_scores() -> Mapping[str, Picture]:
    spine, hip, neck = "lumbar spine", "total hip", "femoral neck"
    scores = [
        TScore(spine, exactly("-1.8"), day("2018-03-12"), "scanner 1", Decimal("0.3")),
        TScore(spine, exactly("-2.3"), day("2021-04-20"), "scanner 1", Decimal("0.3")),
        TScore(spine, exactly("-2.0"), day("2024-05-02"), "scanner 2"),
        TScore(spine, exactly("-1.9"), day("2026-05-04"), "scanner 2"),
        TScore(hip, exactly("-1.4"), day("2018-03-12"), "scanner 1", Decimal("0.2")),
        TScore(hip, exactly("-1.6"), day("2021-04-20"), "scanner 1", Decimal("0.2")),
        TScore(neck, exactly("-2.6"), day("2024-05"), ""),
        TScore("forearm", Interval(None, Decimal("-3.5"), below_high=True), day("2024-05-02"), ""),
    ]
    periods = [
        Period("alendronic acid", day("2021-05-01"), day("2024-02-01"), "no"),
        Period("denosumab", day("2024-06"), day("2026-01-10"), "yes"),
        Period("calcium", day("2025-02-01"), day("2025-08-01"), "unknown"),
    ]
    fractures = [Mark("wrist fracture, low trauma", day("2021-01-09")), Mark("vertebral fracture", day("2023"))]
    lines = (NORMAL, LOW)
    return {
        "t-scores": t_scores(scores, lines, AS_OF, periods=periods, fractures=fractures),
        "t-scores-one": t_scores([TScore(hip, exactly("-2.5"), day("2026-05-04"))], lines, AS_OF),
        "t-scores-none": t_scores([], lines, AS_OF),
        "t-scores-not-looked-at": t_scores([], lines, AS_OF, gaps=["DXA results (look-up failed)"]),
        "t-scores-no-dates": t_scores(
            [TScore(spine, exactly("-2.1"), None), TScore(hip, between("-2", "-1.5"), day("2020"))],
            lines,
            AS_OF,
            periods=[Period("risedronic acid", None, None, "unknown")],
            fractures=[Mark("hip fracture", None)],
        ),
        "t-scores-treatment-only": t_scores(
            [], lines, AS_OF, periods=[Period("zoledronic acid", day("2023-11-02"), day("2025-11-03"), "yes")]
        ),
        "t-scores-crowded": t_scores(
            [
                TScore(site, exactly(Decimal(-10 - year * 2 - place) / 10), day(f"{2012 + year}-0{place + 1}-11"))
                for year in range(0, 14, 2)
                for place, site in enumerate((spine, hip, neck, "proximal femur", "forearm", "heel", "Ward's area"))
            ],
            lines,
            AS_OF,
        ),
    }


def _vitamin_d() -> Mapping[str, Picture]:
    def result(value: str, on: str, unit: str = "ng/mL", note: str = "") -> Result:
        return Result(exactly(value), f"{value} {unit}", day(on), note)

    results = [
        Result(Interval(None, Decimal(8), below_high=True), "<8 ng/mL", day("2023-02-20")),
        result("14", "2023-09-04"),
        Result(exactly(23), "57 nmol/L", day("2024-03-18")),
        Result(exactly(19), "19 ng/mL", day("2025-01"), "D3 only"),
        result("31", "2025-10-02"),
        Result(between(20, 24), "20 to 24 ng/mL", day("2026-05-02"), "D2 and D3 added"),
    ]
    nmol = tuple(
        Band(name, low and Decimal(low), high and Decimal(high))
        for name, low, high in (
            ("deficient", None, 30),
            ("insufficient", 30, 50),
            ("sufficient", 50, 125),
            ("potential concern", 125, None),
        )
    )
    toxic = Line(Decimal(150), "toxicity range over 150 ng/mL")
    high = Result(Interval(Decimal(160), None, above_low=True), ">160 ng/mL", day("2026-06-01"))
    return {
        "vitamin-d": vitamin_d(results, BANDS, "ng/mL", "IOM 2011", AS_OF),
        "vitamin-d-nmol": vitamin_d(
            [Result(exactly(48), "48 nmol/L", day("2026-04-10"))], nmol, "nmol/L", "IOM 2011", AS_OF
        ),
        "vitamin-d-toxic": vitamin_d(
            [result("64", "2025-08-01"), high], BANDS, "ng/mL", "IOM 2011", AS_OF, lines=[toxic]
        ),
        "vitamin-d-no-bands": vitamin_d(
            results[1:3], (), "ng/mL", "Endocrine Society 2024 gives none", AS_OF, gaps=["25-OH vitamin D (partial)"]
        ),
        "vitamin-d-none": vitamin_d([], BANDS, "ng/mL", "IOM 2011", AS_OF),
        "vitamin-d-undated": vitamin_d([Result(exactly(9), "9 ng/mL", None)], BANDS, "ng/mL", "IOM 2011", AS_OF),
    }


def _glucocorticoids() -> Mapping[str, Picture]:
    lines, total_lines = (ENTRY, ADJUST, HIGH), (YEAR,)
    unknown = Interval(Decimal(0), None, above_low=True)
    full = [
        dose("2025-05-01", "2025-08-10", exactly(5)),
        dose("2025-08-11", "2025-08-13", exactly(1250), pulse=True),
        dose("2025-08-14", "2025-08-27", exactly(40)),
        dose("2025-08-28", "2025-09-10", exactly(20)),
        dose("2025-09-11", "2025-12-20", exactly(10)),
        dose("2025-12-21", "2026-02-10", between("7.5", 15)),
        dose("2026-02-11", "2026-03-20", unknown),
        dose("2026-03-21", "9999-12-31", exactly("7.5")),
    ]
    return {
        "glucocorticoids": glucocorticoids(
            full, window(), lines=lines, total_lines=total_lines, doubts=["glucocorticoid dose (two orders overlap)"]
        ),
        "glucocorticoids-steady": glucocorticoids(
            [dose("2019-01-01", "9999-12-31", exactly(5))], window(), lines=lines, total_lines=total_lines
        ),
        "glucocorticoids-pulses-only": glucocorticoids(
            [
                dose("2025-11-03", "2025-11-05", exactly(1250), pulse=True),
                dose("2026-05-18", "2026-05-20", Interval(Decimal(1250), Decimal(1250)), pulse=True),
            ],
            window(last="2026-06-29"),
            lines=lines,
            total_lines=total_lines,
        ),
        "glucocorticoids-unknown": glucocorticoids(
            [dose("2026-01-01", "9999-12-31", unknown)], window(), lines=lines, total_lines=total_lines
        ),
        "glucocorticoids-high": glucocorticoids(
            [dose("2025-07-01", "2026-05-30", between(20, 60))],
            window(last="2026-06-29"),
            lines=lines,
            total_lines=total_lines,
        ),
        "glucocorticoids-look-up-failed": glucocorticoids(
            [dose("2026-03-01", "9999-12-31", exactly(20))],
            window(),
            lines=lines,
            total_lines=total_lines,
            gaps=["administered medication (look-up failed)"],
        ),
        "glucocorticoids-one-day": glucocorticoids(
            [dose("2026-06-10", "2026-06-10", exactly(10))],
            window(last="2026-06-29"),
            lines=lines,
            total_lines=total_lines,
        ),
        "glucocorticoids-none": glucocorticoids([], window(), lines=lines, total_lines=total_lines),
    }


def _coverage() -> Mapping[str, Picture]:
    looked = [
        Lookup("patient", State.FOUND, 1),
        Lookup("conditions", State.FOUND, 12),
        Lookup("medication orders", State.FOUND, 4),
        Lookup("dispensed medication", State.NOT_SUPPLIED),
        Lookup("administered medication", State.NOT_PERMITTED, detail="the server may not show all of it"),
        Lookup("medication statements", State.NONE_FOUND),
        Lookup("DXA results", State.FAILED, detail="the server reported an error"),
        Lookup("DXA reports", State.NONE_FOUND),
        Lookup("procedures", State.PARTIAL, 50, "there are more pages than were sent"),
        Lookup("25-OH vitamin D results", State.FOUND, 3),
        Lookup("kidney function and calcium", State.FOUND, 9),
        Lookup("blood tests for secondary causes", State.NONE_FOUND),
        Lookup("FRAX results", State.NONE_FOUND),
        Lookup("function and falls", State.FOUND, 2),
        Lookup("body measures and life style", State.FOUND, 31),
        Lookup("family history", State.NOT_SUPPLIED),
    ]
    return {"coverage": coverage(looked), "coverage-one": coverage(looked[:1]), "coverage-none": coverage([])}


def _rule_map() -> Mapping[str, Picture]:
    ages = tuple(Decimal(age) for age in range(30, 91, 2))

    def row(name: str, answer: str, low: int, high: int, other: str = NOT_APPLICABLE) -> RuleRow:
        return RuleRow(name, tuple(answer if low <= age <= high else other for age in ages))

    rows = [
        row("GC-01 fracture risk not assessed", RECOMMENDS, 30, 90),
        row("GC-05 very high risk untreated", RECOMMENDS, 40, 90),
        row("GC-10 moderate risk under 40", CANNOT_TELL, 30, 38),
        row("SCR-01 bone density due by age", RECOMMENDS, 66, 90, SATISFIED),
        row("VD-01 vitamin D not measured, a name that is far too long for the column", RECOMMENDS, 50, 60),
    ]
    held = "Held: everything else as on record."
    return {
        "rule-map": rule_map("age", "years", ages, rows, present=exactly(57), held=held),
        "rule-map-range": rule_map("age", "years", ages, rows[:2], present=between(57, 62)),
        "rule-map-not-known": rule_map(
            "T-score", "", [Decimal(n) / 10 for n in range(-40, 1, 5)], [RuleRow("DX-01", (RECOMMENDS,) * 4 + (SATISFIED,) * 5)],
            lines=(LOW,),
        ),
        "rule-map-one-value": rule_map("daily dose", "mg", [Decimal(10)], [RuleRow("GC-01", (RECOMMENDS,))], present=exactly(40)),
        "rule-map-none": rule_map("EDSS", "", [Decimal(1), Decimal(2)], [], present=exactly(1)),
    }  # fmt: skip


def _rates() -> Mapping[str, Picture]:
    def share(name: str, count: int, of: int) -> Share:
        return Share(name, count, of, *(Rate(count, of).interval or (0.0, 1.0)))

    def month(text: str, count: int, of: int) -> MonthShare:
        return MonthShare(dt.date.fromisoformat(f"{text}-01"), share(text, count, of))

    months = [
        month("2025-11", 3, 4), month("2025-12", 20, 31), month("2026-01", 18, 40), month("2026-04", 0, 9), month("2026-05", 9, 9),
    ]  # fmt: skip
    rules = [
        share("GC-05-very-high-risk-untreated", 10, 120),
        share("VD-01", 3, 4),
        share("GC-01 with a name that is far too long for its column", 10000, 10000),
        share("DX-01", 0, 7),
    ]
    accepted, overridden = "Accepted, of cards that were answered, by month", "Overridden, by rule"
    return {
        "rates": rates_over_time(accepted, months),
        "rates-one": rates_over_time(accepted, months[:1]),
        "rates-none": rates_over_time(accepted, []),
        "rates-many": rates_over_time(
            accepted, [month(f"{2019 + n // 12}-{n % 12 + 1:02}", n % 7, 7) for n in range(70)]
        ),
        "bars": rate_bars(overridden, rules),
        "bars-none": rate_bars(overridden, []),
        "bars-many": rate_bars(overridden, [share(f"R-{n}", n, 30) for n in range(25)]),
    }


def pictures() -> Mapping[str, Picture]:
    """Every picture by the name of its golden file."""
    return {**_t_scores(), **_vitamin_d(), **_glucocorticoids(), **_coverage(), **_rule_map(), **_rates()}


def as_file(picture: Picture) -> str:
    """The drawing with a line for each element, so that a difference can be read."""
    return picture.svg.replace("><", ">\n<") + "\n"


def write() -> None:
    """Write the golden files and the images of the documentation anew."""
    drawn = pictures()
    for folder, names in ((GOLDEN, tuple(drawn)), (IMAGES, SHOWN)):
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / f"{name}.svg").write_text(as_file(drawn[name]), "utf-8")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Write the golden pictures and docs/images anew.")
    parser.add_argument("--write", action="store_true", required=True, help="write the files")
    parser.parse_args()
    write()


if __name__ == "__main__":
    main()
