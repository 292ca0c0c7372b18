"""The reviewed content fits together: every rule has its words, every number its source, every name its text."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.cards import texts
from cds_service.clinical import content, profiles
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.terminology import terminology
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.errors import ContentError, InputError
from cds_service.kernel.facts import Evidence
from cds_service.kernel.rules import Rule
from cds_service.kernel.truth import Truth
from hooks.patient_view import SERVICE

TEXTS = SERVICE.texts("en")
PROFILE = profiles.profile("us")
FIRST_DAY = max(
    min(value.since for value in content.all_thresholds() if value.key == key)
    for key in {value.key for value in content.all_thresholds()}
)
by_id = pytest.mark.parametrize("rule", SERVICE.rules, ids=lambda rule: rule.id)


# --- rules and their words -------------------------------------------------------------------------------------------
@by_id
def test_every_rule_has_a_source_with_a_label(rule: Rule) -> None:
    assert CLINIC.source(rule, PROFILE).label != ""


# --- words for everything that comes up ------------------------------------------------------------------------------
def test_the_three_truths_have_words() -> None:
    assert {truth.value: TEXTS.truth(truth) for truth in Truth} == {"yes": "yes", "no": "no", "unknown": "not known"}


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


# --- numbers ---------------------------------------------------------------------------------------------------------
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
    original = content.read
    monkeypatch.setattr(content, "read", lambda file: text if file == "guidelines/x.toml" else original(file))
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


# --- versions ------------------------------------------------------------------------------------------------------
def test_d23_the_version_hash_covers_every_content_file() -> None:
    """Two workers with different content must show it; so must a changed rule or word."""
    named = {name for name, _ in content.all_files()}
    folder = Path(content.__file__).parent
    there = {str(path.relative_to(folder)) for end in ("py", "toml") for path in folder.rglob(f"*.{end}")}
    assert named == {name for name in there if not name.startswith("valuesets/")}
    assert re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{12}", CLINIC.version) is not None


def test_s3_whatever_kind_of_record_cannot_be_used_has_a_name() -> None:
    """`fhir.chart` names the kind by the first part of the concept; a page showed "kind:vitals"."""
    # routes stand inside of a drug, and are never a record of their own
    kinds = {name.split(".")[0] for name in terminology().names()} - {"route"}
    named = texts.load(content.text_files("en")).names
    assert sorted(kind for kind in kinds if f"kind:{kind}" not in named) == []
