"""Risk models come from other distributions, are off unless a site names one, and decide nothing (S1, S10)."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from cds_service.clinical import profiles, risk_models
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.risk_models import RiskInputs
from cds_service.engine.answer import decide
from cds_service.engine.gather import from_bundle
from cds_service.formats import strict_json
from cds_service.kernel.errors import ContentError
from cds_service.kernel.figures import Figure, NotCalculable, Result
from cds_service.kernel.quantities import exactly
from hooks.patient_view import SERVICE
from tests.support.golden import AS_OF, FOLDER, Json

WITH_MODEL = 'base = "us"\nrisk_models = ["made-up"]\n'
# Scenarios whose first card is about assessment, and some that have no such card.
ASSESSED = ("gc-assessment-due", "ms-walking-aid-no-dxa")
OTHERS = ("vitamin-d-toxicity", "gc-very-high-risk-untreated", "nothing-to-say", "adrenal-replacement")


@dataclass
class MadeUp:
    """A model that says what the test wants, and remembers what it was asked with."""

    said: Figure | NotCalculable = field(
        default_factory=lambda: Figure((Result("hip fracture within 10 years", exactly("97.5"), "%"),))
    )
    id: str = "made-up"
    title: str = "Made-up 1"
    licence_note: str = "As it is, without warranty."
    asked: list[RiskInputs] = field(default_factory=list)

    def figure(self, inputs: RiskInputs) -> Figure | NotCalculable:
        self.asked.append(inputs)
        return self.said


@dataclass(frozen=True)
class Point:
    """An entry point of an installed distribution."""

    name: str
    declared: object

    def load(self) -> object:
        return self.declared


@pytest.fixture(autouse=True)
def _forget_what_is_installed() -> Iterator[None]:
    risk_models.installed.cache_clear()
    yield
    risk_models.installed.cache_clear()


def install(monkeypatch: pytest.MonkeyPatch, *points: Point) -> None:
    def entry_points(*, group: str) -> Sequence[Point]:
        assert group == "cds_service.risk_models"
        return points

    monkeypatch.setattr(risk_models, "entry_points", entry_points)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> MadeUp:
    made_up = MadeUp()
    install(monkeypatch, Point("made-up", made_up))
    return made_up


def cards(scenario: str, site: str = 'base = "us"\n') -> list[Json]:
    """The cards for the whole record of a scenario, at that site."""
    text = (FOLDER / scenario / "bundle.json").read_bytes()
    records = from_bundle(strict_json.load(text), SERVICE.needs)
    decision = decide(SERVICE, records, AS_OF, CLINIC.site(site, "site.toml"), scenario)
    return [json.loads(json.dumps(card.to_json(), default=str)) for card in decision.cards]


def without_figures(told: list[Json]) -> list[Json]:
    found = copy.deepcopy(told)
    for card in found:
        card["detail"] = card["detail"].partition("\n\n**Supporting figures**")[0]
    return found


def blocks(told: list[Json]) -> list[list[str]]:
    """Per card, the lines under "Supporting figures"."""
    return [card["detail"].partition("**Supporting figures**\n\n")[2].splitlines() for card in told]


# --- off unless a site says otherwise --------------------------------------------------------------------------------
@pytest.mark.parametrize("name", profiles.built_in())
def test_no_built_in_profile_switches_a_model_on(name: str) -> None:
    assert profiles.profile(name).risk_models == ()


@pytest.mark.parametrize("scenario", [*ASSESSED, *OTHERS])
def test_an_installed_model_that_nobody_named_is_not_asked(model: MadeUp, scenario: str) -> None:
    assert "Supporting figures" not in json.dumps(cards(scenario))
    assert model.asked == []


def test_without_models_nobody_looks_for_any(monkeypatch: pytest.MonkeyPatch) -> None:
    def entry_points(*, group: str) -> Any:
        raise AssertionError(group)

    monkeypatch.setattr(risk_models, "entry_points", entry_points)
    assert cards("gc-assessment-due") != []


# --- on: supporting text, and nothing else ---------------------------------------------------------------------------
@pytest.mark.parametrize("scenario", ASSESSED)
def test_a_figure_stands_on_the_card_about_assessment_with_the_words_of_its_licence(
    model: MadeUp, scenario: str
) -> None:
    first, *rest = blocks(cards(scenario, WITH_MODEL))
    assert first == [
        "- Computed with the Made-up 1: hip fracture within 10 years: 97.5 %. It decided nothing on this card.",
        "- As it is, without warranty.",
    ]
    assert rest == [[] for _ in rest]


@pytest.mark.parametrize("scenario", ASSESSED)
@pytest.mark.parametrize("percent", ["0.001", "97.5"])
def test_s1_s10_a_figure_changes_nothing_but_its_block(model: MadeUp, scenario: str, percent: str) -> None:
    """Summary, urgency, options, suggestions, rules and order are those without a model, whatever the number."""
    model.said = Figure((Result("hip fracture within 10 years", exactly(percent), "%"),))
    assert without_figures(cards(scenario, WITH_MODEL)) == cards(scenario)


@pytest.mark.parametrize("scenario", OTHERS)
def test_a_figure_is_never_a_card_of_its_own_nor_on_a_card_about_something_else(model: MadeUp, scenario: str) -> None:
    assert cards(scenario, WITH_MODEL) == cards(scenario)


def test_a_figure_that_cannot_be_had_is_an_ordinary_line(model: MadeUp) -> None:
    model.said = NotCalculable(("the patient is 27",))
    first, *_ = blocks(cards("gc-assessment-due", WITH_MODEL))
    assert first == ["- Made-up 1: not calculable. the patient is 27."]


def test_models_are_asked_in_the_order_of_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = MadeUp(id="one", title="One"), MadeUp(id="two", title="Two")
    install(monkeypatch, Point("one", one), Point("two", two))
    first, *_ = blocks(cards("gc-assessment-due", 'base = "us"\nrisk_models = ["two", "one"]\n'))
    assert [line.split(":")[0] for line in first if "Computed" in line] == [
        "- Computed with the Two",
        "- Computed with the One",
    ]


def test_a_model_sees_facts_with_their_reasons_and_no_ethnicity(model: MadeUp) -> None:
    cards("gc-assessment-due", WITH_MODEL)
    (asked,) = model.asked
    assert asked.as_of == AS_OF
    assert {each.name for each in dataclasses.fields(asked)} == {
        "as_of", "age", "sex", "bmi", "smoking", "alcohol", "found",
    }  # fmt: skip


# --- what is wrong is said at the start ------------------------------------------------------------------------------
def test_d23_a_model_that_is_not_installed_stops_the_start(model: MadeUp) -> None:
    with pytest.raises(ContentError) as problem:
        CLINIC.site('base = "us"\nrisk_models = ["made-up", "qfracture-2012"]\n', "site.toml")
    assert str(problem.value) == (
        "site.toml: risk_models: no installed distribution declares 'qfracture-2012'. "
        "Install the one that does, or take the name out. Installed: made-up."
    )


def test_nothing_installed_is_said_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    with pytest.raises(ContentError, match=r"Installed: none\."):
        CLINIC.site(WITH_MODEL, "site.toml")


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([Point("made-up", object())], "entry points: made-up: is not a RiskModel. See docs/risk-models.md."),
        ([Point("other", MadeUp())], "entry points: other: names the model 'made-up'"),
        ([Point("made-up", MadeUp())] * 2, "entry points: made-up: is declared twice"),
    ],
)
def test_a_wrong_declaration_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, points: list[Point], message: str
) -> None:
    install(monkeypatch, *points)
    with pytest.raises(ContentError) as problem:
        CLINIC.site(WITH_MODEL, "site.toml")
    assert str(problem.value) == message
