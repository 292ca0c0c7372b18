"""Coverage is measured where tests look at one thing at a time.

The folders below ask the whole service thousands of times, or run it in other processes: measuring them doubles the time of
`make test` and adds no line that the others do not reach. `coverage` fails the run where that is no longer true.
"""

from __future__ import annotations

from pathlib import Path

import pytest

_NOT_MEASURED = (
    "security/test_bounded_work.py",
    "conformance/test_openapi.py",
    "deck/",
    "generative/",
    "packaging/",
    "realdata/",
    "functional/test_escaping.py",
    "functional/test_export.py",
    "functional/test_impact.py",
    "functional/test_knowledge.py",
    "unit/review/",
    "unit/test_attributes.py",
    "vignettes/test_check.py",
    "vignettes/test_rule_pages.py",
    "vignettes/test_thresholds_pinned.py",
)
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is not measured."""
    for item in items:
        if item.path.is_relative_to(_HERE) and str(item.path.relative_to(_HERE)).startswith(_NOT_MEASURED):
            item.add_marker("no_cover")
