"""The value sets of `valuesets/`, read and checked once."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib import resources

from cds_service.fhir.codes import SYSTEMS, Entry, Terminology
from cds_service.formats import strict_toml
from cds_service.kernel.errors import ContentError

COLUMNS = (
    "concept",
    "system",
    "code",
    "display",
    "match",
    "ingredient",
    "strength_mg",
    "per",
    "form",
    "route_class",
    "unit",
    "licence",
    "edition",
)
INDEX = "index.toml"
NOTICE = "NOTICE.md"
INDEX_SCHEMA = {
    "type": "object",
    "required": ["file"],
    "additionalProperties": False,
    "properties": {
        "file": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "title", "optional"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string", "pattern": r"^[a-z_]+\.csv$"},
                    "title": {"type": "string", "minLength": 1},
                    "optional": {"type": "boolean"},
                },
            },
        }
    },
}
_ALLOWED = {
    "system": frozenset(SYSTEMS),
    "match": frozenset({"exact", "prefix", "class-prefix"}),
    "per": frozenset({"", "1", "mL", "actuation"}),
    "route_class": frozenset({"", "systemic", "local", "depends", "mineralocorticoid", "not-convertible"}),
}


@lru_cache(maxsize=1)
def terminology() -> Terminology:
    """All value sets that are installed; the files marked optional may have been taken out.

    Raises:
        ContentError: a file is missing or wrong; names file and line.
    """
    folder = resources.files("cds_service.clinical").joinpath("valuesets")
    texts = {}
    for name, optional in _listed(folder.joinpath(INDEX).read_text(encoding="utf-8")).items():
        file = folder.joinpath(name)
        if file.is_file():
            texts[name] = file.read_text(encoding="utf-8")
        elif not optional:
            raise ContentError(f"valuesets/{name}", "(file)", "is missing", "Run `bonecds import-terminology`.")
    return read(texts)


@lru_cache(maxsize=1)
def notices() -> Mapping[str, str]:
    """The terms of every licence named in the value sets: the sections of NOTICE.md, each paragraph on one line."""
    text = resources.files("cds_service.clinical").joinpath("valuesets", NOTICE).read_text(encoding="utf-8")
    _, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    told = (re.match(r"`([^`]+)`\n(.*)", section, re.DOTALL) for section in sections)
    return {each[1]: _one_line_each(each[2]) for each in told if each}


def _one_line_each(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def read(texts: Mapping[str, str]) -> Terminology:
    """The value sets in those CSV texts, by file name.

    Raises:
        ContentError: a column, value or row is wrong, or a row stands twice.
    """
    digest = hashlib.sha256()
    rows: dict[tuple[str, str, str], Entry] = {}
    for name, text in texts.items():
        digest.update(f"{name}\n{text}".encode())
        for line, row in _rows(f"valuesets/{name}", text):
            if rows.setdefault((row.concept, row.system, row.code), row) is not row:
                raise ContentError(f"valuesets/{name}", f"line {line}", f"{row.code} has {row.concept} twice")
    return Terminology.from_rows(rows.values(), digest.hexdigest()[:12])


def _listed(index: str) -> Mapping[str, bool]:
    content = strict_toml.load(index, f"valuesets/{INDEX}", INDEX_SCHEMA)
    return {file["name"]: file["optional"] for file in content["file"]}


def _rows(file: str, text: str) -> Iterator[tuple[int, Entry]]:
    reader = csv.reader(io.StringIO(text))
    if tuple(next(reader, ())) != COLUMNS:
        raise ContentError(file, "line 1", "has other columns", f"They are: {', '.join(COLUMNS)}.")
    for cells in reader:
        if len(cells) != len(COLUMNS):
            raise ContentError(file, f"line {reader.line_num}", f"has {len(cells)} cells, not {len(COLUMNS)}")
        yield reader.line_num, _entry(file, reader.line_num, cells)


def _entry(file: str, line: int, cells: list[str]) -> Entry:
    concept, system, code, display, match, ingredient, strength, per, form, route_class, unit, licence, edition = cells
    for column, value in (("system", system), ("match", match), ("per", per), ("route_class", route_class)):
        if value not in _ALLOWED[column]:
            raise ContentError(file, f"line {line}", f"{column} may not be {value!r}")
    if not concept or not code or code != code.strip():
        raise ContentError(file, f"line {line}", "concept or code is empty or has blanks around it")
    try:
        mg = Decimal(strength) if strength else None
    except InvalidOperation:
        raise ContentError(file, f"line {line}", f"strength_mg is not a number: {strength!r}") from None
    if (mg is None) != (not per) or (mg is not None and mg <= 0):
        raise ContentError(file, f"line {line}", "strength_mg and per go together, and a strength is above 0")
    return Entry(concept, system, code, display, match, ingredient, mg, per, form, route_class, unit, licence, edition)
