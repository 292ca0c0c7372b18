"""docs/rules.md lists exactly the rules that run."""

from __future__ import annotations

import re
from pathlib import Path

from cds_service.clinical.rules import CHART_OPEN

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"


def test_the_rules_page_lists_every_rule_once_with_its_finding_and_check() -> None:
    rows = re.findall(r"^\| ([A-Z]+-\d+[a-z]?) \| ([^|]+) \|.*\| (\w+) \|$", _PAGE.read_text(encoding="utf-8"), re.M)

    assert rows == [(rule.id, rule.name.replace("_", " "), rule.check) for rule in CHART_OPEN]
