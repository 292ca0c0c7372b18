"""LIF-05: nobody who does not walk is told to do weight-bearing exercise, whichever rules are on."""

from __future__ import annotations

import re

from cds_service.clinical import content
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.rules.common import does_not_walk
from cds_service.engine.answer import decide
from cds_service.kernel.truth import Truth
from hooks.patient_view import SERVICE
from tests.support.cases import Case, all_cases

_WEIGHT_BEARING = re.compile(r"weight[- ]bearing", re.IGNORECASE)


def _walks(case: Case) -> Truth:
    numbers = CLINIC.thresholds(case.as_of)
    return ~does_not_walk(case.facts(numbers), numbers).truth


def test_no_card_speaks_of_weight_bearing_to_somebody_who_may_not_walk() -> None:
    said = [
        str(case)
        for case in all_cases()
        if _walks(case) is not Truth.YES
        for card in decide(SERVICE, case.records, case.as_of, case.profile, "exercise").cards
        if _WEIGHT_BEARING.search(f"{card.summary} {card.detail}")
    ]
    assert said == []


def test_some_vignettes_are_about_people_who_do_not_walk() -> None:
    """Else the test above could not fail."""
    walks = [_walks(case) for case in all_cases()]
    assert walks.count(Truth.NO) > 5
    assert walks.count(Truth.UNKNOWN) > 5


def test_texts_speak_of_weight_bearing_on_a_condition_only() -> None:
    """ "{% if v.exercise == 'weight-bearing' %}" has to stand before the words."""
    bare = [
        (file, line)
        for file, text in content.text_files("en").items()
        for line in text.splitlines()
        if _WEIGHT_BEARING.search(line.replace("{% if v.exercise == 'weight-bearing' %}Weight-bearing", ""))
    ]
    assert bare == []
