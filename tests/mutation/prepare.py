"""Makes the copy of the project that mutmut works on.

mutmut leaves decorated functions alone, and here rules, facts and criteria are decorated. So the copy says the same in other
words: `@rule("GC-01", ...)` above `def f` becomes `f = rule("GC-01", ...)(f)` below it. Called again it writes only what
changed, so that mutmut keeps its results for functions that are as they were.
"""

from __future__ import annotations

import ast
import json
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_MUTATED = "cds_service"
_BESIDE = ("hooks", "fixtures", "tests")
_LEFT_OUT = ("__pycache__", "node_modules")
# every mutant imports the tests anew, and nobody reads why they fail
_PYTEST = ["-p", "tests.mutation.fresh", "-p", "no:cacheprovider", "--assert=plain"]
# mutmut treats these two itself
_LEFT_AS_THEY_ARE = frozenset({"staticmethod", "classmethod"})


@dataclass(frozen=True, slots=True)
class Shard:
    """Modules that are mutated together, and the tests that have to notice.

    Attributes:
        name: its name in `shards.toml`.
        files: the modules, relative to the project, in order.
        tests: what pytest is given.
    """

    name: str
    files: tuple[Path, ...]
    tests: tuple[str, ...]


def shards() -> dict[str, Shard]:
    """All of `shards.toml`, by name."""
    found: dict[str, Shard] = {}
    taken: set[Path] = set()
    for name, each in tomllib.loads(Path(__file__).with_name("shards.toml").read_text("utf-8")).items():
        files = {path.relative_to(ROOT) for pattern in each["modules"] for path in ROOT.glob(pattern)} - taken
        taken |= files
        found[name] = Shard(name, tuple(sorted(files)), tuple(each["tests"]))
    return found


def undecorated(source: str) -> str:
    """The same module with every decorator of a function applied by a statement below it."""
    lines = source.splitlines(keepends=True)
    dropped: set[int] = set()
    below: dict[int, list[str]] = {}
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or not _is_rewritten(function):
            continue
        dropped.update(range(function.decorator_list[0].lineno, function.lineno))
        applied = function.name
        for decorator in reversed(function.decorator_list):
            applied = f"({ast.get_source_segment(source, decorator)})({applied})"
        # a function inside another one may end on the same line: what is visited later lies further inside
        last = function.end_lineno or function.lineno
        below.setdefault(last, []).insert(0, f"{' ' * function.col_offset}{function.name} = {applied}\n")
    return "".join(
        text
        for number, line in enumerate(lines, 1)
        for text in (*([] if number in dropped else [line]), *below.get(number, ()))
    )


def _is_rewritten(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    match function.decorator_list:
        case []:
            return False
        case [ast.Name(id=name)]:
            return name not in _LEFT_AS_THEY_ARE
    return True


def prepare(shard: Shard, into: Path) -> None:
    """Bring the copy in line with the project as it is now."""
    if _chosen_tests(into / "pyproject.toml") != [_PYTEST, list(shard.tests)]:
        shutil.rmtree(into / "mutants", ignore_errors=True)  # results of other tests
    mutated = set(shard.files)
    wanted: set[Path] = set()
    for path in _sources():
        wanted.add(path)
        content = (ROOT / path).read_bytes()
        _write(into, path, undecorated(content.decode()).encode() if path in mutated else content)
    settings = (ROOT / "pyproject.toml").read_text("utf-8") + _settings(shard)
    _write(into, Path("pyproject.toml"), settings.encode())
    for top in (_MUTATED, *_BESIDE):
        for path in [path.relative_to(into) for path in (into / top).rglob("*") if path.is_file()]:
            if path not in wanted:
                _forget(into, path)


def _chosen_tests(settings: Path) -> list[list[str]]:
    """Arguments and tests of an older copy."""
    if not settings.exists():
        return []
    written = tomllib.loads(settings.read_text("utf-8"))["tool"]["mutmut"]
    return [written["pytest_add_cli_args"], written["pytest_add_cli_args_test_selection"]]


def _sources() -> Iterator[Path]:
    for top in (_MUTATED, *_BESIDE):
        for path in sorted((ROOT / top).rglob("*")):
            if path.is_file() and not set(_LEFT_OUT) & set(path.parts):
                yield path.relative_to(ROOT)


def _write(into: Path, path: Path, content: bytes) -> None:
    target = into / path
    if target.exists() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    if path.suffix != ".py":
        # mutmut copies these once and never again
        (into / "mutants" / path).unlink(missing_ok=True)


def _forget(into: Path, path: Path) -> None:
    for stale in (into / path, into / "mutants" / path):
        stale.unlink(missing_ok=True)


def _settings(shard: Shard) -> str:
    """What mutmut is told; JSON lists are TOML lists."""
    lists = {
        "source_paths": [_MUTATED],
        "only_mutate": [str(path) for path in shard.files],
        "also_copy": list(_BESIDE),
        "pytest_add_cli_args_test_selection": list(shard.tests),
        "pytest_add_cli_args": _PYTEST,
    }
    # another process on the machine must not turn a survivor into a timeout
    limits = "timeout_multiplier = 4.0\ntimeout_constant = 10.0\nuse_git_change_detection = false\n"
    told = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lists.items())
    return f'\n[tool.mutmut]\n{told}{limits}on_dependency_change = "ignore"\n'
