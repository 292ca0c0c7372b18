"""The words of the cards, from the files of `texts/<language>/`, joined and checked when they are loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from cds_service.cards.escape import markdown
from cds_service.formats import strict_toml
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.errors import ContentError
from cds_service.kernel.facts import Evidence, Gap, GapKind
from cds_service.kernel.quantities import plain
from cds_service.kernel.truth import Truth

_STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
_TABLES = ("blocks", "evidence", "criteria", "gaps", "names", "strength", "check", "silent", "unread", "explain")
_REQUIRED = (*_TABLES, "topics", "rules", "override", "population")
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(_TABLES, _STRINGS),
        "population": {"type": "array", "items": {"type": "string"}},
        "override": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "display"],
                "additionalProperties": False,
                "properties": {
                    "code": {"type": "string"},
                    "display": {"type": "string"},
                    "topics": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                },
            },
        },
        "topics": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["code", "title", "order"],
                "additionalProperties": False,
                "properties": {
                    "code": {"type": "string", "pattern": "^[A-Za-z0-9]{1,100}$"},
                    "title": {"type": "string", "minLength": 1},
                    "order": {"type": "integer"},
                    "absorbed_by": {"type": "array", "items": {"type": "string"}},
                    "inside": {"type": "array", "items": {"type": "string"}},
                    "beside": {"type": "array", "items": {"type": "string"}},
                    "several": {"type": "string", "minLength": 1},
                },
            },
        },
        "lines": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
        },
        "rules": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["summary", "options"],
                "additionalProperties": False,
                "properties": {
                    "summary": {"type": "string", "minLength": 1},
                    "options": {"type": "array", "items": {"type": "string", "minLength": 1}},
                },
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class Topic:
    """A card's subject: `code` stays the same for ever, so that an override sticks (Epic).

    A topic `inside` others has no card: what its definitions add stands on the first of those cards that there is.
    `beside` names the kinds of orders beside which the card is given while orders are written.
    `several` is the summary when two or more rules recommend on the card: a template over `all` (the values of each of
    them), `n` (how many of them fit) and `names`.
    """

    code: str
    title: str
    order: int
    absorbed_by: tuple[str, ...]
    inside: tuple[str, ...] = ()
    several: Template | None = None
    beside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Override:
    """A reason to dismiss a card: stable code, the user's words, and the topics it is offered for; none for all."""

    code: str
    display: str
    topics: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RuleText:
    """The words of one rule, as templates over its values. What a definition adds to a card stands in `Texts.lines`."""

    summary: Template
    options: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Texts:
    """All words of one language."""

    blocks: Mapping[str, str]
    evidence: Mapping[str, str]
    criteria: Mapping[str, str]
    gaps: Mapping[str, str]
    names: Mapping[str, str]
    strength: Mapping[str, str]
    check: Mapping[str, str]
    silent: Mapping[str, str]
    unread: Mapping[str, str]
    explain: Mapping[str, str]
    override: tuple[Override, ...]
    population: frozenset[str]
    topics: Mapping[str, Topic]
    rules: Mapping[str, RuleText]
    lines: Mapping[str, tuple[Template, ...]]

    def of_evidence(self, shown: Evidence) -> str:
        """One piece of evidence in Markdown; only `note` may come from the record and is escaped."""
        pattern = self.evidence.get(shown.kind, "{value} {note} {on}")
        line = pattern.format(value=shown.value, on=shown.on or self.blocks["undated"], note=markdown(shown.note))
        return " ".join(line.replace("()", "").split())

    def of_criterion(self, criterion: Criterion) -> str:
        """The sentence of a criterion, with the number it was compared with."""
        pattern = self.criteria.get(criterion.key, criterion.key)
        limit = criterion.threshold
        number, unit = (plain(limit.value), self.unit(limit.unit)) if limit else ("", "")
        return " ".join(pattern.format(threshold=number, unit=unit).split())

    def unit(self, code: str) -> str:
        """A UCUM unit as people write it."""
        return self.names.get(f"unit:{code}", code)

    def of_gap(self, gap: Gap) -> str:
        """What is missing, by name (S3)."""
        name = self.names.get(gap.what, gap.what)
        return f"{name} ({markdown(gap.detail)})" if gap.detail else name

    def of_gaps(self, gaps: Iterable[Gap]) -> list[str]:
        """Gaps by reason, one line a reason, every one named (S3)."""
        by_kind: dict[GapKind, dict[str, None]] = {}
        for gap in gaps:
            by_kind.setdefault(gap.kind, {})[self.of_gap(gap)] = None
        return [f"{self.gaps[kind.value]}: {', '.join(names)}" for kind, names in by_kind.items()]

    def reasons_to_dismiss(self, topic: str) -> tuple[Override, ...]:
        """Why a card on that topic may be dismissed: its own reasons first."""
        own = [each for each in self.override if topic in each.topics]
        return (*own, *(each for each in self.override if not each.topics))

    def truth(self, truth: Truth) -> str:
        """Yes, no, unknown."""
        return self.blocks[truth.value]


class _Absent(StrictUndefined):
    """A value no rule computed: `if` may ask for it, printing it is an error."""

    def __bool__(self) -> bool:  # type: ignore[override]
        return False


def load(files: Mapping[str, str], wording: Iterable[tuple[str, str]] = ()) -> Texts:
    """Read the text files of one language.

    Args:
        files: TOML text by file name. A table may be spread over files; a key stands in one of them only.
        wording: texts of a site that replace ours: key ("rules.GC-01.summary", "blocks.product") and words.

    Raises:
        ContentError: a key is missing, unknown or there twice, or a template is not one.
    """
    content, origin = _joined(files)
    for key, words in wording:
        _reword(content, origin, key, words)
    environment = SandboxedEnvironment(undefined=_Absent, autoescape=False)
    return Texts(
        **{key: content[key] for key in _TABLES},
        override=_override(content),
        population=frozenset(content["population"]),
        topics={
            name: _topic(environment, origin["topics", name], name, each) for name, each in content["topics"].items()
        },
        rules={
            ident: RuleText(
                _template(environment, origin["rules", ident], f"rules.{ident}.summary", told["summary"]),
                tuple(
                    _template(environment, origin["rules", ident], f"rules.{ident}.options", line)
                    for line in told["options"]
                ),
            )
            for ident, told in content["rules"].items()
        },
        lines=_lines(environment, content.get("lines", {}), origin),
    )


def _override(content: Mapping[str, Any]) -> tuple[Override, ...]:
    reasons = tuple(
        Override(each["code"], each["display"], frozenset(each.get("topics", ()))) for each in content["override"]
    )
    for each in reasons:
        if unknown := each.topics - content["topics"].keys():
            what = f"there is no topic {min(unknown)!r}"
            raise ContentError("texts", f"override {each.code}", what, "Write the key of a topic.")
    return reasons


def _topic(environment: SandboxedEnvironment, file: str, name: str, told: Mapping[str, Any]) -> Topic:
    several = told.get("several")
    return Topic(
        told["code"],
        told["title"],
        told["order"],
        tuple(told.get("absorbed_by", ())),
        tuple(told.get("inside", ())),
        _template(environment, file, f"topics.{name}.several", several) if several else None,
        frozenset(told.get("beside", ())),
    )


def _lines(
    environment: SandboxedEnvironment, content: Mapping[str, list[str]], origin: Mapping[tuple[str, str], str]
) -> dict[str, tuple[Template, ...]]:
    """The lines of every definition; a key may name several of them, with spaces between."""
    found: dict[str, tuple[Template, ...]] = {}
    for key, told in content.items():
        lines = tuple(_template(environment, origin["lines", key], f"lines.{key}", line) for line in told)
        for ident in key.split():
            found[ident] = (*found.get(ident, ()), *lines)
    return found


def _joined(files: Mapping[str, str]) -> tuple[dict[str, Any], dict[tuple[str, str], str]]:
    """The tables of all files, and in which file each key stands."""
    content: dict[str, Any] = {}
    origin: dict[tuple[str, str], str] = {}
    for file, text in files.items():
        for table, told in strict_toml.load(text, file, _SCHEMA).items():
            if isinstance(told, list):
                content.setdefault(table, []).extend(told)
                continue
            own = content.setdefault(table, {})
            for key, value in told.items():
                if (table, key) in origin:
                    raise ContentError(file, f"{table}.{key}", "stands in another file as well", "Keep one of them.")
                origin[table, key] = file
                own[key] = value
    for table in _REQUIRED:
        if table not in content:
            raise ContentError(", ".join(files), table, "the table is in none of these files", "Add it to one of them.")
    return content, origin


def _reword(content: dict[str, Any], origin: dict[tuple[str, str], str], key: str, words: str) -> None:
    """Put a site's words in the place of ours; options of a rule are numbered from 0."""
    table, _, rest = key.partition(".")
    *path, last = rest.split(".")
    place = content.get(table)
    for step in path:
        place = place.get(step) if isinstance(place, dict) else None
    if isinstance(place, dict) and isinstance(place.get(last), str):
        place[last] = words
    elif isinstance(place, list) and last.isdecimal() and int(last) < len(place):
        place[int(last)] = words
    else:
        raise ContentError("profile", f"wording.{key}", "is no text of this language", "See texts/ for the keys.")
    if table == "rules":
        origin[table, path[0]] = f"profile, wording.{key}"


def _template(environment: SandboxedEnvironment, file: str, key: str, source: str) -> Template:
    try:
        return environment.from_string(source)
    except TemplateError as problem:
        raise ContentError(file, key, f"not a template: {problem}") from None
