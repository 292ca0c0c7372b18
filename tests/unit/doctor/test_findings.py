"""Every check says why it matters and where one can read on; the report shows that wherever something is to be done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cds_service.doctor import report
from cds_service.doctor.finding import CHECKS, KEYS, Check, Level
from cds_service.review.pages.markdown import anchor

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.id)
def test_every_check_leads_to_a_heading_that_is_there(check: Check) -> None:
    page, _, place = check.doc.partition("#")
    headings = re.findall(r"^#+ (.*)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert place in [anchor(each) for each in headings]
    assert check.why.endswith(".")


def test_every_check_is_described_on_the_page_of_the_doctor() -> None:
    page = (ROOT / "docs" / "doctor-and-client.md").read_text("utf-8")
    assert [name for name in CHECKS if f"`{name}`" not in page] == []


def test_what_is_well_takes_one_line() -> None:
    assert list(report.lines(KEYS.passed("RSA 2048", "north"))) == ["pass    keys [north]: RSA 2048"]


def test_what_is_not_well_says_why_what_to_do_and_where_to_read() -> None:
    assert list(report.lines(KEYS.failed("no key", "Publish one.", "north", ("keys.0 has no kid",)))) == [
        "fail    keys [north]: no key",
        "            keys.0 has no kid",
        f"        why: {KEYS.why}",
        "        fix: Publish one.",
        f"        see: {KEYS.doc}",
    ]


def test_what_was_not_looked_at_says_why() -> None:
    assert list(report.lines(KEYS.skipped("nobody is registered"))) == ["skipped keys: nobody is registered"]


def test_json_says_everything_of_every_finding() -> None:
    (found,) = report.as_json([KEYS.warned("two", "Take one out.", "north", ("a", "b"))])
    assert found == {
        "check": "keys",
        "level": "warn",
        "about": "north",
        "seen": "two",
        "details": ["a", "b"],
        "why": KEYS.why,
        "fix": "Take one out.",
        "doc": KEYS.doc,
    }


def test_words_of_others_bring_no_control_characters_to_the_terminal() -> None:
    shown = "\n".join(report.lines(KEYS.warned("a\x1b[2Jb", "c\x9bd", "e\nf", ("g\x07",))))
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown) is None


def test_an_address_is_never_broken_in_two() -> None:
    url = f"https://cds.example.org/{'a-' * 80}"
    assert any(url in line for line in report.lines(KEYS.failed(f"{url} cannot be fetched", "Check it.")))


def test_the_summary_counts_every_level() -> None:
    found = [KEYS.passed(""), KEYS.passed(""), KEYS.skipped("")]
    assert report.summary(found) == "2 pass, 0 warn, 0 fail, 1 skipped"
    assert [each.value for each in Level] == ["pass", "warn", "fail", "skipped"]
