"""How long it takes from a clone to the first card, step by step; `make first-card`.

What somebody does who follows the README: clone, `make demo`, the second call (the first one is discovery). The environment
is made anew from packages that pip may have in its cache; with `--environment DIR` an existing one is used, so that only the
rest is timed. Needs git, make and curl. Everything is in a temporary folder and is removed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[1]
_DEMO = "127.0.0.1:8080"
_CALLS = re.compile(r"<!-- curl:begin -->\n```sh\n(.*?)```", re.DOTALL)
_PATIENCE_S = 60
_OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def main() -> int:
    """The command; exit status 1 where no card came."""
    parser = argparse.ArgumentParser(description="Seconds from a clone of this checkout to the first card.")
    parser.add_argument("--environment", type=Path, help="use this environment instead of making one")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="first-card-") as folder:
        return _run(Path(folder) / "bonecds", asked.environment)


def _run(clone: Path, environment: Path | None) -> int:
    began = time.monotonic()
    _step("clone", lambda: _do(["git", "clone", "--quiet", str(ROOT), str(clone)], ROOT))
    python = environment or clone / ".venv"
    if environment is None:
        _step("environment", lambda: _do(["make", "env"], clone))
    port = _free_port()
    server = subprocess.Popen(
        [str(python / "bin" / "bonecds"), "serve", "--port", str(port)],
        cwd=clone,
        env={**_plain(), "BONECDS_SANDBOX": "true", "BONECDS_AS_OF": "2026-06-15", "PYTHONPATH": str(clone)},
        stderr=subprocess.DEVNULL,
    )
    try:
        _step("start", lambda: _until_it_answers(f"http://127.0.0.1:{port}/cds-services", server))
        cards = _step("first call", lambda: _call(clone, port))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
    print(f"{'in all':<12} {time.monotonic() - began:7.1f} s")
    print(f"first card: {cards[0]['summary']}" if cards else "there was no card")
    return 0 if cards else 1


_T = TypeVar("_T")


def _step(name: str, act: Callable[[], _T]) -> _T:
    began = time.monotonic()
    result = act()
    print(f"{name:<12} {time.monotonic() - began:7.1f} s", flush=True)
    return result


def _plain() -> dict[str, str]:
    """The environment without settings of the service, and without a proxy for loopback."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BONECDS_", "MAKE", "MFLAGS"))}
    return {**kept, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def _do(command: list[str], folder: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "VENV"))}
    done = subprocess.run(command, cwd=folder, env=kept, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}; the lines above say why.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_it_answers(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            _OPEN(url, timeout=2).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit("The service did not start.")
            time.sleep(0.05)
        else:
            return


def _call(clone: Path, port: int) -> list[dict[str, str]]:
    """The README's first call that gives cards, as it is pasted."""
    calls = _CALLS.search((clone / "README.md").read_text("utf-8"))
    if calls is None:
        sys.exit("README.md has no calls to paste.")
    line = calls[1].splitlines()[1].replace(_DEMO, f"127.0.0.1:{port}")
    done = subprocess.run(["sh", "-c", line], cwd=clone, env=_plain(), stdout=subprocess.PIPE, check=True)
    cards: list[dict[str, str]] = json.loads(done.stdout)["cards"]
    return cards


if __name__ == "__main__":
    sys.exit(main())
