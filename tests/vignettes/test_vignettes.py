"""Every rule answers every vignette as the rule book says; every verdict a rule can give has a vignette."""

from __future__ import annotations

import pytest

from cds_service.clinical.terminology import terminology
from cds_service.engine.answer import decide
from cds_service.kernel.rules import Kind, Rule, Verdict
from cds_service.review.story import written_codes
from hooks.patient_view import SERVICE
from tests.support.cases import RULES, Case, all_cases
from tests.vignettes.whole_outcomes import WHOLE, as_in_its_file, written

CASES = all_cases()
# A definition holds, does not, or cannot be told; nothing is recommended.
_VERDICTS = {
    Kind.ACTION: {Verdict.RECOMMEND, Verdict.SATISFIED, Verdict.NOT_APPLICABLE, Verdict.CANNOT_TELL},
    Kind.DEFINITION: {Verdict.SATISFIED, Verdict.NOT_APPLICABLE, Verdict.CANNOT_TELL},
}
# These only add a caution while treatment is due: once it is given the caution is gone, not satisfied. MON-02 never holds: no
# record tells the least significant change. No plan that follows denosumab has a code (SAF-07); nothing makes a wrong dose
# right (D20).
_NOTHING_SATISFIES = {"GC-14", "GC-17", "GC-19", "GC-20", "DX-04", "VD-03", "VD-05", "VD-08", "MON-02", "SAF-07", "D20"}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_vignette(case: Case) -> None:
    outcome = case.outcome()
    assert case.answer(outcome) == case.expected
    assert as_in_its_file(case, outcome) == written()[str(case)], WHOLE.how


# every rule is asked about every vignette: measuring that reaches no line of a rule that the test above does not
@pytest.mark.no_cover
@pytest.mark.parametrize("case", CASES, ids=str)
def test_cards_of_a_vignette(case: Case) -> None:
    """A recommendation stands on exactly one card; nobody else names the rule as recommending."""
    decision = decide(SERVICE, case.records, case.as_of, case.profile, "vignette")
    verdict = next(each for each in decision.evaluation.outcomes if each.rule.id == case.rule).verdict
    named = [
        card
        for card in decision.cards
        for each in card.extension["org.bonecds.rules"]
        if (each["id"], each["verdict"]) == (case.rule, "recommend")
    ]
    cut_off = len(decision.cards) >= case.profile.card_cap
    assert verdict.value == case.expect["verdict"]
    assert len(named) == (1 if verdict is Verdict.RECOMMEND else 0) or cut_off or decision.evaluation.silent
    for words in case.expect.get("says", ()):
        assert words in " ".join(f"{card.summary} {card.detail}" for card in decision.cards)


def test_vignettes_cover_every_rule_and_every_verdict() -> None:
    seen = {(case.rule, case.outcome().verdict) for case in CASES}
    missing = [f"{rule.id} {verdict.value}" for rule in RULES.values() for verdict in _possible(rule)
               if (rule.id, verdict) not in seen]  # fmt: skip
    assert missing == []


def _possible(rule: Rule) -> list[Verdict]:
    possible = _VERDICTS[rule.kind] - ({Verdict.SATISFIED} if rule.id in _NOTHING_SATISFIES else set())
    return sorted(possible, key=lambda verdict: verdict.value)


def test_every_whole_answer_is_that_of_a_vignette() -> None:
    assert sorted(written()) == sorted(map(str, CASES)), WHOLE.how


def test_vignette_names_are_unique() -> None:
    names = [str(case) for case in CASES]
    assert sorted(set(names)) == sorted(names)


def test_every_code_a_story_writes_is_in_the_value_sets() -> None:
    written = {code for case in CASES for code in written_codes(case.story)}
    assert [code for code in sorted(written) if not terminology().entries(*code)] == []
