"""What a person does on the sandbox page."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator, Page, expect

FIRST = "gc-assessment-due"


def opened(page: Page, url: str, patient: str = FIRST, **more: str) -> Page:
    """The page with that chart open, after the first answer."""
    state = "&".join(f"{name.replace('_', '-')}={value}" for name, value in {"patient": patient, **more}.items())
    page.goto("about:blank")
    page.goto(f"{url}/sandbox#{state}")
    expect(page.locator("#cards-said")).to_contain_text("patient-view:")
    return page


def cards(page: Page, place: str = "#cards") -> Locator:
    return page.locator(f"{place} .card")


def summaries(page: Page, place: str = "#cards") -> list[str]:
    return cards(page, place).locator("> h4").all_inner_texts()


def choose_drug(page: Page, typed: str, name: str) -> None:
    """Type a name and take an entry of the list."""
    page.get_by_label("Drug", exact=True).fill(typed)
    page.get_by_role("option", name=name).click()


def dose(page: Page, amount: str, length: str, period: str, often: str = "once a day", step: int = 0) -> None:
    """Fill one step of the form."""
    page.locator(f"[name=dose-{step}]").fill(amount)
    page.locator(f"[name=freq-{step}]").select_option(label=often)
    page.locator(f"[name=durUnit-{step}]").select_option(label=period)
    page.locator(f"[name=dur-{step}]").fill(length)


def in_words(page: Page, drug: str, directions: str) -> None:
    """An order in words: a name, and directions."""
    page.get_by_label("Drug", exact=True).fill(drug)
    page.keyboard.press("Tab")  # the list of products closes
    page.get_by_label("in words").check()
    page.get_by_label("Route").select_option(label="by mouth")
    page.get_by_label("Directions").fill(directions)


def panel(page: Page, name: str) -> Locator:
    """A tab of the developer panel, opened."""
    page.get_by_role("tab", name=name).click()
    return page.get_by_role("tabpanel", name=name)


def shown_json(page: Page, name: str) -> Any:
    """The JSON in a tab of the developer panel."""
    return json.loads(panel(page, name).locator("pre").inner_text())


def paste(page: Page, text: str) -> None:
    """A record of one's own."""
    page.get_by_role("button", name="Use your own record").click()
    page.get_by_label("Paste it here").fill(text)
    page.get_by_role("button", name="Open the record").click()
