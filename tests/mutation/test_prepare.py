"""The copy that is mutated says the same as the project, and every module of kernel and clinical is mutated somewhere."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import pytest

from tests.mutation.prepare import ROOT, Shard, shards, undecorated

SHARDS = shards()
every_shard = pytest.mark.parametrize("shard", SHARDS.values(), ids=SHARDS)

WRITTEN = '''
from functools import cached_property, lru_cache, wraps


def added(text):
    def decorate(function):
        @wraps(function)
        def longer(*args):
            return function(*args) + text

        return longer

    return decorate


@added("c")
@added(
    "b",
)
def word():
    """The page."""
    return "a"


class Thing:
    @property
    def name(self):
        return "thing"

    @cached_property
    def once(self):
        return object()

    @staticmethod
    def still():
        return "static"

    @classmethod
    @lru_cache(maxsize=1)
    def kind(cls):
        return cls.__name__
'''


@pytest.mark.parametrize("source", [WRITTEN, undecorated(WRITTEN)], ids=["as written", "in the copy"])
def test_decorators_do_the_same_in_the_copy(source: str, tmp_path: Path) -> None:
    file = tmp_path / "written.py"
    file.write_text(source, "utf-8")
    names = runpy.run_path(str(file))
    thing = names["Thing"]()

    assert (names["word"](), names["word"].__name__, names["word"].__doc__) == ("abc", "word", "The page.")
    assert (thing.name, thing.still(), thing.kind()) == ("thing", "static", "Thing")
    assert thing.once is thing.once


def decorated(source: str) -> list[str]:
    found = [each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.FunctionDef) and each.decorator_list]
    return [each.name for each in found]


def test_only_what_mutmut_knows_how_to_treat_stays_decorated() -> None:
    assert decorated(undecorated(WRITTEN)) == ["still"]


@every_shard
def test_the_copy_of_every_module_can_be_compiled(shard: Shard) -> None:
    for path in shard.files:
        compile(undecorated((ROOT / path).read_text("utf-8")), str(path), "exec")


@pytest.mark.parametrize("package", ["kernel", "clinical"])
def test_every_module_is_in_one_shard(package: str) -> None:
    mutated = [path for shard in SHARDS.values() for path in shard.files]
    modules = [path.relative_to(ROOT) for path in (ROOT / "cds_service" / package).rglob("*.py")]

    assert sorted(path for path in mutated if path.parts[1] == package) == sorted(modules)


@every_shard
def test_the_tests_of_a_shard_exist(shard: Shard) -> None:
    assert [test for test in shard.tests if not (ROOT / test.partition("::")[0]).exists()] == []
