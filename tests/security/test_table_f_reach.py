"""F7: nothing can be reached but what is meant to be, and metrics only from the machine itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from cds_service.cli.serve import build_app
from cds_service.web.settings import Settings
from cds_service.web.wsgi import gunicorn_options
from tests.support.served import Served, served

# Pages that frameworks, and services like this one, are known to leave open.
ELSEWHERE = (
    "/metrics", "/redoc", "/swagger", "/console", "/debug", "/admin", "/status", "/env", "/actuator",
    "/static/", "/sandbox", "/.git/config", "/.env", "/server-status", "/cds-services/../metrics", "//metrics", "/%6detrics",
    "/metrics/", "/?__debugger__=yes&cmd=resource&f=debugger.js",
)  # fmt: skip
_LISTENING = "0A"  # state TCP_LISTEN of /proc/net/tcp

on_linux = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="open ports are read from /proc")


def test_f7_what_answers_is_this_and_no_more() -> None:
    rules = {str(rule): sorted(rule.methods - {"HEAD"}) for rule in build_app(Settings()).url_map.iter_rules()}

    assert rules == {
        "/cds-services": ["GET", "OPTIONS"],
        "/cds-services/<service_id>": ["OPTIONS", "POST"],
        "/cds-services/<service_id>/feedback": ["OPTIONS", "POST"],
        "/sources": ["GET", "OPTIONS"],
        "/openapi.json": ["GET", "OPTIONS"],
        "/docs": ["GET", "OPTIONS"],
        "/docs.css": ["GET", "OPTIONS"],
        "/healthz": ["GET", "OPTIONS"],
        "/readyz": ["GET", "OPTIONS"],
    }


def test_f7_metrics_are_off_unless_they_get_a_port() -> None:
    app = build_app(Settings())

    assert gunicorn_options(Settings())["bind"] == ["127.0.0.1:8080"]
    assert app.test_client().get("/metrics", base_url="http://127.0.0.1:9090").status_code == 404


def test_f7_metrics_stay_on_loopback_when_the_service_does_not() -> None:
    settings = Settings(host="0.0.0.0", insecure_public_bind=True, metrics_port=9090)  # noqa: S104

    assert gunicorn_options(settings)["bind"] == ["0.0.0.0:8080", "127.0.0.1:9090"]


@on_linux
def test_f7_by_default_one_port_is_open_and_leads_nowhere_else() -> None:
    with served() as service:
        assert _open_ports(service) == {service.port}
        statuses = {_status(service, service.port, path) for path in ELSEWHERE}
    assert statuses == {404}


@on_linux
def test_f7_with_metrics_each_port_leads_to_its_own() -> None:
    """Also for a caller who pretends to have come in by the other port, as one behind a careless proxy can."""
    with served(metrics=True) as service:
        pretended = {
            "Host": f"127.0.0.1:{service.metrics_port}",
            "X-Forwarded-Host": f"127.0.0.1:{service.metrics_port}",
            "X-Forwarded-Port": str(service.metrics_port),
            "X-Forwarded-For": "127.0.0.1",
            "Forwarded": f"for=127.0.0.1;host=127.0.0.1:{service.metrics_port}",
        }
        assert _open_ports(service) == {service.port, service.metrics_port}
        assert {_status(service, service.port, path, pretended) for path in ELSEWHERE} == {404}
        assert _status(service, service.metrics_port, "/metrics") == 200
        others = ("/", "/metrics/x", "/cds-services", "/healthz", "/sources", "/cds-services/bone-health-patient-view")
        assert {_status(service, service.metrics_port, path) for path in others} == {404}
        assert requests.post(f"http://127.0.0.1:{service.metrics_port}/metrics", timeout=10).status_code == 404


def _status(service: Served, port: int, path: str, headers: dict[str, str] | None = None) -> int:
    """As it is written: `requests` would tidy the path."""
    head = {"Host": "localhost", "Connection": "close"} | (headers or {})
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return int(service.send(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode(), port).split(" ")[1])


def _open_ports(service: Served) -> set[int]:
    """Ports on which the process, or one it started, listens."""
    first = service.process.pid
    children = Path(f"/proc/{first}/task/{first}/children").read_text("ascii").split()
    inodes = {
        link.readlink().name.removeprefix("socket:[").rstrip("]")
        for pid in (str(first), *children)
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink() and str(link.readlink()).startswith("socket:")
    }
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text("ascii").splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == _LISTENING and rest[5] in inodes:
                ports.add(int(local.rpartition(":")[2], 16))
    return ports
