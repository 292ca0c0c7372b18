"""The state of the page stands in its address, so that another person sees the same."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.actions import cards, choose_drug, dose, opened, panel, summaries
from tests.support.served import Served


def test_whoever_opens_the_address_sees_the_same(page: Page, context: BrowserContext, service: Served) -> None:
    opened(page, service.url, "ms-screening-by-age")
    page.get_by_label("Guidelines").select_option(label="Canada")
    page.get_by_label("Units").select_option(label="SI")
    page.get_by_label("As of").fill("2026-06-20")
    panel(page, "Look-ups").get_by_label("vitamin").select_option(label="Not supplied")
    choose_drug(page, "prednisone 20", "prednisone 20 MG Oral Tablet")
    dose(page, "20", "6", "months")
    expect(cards(page, "#order-cards").first).to_contain_text("20 mg/day")
    page.wait_for_load_state("networkidle")

    other = context.new_page()
    other.goto(page.url)
    expect(cards(other, "#order-cards").first).to_contain_text("20 mg/day")

    assert summaries(other) == summaries(page)
    assert summaries(other, "#order-cards") == summaries(page, "#order-cards")
    expect(other.get_by_label("Guidelines")).to_have_value("ca")
    expect(other.get_by_label("As of")).to_have_value("2026-06-20")
    expect(other.get_by_label("Drug", exact=True)).to_have_value("prednisone 20 MG Oral Tablet")
    assert other.url == page.url


def test_a_signing_that_waits_is_shared_too(page: Page, service: Served) -> None:
    opened(page, service.url, "order-denosumab-low-calcium", hook="order-sign")

    expect(page.locator(".decide")).to_contain_text("is not signed yet")


def test_the_way_back_leads_to_the_chart_before(page: Page, service: Served) -> None:
    opened(page, service.url)
    page.get_by_role("button", name="Benno Beispiel").click()
    expect(page.get_by_role("heading", level=2)).to_contain_text("Benno Beispiel")

    page.go_back()

    expect(page.get_by_role("heading", level=2)).to_contain_text("Petra Testperson")


def test_an_address_of_nonsense_opens_the_page_all_the_same(page: Page, service: Served) -> None:
    page.goto(
        f"{service.url}/sandbox#patient=nobody&profile=xx&as-of=soon&fail=a:b,c&order={{%22steps%22:7,%22name%22:[]}}&panel=<b>&hook=x"
    )

    expect(page.get_by_role("heading", level=2)).to_contain_text("Petra Testperson")
    expect(cards(page)).to_have_count(2)


def test_the_state_is_never_sent_to_a_server(page: Page, service: Served) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    opened(page, service.url, "vitamin-d-toxicity", profile="uk")

    assert [url for url in sent if "profile=uk" in url.partition("#")[0]] == []
