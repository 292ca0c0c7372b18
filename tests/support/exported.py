"""The export of what is installed, for the tests that read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from click.testing import CliRunner, Result

from cds_service.cli import main
from cds_service.engine.services import installed
from cds_service.kernel.rules import Rule

BASE = "https://bonecds.org/fhir/"
Json = dict[str, Any]
RULES: Mapping[str, Rule] = {rule.id: rule for service in installed() for rule in service.rules}
TITLES = {key: order.label for service in installed() for key, order in service.orders.items() if not order.change}


def run(*arguments: str) -> Result:
    """`bonecds export` with those arguments."""
    return CliRunner().invoke(main.bonecds, ["export", *arguments], catch_exceptions=False)


def artifact(exported: Mapping[str, Json], kind: str, name: str) -> Json:
    """One of the artifacts."""
    return exported[f"{BASE}{kind}/{name}"]


def strings(value: Any) -> Iterator[str]:
    """Every string in it, however deep."""
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict | list):
            yield from strings(each)
