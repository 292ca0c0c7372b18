"""The plan card: everything that is due and not urgent, on one card; what is not due yet tells its day in `explain`."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.engine.answer import Decision, decide
from cds_service.kernel.rules import Level, Verdict
from cds_service.protocol.response import MAX_SUMMARY, Card
from hooks.patient_view import SERVICE
from tests.support.cases import RULES, Case, all_cases

TEXTS = SERVICE.texts("en")
PLAN = TEXTS.topics["plan"]
ON_THE_PLAN = {rule.id for rule in SERVICE.rules if rule.card == "plan"}
# after menopause, no glucocorticoids, neither of our groups
SHE: dict[str, Any] = {"sex": "female", "age": 61, "menopause": "yes"}
LATE_ON_EVERYTHING = SHE | {
    "therapies": [
        {"drug": "alendronate", "mg": 10, "since": "6 years", "supplied": [{"ago": "150 days", "days": 28}]},
    ],
    "dxa": {"ago": "7 years", "t": {"hip": -2.6}},
    "vitamin_d": {"value": 14, "ago": "5 months"},
    "drugs": [{"drug": "cholecalciferol", "since": "4 months"}],
}


def decided(story: dict[str, Any], sets: tuple[str, ...] = (), site: str = "us") -> Decision:
    case = Case("MON-01", "plan", sets, story, {}, site)
    return decide(SERVICE, case.records, case.as_of, case.profile, "plan")


def plan_of(decision: Decision) -> Card | None:
    return next((c for c in decision.cards if c.source.topic and c.source.topic.code == PLAN.code), None)


def verdicts(decision: Decision) -> dict[str, str]:
    return {each.rule.id: each.verdict.value for each in decision.evaluation.outcomes if each.rule.id in ON_THE_PLAN}


def test_everything_due_stands_on_one_card_oldest_first_and_the_rest_is_counted() -> None:
    card = plan_of(decided(LATE_ON_EVERYTHING, ("monitoring", "vd_iom2011")))
    assert card is not None
    assert card.summary == (
        "Due: DXA (since 2022-06-15), treatment review (since 2025-06-15), bisphosphonate refill (since 2026-02-13) and 1 more."
    )
    assert card.indicator is Level.INFO
    named = {each["id"] for each in card.extension["org.bonecds.rules"] if each["verdict"] == "recommend"}
    assert named == {"MON-01", "MON-03", "TX-07", "VD-04"}
    for day in ("2022-06-15", "2025-06-15", "2026-02-12", "2026-05-15"):
        assert day in card.detail


def test_a_single_thing_due_has_its_own_summary() -> None:
    card = plan_of(decided(SHE | {"therapies": [{"drug": "alendronate", "mg": 10, "since": "6 years"}]}))
    assert card is not None
    assert card.summary == (
        "Alendronate since 2020-06-15: 5 years reached on 2025-06-15. Consider a review: go on, pause or change."
    )


def test_s1_nothing_due_gives_no_card_and_explain_tells_the_next_day() -> None:
    decision = decided(SHE | {"therapies": [{"drug": "denosumab", "mg": 60, "doses": ["2 months"]}]})
    assert plan_of(decision) is None
    told = next(each for each in decision.evaluation.outcomes if each.rule.id == "MON-03")
    assert (told.verdict, told.finding.values["due_on"]) == (Verdict.SATISFIED, "2026-10-15")


def test_late_denosumab_is_urgent_and_not_on_the_plan() -> None:
    decision = decided(SHE | {"therapies": [{"drug": "denosumab", "mg": 60, "doses": ["8 months"]}]})
    assert plan_of(decision) is None
    assert [(card.indicator.value, "Denosumab" in card.summary) for card in decision.cards[:1]] == [("critical", True)]


def test_a_missing_follow_on_is_a_warning_of_its_own() -> None:
    over = {"drug": "teriparatide", "mg": 0.02, "since": "27 months", "stopped": "3 months"}
    decision = decided(SHE | {"therapies": [over]})
    assert plan_of(decision) is None
    assert decision.cards[0].indicator is Level.WARNING
    assert "no antiresorptive drug found since" in decision.cards[0].summary


@pytest.mark.parametrize("site", ["us", "uk", "ca"])
def test_nobody_gets_two_cards_about_one_dxa(site: str) -> None:
    """MS, a drug, and a DXA of long ago: whoever asks for a new one asks alone."""
    story = SHE | {
        "conditions": ["multiple sclerosis"],
        "edss": 6.5,
        "therapies": [{"drug": "alendronate", "mg": 10, "since": "3 years"}],
        "dxa": {"ago": "4 years", "t": {"hip": -2.6}},
    }
    cards = decided(story, site=site).cards
    assert sum("DXA" in card.summary for card in cards) <= 1


@pytest.mark.parametrize("site", ["us", "uk", "ca"])
def test_nobody_gets_two_cards_about_treatment(site: str) -> None:
    """Prednisone, a hip fracture, T-score -3.6: one card, whichever guidelines the site follows."""
    story = SHE | {
        "steroids": [{"drug": "prednisone", "mg": 7.5, "taken": 200, "days": 300}],
        "fractures": [{"site": "hip", "low_trauma": True}],
        "dxa": {"ago": "2 months", "t": {"hip": -3.6}},
        "frax": {"mof": 34, "hip": 10},
    }
    cards = decided(story, site=site).cards
    treating = [card for card in cards if any(each["id"].startswith(("TX-", "GC-12", "GC-30"))
                for each in card.extension["org.bonecds.rules"] if each["verdict"] == "recommend")]  # fmt: skip
    assert len(treating) == 1


def test_before_menopause_no_word_of_osteoporosis_comes_from_treatment_rules() -> None:
    story = {
        "sex": "female",
        "age": 38,
        "menopause": "no",
        "dxa": {"ago": "4 years", "t": {"hip": -2.8}, "z": {"hip": -2.2}},
    }
    decision = decided(story)
    ours = [each for each in decision.evaluation.outcomes if each.rule.id.startswith("TX-0")]
    assert {each.verdict for each in ours} == {Verdict.NOT_APPLICABLE}
    assert "osteoporosis" not in " ".join(f"{card.summary} {card.detail}" for card in decision.cards).lower()


# --- what the card relies on -----------------------------------------------------------------------------------------
def test_every_rule_on_the_plan_says_what_is_due_and_since_when() -> None:
    said = [case.outcome() for case in all_cases() if case.rule in ON_THE_PLAN]
    due = [each for each in said if each.verdict is Verdict.RECOMMEND]
    assert {each.rule.id for each in due} == {each for each in ON_THE_PLAN if RULES[each].kind.value == "action"}
    assert [each.rule.id for each in due if not {"due_what", "due_on"} <= set(each.finding.values)] == []
    named = {f"due:{each.finding.values['due_what']}" for each in due}
    assert named - set(TEXTS.names) == set()


def test_e2_the_longest_names_and_days_still_fit_one_by_one() -> None:
    """However many things are due, at least one of them is named in full."""
    assert PLAN.several is not None
    for name in (each for each in TEXTS.names if each.startswith("due:")):
        item = {"due_what": name.removeprefix("due:"), "due_on": "2025-11 to 2026-02"}
        words = PLAN.several.render(all=[item] * 9, n=1, names=TEXTS.names)
        assert len(" ".join(words.split())) <= MAX_SUMMARY
