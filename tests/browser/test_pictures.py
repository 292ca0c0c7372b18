"""The pictures of a chart, and the rule map that follows its sliders."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.actions import opened, panel
from tests.support.served import Served


def test_a_chart_has_its_pictures_and_each_has_the_same_in_words(page: Page, service: Served) -> None:
    opened(page, service.url, "gc-very-high-risk-untreated")

    figures = page.locator("#pictures figure")
    expect(figures).to_have_count(4)
    scores = figures.filter(has_text="T-scores over time")
    expect(scores.get_by_role("img")).to_have_attribute("alt", re.compile("lumbar spine, total hip"))
    scores.get_by_text("The same in words").click()
    expect(scores.get_by_role("row").filter(has_text="lumbar spine").first).to_be_visible()
    drawn = "[...document.querySelectorAll('#pictures img')].every((each) => each.complete && each.naturalWidth > 300)"
    assert page.evaluate(drawn)


def test_the_pictures_follow_the_units_and_the_look_ups(page: Page, service: Served) -> None:
    opened(page, service.url, "gc-very-high-risk-untreated")
    expect(page.locator("#pictures figcaption").nth(1)).to_have_text("25-OH vitamin D over time, ng/mL")

    page.get_by_label("Units").select_option(label="SI")
    expect(page.locator("#pictures figcaption").nth(1)).to_have_text("25-OH vitamin D over time, nmol/L")

    panel(page, "Look-ups").locator("[name=fail-boneDensity]").select_option(label="Failed (timeout)")
    expect(page.locator("#pictures figure").last).to_contain_text("failed")


def test_the_rule_map_shows_where_rules_turn_on_and_follows_a_slider(page: Page, service: Served) -> None:
    opened(page, service.url, "gc-very-high-risk-untreated")
    page.get_by_text("What if? Which rule turns on where").click()
    rule_map = page.locator("#rule-map figure")
    expect(rule_map).to_contain_text("GC-12a very high risk untreated")

    slider = page.locator("#sliders label", has_text="daily dose").get_by_role("slider")
    slider.fill("0")

    expect(page.locator("#sliders")).to_contain_text("daily dose: 0 mg prednisolone")
    expect(rule_map).not_to_contain_text("GC-12a")
    page.get_by_role("button", name="All as on record").click()
    expect(rule_map).to_contain_text("GC-12a very high risk untreated")


def test_another_quantity_is_varied_over_its_own_range(page: Page, service: Served) -> None:
    opened(page, service.url, "ms-screening-by-age")
    page.get_by_text("What if? Which rule turns on where").click()
    expect(page.locator("#rule-map figcaption")).to_have_text("Rules by age")

    page.get_by_label("Vary").select_option(label="EDSS")

    expect(page.locator("#rule-map figcaption")).to_have_text("Rules by EDSS")

    # nobody takes a glucocorticoid here, so a duration alone says nothing
    page.get_by_label("Vary").select_option(label="length of the glucocorticoid course")
    expect(page.locator("#rule-map")).to_contain_text("Hold a daily dose beside it.")
