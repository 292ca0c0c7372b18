"""A privacy officer finds every table on the page for them, and an operator on theirs."""

from __future__ import annotations

import pytest

from cds_service.store import tables
from tests.packaging.repository import ROOT


@pytest.mark.parametrize("page", ["docs/privacy.md", "docs/store.md"])
@pytest.mark.parametrize("table", [table.name for table in tables.METADATA.sorted_tables])
def test_a_table_is_on_the_page(page: str, table: str) -> None:
    assert f"`{table}`" in (ROOT / page).read_text("utf-8")
