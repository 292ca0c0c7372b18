"""The words of the cards, from `texts/<language>.toml`, checked when they are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from cds_service.cards.escape import markdown
from cds_service.formats import strict_toml
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.errors import ContentError
from cds_service.kernel.facts import Evidence, Gap
from cds_service.kernel.quantities import plain
from cds_service.kernel.truth import Truth

_STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
_TABLES = ("blocks", "evidence", "criteria", "gaps", "names", "strength", "check", "silent", "unread", "explain")
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": [*_TABLES, "topics", "rules", "override", "population"],
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
                "properties": {"code": {"type": "string"}, "display": {"type": "string"}},
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
                },
            },
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
    """A card's subject: `code` stays the same for ever, so that an override sticks (Epic)."""

    code: str
    title: str
    order: int
    absorbed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleText:
    """The words of one rule, as templates over its values."""

    summary: Template
    options: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Texts:
    """All words of one language."""

    file: str
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
    override: tuple[tuple[str, str], ...]
    population: frozenset[str]
    topics: Mapping[str, Topic]
    rules: Mapping[str, RuleText]

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

    def truth(self, truth: Truth) -> str:
        """Yes, no, unknown."""
        return self.blocks[truth.value]


class _Absent(StrictUndefined):
    """A value no rule computed: `if` may ask for it, printing it is an error."""

    def __bool__(self) -> bool:  # type: ignore[override]
        return False


def load(text: str, file: str) -> Texts:
    """Read a text file.

    Raises:
        ContentError: a key is missing or unknown, or a template is not one.
    """
    content = strict_toml.load(text, file, _SCHEMA)
    environment = SandboxedEnvironment(undefined=_Absent, autoescape=False)
    return Texts(
        file,
        **{key: content[key] for key in _TABLES},
        override=tuple((each["code"], each["display"]) for each in content["override"]),
        population=frozenset(content["population"]),
        topics={
            name: Topic(each["code"], each["title"], each["order"], tuple(each.get("absorbed_by", ())))
            for name, each in content["topics"].items()
        },
        rules={
            ident: RuleText(
                _template(environment, file, f"rules.{ident}.summary", each["summary"]),
                tuple(_template(environment, file, f"rules.{ident}.options", line) for line in each["options"]),
            )
            for ident, each in content["rules"].items()
        },
    )


def _template(environment: SandboxedEnvironment, file: str, key: str, source: str) -> Template:
    try:
        return environment.from_string(source)
    except TemplateError as problem:
        raise ContentError(file, key, f"not a template: {problem}") from None
