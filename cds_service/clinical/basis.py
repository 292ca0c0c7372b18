"""What a rule rests on, as a hash: any change to it leaves a sign-off behind.

It is found from the code of the rule: the functions it can reach inside `clinical/` (`reach.py`: facts and other rules that
it asks included), the numbers, codes, units and words that these name. Layout and comments do not count. The kernel below
is not part of it: it knows no medicine, and its own tests hold it.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from types import CodeType, FunctionType
from typing import Any

from cds_service.clinical import content
from cds_service.clinical.reach import constants_in, name_of, reachable, words_in
from cds_service.clinical.signoffs import SignOff
from cds_service.clinical.terminology import terminology
from cds_service.formats import strict_toml
from cds_service.kernel.rules import Rule, Status

_LAYOUT = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT})
# a concept of the value sets, or the beginning of one ("cond.mi", "comed.", "therapy.")
_CONCEPT = re.compile(r"[a-z_]+\.[A-Za-z0-9_.]*")
_MEASURES = "cds_service.clinical.measurements.analytes"


def valid(rule: Rule, signatures: Iterable[SignOff]) -> SignOff | None:
    """The newest signature that still fits the rule as it is; `None` when there is none."""
    own = [each for each in signatures if each.rule == rule.id]
    fitting = [each for each in own if each.content == content_hash(rule)]
    return max(fitting, key=lambda each: each.on, default=None)


def status(rule: Rule, signatures: Iterable[SignOff]) -> str:
    """What a reader is told: "preview", "stable" (signed as it is) or "unsigned"."""
    if rule.status is Status.PREVIEW:
        return "preview"
    return "stable" if valid(rule, signatures) else "unsigned"


@lru_cache(maxsize=512)
def content_hash(rule: Rule) -> str:
    """Hash of everything the rule's answer and words rest on."""
    return hashlib.sha256(json.dumps(Basis(rule).as_json, sort_keys=True).encode()).hexdigest()


class Basis:
    """What one rule rests on: sources by name, and the numbers, codes and words that these name."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        reached = tuple(reachable(rule))
        self.functions = dict(sorted(_sources(reached)))
        self.constants = sorted({pair for each in reached for pair in constants_in(each)})
        self.named = frozenset().union(rule.sets, *(words_in(each) for each in reached))

    @cached_property
    def as_json(self) -> dict[str, Any]:
        """The basis as plain data."""
        rule = self.rule
        declared = [rule.id, rule.name, rule.version, list(rule.sets), rule.kind.value, rule.status.value, rule.check,
                    rule.strength, rule.card, rule.source, rule.critical_because]  # fmt: skip
        return {
            "declared": declared,
            "functions": self.functions,
            "constants": self.constants,
            "numbers": sorted(self._numbers()),
            "codes": sorted(self._codes()),
            "units": content.read("analytes.toml") if _MEASURES in self.functions else "",
            "words": sorted(self._words()),
        }

    def _numbers(self) -> Iterator[str]:
        guidelines = {name.split(".")[0] for name in self.named}
        for value in content.all_thresholds():
            if value.key.split(".")[0] in guidelines:
                yield f"{value.key} {value.value} {value.unit} {value.since} {value.source.id} {value.where} {value.check}"

    def _codes(self) -> Iterator[str]:
        concepts = tuple(name for name in self.named if _CONCEPT.fullmatch(name))
        for row in terminology().rows():
            if row.concept.startswith(concepts):
                yield f"{row.concept} {row.system} {row.code} {row.match}"

    def _words(self) -> Iterator[str]:
        rule = self.rule
        wanted = {("rules", rule.id), ("topics", rule.card), ("strength", rule.strength)}
        for table, key, words in _texts():
            named = table == "criteria" and key in self.named
            if named or (table, key) in wanted or (table == "lines" and rule.id in key.split()):
                yield words


@lru_cache(maxsize=1)
def _texts() -> tuple[tuple[str, str, str], ...]:
    """Table, key and everything said of every text."""
    return tuple(
        (table, key, json.dumps([table, key, words], sort_keys=True, default=str))
        for file, text in content.text_files("en").items()
        for table, told in strict_toml.load(text, file, {"type": "object"}).items()
        if isinstance(told, Mapping)
        for key, words in told.items()
    )


def _sources(functions: Iterable[FunctionType]) -> Iterator[tuple[str, str]]:
    """Name and source of functions; of a class, where a method of it stands in no file (a dataclass makes some)."""
    for function in functions:
        if function.__code__.co_filename.endswith(".py"):
            yield name_of(function), _source(function.__code__)
            continue
        made_for = inspect.getmodule(function).__dict__.get(function.__qualname__.partition(".")[0])
        if isinstance(made_for, type):
            yield f"{made_for.__module__}.{made_for.__qualname__}", _source(made_for)


@lru_cache(maxsize=8192)
def _source(thing: CodeType | type) -> str:
    """The source, without comments and layout."""
    tokens = tokenize.generate_tokens(io.StringIO(inspect.getsource(thing)).readline)
    return "".join(each.string for each in tokens if each.type not in _LAYOUT)
