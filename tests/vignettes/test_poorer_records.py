"""What is not told is said to be unknown, by name (S2, S3): the answers of every rule when a record tells less.

`poorer/` says what is expected; `poorer_records.py` how those files are written anew.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import pytest

from cds_service.kernel.rules import Rule
from tests.support.cases import RULES
from tests.vignettes.poorer_records import POORER, changes
from tests.vignettes.whole_outcomes import Lines

# asks every rule about many records: measuring that would take as long again (tests/conftest.py)
pytestmark = pytest.mark.no_cover


@cache
def _written() -> dict[str, dict[str, Lines]]:
    found: dict[str, dict[str, Lines]] = defaultdict(dict)
    for title, lines in POORER.read().items():
        rule, _, name = title.partition(": ")
        found[rule][name] = lines
    return found


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_when_the_record_tells_less(rule: Rule) -> None:
    assert changes(rule) == _written()[rule.id], POORER.how
