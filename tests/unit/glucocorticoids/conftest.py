"""Every record that a test of glucocorticoids looks at is read as a whole; see `tests/unit/facts/everything_read.py`.

The project is imported when a test runs: a mutation run imports it anew after this file (tests/mutation/fresh.py).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Read the records that the test looks at."""
    from tests.unit.facts.everything_read import reading

    return (yield from reading(item))


def pytest_sessionfinish() -> None:
    """Write the files anew, when asked to."""
    from tests.unit.facts.everything_read import finish

    finish()
