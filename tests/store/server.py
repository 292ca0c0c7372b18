"""A PostgreSQL server of our own, from the distribution's binaries, reachable by a socket in a temporary folder only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    folder: str

    def address(self, database: str) -> str:
        """As the service is told it."""
        return f"postgresql+psycopg://bonecds@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """As its administrator."""
        return psycopg.connect(host=self.folder, dbname=database, user="bonecds", autocommit=True, connect_timeout=5)


def why_not() -> str:
    """Why no server can be started here; nothing if one can."""
    if not _binary("initdb") or not _binary("postgres"):
        return "no PostgreSQL server is installed (Debian: apt install postgresql)"
    if os.geteuid() == 0 and not _ordinary_user():
        return "PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody"
    return ""


@contextmanager
def running(*options: str) -> Iterator[Server]:
    """A server, until the end of the block."""
    # short, since the path of a socket may have 107 bytes
    folder = tempfile.mkdtemp(prefix="bonecds-pg-", dir="/tmp")
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = _ordinary_user()
        os.chown(folder, user["user"], user["group"])
        who = {**user, "extra_groups": []}
    made = subprocess.run(
        [_binary("initdb"), "-D", f"{folder}/data", "-U", "bonecds", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        **who,
    )
    assert made.returncode == 0, made.stderr
    with Path(folder, "log").open("w") as log:
        command = [_binary("postgres"), "-D", f"{folder}/data", "-k", folder, "-c", "listen_addresses=", *options]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **who)
    try:
        server = Server(folder)
        _wait_for(server, process)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError:
            assert process.poll() is None, Path(server.folder, "log").read_text()
            assert time.monotonic() < end, Path(server.folder, "log").read_text()
            time.sleep(0.05)
        else:
            return


def _binary(name: str) -> str:
    newest_last = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(newest_last[-1]) if newest_last else shutil.which(name) or ""


def _ordinary_user() -> Mapping[str, int]:
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid}
    return {}
