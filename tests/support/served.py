"""A service behind gunicorn in a process of its own, on free ports of the loopback interface."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.golden import AS_OF

ROOT = Path(__file__).resolve().parents[2]
_HOST = "127.0.0.1"

# What `bonecds serve` does, without its command line.
PRODUCT = """
from cds_service.cli.serve import build_app
settings = Settings({settings})
serve(settings, partial(build_app, settings))
"""
_HEAD = """
import datetime as dt
from functools import partial
from cds_service.web.settings import Settings
from cds_service.web.wsgi import serve
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A running service.

    Attributes:
        port: of the service.
        metrics_port: of its metrics; nothing listens there unless they are on.
        process: its first process.
        errors: what it wrote to standard error and standard output.
    """

    port: int
    metrics_port: int
    process: subprocess.Popen[bytes]
    errors: Path

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{_HOST}:{self.port}"

    def send(self, raw: bytes, port: int | None = None) -> str:
        """Send bytes as they are, and read until the end."""
        with socket.create_connection((_HOST, port or self.port), timeout=20) as connection:
            connection.sendall(raw)
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode("utf-8", "replace")

    def written(self) -> str:
        """Everything it has written so far."""
        return self.errors.read_text("utf-8", "replace")

    def lines(self) -> list[dict[str, Any]]:
        """The log; fails on a line that is not JSON."""
        return [json.loads(line) for line in self.written().splitlines()]

    def stop(self) -> None:
        """Ask it to stop, and wait."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


@contextmanager
def served(settings: str = "", program: str = PRODUCT, *, metrics: bool = False) -> Iterator[Served]:
    """Start it, wait until it answers, and stop it at the end.

    Args:
        settings: arguments of `Settings` besides ports and day.
        program: Python that serves; `{settings}` stands for all the arguments.
        metrics: whether its metrics are on.
    """
    port, metrics_port = _free_ports()
    own = [f"port={port}", f"as_of=dt.date{AS_OF.timetuple()[:3]}"]
    own += [f"metrics_port={metrics_port}"] if metrics else []
    code = _HEAD + program.replace("{settings}", ", ".join([*own, settings]))
    with tempfile.TemporaryDirectory() as folder:
        errors = Path(folder) / "errors"
        with errors.open("wb") as sink:
            environment = {key: value for key, value in os.environ.items() if not key.startswith("BONECDS_")}
            process = subprocess.Popen(
                [sys.executable, "-c", code], cwd=ROOT, stderr=sink, stdout=sink, env={**environment, "TMPDIR": folder}
            )
        found = Served(port, metrics_port, process, errors)
        try:
            _wait(found)
            yield found
        finally:
            if process.poll() is None:
                found.stop()


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind((_HOST, 0))
        other.bind((_HOST, 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])


def _wait(service: Served) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert service.process.poll() is None, service.written()
        with socket.socket() as probe:
            if probe.connect_ex((_HOST, service.port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the service did not start in a minute")
