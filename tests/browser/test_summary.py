"""The one-page summary: on a screen, on a phone, at 400 % zoom, on paper, and without any script."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.actions import opened
from tests.browser.test_h6_barriers import serious
from tests.support.served import Served

WHO = "gc-very-high-risk-untreated"
# with several things due, with advice that is critical, with look-ups that fail, and with none of all
PEOPLE = (WHO, "plan-several-due", "vitamin-d-toxicity", "ms-screening-by-age")
_PAGES = re.compile(rb"/Type\s*/Page\b(?!s)")


def shown(page: Page, service: Served, patient: str = WHO) -> Page:
    page.goto(f"{service.url}/summary?patient={patient}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bone-health summary")
    return page


def test_the_page_shows_advice_and_pictures_and_each_picture_in_words(page: Page, service: Served) -> None:
    shown(page, service)

    expect(page.locator(".advice")).to_contain_text("Very high fracture risk")
    drawn = (
        "[...document.querySelectorAll('figure img')].filter((each) => each.complete && each.naturalWidth > 300).length"
    )
    assert page.evaluate(drawn) == 4
    page.get_by_text("The same in words").first.click()
    expect(page.get_by_role("row").filter(has_text="lumbar spine").first).to_be_visible()


@pytest.mark.parametrize("width", [1000, 390])
def test_h6_axe_finds_nothing_serious(page: Page, service: Served, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    # axe is a script, and the policy of the page lets none run
    cdp = page.context.new_cdp_session(page)
    cdp.send("Page.setBypassCSP", {"enabled": True})
    shown(page, service, "plan-several-due")
    page.get_by_text("The same in words").first.click()

    assert serious(page) == []


@pytest.mark.parametrize("patient", PEOPLE)
def test_h6_at_400_percent_nothing_has_to_be_scrolled_sideways(page: Page, service: Served, patient: str) -> None:
    page.set_viewport_size({"width": 320, "height": 256})
    shown(page, service, patient)
    for each in page.get_by_text("The same in words").all():
        each.click()

    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("patient", PEOPLE)
def test_it_prints_on_one_page_of_a4(page: Page, service: Served, patient: str) -> None:
    shown(page, service, patient)
    printed = page.pdf(prefer_css_page_size=True)

    assert len(_PAGES.findall(printed)) == 1


def test_the_sandbox_leads_to_the_page_of_its_chart(page: Page, service: Served) -> None:
    opened(page, service.url, WHO, profile="uk")
    page.get_by_label("Units").select_option(label="Conventional")
    with page.context.expect_page() as other:
        page.get_by_role("link", name="One-page summary").click()

    expect(other.value.locator("dl")).to_contain_text("United Kingdom")
    expect(other.value.locator("figcaption").nth(1)).to_have_text("25-OH vitamin D over time, ng/mL")


def test_the_list_leads_to_each_patient(page: Page, service: Served) -> None:
    page.goto(f"{service.url}/summary")
    page.get_by_role("link", name="plan-several-due").click()

    expect(page.locator("table.due")).to_contain_text("treatment review")
