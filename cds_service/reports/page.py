"""The report as one HTML page that needs nothing else: no script, one style sheet inside, pictures inside."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, Template, select_autoescape
from markupsafe import Markup

from cds_service.pictures import MonthShare, Picture, Share, rate_bars, rates_over_time
from cds_service.reports.rates import Rate
from cds_service.reports.report import Report
from cds_service.reports.rows import Asked
from cds_service.reports.sections import NOTHING, last_day, period, sections, warnings


def html(report: Report, *, asked: Asked | None = None) -> str:
    """The page.

    Args:
        report: what it shows.
        asked: what was asked for, where the page stands at an address at which something else may be asked for.
    """
    return _template("report.html").render(
        report=report,
        last_day=last_day(asked) if asked else "",
        period=period(report),
        warnings=warnings(report),
        sections=sections(report),
        pictures=[(each, Markup(each.svg)) for each in pictures(report)],  # noqa: S704 made by an XML library
        nothing=NOTHING,
        style=Markup(style()),  # noqa: S704 a file of ours
        asked=asked,
    )


def message(problem: str, next_step: str) -> str:
    """A page in place of a report that could not be made."""
    return _template("message.html").render(problem=problem, next_step=next_step, style=Markup(style()))  # noqa: S704


def pictures(report: Report) -> tuple[Picture, ...]:
    """Acceptance over the months, and overrides by rule."""
    months = [
        MonthShare(dt.date.fromisoformat(f"{each.name}-01"), share)
        for each in report.by_month
        for share in _shares(each.name, each.answers.acceptance)
    ]
    rules = [share for each in report.by_rule for share in _shares(each.name, each.answers.override)]
    return (
        rates_over_time("Accepted, of cards that were answered, by month", months),
        rate_bars("Overridden, of cards that were answered, by rule", rules),
    )


def _shares(name: str, rate: Rate) -> Iterable[Share]:
    if rate.interval:
        yield Share(name, rate.count, rate.of, *rate.interval)


@cache
def style() -> str:
    """The style sheet."""
    return resources.files("cds_service.reports").joinpath("templates/report.css").read_text("utf-8")


@cache
def policy() -> str:
    """A Content-Security-Policy under which the page works and nothing else does.

    Its empty icon is an image: without one a browser asks for a file that is not there.
    """
    told = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{told}'; img-src data:; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    )


@cache
def _template(name: str) -> Template:
    places = PackageLoader("cds_service.reports")
    environment = Environment(loader=places, autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(name)
