"""Chromium and a service with the sandbox on, started once each; what is missing is said where a test is skipped.

Every page is watched: an error on the console, or a request to anything but this machine, fails the test that made it (H1).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.support.reported import Reported, reported
from tests.support.served import Served, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

# playwright comes with the lock file of the checks; whoever runs other tests without it needs no browser
if importlib.util.find_spec("playwright") is None:
    if os.environ.get("BROWSER") == "required":
        raise pytest.UsageError("BROWSER=required, but playwright is not installed: make env-dev")
    collect_ignore_glob = ["test_*.py"]

_HERE = Path(__file__).parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# no sandbox: root in a container has no user namespaces; what it opens is ours alone. Nothing here may call home.
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-lcd-text",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
AXE = _HERE / "node_modules" / "axe-core" / "axe.min.js"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These run in one process (`make browser`): a worker of pytest-xdist would start a browser and a service of its own."""
    for each in items:
        if each.path.is_relative_to(_HERE):
            each.add_marker("browser")
            each.add_marker("no_cover")
            if "PYTEST_XDIST_WORKER" in os.environ:
                each.add_marker(pytest.mark.skip(reason="Chromium is started once, in one process: make browser"))


def missing(what: str) -> None:
    """Skip, or fail where CI requires it."""
    if os.environ.get("BROWSER") == "required":
        pytest.fail(f"BROWSER=required, but {what}", pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    kept = tmp_path_factory.mktemp("kept") / "kept.sqlite3"
    with served(f"sandbox=True, database_url='sqlite:///{kept}'") as running:
        yield running


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    """Another one, without the sandbox, that has something to report."""
    with reported(tmp_path_factory.mktemp("reported")) as running:
        yield running


def chromium() -> str:
    """Where Chromium is."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        missing("Chromium was not found (Debian: apt install chromium)")
    return str(found)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright

    # a machine that does other things at the same time is slow, and no test is about that
    expect.set_options(timeout=20_000)
    found = chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    made = context.new_page()
    trouble = watched(made)
    yield made
    assert trouble == []


def watched(page: Page) -> list[str]:
    """What goes wrong on a page from now on."""
    trouble: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            trouble.append(f"{message.type}: {message.text}")

    page.on("console", console)
    page.on("pageerror", lambda problem: trouble.append(f"exception: {problem}"))
    page.on("dialog", lambda dialog: (trouble.append("a dialog opened"), dialog.dismiss()))
    page.on("request", lambda request: trouble.append(request.url) if not _here(request.url) else None)
    return trouble


def _here(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("data", "blob") or parts.hostname == "127.0.0.1"
