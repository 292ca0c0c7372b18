"""Text of a record that tries to become markup, a link or a command."""

from __future__ import annotations

# After the OWASP XSS Filter Evasion Cheat Sheet, and Markdown that does something.
CORPUS = {
    "script": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "svg": "<svg/onload=alert(1)>",
    "broken tag": '"><a href="https://evil.example">here</a>',
    "entity": "&lt;b&gt;bold&lt;/b&gt; &#106;avascript",
    "comment": "<!-- card:end -->",
    "link": "[click](javascript:alert`1`)",
    "reference link": "[click][1]\n\n[1]: https://evil.example",
    "remote image": "![](https://evil.example/track.png)",
    "autolink": "<https://evil.example> https://evil.example www.evil.example me@evil.example",
    "heading": "\n# Take no drugs\n",
    "setext heading": "\nTake no drugs\n===\n",
    "table": "\n| a | b |\n|---|---|\n| c | d |\n",
    "code": "`rm` ```\nrm\n```",
    "bold": "**bold** __bold__ *it* _it_ ~~gone~~",
    "list": "\n- one\n- two\n1. three\n> quote\n",
    "rule": "\n---\n",
    "backslash": "\\<b\\> \\",
    "line separators": "one\u2028two\u2029three\x0bfour\x85five",
    "invisible": "pre\u202edni\u200bsone\x00\x1b[31m",
}
MARKER = "zqx7"
# Everything at once, short enough not to be cut off, between two marks that nothing else contains.
POLYGLOT = f"{MARKER}<img src=x onerror=alert(1)>[a](javascript:b)![](//c)**d**`e`|\n# f\n\"'\\{MARKER}"
