"""What the canary makes of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cds_service.simulator.canary import FIRES, QUIET, fly
from cds_service.simulator.conformance import Finding
from cds_service.simulator.session import Called, Discovery, Session
from tests.support.golden import AS_OF

CARD = {
    "source": {"topic": {"code": "VitaminDExcess"}},
    "extension": {"org.bonecds.rules": [{"id": "VD-05", "version": "1", "verdict": "recommend"}]},
}
GOOD = Called("fires", "s", "patient-view", 0.2, 200, body={"cards": [CARD]})
NOTHING = Called("quiet", "s", "patient-view", 0.1, 200, body={"cards": []})


class _Session(Session):
    """A service whose answers are known."""

    def __init__(self, fires: Called, quiet: Called = NOTHING, hook: str = "patient-view", version: str = "") -> None:
        self.answers, self.hook, self.told = {"fires": fires, "quiet": quiet}, hook, version

    def discover(self) -> Discovery:
        return Discovery(
            ({"id": "s", "hook": self.hook, "prefetch": {"patient": "Patient/{{context.patientId}}"}},), (), 0.1
        )

    def call(self, service: str, body: Mapping[str, Any], name: str = "") -> Called:
        return self.answers[name]

    def version(self) -> str:
        return self.told


def problems(fires: Called, quiet: Called = NOTHING) -> str:
    return "; ".join(fly(_Session(fires, quiet), AS_OF).problems)


def test_hz01_both_answers_as_they_must_be() -> None:
    found = fly(_Session(GOOD, version="1+a"), AS_OF, rule_set="1+a")
    assert (found.problems, found.seconds, found.rule_set) == ((), 0.2, "1+a")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (replace(GOOD, body={"cards": []}), "fires: no card where VD-05 must fire"),
        (replace(GOOD, body={"cards": [{**CARD, "extension": {}}]}), "fires: no card rests on VD-05"),
        (replace(GOOD, body={"cards": [{**CARD, "source": {}}]}), "fires: no card on VitaminDExcess"),
        (
            replace(GOOD, findings=(Finding("error", "cards[0].uuid", "..."),)),
            "fires: the answer breaks the specification at cards[0].uuid",
        ),
        (replace(GOOD, seconds=2.6), "fires: answered after 2.6 s"),
        (replace(GOOD, status=412, problem="declined: Jane Doe"), "fires: status 412"),
        (replace(GOOD, status=0, problem="not in time"), "fires: not in time"),
    ],
)
def test_hz01_each_way_to_fail_is_said_without_a_word_of_the_service(answer: Called, words: str) -> None:
    assert problems(answer) == words


def test_hz01_a_card_where_there_is_nothing_to_say_is_a_failure() -> None:
    assert problems(GOOD, replace(NOTHING, body={"cards": [CARD]})) == "quiet: a card where there is nothing to say"


def test_d23_a_service_that_does_not_tell_its_version_fails_where_one_is_asked_for() -> None:
    assert fly(_Session(GOOD), AS_OF, rule_set="1+a").problems == ("rule set: not told",)


def test_a_service_without_the_hook_of_the_canary_fails_it() -> None:
    assert fly(_Session(GOOD, hook="order-sign"), AS_OF).problems == ("no service for patient-view",)


@pytest.mark.parametrize("canary", [FIRES, QUIET], ids=lambda each: each.name)
def test_every_date_is_counted_from_the_day_of_the_call(canary: Any) -> None:
    request = canary.request({"patient": "Patient/{{context.patientId}}"}, AS_OF)
    assert request["context"]["patientId"] == "bonecds-canary"
    assert "@" not in str(request)
    assert request["prefetch"]["patient"]["birthDate"] < "2000"
