"""Row H6: whom the page must not keep out. Keyboard, 400 % zoom, large text, and what axe-core finds."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.actions import cards, choose_drug, dose, opened, panel, shown_json, summaries
from tests.browser.conftest import ARGUMENTS, AXE, chromium, missing, watched
from tests.support.served import Served


def serious(page: Page) -> list[str]:
    """What axe-core finds on the page as it is, at WCAG 2.2 A and AA."""
    if not AXE.is_file():
        missing("axe-core is not installed (npm ci --prefix tests/browser)")
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        """async () => (await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
        "best-practice"] })).violations"""
    )
    return [
        f"{each['id']} ({each['impact']}): {node['target']} {node['failureSummary'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"][:3]
    ]


def test_h6_axe_finds_nothing_serious_on_any_part_of_the_page(page: Page, service: Served) -> None:
    opened(page, service.url)
    panel(page, "Look-ups")
    page.get_by_text("What if? Which rule turns on where").click()
    expect(page.locator("#rule-map img")).to_be_visible()
    page.get_by_label("Drug", exact=True).fill("prednisone")
    expect(page.locator("#drug-list > li").first).to_be_visible()
    found = serious(page)
    expect(cards(page, "#order-cards")).not_to_have_count(0)
    cards(page).first.get_by_role("button", name="Dismiss…").click()
    page.get_by_role("button", name="Order 25-OH vitamin D").click()
    panel(page, "Why")
    found += serious(page)

    assert found == []


def test_h6_axe_finds_nothing_serious_on_a_phone_or_in_the_dialog(page: Page, service: Served) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, service.url)
    panel(page, "curl")
    found = serious(page)
    page.get_by_text("Patients", exact=True).click()
    page.get_by_role("button", name="Use your own record").click()
    found += serious(page)

    assert found == []


def test_h6_everything_can_be_done_with_the_keyboard_alone(page: Page, service: Served) -> None:
    opened(page, service.url, "ms-screening-by-age")
    keys = page.keyboard

    def tab_to(words: str) -> None:
        for _ in range(120):
            keys.press("Tab")
            name = page.evaluate(
                """() => { const at = document.activeElement; return [at.getAttribute("aria-label"), at.labels?.[0]?.textContent,
                at.localName === "select" ? "" : at.textContent, at.id].filter(Boolean).join(" | "); }"""
            )
            if words in name:
                # and it can be seen where one is
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
                return
        raise AssertionError(f"the keyboard does not reach {words!r}")

    keys.press("Tab")
    keys.press("Enter")  # the skip link
    assert page.evaluate("document.activeElement.id") == "main"
    tab_to("Order DXA")
    keys.press("Enter")
    expect(page.locator(".order .tag")).to_have_text("Draft")
    tab_to("Dismiss")
    keys.press("Enter")
    keys.press("ArrowDown")
    tab_to("Dismiss card")
    keys.press("Enter")
    expect(page.locator("#cards .note").last).to_contain_text("Dismissed")
    tab_to("Drug")
    keys.type("prednisone 20")
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.get_by_label("Drug", exact=True)).to_have_value("prednisone 20 MG Oral Tablet")
    tab_to("Dose")
    keys.type("20")
    tab_to("For")
    keys.type("180")
    tab_to("Sign order")
    keys.press("Enter")
    expect(page.locator(".order .tag").last).to_have_text("Signed")
    tab_to("Request")
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    expect(page.get_by_role("tab", name="Why")).to_have_attribute("aria-selected", "true")
    assert page.evaluate("document.activeElement.id") == "tab-why"


@pytest.mark.parametrize(("width", "height"), [(320, 225), (390, 844)], ids=["400-percent-of-1280", "phone"])
def test_h6_at_400_percent_everything_is_there_and_nothing_scrolls_sideways(
    browser: Browser, service: Served, width: int, height: int
) -> None:
    """A window of 1280 by 900 at 400 % has the room of 320 by 225 (WCAG 1.4.10)."""
    context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=2)
    page = context.new_page()
    trouble = watched(page)
    opened(page, service.url, "gc-very-high-risk-untreated")
    for name in ("Request", "Why", "Look-ups", "curl"):
        panel(page, name)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    page.get_by_text("Patients", exact=True).click()
    page.get_by_role("button", name=re.compile("Rolf")).click()
    expect(page.get_by_role("heading", level=2)).to_contain_text("Rolf Testmann")
    choose_drug(page, "prednisone 20", "prednisone 20 MG Oral Tablet")
    dose(page, "20", "6", "months")
    page.get_by_role("button", name="Sign order").click()
    expect(page.locator("#order-said")).not_to_be_empty()

    outside = page.evaluate(
        """width => [...document.querySelectorAll("button, input, select, h1, h2, h3, h4, p, td")].filter((each) => {
          const box = each.getBoundingClientRect();
          return box.width && !each.closest(".visually-hidden, pre, .skip") && !each.classList.contains("visually-hidden")
            && (box.right > width + 1 || box.left < -1);
        }).map((each) => each.outerHTML.slice(0, 80))""",
        width,
    )
    assert outside == []
    assert trouble == []
    context.close()


def test_h6_larger_text_alone_breaks_nothing(browser: Browser, service: Served) -> None:
    """Twice the font size, as people set it in their browser."""
    large = browser.browser_type.launch(
        executable_path=chromium(), args=[*ARGUMENTS, "--blink-settings=defaultFontSize=32"]
    )
    page = opened(large.new_page(viewport={"width": 1280, "height": 900}), service.url)

    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 1280
    large.close()


def test_h6_what_changes_is_said_to_those_who_do_not_see_it(page: Page, service: Served) -> None:
    opened(page, service.url)

    said = page.get_by_role("status").filter(has_text="patient-view: 2 cards")
    expect(said).to_have_count(1)
    page.get_by_label("Guidelines").select_option(label="United Kingdom")
    expect(cards(page).first.locator(".source")).to_contain_text("NOGG")
    expect(page.get_by_role("status").filter(has_text="patient-view:")).to_have_count(1)
    assert summaries(page)
    assert shown_json(page, "Request")["hook"] == "patient-view"
