"""Prefetch templates that people type into an EHR are those of the discovery document, letter for letter."""

from __future__ import annotations

import re

import pytest

from tests.support import golden, typed_in


def test_the_templates_in_the_integrator_page_are_current() -> None:
    """When this fails: make golden."""
    assert typed_in.written() == typed_in.section()


def test_what_is_copied_from_the_page_is_the_template_of_its_key() -> None:
    """Not in a table: there the | between system and code would have to be escaped, and would be typed so."""
    copied = dict(re.findall(r"^`(\w+)`\n\n```text\n(.*)\n```$", typed_in.PAGE.read_text("utf-8"), re.MULTILINE))

    assert copied == golden.templates()


@pytest.mark.parametrize("number", range(3))
def test_one_set_of_templates_serves_all_three_services(number: int) -> None:
    """The page lists it once."""
    services = golden.app().test_client().get("/cds-services").get_json()["services"]

    assert services[number]["prefetch"] == golden.templates()
