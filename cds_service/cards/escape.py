"""Data from the record is never Markdown: one line, capped, every punctuation mark escaped (E1)."""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 120
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# A number, or a range, at the end of what is left: its unit was cut off, so it goes too (E2).
_BARE_NUMBER = re.compile(r"(?:^|(?<=[ (]))(?:[<>=~]* ?[-+]?\d[\d.,-]*(?: to(?: |$)|$))+$")


def plain_line(text: str, limit: int = MAX_LENGTH) -> str:
    """The text on one line, without control, format (zero width, right-to-left) and private characters."""
    kept = "".join(" " if unicodedata.category(c) in ("Zl", "Zp") or c in "\t\r\n" else c for c in text)
    kept = "".join(c for c in kept if unicodedata.category(c)[0] != "C")
    words = " ".join(kept.split())
    return words if len(words) <= limit else cut(words, limit)


def markdown(text: str) -> str:
    """The text as it reads, whatever Markdown or HTML it contains."""
    return _PUNCTUATION.sub(r"\\\1", plain_line(text))


def unescaped(text: str) -> str:
    """Escaped text as a terminal should show it."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


def cut(text: str, limit: int) -> str:
    """The text cut at a word, with an ellipsis, so that no number loses its sign, digits or unit."""
    if len(text) <= limit:
        return text
    head = _BARE_NUMBER.sub("", text[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:(-"))
    return f"{head.rstrip(' ,;:(-')}…"
