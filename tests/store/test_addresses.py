"""Where the database is."""

from __future__ import annotations

import sys
import time

import pytest

from cds_service.kernel.errors import ContentError, StoreUnavailable
from cds_service.store import engines
from cds_service.store.database import Database
from tests.store.parts import SOON_S, Store, record


@pytest.mark.parametrize(
    "address",
    ["", "bonecds.db", "mysql://u:secret@h/db", "postgresql://u:secret@h/db", "sqlite:///a.db?mode=ro", "://secret"],
)
def test_an_address_that_cannot_be_used_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(ContentError, match="sqlite:///path") as caught:
        Database(address, lambda *_: None)
    assert "secret" not in str(caught.value)


def test_an_address_where_nobody_listens_is_unavailable_soon() -> None:
    store = Store("postgresql+psycopg://bonecds:secret@127.0.0.1:9/calls")
    began = time.monotonic()

    with pytest.raises(StoreUnavailable) as caught:
        store.audit.record(record())
    assert time.monotonic() - began < SOON_S
    assert "secret" not in str(caught.value)


def test_without_its_driver_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "cds_service.store.postgres", raising=False)
    monkeypatch.delattr("cds_service.store.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(ContentError, match=r"Install bonecds\[postgresql\]"):
        engines.make(engines.parse("postgresql+psycopg://u@h/db"), engines.DURING_A_CALL, pooled=True)
