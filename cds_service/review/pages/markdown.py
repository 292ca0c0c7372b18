"""GitHub-flavoured Markdown that also reads well as plain text: tables, lists, links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_MANY = 12
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


def page(title: str, *parts: str) -> str:
    """A whole page: heading, then what is not empty."""
    return "\n\n".join([f"# {title}", *(part for part in parts if part)]) + "\n"


def section(title: str, *parts: str) -> str:
    """A second-level section; nothing when there is nothing to say."""
    said = [part for part in parts if part]
    return "\n\n".join([f"## {title}", *said]) if said else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; nothing when it has no rows."""
    lines = [_row(row) for row in rows]
    return "\n".join([_row(head), "|" + "---|" * len(head), *lines]) if lines else ""


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """A table of names and what they stand for, without those that stand for nothing."""
    return table(("", ""), [(f"**{name}**", value) for name, value in rows if value])


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def quote(text: str) -> str:
    """The text as a quotation."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def link(words: str, target: str) -> str:
    """A link."""
    return f"[{words}]({target})"


def rule_links(rules: Sequence[str], up: str = "") -> str:
    """Links to the pages of rules; only their number where they are many."""
    if len(rules) > _MANY:
        return f"{len(rules)} rules"
    return ", ".join(link(each, f"{up}rules/{each}.md") for each in rules)


def anchor(heading: str) -> str:
    """The fragment under which GitHub finds a heading."""
    return _NOT_IN_ANCHORS.sub("", heading.lower()).replace(" ", "-")


def plain(text: str) -> str:
    """Words that are not ours, such as display names: no HTML begins in them."""
    return text.replace("<", "&lt;")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return "<br>".join(part.strip() for part in text.replace("|", "\\|").splitlines())
