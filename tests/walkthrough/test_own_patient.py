"""From the README to the cards of a patient of one's own: its lines, typed as they stand, and nothing else."""

from __future__ import annotations

import re

from tests.packaging.repository import ROOT
from tests.walkthrough import documents
from tests.walkthrough.checkout import Checkout

SECTION = "### A patient of your own"


def _steps() -> list[str]:
    """The lines under the heading."""
    text = (ROOT / "README.md").read_text("utf-8").splitlines()
    start = text.index(SECTION) + 1
    end = next(number for number, line in enumerate(text[start:], start + 1) if re.match(r"#{2,3} ", line))
    return [line.text for line in documents.shell_lines("README.md") if start < line.number < end]


def test_the_readme_needs_two_lines_for_a_patient_of_ones_own() -> None:
    assert ["client" in line for line in _steps()] == [True, False]
    assert all("my-bundle.json" in line for line in _steps())


def test_the_first_shows_the_cards_and_that_the_answer_conforms(copy: Checkout, demo: str) -> None:
    call, _ = _steps()
    done = copy.type(call, demo)

    assert done.status == 0, done.output
    assert re.search(r"Prednisolone 15 mg/day since 2026-01-05: no DXA or FRAX found\.", done.output), done.output
    assert "conforms to CDS Hooks 2.0.1" in done.output


def test_the_second_says_why(copy: Checkout) -> None:
    _, why = _steps()
    done = copy.type(why)

    assert done.status == 0, done.output
    assert re.search(r"GC-01\S* .*recommend", done.output, re.IGNORECASE), done.output


def test_another_day_is_set_as_the_readme_says(copy: Checkout) -> None:
    """The line in words: it starts the demo, and the day is another one."""
    (line,) = re.findall(r"`(DEMO_AS_OF=\S+ make demo)`", (ROOT / "README.md").read_text("utf-8"))
    call, _ = _steps()
    with copy.running(line) as address:
        done = copy.type(call, address)

    assert done.status == 0, done.output
    assert "no DXA or FRAX found" in done.output
