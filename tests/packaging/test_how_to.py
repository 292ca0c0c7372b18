"""The example of docs/how-to-add-a-rule.md is run, so it cannot fall behind the code."""

from __future__ import annotations

import datetime as dt
import re
from types import SimpleNamespace

import pytest

from cds_service.kernel.facts import Gap, GapKind, Known, Series
from cds_service.kernel.quantities import exactly
from cds_service.kernel.rules import Rule, Verdict, decide
from tests.packaging.repository import ROOT

HEADINGS = ("What it looks for:", "Why it matters:", "When it stays silent:", "Sources:")
ON_RECORD = SimpleNamespace(evidence=())
LOOKED_AND_FOUND_NONE: Series[object] = Series()
COULD_NOT_LOOK: Series[object] = Series(gaps=(Gap(GapKind.NOT_SUPPLIED, "vitaminD"),))


@pytest.fixture(scope="module")
def example() -> Rule:
    page = (ROOT / "docs" / "how-to-add-a-rule.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "how-to-add-a-rule.md", "exec"), names)  # noqa: S102  our own page
    (found,) = (value for value in names.values() if isinstance(value, Rule))
    return found


@pytest.mark.parametrize(
    ("vitamin_d", "expected"),
    [
        pytest.param(LOOKED_AND_FOUND_NONE, Verdict.RECOMMEND, id="looked and found none"),
        pytest.param(Series((ON_RECORD,)), Verdict.SATISFIED, id="a result on record"),
        pytest.param(COULD_NOT_LOOK, Verdict.CANNOT_TELL, id="results were not supplied"),
    ],
)
def test_s2_the_example_rule_answers_as_its_page_says(
    example: Rule, vitamin_d: Series[object], expected: Verdict
) -> None:
    from cds_service.clinical import content

    patient = SimpleNamespace(age=Known(exactly(44)), ms=Series((ON_RECORD,)), vitamin_d=vitamin_d)
    outcome = decide(example, patient, content.thresholds(dt.date(2026, 6, 15)))

    assert outcome.verdict == expected


def test_the_example_docstring_has_the_required_headings(example: Rule) -> None:
    assert all(heading in example.doc for heading in HEADINGS)


def test_files_named_by_the_documentation_exist() -> None:
    """`cds_service/...` and `docs/...` in the pages are files or folders one can open."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    named = {
        (page.name, name)
        for page in pages
        for name in re.findall(
            r"`((?:cds_service|docs|tests|hooks|fixtures)/[\w./-]*)`", page.read_text(encoding="utf-8")
        )
    }

    assert {pair for pair in named if not (ROOT / pair[1]).exists()} == set()
