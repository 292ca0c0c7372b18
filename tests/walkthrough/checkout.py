"""A checkout of one's own, as somebody has it who follows the documents: the files as they are, and an environment in `.venv`.

Nothing is installed: `.venv` leads to the environment that runs the tests, and `PYTHONPATH` puts the copy before what is
installed there.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.packaging.repository import ROOT, files

DEMO = "127.0.0.1:8080"
# lines that start something that stays
SERVER = re.compile(r"(?:\w+=\S+ )*(?:make demo|bonecds serve\b.*)")
_SECONDS = 120
_GIT = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
_OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


@dataclass(frozen=True, slots=True)
class Done:
    """How a line ended."""

    status: int
    output: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of the checkout in which lines are typed.

    Attributes:
        path: the folder.
        environment: the variables of its shell.
    """

    path: Path
    environment: Mapping[str, str]

    def type(self, text: str, address: str = DEMO, **more: str) -> Done:
        """Run what somebody types, to its end.

        Args:
            text: as it stands in the document.
            address: host and port of a running demo, in place of those in the documents.
            more: further variables.
        """
        command = text.replace(DEMO, address)
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.path,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    @contextmanager
    def running(self, text: str) -> Iterator[str]:
        """Run what stays, on a free port, until the block ends; host and port once it answers.

        Raises:
            AssertionError: it ended, or did not answer in time, or did not stop when it was told to.
        """
        port = str(free_port())
        environment = {**self.environment, "PORT": port, "BONECDS_PORT": port}
        log = self.path / f"server-{port}.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                ["sh", "-c", text.replace("8080", port)],
                cwd=self.path,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait(f"http://127.0.0.1:{port}/cds-services", process, log)
            yield f"127.0.0.1:{port}"
        finally:
            # to everything that the line has started. Not SIGINT: a shell that was started in the background cannot trap it
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise AssertionError(f"{text}: did not stop\n{log.read_text()}") from None


def make(folder: Path) -> Checkout:
    """Copy the checkout, uncommitted changes included, and commit it there as v0.1.0."""
    for path in files():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    environment = _environment(folder)
    _give_environment(folder)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "As it is"], ["tag", "v0.1.0"]):
        subprocess.run([*_GIT, *command], cwd=folder, env=environment, check=True, capture_output=True)
    return Checkout(folder, environment)


def _give_environment(folder: Path) -> None:
    """`.venv`, complete in the eyes of make: newer than what it would be made from."""
    own = folder / ".venv"
    own.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if not entry.name.startswith(".installed"):
            (own / entry.name).symlink_to(entry)
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        os.utime(folder / name, (0, 0))
    for name in (".installed", ".installed-dev"):
        (own / name).touch()


def _environment(folder: Path) -> dict[str, str]:
    foreign = ("BONECDS_", "COV", "PYTEST_", "MAKE", "MFLAGS", "GIT_", "PORT", "VENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {
        "PATH": f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(str(folder / part) for part in (".", "tests/kit", "qfracture")),
        # a proxy of the user's would be asked for the loopback address too
        "NO_PROXY": "*",
        "no_proxy": "*",
    }


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            _OPEN(url, timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the service did not start\n{log.read_text()}")


class _Takes(BaseHTTPRequestHandler):
    """Takes what is put under its own type and id, and refuses anything else."""

    def do_PUT(self) -> None:
        held = self.rfile.read(int(self.headers["Content-Length"])).decode()
        kind, ident = re.search(r'"resourceType": "(\w+)"', held), re.search(r'^  "id": "([^"]+)"', held, re.MULTILINE)
        own = f"/{kind[1]}/{ident[1]}" if kind and ident else None
        self.send_response(201 if self.path == own else 400)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def fhir_server() -> Iterator[str]:
    """A FHIR server that takes resources by PUT and keeps none; its base."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Takes)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
