"""`/docs` and `/admin`: pages without any script, for whoever connects an EHR and for whoever reads reports (rows H1 and H6).

Console errors, dialogs and requests to other hosts fail each of these tests, as all that use `page`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_h6_barriers import serious
from tests.support.reported import Reported

Show: TypeAlias = Callable[[Page], Page]
REPORT = "Calls, cards and what became of them"


@pytest.fixture
def context(browser: Browser, filled: Reported) -> Iterator[BrowserContext]:
    """Of somebody who knows the password."""
    known = {"username": "lead", "password": filled.password}
    made = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", http_credentials=known)
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture(params=["docs", "report", "report-of-nothing"])
def show(request: pytest.FixtureRequest, filled: Reported) -> Show:
    """Opens the page, and all that can be opened on it."""
    address, heading = {
        "docs": (f"{filled.served.url}/docs", "Bone Health CDS"),
        "report": (filled.url, REPORT),
        "report-of-nothing": (f"{filled.url}&client=nobody", REPORT),
    }[request.param]

    def open_it(page: Page) -> Page:
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        for each in page.locator("summary").all()[:6]:
            each.click()
        return page

    return open_it


def without_policy(page: Page) -> None:
    """axe is a script, and the policy of these pages lets none run."""
    page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})


@pytest.mark.parametrize("width", [1280, 320])
def test_h6_axe_finds_nothing_serious_on_a_page_to_read(page: Page, show: Show, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    without_policy(page)

    assert serious(show(page)) == []


def test_h6_axe_finds_nothing_serious_where_a_report_is_refused(page: Page, filled: Reported) -> None:
    without_policy(page)
    # as it is answered with 400, which a browser writes on the console
    answer = page.request.get(f"{filled.served.url}/admin?from=2026-02-02&to=2026-01-01")
    page.set_content(answer.text())

    assert answer.status == 400
    expect(page.get_by_role("heading", level=1)).to_have_text("The report is not shown")
    assert serious(page) == []


def test_h6_at_400_percent_a_page_to_read_does_not_scroll_sideways(page: Page, show: Show) -> None:
    page.set_viewport_size({"width": 320, "height": 256})
    show(page)

    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320
    # what is wider scrolls in a box of its own, and is not cut off
    outside = page.evaluate(
        """[...document.querySelectorAll("h1, h2, h3, p, a, td, th, label, input, button, summary, svg")].filter((each) => {
          const box = each.getBoundingClientRect();
          return box.width && !each.closest(".words") && (box.right > 321 || box.left < -1);
        }).map((each) => each.outerHTML.slice(0, 80))"""
    )
    assert outside == []


def tab_to(page: Page, words: str) -> None:
    """Press Tab until that has the focus, and see that it shows."""
    for _ in range(400):
        page.keyboard.press("Tab")
        if words in page.evaluate(
            """() => { const at = document.activeElement;
            return at === document.body ? "" :
              [at.getAttribute("aria-label"), at.labels?.[0]?.textContent, at.textContent].join(" | "); }"""
        ):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError(f"the keyboard does not reach {words!r}")


def test_h6_the_interface_is_read_with_the_keyboard_alone(page: Page, filled: Reported) -> None:
    page.goto(f"{filled.served.url}/docs")
    tab_to(page, "Schemas")
    page.keyboard.press("Enter")
    # the address has led to the schemas, and Tab goes on from there
    expect(page).to_have_url(f"{filled.served.url}/docs#schemas")
    tab_to(page, "JSON Schema")
    page.keyboard.press("Enter")

    expect(page.locator("details[open] pre")).to_be_visible()


def test_h6_a_report_is_asked_for_and_read_with_the_keyboard_alone(page: Page, filled: Reported) -> None:
    page.goto(filled.url)
    tab_to(page, "Client")
    page.keyboard.type("nobody")
    tab_to(page, "Show")
    page.keyboard.press("Enter")
    expect(page.locator("header > p")).to_contain_text("nobody")

    page.goto(filled.url)
    tab_to(page, "As a table")
    page.keyboard.press("Enter")
    expect(page.locator("details[open]").get_by_role("row").filter(has_text="2026-03")).to_be_visible()


def test_h6_a_table_that_is_too_wide_is_scrolled_with_the_keyboard_alone(page: Page, filled: Reported) -> None:
    page.set_viewport_size({"width": 320, "height": 400})
    page.goto(filled.url)
    tab_to(page, "By rule")
    page.keyboard.press("ArrowRight")

    page.wait_for_function("document.activeElement.scrollLeft > 0")


def test_h1_a_script_written_into_a_page_to_read_does_not_run(page: Page, filled: Reported) -> None:
    """The name of the client comes back on the page, as text."""
    page.goto(f"{filled.url}&client=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")

    expect(page.locator("header > p")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("img").count() == 0
