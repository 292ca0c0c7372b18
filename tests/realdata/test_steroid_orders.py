"""The doses of the SMART and MIMIC patients are read as docs/steroid-orders.md says; skipped where the data are absent."""

from __future__ import annotations

import pytest

from tests.realdata.corpus import DATA
from tests.realdata.steroid_orders import PAGE, page

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the public data are not beside the checkout ({DATA.name})"),
]


def test_the_page_says_how_every_dose_is_read() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.realdata.steroid_orders --write"
