"""The reviewed content fits together: every rule has its words, every number its source, every name its text."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from cds_service.cards.plan import GAPS
from cds_service.clinical import content
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.patient import ALL_NEEDS
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.errors import ContentError, InputError
from cds_service.kernel.facts import Evidence, GapKind
from cds_service.kernel.rules import Outcome, Rule, Verdict
from cds_service.kernel.truth import Truth
from hooks.patient_view import SERVICE
from tests.support.cases import all_cases

TEXTS = SERVICE.texts("en")
SETS = {name for rule in SERVICE.rules for name in rule.sets}
PROFILE = content.profile("us")
FIRST_DAY = max(
    min(value.since for value in content.all_thresholds() if value.key == key)
    for key in {value.key for value in content.all_thresholds()}
)
by_id = pytest.mark.parametrize("rule", SERVICE.rules, ids=lambda rule: rule.id)


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """What every vignette's rule answered."""
    return [case.outcome() for case in all_cases()]


def trees(outcomes: list[Outcome]) -> Iterator[Criterion]:
    """Every criterion that came up in a vignette."""
    for outcome in outcomes:
        yield from nodes(outcome.finding.applies)
        if outcome.finding.satisfied_by:
            yield from nodes(outcome.finding.satisfied_by)


def nodes(criterion: Criterion) -> Iterator[Criterion]:
    yield criterion
    for part in criterion.parts:
        yield from nodes(part)


# --- rules and their words -------------------------------------------------------------------------------------------
@by_id
def test_every_rule_has_words_for_its_strength_and_a_topic_with_a_title(rule: Rule) -> None:
    assert rule.strength in TEXTS.strength
    assert TEXTS.topics[rule.card].title != ""


@by_id
def test_every_rule_says_how_well_its_number_was_checked(rule: Rule) -> None:
    """V needs no note; the others have one."""
    assert rule.check == "V" or rule.check in TEXTS.check


@by_id
def test_every_rule_is_a_page_with_its_four_parts(rule: Rule) -> None:
    parts = ("What it looks for:", "Why it matters:", "When it stays silent:", "Sources:")
    assert [part for part in parts if part not in rule.doc] == []


@by_id
def test_every_rule_has_a_source_with_a_label(rule: Rule) -> None:
    assert CLINIC.source(rule, PROFILE).label != ""


def test_rule_ids_are_never_used_twice() -> None:
    ids = [rule.id for rule in SERVICE.rules]
    assert sorted(set(ids)) == sorted(ids)


def test_whatever_was_recommended_in_a_vignette_has_a_summary(outcomes: list[Outcome]) -> None:
    spoken = {outcome.rule.id for outcome in outcomes if outcome.verdict is Verdict.RECOMMEND}
    assert spoken - set(TEXTS.rules) == set()


def test_no_text_is_left_over_from_a_rule_that_is_gone() -> None:
    assert set(TEXTS.rules) - {rule.id for rule in SERVICE.rules} == set()
    assert set(TEXTS.topics) - {rule.card for rule in SERVICE.rules} == {GAPS}


# --- words for everything that comes up ------------------------------------------------------------------------------
def test_every_criterion_that_came_up_has_a_sentence(outcomes: list[Outcome]) -> None:
    assert {criterion.key for criterion in trees(outcomes)} - set(TEXTS.criteria) == set()


def test_every_piece_of_evidence_that_came_up_has_words(outcomes: list[Outcome]) -> None:
    shown = {evidence.kind for criterion in trees(outcomes) for evidence in criterion.evidence}
    assert shown - set(TEXTS.evidence) == set()


def test_s3_every_gap_that_came_up_has_a_name(outcomes: list[Outcome]) -> None:
    named = {gap.what for criterion in trees(outcomes) for gap in criterion.gaps}
    assert named - set(TEXTS.names) == set()


def test_s3_every_reason_for_a_gap_has_words() -> None:
    assert set(TEXTS.gaps) == {kind.value for kind in GapKind}


@pytest.mark.parametrize("key", [need.key for need in ALL_NEEDS])
def test_s3_every_need_has_a_name(key: str) -> None:
    assert TEXTS.names.get(key, "") != ""


def test_the_three_truths_have_words() -> None:
    assert {truth.value: TEXTS.truth(truth) for truth in Truth} == {"yes": "yes", "no": "no", "unknown": "not known"}


def test_every_proposal_is_an_order_that_can_be_offered(outcomes: list[Outcome]) -> None:
    assert {each.order for outcome in outcomes for each in outcome.finding.propose} - set(SERVICE.orders) == set()


def test_patterns_take_only_what_they_are_given() -> None:
    """A misspelt `{tresh}` would only be noticed on a card."""
    shown = Evidence("age", "1")
    for kind in TEXTS.evidence:
        assert TEXTS.of_evidence(Evidence(kind, shown.value)) != ""
    for key in TEXTS.criteria:
        assert TEXTS.of_criterion(Criterion(key, Truth.YES)) != ""


# --- topics ----------------------------------------------------------------------------------------------------------
def test_e7_topics_have_codes_and_ranks_of_their_own() -> None:
    topics = TEXTS.topics.values()
    assert len({topic.code for topic in topics}) == len({topic.order for topic in topics}) == len(topics)


@pytest.mark.parametrize("name", TEXTS.topics)
def test_a_topic_is_absorbed_only_by_topics_there_are_and_never_in_a_circle(name: str) -> None:
    assert set(TEXTS.topics[name].absorbed_by) <= set(TEXTS.topics)
    reached, waiting = set[str](), list(TEXTS.topics[name].absorbed_by)
    while waiting:
        host = waiting.pop()
        reached.add(host)
        waiting.extend(each for each in TEXTS.topics[host].absorbed_by if each not in reached)
    assert name not in reached


def test_e8_no_sentence_of_ours_reassures_or_commands() -> None:
    reassuring = re.compile(r"\b(?:must|is safe|no risk|is normal|is fine|nothing to worry|healthy)\b", re.IGNORECASE)
    sentences = content.text_file("en").splitlines()
    found = [line for line in sentences if reassuring.search(line) and not line.startswith("#")]
    assert found == ['no-advice = "No rule had advice. That is not a statement that bone health is fine."']


# --- numbers ---------------------------------------------------------------------------------------------------------
def test_every_number_names_the_place_it_stands_in() -> None:
    assert [value.key for value in content.all_thresholds() if not value.where.strip()] == []


def test_no_number_has_two_values_from_the_same_day() -> None:
    dated = [(value.key, value.since) for value in content.all_thresholds()]
    assert len(set(dated)) == len(dated)


def test_numbers_are_decimal_so_that_nothing_is_rounded_on_the_way() -> None:
    assert {type(value.value) for value in content.all_thresholds()} == {Decimal}


def test_s6_a_day_before_the_rule_book_is_refused_and_the_first_day_is_not() -> None:
    assert len(content.thresholds(FIRST_DAY)) == len({value.key for value in content.all_thresholds()})
    with pytest.raises(InputError) as problem:
        content.thresholds(FIRST_DAY - dt.timedelta(days=1))
    assert str(problem.value) == (
        f"the rule book holds from {FIRST_DAY.isoformat()} on (at as_of). Ask about that day or a later one."
    )


GUIDELINE = """
guideline = "acr2022"

["made-up"]
label = "made up"
unit = "mg/d"
values = [{ since = 2020-01-01, value = 7.50, source = "acr2022", where = "Table 1", check = "V" }]
"""


def read(text: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    original = content._read
    monkeypatch.setattr(content, "_read", lambda file: text if file == "guidelines/x.toml" else original(file))
    return [(each.key, str(each.value), each.source.id) for each in content._guideline("guidelines/x.toml")]


def test_a_guideline_file_in_its_smallest_form(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(GUIDELINE, monkeypatch) == [("acr2022.made-up", "7.50", "acr2022")]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('source = "acr2022"', 'source = "acr2021"', "made-up: unknown source 'acr2021'. Add it to sources.toml."),
        ("2020-01-01", '"2020-01-01"', "made-up: since is not a date. Write it as 2023-01-01."),
        ("2020-01-01", "2020", "made-up: since is not a date. Write it as 2023-01-01."),
        ("value = 7.50", 'value = "7.50"', "made-up.values.0.value: '7.50' is not of type 'number'"),
        ('where = "Table 1"', 'where = ""', "made-up.values.0.where: '' should be non-empty"),
        ('check = "V"', 'check = "v"', "made-up.values.0.check: 'v' is not one of ['V', 'V2', 'R', 'P']"),
        (', where = "Table 1"', "", "made-up.values.0: 'where' is a required property"),
        ('unit = "mg/d"', "", "made-up: 'unit' is a required property"),
        ('guideline = "acr2022"', "", "(file): 'guideline' is a required property"),
        ('label = "made up"', 'lable = "made up"', "made-up: 'label' is a required property"),
    ],
)
def test_a_number_without_date_source_or_place_is_refused(
    old: str, new: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert old in GUIDELINE
    with pytest.raises(ContentError) as problem:
        read(GUIDELINE.replace(old, new), monkeypatch)
    assert str(problem.value) == f"guidelines/x.toml: {message}"


# --- profiles --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [file.removesuffix(".toml") for file in content._files("profiles", ".toml")])
def test_a_profile_names_only_what_there_is(name: str) -> None:
    site = content.profile(name)
    assert set(site.sets) <= SETS
    assert site.vitamin_d in site.sets
    assert set(site.preview) <= {rule.id for rule in SERVICE.rules}
    assert set(site.not_kept) <= {need.key for need in ALL_NEEDS}
    assert SERVICE.texts(site.language).topics == TEXTS.topics


@pytest.mark.parametrize(
    ("sets", "vitamin_d"),
    [(("vd_es2011", "ms"), "vd_es2011"), (("ms",), "vd_iom2011"), (("ms", "vd_ros2018"), "vd_ros2018")],
)
def test_only_keeps_the_site_and_changes_the_sets(sets: tuple[str, ...], vitamin_d: str) -> None:
    narrowed = PROFILE.only(sets)
    assert (narrowed.sets, narrowed.vitamin_d, narrowed.preview) == (sets, vitamin_d, ("*",))
    assert (narrowed.id, narrowed.title, narrowed.card_cap, narrowed.language, narrowed.not_kept) == (
        PROFILE.id,
        PROFILE.title,
        PROFILE.card_cap,
        PROFILE.language,
        PROFILE.not_kept,
    )


def test_a_profile_that_does_not_exist_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"there is no profile 'mars' \(at profile\)\. Choose one of: us"):
        content.profile("mars")


def test_d23_the_version_hash_covers_every_content_file() -> None:
    """Two workers with different content must show it; so must a changed rule or word."""
    named = {name for name, _ in content.all_files()}
    folders = ("guidelines", "profiles", "texts")
    there = {f"{folder}/{file}" for folder in folders for file in content._files(folder, ".toml")}
    there |= {f"{folder}/{file}" for folder in ("rules", "facts", "dosage") for file in content._files(folder, ".py")}
    alone = {"orders.toml", "analytes.toml", "concepts.py", "exposure.py", "measurements.py", "patient.py"}
    assert there | alone == named
    assert re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{12}", CLINIC.version) is not None
