"""`GET /docs`: the interface as a page, which needs nothing from anywhere else."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from cds_service.web import interface
from tests.support import golden


class Page(HTMLParser):
    """What a browser would do with it: ids, addresses, what it would load, words."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        told = {name: value or "" for name, value in attrs}
        self.attributes |= told.keys()
        self.ids += [told["id"]] if "id" in told else []
        if tag == "a":
            self.links.append(told["href"])
        elif "href" in told or "src" in told:
            self.loaded.append(told.get("href") or told["src"])

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def page() -> Page:
    parser = Page()
    parser.feed(golden.app().test_client().get("/docs").text)
    return parser


def test_it_names_every_address_with_its_statuses_and_every_schema(page: Page) -> None:
    document = golden.app().test_client().get("/openapi.json").get_json()
    operations = {f"{method}-{path}" for path, held in document["paths"].items() for method in held}
    schemas = {f"schema-{name}" for name in document["components"]["schemas"]}

    assert operations | schemas | {"schemas"} == set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {"200", "304", "401", "412", "503"} <= {word.strip() for word in page.words}


def test_every_link_on_it_leads_somewhere(page: Page) -> None:
    client = golden.app().test_client()
    inside = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    elsewhere = [link for link in page.links if not link.startswith("#")]

    assert inside <= set(page.ids)
    assert [client.get(link).status_code for link in elsewhere] == [200] * len(elsewhere)


def test_it_loads_its_own_style_sheet_and_nothing_else(page: Page) -> None:
    style = golden.app().test_client().get("/docs.css")

    # the first is an icon of nothing, so that no browser asks for /favicon.ico
    assert page.loaded == ["data:,", "/docs.css"]
    assert not page.tags & {"script", "iframe", "img", "object", "form", "style"}
    assert not {name for name in page.attributes if name == "style" or name.startswith("on")}
    assert (style.status_code, style.content_type) == (200, "text/css; charset=utf-8")
    assert not re.search(r"url\(|@import", style.text)


def test_its_policy_allows_a_style_sheet_of_its_own_and_nothing_else() -> None:
    answer = golden.app().test_client().get("/docs")

    assert answer.content_type == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; ")
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_words_of_the_document_are_text_on_the_page() -> None:
    """Titles come from services, which may be installed from elsewhere."""
    operation = {"summary": "<script>alert(1)</script>", "responses": {"200": {"description": "<b>"}}}
    made = interface.page(
        {
            "info": {"title": "T", "version": "1", "description": ""},
            "paths": {"/x": {"get": operation}},
            "components": {"schemas": {}},
        }
    ).decode()

    assert "<script" not in made
    assert "&lt;script&gt;" in made


def test_a_property_inside_another_has_its_path_and_its_limits() -> None:
    schema = {
        "required": ["issue"],
        "properties": {
            "issue": {
                "minItems": 1,
                "items": {"required": ["code"], "properties": {"code": {"type": "string", "description": "Which."}}},
            },
            "card": {"items": {"$ref": "#/components/schemas/response-card"}},
        },
    }

    assert list(interface.rows(schema)) == [
        interface.Row("issue", True, "array of anything", "", "", ("minItems: 1",)),
        interface.Row("issue[].code", True, "string", "", "Which.", ()),
        interface.Row("card", False, "array of ", "response-card", "", ()),
    ]
