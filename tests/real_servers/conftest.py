"""Servers that nobody in this project wrote, started once each; what is missing here is said where a test is skipped.

The folder runs in one process (`make real-servers`): a worker of pytest-xdist would start servers of its own, and Medplum holds one
patient at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.real_servers import servers
from tests.real_servers.browsing import LAUNCH_WITHOUT_CHART, smart_scopes
from tests.real_servers.servers import Server, Unavailable
from tests.real_servers.tokens import FHIR_SERVER_SECRET, LOADER_TOKEN, SCOPES, Issuer, new_key
from tests.support.launches import PUBLIC, WHO
from tests.support.smart_ehr import LAUNCH

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        reason = "the servers are started once, in one process: make real-servers"
        for each in items:
            if each.path.is_relative_to(_HERE):
                each.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    key, public = new_key()
    environment = {
        "EHR_JWKS": public,
        "FHIR_SERVER_SECRET": FHIR_SERVER_SECRET,
        "SCOPES": " ".join(SCOPES),
        "SMART_REDIRECT_URI": f"{PUBLIC}/smart/callback",
        "SMART_SCOPES": " ".join(smart_scopes()),
        "SMART_LAUNCHES": json.dumps({LAUNCH: WHO, LAUNCH_WITHOUT_CHART: None}),
    }
    with _running(servers.oidc, environment) as server:
        yield Issuer(server.base, key)


@pytest.fixture(scope="session")
def medplum(issuer: Issuer) -> Iterator[Server]:
    with _running(servers.medplum, {**_who_may_ask(issuer), "SMART_ISSUER": issuer.base}) as server:
        yield server


@pytest.fixture(scope="session")
def hapi(issuer: Issuer) -> Iterator[Server]:
    with _running(servers.hapi, _who_may_ask(issuer)) as server:
        yield server


def _who_may_ask(issuer: Issuer) -> dict[str, str]:
    return {
        "LOADER_TOKEN": LOADER_TOKEN,
        "INTROSPECT_URL": f"{issuer.base}/token/introspection",
        "INTROSPECT_AS": f"fhir-server:{FHIR_SERVER_SECRET}",
    }


@contextlib.contextmanager
def _running(command: Callable[[], list[str]], environment: Mapping[str, str]) -> Iterator[Server]:
    """A server for as long as the session lasts; a test whose server is not to be had is skipped, or fails where CI requires it."""
    try:
        words = command()
    except Unavailable as missing:
        if os.environ.get("REAL_SERVERS") == "required":
            pytest.fail(f"REAL_SERVERS=required, but {missing}", pytrace=False)
        pytest.skip(str(missing))
    server = servers.start(words, environment)
    try:
        yield server
    finally:
        server.stop()
