"""Every service must pass the conformance tests: one line in `APPS` per service."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.stub import StubService, stub_app
from tests.conformance.wire import CALL, PATIENT, Wire


def _stub() -> Wire:
    return Wire(stub_app(), StubService().id, CALL.replace("PREFETCH", PATIENT))


APPS: dict[str, Callable[[], Wire]] = {"stub": _stub}


@pytest.fixture(params=APPS)
def wire(request: pytest.FixtureRequest) -> Wire:
    """A client of each service in turn."""
    return APPS[request.param]()
