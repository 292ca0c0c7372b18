"""A pytest plugin for mutation runs: every mutant meets a project that was imported and computed under it, not before.

mutmut forks a process that has imported everything and filled every cache. There a mutant in a function that is called while
modules load, or whose result is cached, would change nothing and look like a survivor. So under a mutant the project is imported
anew; and while mutmut asks which test calls which function ("stats"), what was called for a cached value counts for every test
that gets the value, and what was called by importing counts for every test.

Hypothesis tries the same examples each time and never minds how long they take: a busy machine must not kill a mutant.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from functools import partial, update_wrapper
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from mutmut.state import state

settings.register_profile(
    "mutants", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("mutants")

_OURS = ("cds_service", "hooks", "tests")
_lru_cache = functools.lru_cache
_at_import: set[str] = set()


def _mutant() -> str:
    return os.environ.get("MUTANT_UNDER_TEST", "")


class _Remembering:
    """A cache that also keeps which functions were called for each value."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._kept: dict[object, tuple[Any, set[str]]] = {}
        update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        key = (args, tuple(kwargs.items()))
        if key not in self._kept:
            before, state()._stats = state()._stats, set()
            try:
                value = self._function(*args, **kwargs)
                self._kept[key] = value, set(state()._stats)
            finally:
                state()._stats |= before
        value, called = self._kept[key]
        state()._stats |= called
        return value

    def __get__(self, instance: object, owner: type) -> Callable[..., Any]:
        return self if instance is None else partial(self, instance)

    def cache_clear(self) -> None:
        self._kept.clear()


def _remembering_cache(maxsize: Any = 128, typed: bool = False) -> Any:
    """Stands in for `functools.lru_cache` where the project is decorated."""

    def decorate(function: Callable[..., Any]) -> Any:
        if function.__module__.partition(".")[0] in _OURS:
            return _Remembering(function)
        return _lru_cache(function) if function is maxsize else _lru_cache(maxsize, typed)(function)

    return decorate(maxsize) if callable(maxsize) else decorate


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is collected."""
    # pytest-cov, which declares it, is not loaded
    config.addinivalue_line("markers", "no_cover: not measured")
    if _mutant() == "stats":
        functools.lru_cache = _remembering_cache
    if "__mutmut_" in _mutant():
        here = f"{Path.cwd()}{os.sep}"
        for name, module in list(sys.modules.items()):
            if name != __name__ and (getattr(module, "__file__", None) or "").startswith(here):
                del sys.modules[name]


def pytest_collection_finish() -> None:
    """What was called up to here was called by importing."""
    if _mutant() == "stats":
        _at_import.update(state()._stats)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """It belongs to every test."""
    if _mutant() == "stats":
        state()._stats |= _at_import


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: Any, exitstatus: int) -> None:
    """A mutant under which a test module cannot even be imported is killed; pytest would say "interrupted"."""
    functools.lru_cache = _lru_cache
    if "__mutmut_" in _mutant() and exitstatus == pytest.ExitCode.INTERRUPTED and session.testsfailed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
