"""Markdown of a card as a tree of nodes, which the page builds with `createElement` and `textContent`.

A node is a string, or `{"tag": ..., "children": [...]}` with a tag of `TAGS`; `a` has an `href` too. HTML in the Markdown stays
text, and whatever has no tag here leaves only its words.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

Node = str | dict[str, Any]
TAGS = frozenset({"p", "ul", "ol", "li", "strong", "em", "code", "br", "a", "h4"})
_TAG_OF = {
    "paragraph": "p",
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "strong": "strong",
    "em": "em",
    "heading": "h4",
    "hardbreak": "br",
}
_WORDS = {"text", "html_inline", "html_block"}
_CODE = {"code_inline", "code_block", "fence"}
_READER = MarkdownIt("commonmark", {"html": False}).disable("image")


def nodes(markdown: str) -> list[Node]:
    """The nodes of a text."""
    return _children(SyntaxTreeNode(_READER.parse(markdown)))


def _children(node: SyntaxTreeNode) -> list[Node]:
    return [made for child in node.children for made in _made(child)]


def _made(node: SyntaxTreeNode) -> list[Node]:
    if node.type in _WORDS:
        return [node.content] if node.content else []
    if node.type in _CODE:
        return [{"tag": "code", "children": [node.content]}]
    if node.type == "softbreak":
        return [" "]
    children = _children(node)
    if node.type == "link":
        href = str(node.attrs.get("href", ""))
        # anything but the web (javascript:, data:, file:) leaves its words
        return [{"tag": "a", "href": href, "children": children}] if is_web(href) else children
    tag = _TAG_OF.get(node.type)
    return [{"tag": tag, "children": children}] if tag else children


def is_web(address: str) -> bool:
    """Whether a link may be followed: http or https, with a host."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
