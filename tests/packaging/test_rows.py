"""Every row of the rule book is a rule or says why it is not; `rows.toml` is the list of rows."""

from __future__ import annotations

import re

import pytest

from cds_service.clinical.rows import not_computed, row_of, rows
from hooks.patient_view import SERVICE
from tests.packaging.repository import ROOT

# The rule book itself is not in the checkout.
RULE_BOOK = ROOT.parent / "shared" / "reference" / "clinical.md"
_ROW = re.compile(r"^\| ((?:GC|SCR|DX|TX|SAF|VD|MS|LAB|LIF|MON)-\d+[a-z]?) \|", re.MULTILINE)
COMPUTED = {row_of(rule.id) for rule in SERVICE.rules}


def test_the_rows_are_those_of_the_rule_book_in_its_order() -> None:
    if not RULE_BOOK.is_file():
        pytest.skip(f"NOT COMPARED: there is no {RULE_BOOK}; rows.toml was not checked against the rule book")

    assert [row for row in rows() if row.partition("-")[0] != "D20"] == _ROW.findall(
        RULE_BOOK.read_text(encoding="utf-8")
    )


def test_every_rule_belongs_to_a_row() -> None:
    assert sorted(COMPUTED - set(rows())) == []


def test_every_row_is_a_rule_or_says_why_not() -> None:
    assert [row for row in rows() if row not in COMPUTED and row not in not_computed()] == []


def test_no_row_is_both_a_rule_and_not_computed() -> None:
    assert sorted(COMPUTED & set(not_computed())) == []


def test_what_is_not_computed_is_a_row() -> None:
    assert sorted(set(not_computed()) - set(rows())) == []
