"""`docs/operator.md` names everything that a log or the metrics can hold."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from cds_service.cli.compose import metrics_of
from cds_service.engine.services import installed
from cds_service.web.logs import KEYS, Alarm
from cds_service.web.settings import SCHEMA

PAGE = (Path(__file__).parents[3] / "docs" / "operator.md").read_text("utf-8")


def rows(heading: str) -> set[str]:
    """The words in code in the first column of all tables of a section."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    first = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return {word for cell in first for word in re.findall(r"`([a-z_-]+)`", cell)}


def test_every_setting_is_on_the_page() -> None:
    assert set(SCHEMA["properties"]) <= rows("Settings")


def test_every_key_and_every_alarm_of_the_log_is_on_the_page() -> None:
    assert rows("Log") == {*KEYS, "message", *(each.value for each in Alarm)}


def test_every_metric_is_on_the_page() -> None:
    page = metrics_of(installed(), "en").page().decode()
    named = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in text_string_to_metric_families(page)
        if not family.name.endswith("_created")  # the library's own; not there with several processes
    }

    assert named <= rows("Metrics")
    assert {name for name in rows("Metrics") if name.startswith("bonecds_")} == named
