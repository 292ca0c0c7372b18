"""A pytest plugin for mutation runs: every mutant meets a project that was imported and computed under it, not before.

mutmut forks a process that has imported everything and filled every cache. There a mutant in a function that is called while
modules load, or whose result is cached, would change nothing and look like a survivor.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mutmut.state import state

_at_import: set[str] = set()


def _mutant() -> str:
    return os.environ.get("MUTANT_UNDER_TEST", "")


def _project_modules() -> dict[str, ModuleType]:
    here = f"{Path.cwd()}{os.sep}"
    return {
        name: module
        for name, module in sys.modules.items()
        if name != __name__ and (getattr(module, "__file__", None) or "").startswith(here)
    }


def pytest_configure() -> None:
    """Before anything is collected under a mutant: the project is imported anew."""
    if "__mutmut_" in _mutant():
        for name in _project_modules():
            del sys.modules[name]


def pytest_collection_finish() -> None:
    """While mutmut asks which test calls which function: what was called by importing belongs to every test."""
    if _mutant() == "stats":
        _at_import.update(state()._stats)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Likewise: what an earlier test left in a cache, this test needs too."""
    if _mutant() == "stats":
        state()._stats.update(_at_import)
        for module in _project_modules().values():
            for value in list(vars(module).values()):
                if callable(clear := getattr(value, "cache_clear", None)):
                    clear()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: Any, exitstatus: int) -> None:
    """A mutant under which a test module cannot even be imported is killed; pytest would say "interrupted"."""
    if "__mutmut_" in _mutant() and exitstatus == pytest.ExitCode.INTERRUPTED and session.testsfailed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
