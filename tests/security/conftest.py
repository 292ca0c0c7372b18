"""A client with its keys on loopback, and a service that knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bonecds_kit.forger import Forger
from tests.security.service import AUDIENCE, NOW, Service


@pytest.fixture(scope="session")
def the_forger() -> Iterator[Forger]:
    with Forger(AUDIENCE, clock=lambda: NOW) as forger:
        yield forger


@pytest.fixture
def forger(the_forger: Forger) -> Forger:
    """Its key servers as new: well, and not yet called."""
    the_forger.jwks.fault = the_forger.jwks.cache_control = ""
    the_forger.jwks.hits = the_forger.evil.hits = 0
    return the_forger


@pytest.fixture
def new_service(forger: Forger) -> Callable[..., Service]:
    return lambda **options: Service(forger, **options)


@pytest.fixture
def service(forger: Forger) -> Service:
    return Service(forger)
