"""Orders: order-select while they are written, order-sign when they are signed, and what stands in the chart then."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from playwright.sync_api import Page, expect

from tests.browser.actions import cards, choose_drug, dose, in_words, opened, panel, shown_json, summaries
from tests.support.served import Served

NO_DXA = "ms-screening-by-age"
LONG_TERM = "Prednisone 20 mg/day ordered for over 90 days: no DXA or FRAX found."


def select_said(page: Page) -> None:
    expect(page.locator("#order-said")).to_contain_text("order-select:")


def test_prednisone_for_six_months_by_form(page: Page, service: Served) -> None:
    opened(page, service.url, NO_DXA)

    choose_drug(page, "predn 20 tab", "prednisone 20 MG Oral Tablet")
    dose(page, "20", "6", "months")

    expect(cards(page, "#order-cards").first).to_contain_text(LONG_TERM)
    sent = shown_json(page, "Request")
    (draft,) = (entry["resource"] for entry in sent["context"]["draftOrders"]["entry"])
    assert sent["hook"] == "order-select"
    assert sent["context"]["selections"] == [f"MedicationRequest/{draft['id']}"]
    assert draft["medicationCodeableConcept"]["coding"][0]["code"] == "312615"


def test_prednisone_for_six_months_in_words(page: Page, service: Served) -> None:
    opened(page, service.url, NO_DXA)

    in_words(page, "prednisone", "20 mg by mouth once daily for 6 months")

    expect(cards(page, "#order-cards").first).to_contain_text(LONG_TERM)


def test_a_taper_is_added_up_over_its_steps(page: Page, service: Served) -> None:
    opened(page, service.url, NO_DXA)
    choose_drug(page, "prednisone 10", "prednisone 10 MG Oral Tablet")
    dose(page, "30", "4", "weeks")
    page.get_by_role("button", name="Add a taper step").click()
    dose(page, "20", "4", "weeks", step=1)
    page.get_by_role("button", name="Add a taper step").click()
    dose(page, "10", "60", "days", step=2)

    # 28 days of 30, 28 of 20 and 60 of 10
    expect(page.locator("#order-cards")).to_contain_text("2000 mg prednisolone-equivalent")


def test_an_order_is_looked_at_while_it_is_written_but_not_at_every_key(page: Page, service: Served) -> None:
    opened(page, service.url, NO_DXA)
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url) if request.url.endswith("/api/call") else None)

    page.get_by_label("Drug", exact=True).press_sequentially("prednisone", delay=20)
    select_said(page)

    assert len(calls) < len("prednisone") / 2


def test_signing_asks_the_service_and_the_order_stands_in_the_chart(page: Page, service: Served) -> None:
    opened(page, service.url, NO_DXA)
    choose_drug(page, "prednisone 20", "prednisone 20 MG Oral Tablet")
    dose(page, "20", "6", "months")
    select_said(page)

    page.get_by_role("button", name="Sign order").click()

    order = page.locator(".order")
    expect(order).to_contain_text("prednisone 20 MG Oral Tablet")
    expect(order).to_contain_text("20 mg once a day for 6 months")
    expect(order.locator(".tag")).to_have_text("Signed")
    expect(page.get_by_label("Drug", exact=True)).to_have_value("")
    assert shown_json(page, "Request")["hook"] == "order-sign"


def test_a_signed_order_is_part_of_the_record_from_then_on(page: Page, service: Served) -> None:
    opened(page, service.url, NO_DXA)
    choose_drug(page, "prednisone 20", "prednisone 20 MG Oral Tablet")
    dose(page, "20", "6", "months")
    page.get_by_role("button", name="Sign order").click()
    expect(page.locator(".order")).to_be_visible()

    page.get_by_label("As of").fill("2026-10-15")

    expect(page.locator("#cards")).to_contain_text("Prednisone 20 mg/day since 2026-06-15")
    found = shown_json(page, "Request")["prefetch"]["medicationRequests"]["entry"]
    assert [entry["resource"]["status"] for entry in found] == ["active"]


def test_a_critical_card_stops_the_signing_until_the_user_decides(page: Page, service: Served) -> None:
    opened(page, service.url, "order-denosumab-low-calcium")
    select_said(page)
    expect(cards(page, "#order-cards").first.locator(".word")).to_have_text("Critical")

    page.get_by_role("button", name="Sign order").click()
    expect(page.locator(".decide")).to_contain_text("denosumab is not signed yet.")
    expect(page.locator(".order")).to_have_count(0)

    page.get_by_role("button", name="Sign anyway").click()
    expect(page.locator(".order .tag")).to_have_text("Signed")


def test_a_change_that_is_suggested_is_put_into_the_form(page: Page, service: Served) -> None:
    opened(page, service.url, "order-alendronate-daily-by-mistake")
    select_said(page)

    page.locator("#order-cards").get_by_role("button", name="Make it once a week").click()

    expect(page.locator("[name=freq-0]")).to_have_value("qw")
    expect(page.locator("#order-cards")).not_to_contain_text("Make it once a week")


def test_an_accepted_draft_is_in_the_basket_of_the_next_order(page: Page, service: Served) -> None:
    opened(page, service.url, NO_DXA)
    page.get_by_role("button", name="Order DXA").click()

    in_words(page, "prednisone", "20 mg by mouth once daily for 6 months")
    select_said(page)
    expect(cards(page, "#order-cards")).not_to_have_count(0)

    kinds = [e["resource"]["resourceType"] for e in shown_json(page, "Request")["context"]["draftOrders"]["entry"]]
    assert kinds == ["MedicationRequest", "ServiceRequest"]


def test_every_steroid_and_bone_drug_is_found_by_name(page: Page, service: Served) -> None:
    opened(page, service.url)
    for typed, shown in (
        ("dexameth 4", "dexamethasone 4 MG Oral Tablet"),
        ("zoledron", "100 ML zoledronic acid"),
        ("romoso", "romosozumab"),
    ):
        page.get_by_label("Drug", exact=True).fill(typed)
        expect(page.get_by_role("option").filter(has_text=shown).first).to_be_visible()


@pytest.mark.parametrize("patient", ["gc-assessment-due", "order-steroid-taper-in-words"])
def test_the_curl_line_works_when_it_is_pasted(page: Page, service: Served, patient: str) -> None:
    opened(page, service.url, patient)
    if patient.startswith("order"):
        select_said(page)
    line = panel(page, "curl").locator("pre").inner_text()

    ran = subprocess.run(["sh"], input=line + "\n", capture_output=True, text=True, check=True, timeout=30)

    assert json.loads(ran.stdout) == shown_json(page, "Response")


def test_the_curl_line_carries_any_text_and_the_shell_reads_none_of_it(page: Page, service: Served) -> None:
    opened(page, service.url)
    evil = "'; echo stolen; $(echo stolen) `echo stolen` \\ \" \u202e \u001b[31m END-OF-CALL é"
    in_words(page, "prednisone", evil)
    select_said(page)
    line = panel(page, "curl").locator("pre").inner_text()

    ran = subprocess.run(["sh"], input=line + "\n", capture_output=True, text=True, check=True, timeout=30)

    assert line.isascii()
    assert "\u001b" not in line
    assert json.loads(ran.stdout)["cards"] == shown_json(page, "Response")["cards"]
    assert not re.search(r"^stolen", ran.stdout, re.MULTILINE)


def test_clearing_takes_the_order_and_its_cards_away(page: Page, service: Served) -> None:
    opened(page, service.url, "order-denosumab-low-calcium")
    select_said(page)

    page.get_by_role("button", name="Clear").click()

    assert summaries(page, "#order-cards") == []
    expect(page.get_by_label("Drug", exact=True)).to_have_value("")
    # and stays away for whoever opens the address
    page.reload()
    expect(page.locator("#cards-said")).to_contain_text("patient-view:")
    expect(page.get_by_label("Drug", exact=True)).to_have_value("")
