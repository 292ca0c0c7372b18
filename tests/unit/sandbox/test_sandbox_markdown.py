"""Markdown of a card as nodes: what the page builds, and nothing else (H2)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cds_service.cards.escape import markdown as escaped
from cds_service.sandbox.markdown import TAGS, Node, nodes
from tests.functional.test_escaping import CORPUS
from tests.security.test_table_e import CORPUS as FURTHER


def all_nodes(told: list[Node]) -> Iterator[Node]:
    for node in told:
        yield node
        if isinstance(node, dict):
            yield from all_nodes(node["children"])


def words(told: list[Node]) -> str:
    return "".join(node for node in all_nodes(told) if isinstance(node, str))


def test_the_markdown_of_our_cards_has_its_own_nodes() -> None:
    assert nodes("**Why now**\n\n- one\n- *two*") == [
        {"tag": "p", "children": [{"tag": "strong", "children": ["Why now"]}]},
        {
            "tag": "ul",
            "children": [
                {"tag": "li", "children": [{"tag": "p", "children": ["one"]}]},
                {"tag": "li", "children": [{"tag": "p", "children": [{"tag": "em", "children": ["two"]}]}]},
            ],
        },
    ]


def test_a_link_to_the_web_keeps_its_address() -> None:
    assert nodes("[x](https://doi.org/10.1)")[0]["children"] == [  # type: ignore[index]
        {"tag": "a", "href": "https://doi.org/10.1", "children": ["x"]}
    ]


@pytest.mark.parametrize(
    "address", ["javascript:a()", "data:text/html,x", "file:///etc/passwd", "//e.example", "/sandbox"]
)
def test_h2_any_other_link_leaves_its_words(address: str) -> None:
    assert not any(isinstance(node, dict) and node["tag"] == "a" for node in all_nodes(nodes(f"[x]({address})")))


@pytest.mark.parametrize("payload", [*CORPUS.values(), *FURTHER.values()])
def test_h2_markup_becomes_text_or_nodes_of_the_list(payload: str) -> None:
    """Even where a card had let it through."""
    made = list(all_nodes(nodes(f"- {payload}")))

    assert {node["tag"] for node in made if isinstance(node, dict)} <= TAGS


@pytest.mark.parametrize("payload", CORPUS.values(), ids=list(CORPUS))
def test_h2_escaped_text_of_a_record_reads_as_it_was_written(payload: str) -> None:
    assert escaped(words(nodes(f"- {escaped(payload)}"))) == escaped(payload)
