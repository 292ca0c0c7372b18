"""A chart is opened, its cards are read, accepted and dismissed; profile, units, day and look-ups change what is said."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, expect

from tests.browser.actions import cards, opened, panel, paste, shown_json, summaries
from tests.support.golden import FOLDER, Scenario
from tests.support.served import Served


def expected(scenario: str) -> list[str]:
    return [card["summary"] for card in Scenario(FOLDER / scenario).json("cards.json")["cards"]]


def test_a_chart_shows_the_record_and_the_cards_of_the_service(page: Page, service: Served) -> None:
    opened(page, service.url, "gc-very-high-risk-untreated")

    expect(page.get_by_role("heading", level=2)).to_contain_text("Otto Beispiel 71 years, male")
    chart = page.get_by_role("region", name="Chart", exact=True)
    for words in ("Rheumatoid arthritis", "Prednisolone 5 mg tablets", "T-score −3.7", "2026-02-10", "34 ng/mL"):
        expect(chart).to_contain_text(words)
    assert summaries(page) == expected("gc-very-high-risk-untreated")
    expect(cards(page).first).to_contain_text("Fracture: hip, low trauma")


def test_every_indicator_has_a_word_and_a_shape_of_its_own(page: Page, service: Served) -> None:
    shapes = {}
    for patient, word in (
        ("gc-assessment-due", "Warning"),
        ("vitamin-d-toxicity", "Critical"),
        ("ms-screening-by-age", "Information"),
    ):
        first = cards(opened(page, service.url, patient)).first
        expect(first.locator(".word")).to_have_text(word)
        shapes[word] = first.locator(".outline").get_attribute("d")

    assert len(set(shapes.values())) == 3


def test_no_card_does_not_read_as_no_risk(page: Page, service: Served) -> None:
    opened(page, service.url, "nothing-to-say")

    expect(page.locator("#cards")).to_have_text(
        "No card. The service has no advice for this call. That is not the same as no risk."
    )


def test_a_patient_is_found_by_what_the_chart_shows(page: Page, service: Served) -> None:
    opened(page, service.url)

    page.get_by_label("Filter patients").fill("denosumab eight months")
    page.get_by_role("button", name=re.compile("Benno")).click()

    expect(page.get_by_role("heading", level=2)).to_contain_text("Benno Beispiel")
    assert page.get_by_role("navigation").get_by_role("listitem").count() == 1


def test_a_suggestion_that_is_accepted_becomes_a_draft_in_the_chart(page: Page, service: Served) -> None:
    opened(page, service.url)

    page.get_by_role("button", name="Order DXA with vertebral fracture assessment").click()

    order = page.locator(".order")
    expect(order).to_contain_text("DXA of hip and lumbar spine with vertebral fracture assessment")
    expect(order.locator(".tag")).to_have_text("Draft")
    (sent,) = shown_json(page, "Request")["feedback"]
    assert sent["outcome"] == "accepted"
    assert sent["card"] == cards(page).first.get_attribute("data-uuid")
    expect(cards(page).first.locator(".note")).to_contain_text("Accepted")


def test_a_draft_in_the_chart_can_be_signed_or_removed(page: Page, service: Served) -> None:
    opened(page, service.url)
    page.get_by_role("button", name="Order DXA with vertebral fracture assessment").click()
    page.get_by_role("button", name="Order 25-OH vitamin D").click()

    page.get_by_role("button", name="Remove 25-OH vitamin D").click()
    page.get_by_role("button", name=re.compile("^Sign DXA")).click()

    expect(page.locator(".order")).to_have_count(1)
    expect(page.locator("#order-said")).to_contain_text("Signed: DXA")
    expect(page.locator(".order .tag")).to_have_text("Signed")


def test_a_card_is_dismissed_with_a_reason_and_the_service_is_told(page: Page, service: Served) -> None:
    opened(page, service.url)
    card = cards(page).first

    card.get_by_role("button", name="Dismiss…").click()
    card.get_by_role("button", name="Dismiss card").click()  # without a reason it stays
    expect(card.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    card.get_by_label("Reason").select_option(label="Already done elsewhere")
    card.get_by_role("button", name="Dismiss card").click()

    expect(card).to_have_class(re.compile("dismissed"))
    expect(card.locator(".note")).to_contain_text("Dismissed: Already done elsewhere.")
    (sent,) = shown_json(page, "Request")["feedback"]
    assert sent["outcome"] == "overridden"
    assert sent["overrideReason"]["reason"]["code"] == "done-elsewhere"
    expect(panel(page, "Response")).to_contain_text("Status 200")
    expect(card.locator(".note")).to_contain_text("Feedback sent.")


def test_links_open_beside_the_page_and_tell_nothing_about_it(page: Page, service: Served) -> None:
    opened(page, service.url)

    link = cards(page).first.locator(".source a")
    assert link.get_attribute("href") == "https://doi.org/10.1002/art.42646"
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener noreferrer")


def test_a_look_up_that_fails_is_named_on_the_card_with_its_reason(page: Page, service: Served) -> None:
    opened(page, service.url, "ms-screening-by-age")
    assert "Consider DXA" in summaries(page)[0]

    panel(page, "Look-ups").get_by_label(re.compile("boneDensity")).select_option(label="Failed (timeout)")

    expect(page.locator("#cards")).to_contain_text("Look-up failed")
    expect(page.locator("#cards")).not_to_contain_text("no DXA found")
    assert shown_json(page, "Request")["prefetch"]["boneDensity"]["resourceType"] == "OperationOutcome"


def test_the_patient_whose_look_ups_failed_opens_so(page: Page, service: Served) -> None:
    assert summaries(opened(page, service.url, "dxa-look-up-failed")) == expected("dxa-look-up-failed")


def test_another_profile_says_it_after_its_own_guidelines(page: Page, service: Served) -> None:
    opened(page, service.url)

    page.get_by_label("Guidelines").select_option(label="United Kingdom")

    expect(cards(page).first.locator(".source")).to_contain_text("NOGG 2024")
    expect(page.locator("#cards")).not_to_contain_text("ACR 2022")


def test_other_units_show_the_value_in_them_beside_that_of_the_laboratory(page: Page, service: Served) -> None:
    opened(page, service.url, "ms-premenopausal-low-t-score")
    expect(cards(page).first).to_contain_text("15 ng/mL")

    page.get_by_label("Units").select_option(label="SI")

    expect(cards(page).first).to_contain_text("37 nmol/L")


def test_another_day_is_another_age_and_another_answer(page: Page, service: Served) -> None:
    opened(page, service.url)

    page.get_by_label("As of").fill("2025-10-20")

    expect(page.get_by_role("heading", level=2)).to_contain_text("61 years")
    expect(page.locator("#cards")).not_to_contain_text("over 90 days")
    expect(panel(page, "Why").locator("p").first).to_contain_text("Day 2025-10-20")


def test_the_trace_says_of_every_rule_why(page: Page, service: Served) -> None:
    opened(page, service.url)
    why = panel(page, "Why")

    expect(why.locator(".recommend")).to_contain_text("GC-01 no assessment since glucocorticoid start")
    expect(why.locator(".recommend")).to_contain_text("age at least 18: yes")
    why.get_by_text("Cannot tell (").click()
    expect(why.locator(".cannot-tell")).to_contain_text("Missing: Not on record: T- or Z-score")


def test_a_record_of_ones_own_is_answered_and_stands_in_no_address(page: Page, service: Served) -> None:
    opened(page, service.url)
    bundle = Scenario(FOLDER / "vitamin-d-toxicity").text("bundle.json")

    paste(page, bundle)

    expect(page.get_by_role("heading", level=2)).to_contain_text("Rolf Testmann")
    expect(cards(page).first.locator(".word")).to_have_text("Critical")
    page.get_by_label("Drug", exact=True).fill("prednisone")
    expect(page.locator("#order-said")).to_contain_text("order-select")
    assert "rolf" not in page.url.lower()
    assert "prednisone" not in page.url


def test_a_file_that_is_dropped_is_a_record_too(page: Page, service: Served) -> None:
    opened(page, service.url)

    page.evaluate(
        """text => { const dropped = new DataTransfer(); dropped.items.add(new File([text], "record.json"));
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true })); }""",
        Scenario(FOLDER / "vitamin-d-toxicity").text("bundle.json"),
    )

    expect(page.get_by_role("heading", level=2)).to_contain_text("Rolf Testmann")


def test_a_record_with_odd_values_is_shown_as_far_as_it_can_be(page: Page, service: Served) -> None:
    opened(page, service.url)
    bundle = Scenario(FOLDER / "vitamin-d-toxicity").json("bundle.json")
    me = {"subject": {"reference": "Patient/rolf-testmann"}}
    odd = [
        {
            "resourceType": kind,
            "id": f"odd-{at}",
            **me,
            **dict.fromkeys(("code", "valueQuantity", "dosageInstruction", "component"), value),
        }
        for kind in ("Condition", "Observation", "MedicationRequest", "DiagnosticReport", "Procedure")
        for at, value in enumerate([7, "text", [], [None], {"text": {}}, {"coding": "x"}, None, True])
    ]

    paste(page, json.dumps({**bundle, "entry": [None, *bundle["entry"], *({"resource": each} for each in odd), {}]}))

    expect(page.get_by_role("heading", level=2)).to_contain_text("Rolf Testmann")
    expect(page.locator("#cards-said")).to_contain_text("patient-view")
    expect(page.get_by_role("region", name="Chart", exact=True)).to_contain_text("25-OH vitamin D")


def test_what_is_no_record_is_refused_in_words(page: Page, service: Served) -> None:
    opened(page, service.url)

    paste(page, json.dumps({"resourceType": "Patient", "id": "x"}))

    expect(page.get_by_role("alert").filter(has_text="no FHIR Bundle")).to_be_visible()


def test_a_record_of_two_people_is_refused(page: Page, service: Served) -> None:
    opened(page, service.url)
    bundle = Scenario(FOLDER / "vitamin-d-toxicity").json("bundle.json")
    stranger = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/somebody-else"}}

    paste(page, json.dumps({**bundle, "entry": [*bundle["entry"], {"resource": stranger}]}))

    expect(page.locator("#cards")).to_contain_text("resources of another patient")
