"""Table H: what the page must never do, and whom it must not keep out."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.actions import cards, choose_drug, dose, opened, panel, paste
from tests.functional.test_escaping import CORPUS
from tests.security.test_table_e import CORPUS as FURTHER
from tests.support.golden import FOLDER, Json, Scenario
from tests.support.served import Served

# sets a mark on the window where a script of the record runs
RAN = "document.body.dataset.ran=1"
PAYLOADS = [
    *CORPUS.values(),
    *FURTHER.values(),
    f"<img src=x onerror={RAN}>",
    f"<svg/onload={RAN}>",
    f"</script><script>{RAN}</script>",
    f"</textarea></title><img src=x onerror={RAN}>",
    f"javascript:{RAN}",
]
# what decides which resource it is: with markup in it there would be no patient or no drug to show
_KEPT = {"resourceType", "reference", "id", "fullUrl", "type"}


def strings(value: Any) -> Iterator[tuple[Any, Any]]:
    """Holder and key of every text."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in list(pairs):
        if isinstance(each, str) and key not in _KEPT:
            yield value, key
        else:
            yield from strings(each)


def shape(page: Page) -> Json:
    """Every kind of element with its attributes' names, and every address on the page."""
    return dict(
        page.evaluate(
            """() => ({
              tags: [...new Set([...document.querySelectorAll("*")].map((each) => each.localName))].sort(),
              events: [...document.querySelectorAll("*")].flatMap((each) => each.getAttributeNames())
                .filter((name) => name.startsWith("on")),
              addresses: [...new Set([...document.querySelectorAll("[href],[src]")]
                .map((each) => each.getAttribute("href") ?? each.getAttribute("src"))
                .filter((each) => !each.startsWith("data:image/svg+xml,")))].sort(),
              ran: document.body.dataset.ran ?? "",
            })"""
        )
    )


# --- H1 -----------------------------------------------------------------------------------------------------------------
def test_h1_a_whole_visit_asks_no_other_host_and_leaves_the_console_empty(page: Page, service: Served) -> None:
    """What is asked and what is logged is looked at by the fixture, here and in every other test of this folder."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, service.url)
    choose_drug(page, "prednisone 20", "prednisone 20 MG Oral Tablet")
    dose(page, "20", "6", "months")
    for name in ("Response", "Why", "Look-ups", "curl"):
        panel(page, name)
    expect(cards(page, "#order-cards")).not_to_have_count(0)

    assert asked
    assert {url.split("/")[2] for url in asked} == {f"127.0.0.1:{service.port}"}


def test_h1_a_script_written_into_the_page_does_not_run(browser: Browser, service: Served) -> None:
    """The policy itself, in a page that is not watched: Chromium notes what it stopped."""
    context = browser.new_context()
    page = opened(context.new_page(), service.url)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    page.evaluate(
        """mark => { const script = document.createElement("script"); script.textContent = mark; document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", `<img src=x onerror="${mark}">`);
        const other = document.createElement("script"); other.src = "https://evil.example/x.js"; document.body.append(other); }""",
        RAN,
    )
    page.wait_for_timeout(300)

    assert page.evaluate("document.body.dataset.ran") is None
    assert sum("Content Security Policy" in each for each in said) >= 3
    context.close()


def test_h1_no_other_page_may_frame_it(browser: Browser, service: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_content(f'<iframe src="{service.url}/sandbox" width="600" height="400"></iframe>')
    page.wait_for_timeout(500)

    assert page.frames[1].locator("#patient-name").count() == 0
    context.close()


# --- H2 -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("number", [0, len(PAYLOADS) // 2])
def test_h2_markup_in_every_field_of_a_record_changes_nothing(page: Page, service: Served, number: int) -> None:
    """Every text of a record carries a payload, all payloads in turn; the page has the elements it always has."""
    bundle = Scenario(FOLDER / "gc-very-high-risk-untreated").json("bundle.json")
    opened(page, service.url, "gc-very-high-risk-untreated")
    paste(page, json.dumps(bundle))
    expect(page.locator("#patient-shows")).to_contain_text("Your own record")
    expect(page.locator("#calls li")).to_have_count(1)
    before = shape(page)
    evil = copy.deepcopy(bundle)
    for at, (holder, key) in enumerate(strings(evil)):
        holder[key] = f"{holder[key]} {PAYLOADS[(at + number) % len(PAYLOADS)]}"

    paste(page, json.dumps(evil))
    expect(page.locator("#patient-name")).to_contain_text("Otto")
    expect(page.locator("#calls li")).to_have_count(1)
    for name in ("Why", "curl", "Response", "Request"):
        panel(page, name)

    after = shape(page)
    assert set(after["tags"]) <= set(before["tags"])
    assert (after["events"], after["ran"]) == ([], "")
    assert set(after["addresses"]) <= set(before["addresses"])


def test_h2_markup_in_every_field_that_can_be_typed_into_changes_nothing(page: Page, service: Served) -> None:
    opened(page, service.url)
    before = shape(page)
    page.get_by_label("in words").check()
    fields = [
        page.get_by_label("Filter patients"),
        page.get_by_label("Drug", exact=True),
        page.get_by_label("Directions"),
    ]
    for at, payload in enumerate(PAYLOADS):
        fields[at % len(fields)].fill(payload)
    page.get_by_label("Drug", exact=True).fill(f"prednisone {PAYLOADS[-4]}")
    expect(page.locator("#order-said")).to_contain_text("order-select")
    page.get_by_role("button", name="Sign order").click()
    expect(page.locator("#order-said")).to_contain_text(re.compile("order-sign|Signed"))
    first = cards(page).first
    first.get_by_role("button", name="Dismiss…").click()
    first.get_by_label("Comment").fill(PAYLOADS[-5])
    first.get_by_role("button", name="Dismiss card").click()
    expect(first.locator(".note")).to_contain_text("Dismissed")

    after = shape(page)
    assert (after["events"], after["ran"]) == ([], "")
    assert set(after["addresses"]) == set(before["addresses"])


def test_h2_markup_that_a_service_sends_becomes_text(page: Page, service: Served) -> None:
    """Cards as a careless service would write them: in the summary, the detail's nodes, links, labels and reasons."""
    evil = f"<img src=x onerror={RAN}>"

    def spoilt(route: Any) -> None:
        told = route.fetch().json()
        card = told["response"]["cards"][0]
        card |= {"summary": evil, "links": [{"label": evil, "url": f"javascript:{RAN}", "type": "absolute"}]}
        card["source"] = {"label": evil, "url": f"data:text/html,{evil}"}
        card["suggestions"][0]["label"] = evil
        card["overrideReasons"] = [{"code": evil, "system": evil, "display": evil}]
        told["details"][0] = [
            evil,
            {"tag": "script", "children": [RAN]},
            {"tag": "a", "href": f"javascript:{RAN}", "children": ["x"]},
        ]
        route.fulfill(json=told)

    page.route("**/sandbox/api/call", spoilt)
    opened(page, service.url)

    card = cards(page).first
    assert card.locator("> h4").inner_text() == evil
    assert card.locator("a, script, img").count() == 0
    assert shape(page)["ran"] == ""


# --- H3 -----------------------------------------------------------------------------------------------------------------
def test_h3_the_page_says_that_its_patients_are_invented_and_keeps_nothing(page: Page, service: Served) -> None:
    opened(page, service.url)
    paste(page, Scenario(FOLDER / "vitamin-d-toxicity").text("bundle.json"))
    expect(page.get_by_role("heading", level=2)).to_contain_text("Rolf")

    expect(page.get_by_role("banner")).to_contain_text("Invented patients only.")
    stored = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie, history.state]")
    assert stored == [0, 0, "", None]
    page.reload()
    expect(page.get_by_role("heading", level=2)).not_to_contain_text("Rolf")
    assert "Testmann" not in service.written()


# --- H4 -----------------------------------------------------------------------------------------------------------------
class _Foreign(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>another page</title>")

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


def test_h4_another_page_on_the_same_machine_can_neither_post_nor_read_the_answer(
    browser: Browser, service: Served
) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Foreign)
    Thread(target=partial(server.serve_forever, 0.05), daemon=True).start()
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    tried = page.evaluate(
        """async (url) => {
          const how = [
            { headers: { "Content-Type": "application/json", "X-Bonecds-Sandbox": "1" } },
            { headers: { "Content-Type": "text/plain" } },
            { mode: "no-cors" },
          ];
          const found = [];
          for (const each of how) {
            try {
              const answer = await fetch(url, { method: "POST", body: "{}", ...each });
              found.push(answer.type === "opaque" ? "opaque" : answer.status);
            } catch {
              found.push("stopped");
            }
          }
          return found;
        }""",
        f"{service.url}/sandbox/api/call",
    )
    context.close()
    server.shutdown()
    server.server_close()

    # the browser stops the first; the others arrive without the header and are refused
    assert tried[0] == "stopped"
    assert 200 not in tried
