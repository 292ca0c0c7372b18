"""What mutmut found: a table by module, and every survivor nobody has judged yet. Needs mutmut: `make mutation` brings it.

Judged survivors stand in `docs/mutation.md`, by the function and the changed line, since mutmut's numbers move with the code.
"""

from __future__ import annotations

import argparse
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

from tests.mutation.prepare import ROOT, Shard, shards

PAGE = ROOT / "docs" / "mutation.md"
COPIES = ROOT / "build" / "mutation"
_COLUMNS = ("killed", "timeout", "judged", "survived", "no tests", "not run")
_NOTICED = ("killed", "timeout")
# mutmut's words, where they are not columns; "segfault" is a kill after the limit of CPU time
_COLUMN_OF = {"segfault": "timeout", "suspicious": "survived"}
_ROW = re.compile(r"\| `(?P<function>[^`]+)` \| (?P<changes>.+) \| .+ \|")


def outcome(exit_code: int | None) -> str:
    """One of the columns of the table."""
    status = str(status_by_exit_code[exit_code])
    return _COLUMN_OF.get(status, status if status in _COLUMNS else "not run")


def outcomes(shard: Shard) -> dict[str, str]:
    """The outcome of every mutant by name, in the order of the files and of their lines. The copy is the working folder."""
    found: dict[str, str] = {}
    for path in shard.files:
        data = SourceFileMutationData(path=path)
        data.load()
        found.update((name, outcome(code)) for name, code in data.exit_code_by_key.items())
    return found


def judged(page: str) -> set[tuple[str, str]]:
    """Function and changed line of the survivors that the page judges; a row may judge several lines."""
    rows = filter(None, map(_ROW.fullmatch, page.splitlines()))
    return {
        (row["function"], change.replace("\\|", "|"))
        for row in rows
        for change in re.findall("`([^`]+)`", row["changes"])
    }


def function_of(name: str) -> str:
    """ "kernel.dates.plus_months" of a mutant's name."""
    function, owner = orig_function_and_class_names_from_key(name)
    return ".".join(filter(None, (_module(name), owner, function)))


def change_of(diff: str) -> str:
    """The changed line as the page quotes it; several lines as one."""
    return " ".join(line[1:].strip() for line in diff.splitlines()[2:] if line.startswith("+"))


def table(found: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Markdown: one line per module, the last for all of them."""
    by_module: dict[str, Counter[str]] = {}
    for name, result in found:
        by_module.setdefault(_module(name), Counter())[result] += 1
    total = sum(by_module.values(), Counter())
    yield f"| module | mutants | {' | '.join(_COLUMNS)} | noticed |"
    yield f"|---|{'---:|' * (len(_COLUMNS) + 2)}"
    for module, counted in [*by_module.items(), ("**all**", total)]:
        run = counted.total() - counted["not run"]
        share = f"{100 * sum(counted[each] for each in _NOTICED) / run:.1f} %" if run else "-"
        yield f"| {module} | {counted.total()} | {' | '.join(str(counted[each]) for each in _COLUMNS)} | {share} |"


def _module(name: str) -> str:
    return name.rpartition(".")[0].removeprefix("cds_service.")


def show(shard: Shard, names: set[str]) -> None:
    """Print what nobody noticed or judged, and the table."""
    known = judged(PAGE.read_text("utf-8"))
    found = {name: result for name, result in outcomes(shard).items() if name in names}
    for name, result in found.items():
        if result in ("survived", "no tests", "timeout"):
            diff = get_diff_for_mutant(name)
            if (function_of(name), change_of(diff)) in known and result != "timeout":
                found[name] = "judged"
                continue
            print(f"\n# {name}: {result}", *diff.splitlines()[3:], sep="\n")
    print("", *table(found.items()), sep="\n")


def main() -> None:
    """The command."""
    known = shards()
    parser = argparse.ArgumentParser(description="Say what mutmut found.")
    parser.add_argument("shard", choices=known)
    parser.add_argument("--into", type=Path, default=COPIES, help="where the copies are kept")
    asked = parser.parse_args()
    os.chdir(asked.into.resolve() / asked.shard)
    show(known[asked.shard], set(outcomes(known[asked.shard])))


if __name__ == "__main__":
    main()
