"""Whoever opens the summary from a chart: logs in at the authorization server and allows what is asked."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import requests

LAUNCH_WITHOUT_CHART = "launch-with-no-chart-open"
USER = {"login": "dr-invented", "password": "any will do"}
_DATA_READ = Path(__file__).parents[2] / "docs" / "reference" / "data-read.md"
# login, consent, and the redirects round both
_MOST_STEPS = 12


def smart_scopes() -> list[str]:
    """What an operator registers: the scopes that `docs/reference/data-read.md` lists, and `launch`."""
    return ["launch", *re.findall(r"^patient/\S+$", _DATA_READ.read_text("utf-8"), re.MULTILINE)]


class _Page(HTMLParser):
    """The form of a page, and its link that gives up."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action = self.cancel = ""
        self.fields: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = told["action"]
        elif tag == "input":
            self.fields[told["name"]] = told.get("value", "")
        elif tag == "a" and told.get("href", "").endswith("/abort"):
            self.cancel = told["href"]


class Browser:
    """One user's browser at the authorization server; its session there goes on from launch to launch.

    Attributes:
        prompts: which pages were shown, in order.
    """

    def __init__(self) -> None:
        self._session = requests.Session()
        self.prompts: list[str] = []

    def authorize(self, url: str, back: str, *, cancel: bool = False) -> str:
        """Go where the service sends the browser, and through what is asked there.

        Args:
            url: the authorization request.
            back: the origin of the service: here the browser leaves.
            cancel: whether the user gives up at the first page.

        Returns:
            The address at the service that the browser is sent back to.
        """
        answer = self._session.get(url, allow_redirects=False, timeout=30)
        for _ in range(_MOST_STEPS):
            if answer.is_redirect:
                to = urljoin(answer.url, answer.headers["Location"])
                if to.startswith(f"{back}/"):
                    return to
                answer = self._session.get(to, allow_redirects=False, timeout=30)
                continue
            assert answer.status_code == requests.codes.ok, answer.text
            page = _Page(answer.text)
            self.prompts.append(page.fields["prompt"])
            if cancel:
                answer = self._session.get(urljoin(answer.url, page.cancel), allow_redirects=False, timeout=30)
                continue
            form = {name: USER.get(name, value) for name, value in page.fields.items()}
            answer = self._session.post(urljoin(answer.url, page.action), data=form, allow_redirects=False, timeout=30)
        raise AssertionError(f"no way back to the service after {_MOST_STEPS} steps: {self.prompts}")
