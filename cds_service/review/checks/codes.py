"""Lints of codes: what is offered and what stories write stands in the value sets."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.terminology import terminology
from cds_service.review.checks.problem import Content, Problem
from cds_service.review.story import written_codes


def orders(told: Content) -> Iterator[Problem]:
    """Every coding of an order is a code of the value sets."""
    for key, order in told.service.orders.items():
        for coding in order.codings:
            if not terminology().entries(coding["system"], coding["code"]):
                what = f"{coding['code']} of {coding['system']} is in no value set"
                yield Problem("orders.toml", key, what, "Take a verified code.")


def stories(told: Content) -> Iterator[Problem]:
    """A vignette is about codes that the service knows."""
    for case in told.cases:
        for system, code in written_codes(case.story):
            if not terminology().entries(system, code):
                what = f"{code} of {system} is in no value set ({case.name})"
                yield Problem(f"{case.rule}.toml", "case", what, "Take a code of valuesets/.")


def needs(told: Content) -> Iterator[Problem]:
    """What a need lists as concepts exists."""
    names = terminology().names()
    for need in told.service.needs:
        for concept in need.concepts:
            if not any(name == concept or name.startswith(f"{concept}.") for name in names):
                yield Problem("clinical/needs.py", need.key, f"{concept!r} is no concept", "See valuesets/.")
