"""Whatever is posted: never a 5xx, never a card against the schema, and no canary gets out (F1, F2). A slice; the rest nightly."""

from __future__ import annotations

from hypothesis import given, settings

from tests.generative import bodies
from tests.generative.bodies import NOWHERE, Sent
from tests.support import golden
from tests.support.examples import examples


@settings(max_examples=examples(1200))
@given(case=bodies.sent)
def test_f1_f2_no_body_breaks_the_service_and_nothing_leaks(case: Sent) -> None:
    assert bodies.faults(case) == []


def test_f1_the_canaries_stand_in_calls_that_are_answered_with_cards() -> None:
    """So that the test above can fail: the calls it starts from are answered, and hold canaries where names stand."""
    answers = [golden.post(golden.json.dumps(call)) for call in bodies._calls()]

    assert sum(answer.status_code == 200 and bool(answer.get_json()["cards"]) for answer in answers) > 15
    assert all(NOWHERE in golden.json.dumps(call["prefetch"]) for call in bodies._calls())
