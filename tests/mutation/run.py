"""Runs mutmut over a shard and says what survived. Needs mutmut: `make mutation` brings it.

It goes on where it was stopped; a function that changed is mutated anew.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import subprocess
import sys
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData

from tests.mutation.prepare import Shard, prepare, shards
from tests.mutation.report import COPIES, outcome, show

_MUTMUT = Path(sys.executable).with_name("mutmut")
_SKIPPED = 34  # mutmut's exit code for a mutant that is not to run


def generate() -> None:
    """Write the mutants of the working folder, or those of changed functions; mutmut reads its settings when imported."""
    from mutmut.__main__ import create_mutants
    from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir

    copy_src_dir()
    copy_also_copy_files()
    create_mutants(max_children=1)


def mark(shard: Shard, only: str, every: int, first: int, *, again: bool) -> set[str]:
    """Tell mutmut which mutants to run: every n-th of the modules that match, in the order of files and lines.

    Args:
        shard: its modules.
        only: pattern of paths.
        every: n.
        first: which of the first n the counting begins with, from 0: another number is another sample.
        again: also those that ran before and that nothing noticed.

    Returns:
        The names of the mutants asked for.
    """
    asked: set[str] = set()
    position = 0
    for path in shard.files:
        data = SourceFileMutationData(path=path)
        data.load()
        matches = fnmatch.fnmatch(str(path), only)
        for name, code in data.exit_code_by_key.items():
            chosen = matches and position % every == first
            position += matches
            if chosen:
                asked.add(name)
            if outcome(code) == "not run" or (chosen and again and outcome(code) != "killed"):
                data.exit_code_by_key[name] = None if chosen else _SKIPPED
        data.save()
    return asked


def _environment() -> dict[str, str]:
    """Every mutant imports the project anew: compiled once, and with no plugin of pytest that these tests do not use."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def main() -> int:
    """The command."""
    known = shards()
    parser = argparse.ArgumentParser(description="Run mutmut over a shard and say what survived.")
    parser.add_argument("shard", choices=known)
    parser.add_argument("--only", default="*", metavar="PATTERN", help="just the modules whose path matches")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="just every N-th mutant")
    parser.add_argument("--first", type=int, default=0, metavar="K", help="beginning with the K-th of these N, from 0")
    parser.add_argument("--again", action="store_true", help="repeat what nothing noticed, after tests were added")
    parser.add_argument("--children", type=int, default=1, metavar="N", help="mutants at a time")
    parser.add_argument("--into", type=Path, default=COPIES, help="where the copies are kept")
    asked = parser.parse_args()
    shard = known[asked.shard]
    copy = asked.into.resolve() / shard.name
    prepare(shard, copy)
    os.chdir(copy)
    generate()
    names = mark(shard, asked.only, asked.every, asked.first, again=asked.again)
    subprocess.run([str(_MUTMUT), "run", "--max-children", str(asked.children)], env=_environment(), check=True)
    show(shard, names)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
