"""One summary for several recommendations of a card: as many as fit, the others counted, all of them in the options."""

from __future__ import annotations

import re

import pytest

from cds_service.cards import texts
from cds_service.cards.render import cards_of
from cds_service.cards.suggest import Subject
from cds_service.engine.arrange import arrange
from cds_service.kernel.errors import ContentError
from cds_service.kernel.rules import Finding, Level
from cds_service.protocol.response import MAX_SUMMARY, Card
from tests.unit.engine.made_up import SOURCE, TEXTS, evaluated, orders, recommends, satisfied

SEVERAL = (
    "To do: {% for each in (all | sort(attribute='due_on'))[:n] %}{{ names.get(each.due_what, each.due_what) }} ({{ each.due_on }})"
    "{% if not loop.last %}, {% endif %}{% endfor %}{% if all | length > n %} and {{ all | length - n }} more{% endif %}."
)
ROOF = 'title = "The roof"'
WITH_SEVERAL = TEXTS.replace(ROOF, f'{ROOF}\nseveral = """{SEVERAL}"""')


def written(findings: dict[str, Finding], words: str = WITH_SEVERAL) -> list[Card]:
    told = texts.load({"texts/made-up.toml": words})
    plans = arrange(evaluated(findings), told)
    return list(cards_of(plans, told, orders(), lambda _rule: SOURCE, Subject("p1"), "call-1"))


def item(what: str, when: str, level: Level = Level.INFO) -> Finding:
    return recommends(level, values={"due_what": what, "due_on": when})


def test_two_recommendations_share_a_summary_in_the_order_of_the_template() -> None:
    (card,) = written({"X-1": item("gutter", "2026-05"), "X-2": item("results", "2025-11-02")})
    assert card.summary == "To do: results of the plumber (2025-11-02), gutter (2026-05)."


def test_one_recommendation_keeps_its_own_summary() -> None:
    (card,) = written({"X-1": item("gutter", "2026-05")})
    assert card.summary == "Roof leaks: 3 drops a day."


def test_what_is_satisfied_is_not_counted() -> None:
    (card,) = written({"X-0": satisfied(due_what="tiles", due_on="2020"), "X-1": item("gutter", "2026-05")})
    assert card.summary == "Roof leaks: 3 drops a day."


def test_without_a_template_the_first_rule_speaks() -> None:
    (card,) = written({"X-1": item("gutter", "2026-05"), "X-2": item("tiles", "2026-04")}, TEXTS)
    assert card.summary == "Roof leaks: 3 drops a day."


def test_a_recommendation_that_names_nothing_due_is_not_one_of_several() -> None:
    """Windows are absorbed by the roof: they stand in its options."""
    (card,) = written({"X-1": item("gutter", "2026-05"), "X-4": recommends()})
    assert card.summary == "Roof leaks: 3 drops a day."
    (card,) = written({"X-1": item("gutter", "2026-05"), "X-2": item("tiles", "2026-04"), "X-4": recommends()})
    assert card.summary == "To do: tiles (2026-04), gutter (2026-05)."
    (card,) = written({"X-1": item("gutter", "2026"), "X-2": item("tiles", "2026"), "X-4": recommends(Level.WARNING)})
    assert card.summary == "Windows rattle: it is wet."


def test_one_that_came_from_another_topic_is_listed_where_it_names_what_is_due() -> None:
    (card,) = written({"X-1": item("gutter", "2026-05"), "X-4": item("panes", "2026-03")})
    assert card.summary == "To do: panes (2026-03), gutter (2026-05)."


@pytest.mark.parametrize("length", [10, 40, 50, 60, 100, 300])
def test_e2_whatever_does_not_fit_is_counted_and_stands_in_the_options(length: int) -> None:
    (card,) = written({"X-1": item("g" * length, "2026-05"), "X-2": item("t" * length, "2026-04")})
    assert len(card.summary) <= MAX_SUMMARY
    assert ("t" * min(length, 20)) in card.summary or card.summary.endswith("…")
    if "g" not in card.summary and length < 100:
        assert card.summary.endswith("and 1 more.")
    assert re.findall(r"^- (?:Mend it|Sell the house)$", card.detail, re.M) == ["- Mend it", "- Sell the house"]


def test_a_template_that_is_none_stops_the_start_with_its_key() -> None:
    broken = WITH_SEVERAL.replace("{% endfor %}", "")
    with pytest.raises(ContentError) as problem:
        texts.load({"texts/made-up.toml": broken})
    assert str(problem.value).startswith("texts/made-up.toml: topics.roof.several: not a template: ")


def test_a_site_may_word_it_otherwise() -> None:
    told = texts.load({"texts/made-up.toml": WITH_SEVERAL}, [("topics.roof.several", "{{ all | length }} things")])
    plans = arrange(evaluated({"X-1": item("a", "2026"), "X-2": item("b", "2026")}), told)
    (card,) = cards_of(plans, told, orders(), lambda _rule: SOURCE, Subject("p1"), "call-1")
    assert card.summary == "2 things"
