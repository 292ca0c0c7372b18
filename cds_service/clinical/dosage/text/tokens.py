"""A free-text instruction as one string in which every number is written in digits, ready for the phrases of `words`.

"One and a half tabs b.d." becomes "1.5 tabs bd", "5/7" becomes "5 days", "EIGHT (8)" becomes "8". A text that is too
long, or that holds something like a date, becomes nothing.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

LONGEST_TEXT: Final = 1000

_UNICODE = str.maketrans(
    {
        "\u00bd": " 1/2", "\u00bc": " 1/4", "\u00be": " 3/4", "\u2044": "/", "\u2010": "-", "\u2011": "-",
        "\u2012": "-", "\u2013": "-", "\u2014": " - ", "\u2212": "-", "\u00d7": "x", "\u00b5": "u", "\u03bc": "u",
        "\u00a0": " ", "\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\r": " ", "\n": " . ", "\t": " ",
        "[": "(", "]": ")", "*": " ",
    }
)  # fmt: skip
_SMALL = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "eighteen": 18,
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_TENS = r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
_UNITS = r"(?:one|two|three|four|five|six|seven|eight|nine)"
_COMPOUND = re.compile(rf"\b({_TENS})[ -]({_UNITS})\b")
_NUMBER_WORD = re.compile(rf"(?<![a-z])({'|'.join(sorted(_SMALL, key=len, reverse=True))})(?![a-z])")
_DOTTED = re.compile(r"(?<![a-z0-9.])(?:(?:[a-z]\.){2,}(?:[a-z](?![a-z]))?|[a-z]\.[a-z](?![a-z.]))")
# dates, a comma between digits, and "1.000", which is one or a thousand
_DATE = re.compile(r"\d\s*/\s*\d+\s*/\s*\d|\d{4}-\d\d|\d,\d|(?<![\d.])[1-9]\d{0,2}\.\d{3}(?!\d)")
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3}),(\d{3})(?![\d,])")
_FRACTION = r"(1/2|1/4|3/4)(?![\d/.])"
_MIXED = re.compile(rf"(?<![\d./])(\d+)(?: and | & | |-){_FRACTION}")
_PLAIN = re.compile(rf"(?<![\d./]){_FRACTION}")
_VALUE = {"1/2": "5", "1/4": "25", "3/4": "75"}
_AND_A_HALF = re.compile(r"(?<![\d./])(\d+) (?:and|&) (?:an? |1 )?half\b")
_AND_A_QUARTER = re.compile(r"(?<![\d./])(\d+) (?:and|&) (?:a |1 )quarter\b")
_QUARTERS = re.compile(r"(?<![\d./])3[ -]quarters?(?: of)?(?: an?)?\b")
_QUARTER = re.compile(r"\b(?:a |1[ -])?quarter(?: of)?(?: an?(?= ))?\b")
_HALF = re.compile(r"(?<![\d./])(?:\ban? |1[ -])?\bhalf(?:[ -]of)?(?: an?(?= )| the(?= )|-(?=[a-z]))?(?![a-z])")
_LATIN_LENGTH = re.compile(r"(?<![\d./])(\d{1,2})\s?/\s?(7|52|12)(?![\d/.])")
_LENGTH = {"7": "days", "52": "weeks", "12": "months"}
_SAID_TWICE = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)\s*\(\s*(\d+(?:\.\d+)?)\s*\)")
_ORDINALS = {"first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7"}
_ORDINAL = re.compile(rf"\b({'|'.join(_ORDINALS)})(?= day)|\b(\d)(?:st|nd|rd|th)(?= day)")


# "bidx10 days", "tidprnas needed": words that run into each other
_GLUED = re.compile(
    r"(?<![a-z])(daily|bid|tid|qid|bd|tds|qds|qd|od|bedtime|day|days|hs|prn)(?=(?:x ?\d|prn(?:[^a-z]|as |for |$)))"
)
_GLUED_PRN = re.compile(r"(?<![a-z])prn(?=(?:as needed|for)(?![a-z]))")


def normal(text: str) -> str | None:
    """The text in lower case with numbers in digits; `None` when it is too long or holds what looks like a date."""
    if len(text) > LONGEST_TEXT:
        return None
    line = text.translate(_UNICODE).lower()
    line = " ".join(line.split())
    line = _DOTTED.sub(lambda m: m[0].replace(".", "") + " ", line)
    line = _GLUED_PRN.sub("prn ", _GLUED.sub(r"\1 ", line))
    if any(ord(char) > 0x24F for char in line):
        return None
    line = _THOUSANDS.sub(r"\1\2", line)
    line = _COMPOUND.sub(lambda m: str(_SMALL[m[1]] + _SMALL[m[2]]), line)
    line = _NUMBER_WORD.sub(lambda m: str(_SMALL[m[1]]), line)
    if _DATE.search(line):
        return None
    return " ".join(_halves(line).split())


def _halves(line: str) -> str:
    """Fractions as decimals, UK lengths as days, weeks and months, and numbers said twice said once."""
    line = _MIXED.sub(lambda m: f"{m[1]}.{_VALUE[m[2]]}", line)
    line = _PLAIN.sub(lambda m: f"0.{_VALUE[m[1]]}", line)
    line = re.sub(r"(?<![\d./])(\d+) (?:and|&) 0\.(25|5|75)(?!\d)", r"\1.\2", line)
    line = _AND_A_HALF.sub(r"\1.5", line)
    line = _AND_A_QUARTER.sub(r"\1.25", line)
    line = _QUARTERS.sub("0.75 ", line)
    line = _QUARTER.sub("0.25 ", line)
    line = _HALF.sub("0.5 ", line)
    line = _LATIN_LENGTH.sub(lambda m: f"{m[1]} {_LENGTH[m[2]]}", line)
    line = _ORDINAL.sub(lambda m: f"#{_ORDINALS.get(m[1] or '', m[2])}#", line)
    return _SAID_TWICE.sub(lambda m: m[1] if Decimal(m[1]) == Decimal(m[2]) else m[0], line)
