"""From what may go wrong to the tests that prove it does not: writes and checks docs/safety/traceability.md.

    python -m tests.safety.traceability --write
    python -m tests.safety.traceability --check
    python -m tests.safety.traceability --report build/junit.xml --out build/traceability.md

Rows, hazards and reasons are data in docs/safety/. A test belongs to a row when its name, or the id of one of its
parameters, begins with the id of the row: `test_c4_...`, `test_s1_e8_...`, `id="c7-user-true"`. Reading a name further in
would take vitamin D2 for row D2.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cds_service.formats import strict_toml

ROOT = Path(__file__).parents[2]
SAFETY = ROOT / "docs" / "safety"
PAGE = SAFETY / "traceability.md"
COMMAND = "make traceability"
_TESTS = ("tests", "qfracture/tests")
_HEAD = re.compile(r"(?:(?:[a-is]\d+|item_\d+|at_\d+)[_-])*")
_ID = re.compile(r"[a-is]\d+")
_ROW = "^[A-IS][1-9][0-9]?$"
_TEXTS: Mapping[str, Any] = {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True}
_RATING = "to be set by the site's clinical safety officer"

HAZARD_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "id", "hazard", "causes", "effect", "harm", "controls", "rows", "tests", "status", "owner", "rating",
    ],
    "properties": {
        "id": {"type": "string", "pattern": "^HZ-[0-9]{2}$"},
        "hazard": {"type": "string", "minLength": 1},
        "causes": {**_TEXTS, "minItems": 1},
        "effect": {"type": "string", "minLength": 1},
        "harm": {"type": "string", "minLength": 1},
        "controls": {**_TEXTS, "minItems": 1},
        "rows": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "pattern": _ROW}},
        "tests": _TEXTS,
        # closed hazards stay, with their reason in the text: a file is never deleted
        "status": {"enum": ["open", "controlled", "closed"]},
        "owner": {"type": "string", "minLength": 1},
        "rating": {
            "type": "object",
            "additionalProperties": False,
            "required": ["initial", "residual"],
            # severity and likelihood belong to the place where it is used (DCB0160), so nothing else may stand here
            "properties": {"initial": {"const": _RATING}, "residual": {"const": _RATING}},
        },
    },
}  # fmt: skip
_TABLE: Mapping[str, Any] = {
    "type": "object",
    "required": ["title"],
    "properties": {"title": {"type": "string", "minLength": 1}},
    "patternProperties": {"^[1-9][0-9]?$": {"type": "string", "minLength": 1}},
    "additionalProperties": False,
}
ROWS_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": list("SABCDEFGHI"),
    "properties": dict.fromkeys("SABCDEFGHI", _TABLE),
}
_REASONS: Mapping[str, Any] = {
    "type": "object",
    "propertyNames": {"pattern": _ROW},
    "additionalProperties": {"type": "string", "minLength": 10},
}
OPEN_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["untested", "partly"],
    "properties": {"untested": _REASONS, "partly": _REASONS},
}


@dataclass(frozen=True, slots=True)
class Safety:
    """What docs/safety/ says, and the tests there are.

    Attributes:
        titles: letter to title of the table.
        rows: row id to what may go wrong.
        hazards: hazards as written, by id.
        untested: row id to why no test proves it.
        partly: row id to what its tests leave open.
        tests: row id to `file::function` of the tests that carry it, in order.
    """

    titles: Mapping[str, str]
    rows: Mapping[str, str]
    hazards: Mapping[str, Mapping[str, Any]]
    untested: Mapping[str, str]
    partly: Mapping[str, str]
    tests: Mapping[str, tuple[str, ...]]

    def hazards_of(self, row: str) -> list[str]:
        """Ids of the hazards that name a row."""
        return [ident for ident, hazard in self.hazards.items() if row in hazard["rows"]]


def load(folder: Path = SAFETY, root: Path = ROOT) -> Safety:
    """Read docs/safety/ and the names of the tests."""
    tables = _toml(folder / "rows.toml", ROWS_SCHEMA)
    reasons = _toml(folder / "open.toml", OPEN_SCHEMA)
    hazards = {}
    for path in sorted((folder / "hazards").glob("*.toml")):
        hazard = _toml(path, HAZARD_SCHEMA)
        hazards[hazard["id"]] = hazard
    rows = {
        f"{letter}{number}": what
        for letter, table in tables.items()
        for number, what in table.items()
        if number != "title"
    }
    titles = {letter: table["title"] for letter, table in tables.items()}
    return Safety(titles, rows, hazards, reasons["untested"], reasons["partly"], _by_row(root))


def problems(safety: Safety, root: Path = ROOT) -> list[str]:
    """What keeps the table from being whole; each names the file to change."""
    found = []
    for row in safety.rows:
        if row not in safety.tests and row not in safety.untested:
            found.append(f"{row}: no test carries this id, and docs/safety/open.toml gives no reason under [untested].")
        if row in safety.tests and row in safety.untested:
            found.append(
                f"{row}: has tests now; `{COMMAND}` takes its line out of [untested] in docs/safety/open.toml."
            )
        if row in safety.partly and row not in safety.tests:
            found.append(
                f"{row}: stands under [partly] in docs/safety/open.toml but has no test: move it to [untested]."
            )
        if not safety.hazards_of(row):
            found.append(f"{row}: no file of docs/safety/hazards/ names it.")
    known = safety.rows.keys()
    unknown = sorted({*safety.tests, *safety.untested, *safety.partly} - known)
    found += [f"{row}: is no row of rows.toml: {', '.join(safety.tests.get(row, ('open.toml',)))}." for row in unknown]
    for ident, hazard in safety.hazards.items():
        found += [f"{ident}: {row} is no row of docs/safety/rows.toml." for row in hazard["rows"] if row not in known]
        found += [f"{ident}: there is no {path}." for path in hazard["tests"] if not (root / path).is_file()]
        if not hazard["tests"] and not any(row in safety.tests for row in hazard["rows"]):
            found.append(f"{ident}: no test stands behind its controls.")
    return found


# --- tests by row -----------------------------------------------------------------------------------------------------
def rows_named(name: str) -> list[str]:
    """The rows at the head of the name of a test, or of the id of a parameter."""
    head = _HEAD.match(name.removeprefix("test_"))
    return [part.upper() for part in _ID.findall(head[0] if head else "")]


def tests_in(text: str) -> Iterator[tuple[str, list[str]]]:
    """Name of each test function of a module, and the rows it proves."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            named = rows_named(node.name)
            for each in ast.walk(ast.Module(list(node.decorator_list), [])):
                if isinstance(each, ast.keyword) and each.arg == "id" and isinstance(each.value, ast.Constant):
                    named += rows_named(str(each.value.value))
            yield node.name, list(dict.fromkeys(named))


def _by_row(root: Path) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for folder in _TESTS:
        for path in sorted((root / folder).rglob("test_*.py")):
            for name, rows in tests_in(path.read_text("utf-8")):
                for row in rows:
                    found.setdefault(row, []).append(f"{path.relative_to(root)}::{name}")
    return {row: tuple(tests) for row, tests in found.items()}


# --- results ----------------------------------------------------------------------------------------------------------
def results_in(report: Path) -> dict[str, Counter[str]]:
    """`file::function` to how often it passed, failed or was skipped, from a JUnit file of pytest."""
    found: dict[str, Counter[str]] = {}
    # the report is our own: `make traceability` is told where pytest wrote it
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314
        test = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '').partition('[')[0]}"
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        found.setdefault(test, Counter())[outcome] += 1
    return found


def _result(tests: tuple[str, ...], results: Mapping[str, Counter[str]]) -> str:
    total = sum((results.get(test, Counter({"not run": 1})) for test in tests), Counter())
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(total.items())) or "no test"


# --- the page ---------------------------------------------------------------------------------------------------------
def page(safety: Safety, results: Mapping[str, Counter[str]] | None = None) -> str:
    """The table as Markdown; with results, those of one run."""
    with_tests = sum(row in safety.tests for row in safety.rows)
    says = "That a test exists is all this page says; whether it passes, the run says."
    lines = [
        f"<!-- Written by `{COMMAND}` from docs/safety/ and the names of the tests: change those, then run it again. -->",
        "# Traceability",
        "",
        "What may go wrong, the [hazards](README.md) it belongs to, and the tests that prove it does not. "
        f"{with_tests} of {len(safety.rows)} rows have tests; the others say why not. "
        + (says if results is None else "Results are those of one run."),
    ]
    for letter, title in safety.titles.items():
        rows = [row for row in safety.rows if row[0] == letter]
        lines += [
            "",
            f"## {letter}: {title}",
            "",
            _head(letter, results is not None),
            "|---" * (6 if results is not None else 5) + "|",
        ]
        for row in rows:
            tests = safety.tests.get(row, ())
            open_ = safety.untested.get(row) or safety.partly.get(row, "")
            cells = [
                row,
                safety.rows[row],
                " ".join(safety.hazards_of(row)),
                str(len(tests)) if tests else "none",
                open_,
            ]
            if results is not None:
                cells.insert(4, _result(tests, results))
            lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        "## Hazards",
        "",
        "| Hazard | | Status | Rows with tests | Rows without | Further tests |",
        "|---|---|---|---|---|---|",
    ]
    for ident, hazard in safety.hazards.items():
        without = [row for row in hazard["rows"] if row not in safety.tests]
        further = " ".join(f"`{path}`" for path in hazard["tests"])
        cells = [
            ident,
            hazard["hazard"],
            hazard["status"],
            str(len(hazard["rows"]) - len(without)),
            " ".join(without),
            further,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "## Tests by row", ""]
    for row, tests in ((row, safety.tests.get(row, ())) for row in safety.rows):
        by_file: dict[str, list[str]] = {}
        for test in tests:
            by_file.setdefault(test.partition("::")[0], []).append(test.partition("::")[2])
        lines += [
            f"- **{row}** `{file}`: {', '.join(f'`{name}`' for name in names)}" for file, names in by_file.items()
        ]
    return "\n".join(lines) + "\n"


def _head(letter: str, with_results: bool) -> str:
    what = "What is promised" if letter == "S" else "What may go wrong"
    return f"| Row | {what} | Hazards | Tests |" + (" Result |" if with_results else "") + " Not proved |"


def without_reasons(text: str, proved: Container[str]) -> str:
    """open.toml without the lines of [untested] whose row has tests."""
    before, heading, after = text.partition("[untested]\n")
    untested, partly, rest = after.partition("[partly]\n")
    kept = [line for line in untested.splitlines(keepends=True) if line.partition(" =")[0] not in proved]
    return before + heading + "".join(kept) + partly + rest


def _toml(path: Path, schema: Mapping[str, Any]) -> dict[str, Any]:
    return strict_toml.load(path.read_text("utf-8"), str(path), schema)


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page; 1 when something is missing or stale."""
    parser = argparse.ArgumentParser(description="Which tests prove which row of the threat tables.")
    parser.add_argument(
        "--write", action="store_true", help="write docs/safety/traceability.md, drop reasons of rows with tests"
    )
    parser.add_argument(
        "--check", action="store_true", help="fail when the page is stale or a row has neither test nor reason"
    )
    parser.add_argument(
        "--report", type=Path, help="JUnit file of a run (pytest --junitxml=...), for the column of results"
    )
    parser.add_argument(
        "--out", type=Path, default=ROOT / "build" / "traceability.md", help="where the page with results goes"
    )
    told = parser.parse_args(arguments)
    if told.write:
        reasons = SAFETY / "open.toml"
        reasons.write_text(without_reasons(reasons.read_text("utf-8"), _by_row(ROOT)), "utf-8")
    safety = load()
    found = problems(safety)
    if told.write:
        PAGE.write_text(page(safety), "utf-8")
    elif told.report:
        told.out.parent.mkdir(parents=True, exist_ok=True)
        told.out.write_text(page(safety, results_in(told.report)), "utf-8")
    elif not PAGE.is_file() or PAGE.read_text("utf-8") != page(safety):
        found.append(f"docs/safety/traceability.md is stale: run `{COMMAND}`.")
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
