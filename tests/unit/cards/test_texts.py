"""The words: checked when they are loaded, and never with a hole where a value should be."""

from __future__ import annotations

import datetime as dt

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from cds_service.cards import texts
from cds_service.cards.texts import Override
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.dates import on_day, parse_date
from cds_service.kernel.errors import ContentError
from cds_service.kernel.facts import Evidence, Gap, GapKind
from cds_service.kernel.truth import Truth
from tests.unit.engine.made_up import LIMIT, TEXTS, words

DAY = on_day(dt.date(2026, 5, 1))


# --- loading ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[unread]", "[unread]\n[unraed]", "Additional properties are not allowed ('unraed' was unexpected)"),
        (
            '[check]\nP = "not from a guideline"',
            "",
            "check: the table is in none of these files. Add it to one of them.",
        ),
        ('wet = "it is wet"', "wet = 3", "3 is not of type 'string'"),
        ('code = "Roof"', 'code = "The roof"', "'The roof' does not match '^[A-Za-z0-9]{1,100}$'"),
        ("order = 9", "", "'order' is a required property"),
        ("order = 9", "order = 1.5", "Decimal('1.5') is not of type 'integer'"),
        ("order = 9", "order = 9\nabsorbs = []", "Additional properties are not allowed ('absorbs' was unexpected)"),
        ('summary = "Roof is old."', 'summary = ""', "'' should be non-empty"),
        ('summary = "Roof is old."', "", "'summary' is a required property"),
        ('display = "Not now"', "", "'display' is a required property"),
    ],
)
def test_a_wrong_key_or_value_stops_the_start_with_file_and_problem(old: str, new: str, message: str) -> None:
    assert old in TEXTS
    with pytest.raises(ContentError) as problem:
        texts.load({"texts/en.toml": TEXTS.replace(old, new)})
    assert str(problem.value).startswith("texts/en.toml: ")
    assert str(problem.value).endswith(message)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("Roof is old.", "Roof is {{ v.age.", "rules.X-2.summary"),
        ("Sell the house", "{% if %}Sell it{% endif %}", "rules.X-2.options"),
        ("Sell the house", "{{ v.age | no_such_filter }}", "rules.X-2.options"),
    ],
)
def test_a_template_that_is_none_stops_the_start_with_its_key(old: str, new: str, key: str) -> None:
    with pytest.raises(ContentError) as problem:
        texts.load({"texts/en.toml": TEXTS.replace(old, new)})
    assert str(problem.value).startswith(f"texts/en.toml: {key}: not a template: ")


def test_a_table_may_be_spread_over_files_and_a_key_stands_in_one_of_them() -> None:
    rest = TEXTS.replace('P = "not from a guideline"', "")
    joined = texts.load({"a.toml": rest, "b.toml": '[check]\nP = "not from a guideline"'})
    assert joined.check == words().check
    with pytest.raises(ContentError) as problem:
        texts.load({"a.toml": TEXTS, "b.toml": '[check]\nP = "again"'})
    assert str(problem.value) == "b.toml: check.P: stands in another file as well. Keep one of them."


def test_a_key_of_lines_may_name_several_definitions() -> None:
    loaded = words()
    assert [line.render({"v": {"slates": 2}}) for line in loaded.lines["X-0"]] == [
        "2 slates are loose",
        "Roofs of that age leak",
    ]
    assert loaded.lines["X-7"] == loaded.lines["X-0"]
    with pytest.raises(ContentError) as problem:
        texts.load({"texts/en.toml": TEXTS.replace("Roofs of that age leak", "{{ v.")})
    assert str(problem.value).startswith("texts/en.toml: lines.X-0 X-7: not a template: ")


def test_loaded_texts_have_topics_with_what_absorbs_them_and_reasons_in_order() -> None:
    loaded = words()
    assert loaded.topics["windows"] == texts.Topic("Windows", "The windows", 3, ("roof", "walls"))
    assert loaded.topics["roof"].absorbed_by == ()
    assert loaded.override == (Override("not-now", "Not now"),)


# --- templates -------------------------------------------------------------------------------------------------------
def test_a_value_that_no_rule_computed_is_an_error_where_it_is_printed() -> None:
    with pytest.raises(UndefinedError, match="drops"):
        words().rules["X-1"].summary.render({"v": {}})


def test_and_counts_as_no_where_it_is_asked_for() -> None:
    template = words().rules["X-1"].options[1]
    assert [template.render({"v": values}) for values in ({}, {"rain": False}, {"rain": True})] == [
        "",
        "",
        "Bring in the cat",
    ]


def test_templates_cannot_reach_into_python() -> None:
    reaching = TEXTS.replace("Roof is old.", "{{ v.__class__.__mro__ }}")
    with pytest.raises(SecurityError):
        texts.load({"texts/en.toml": reaching}).rules["X-2"].summary.render({"v": {}})


# --- sentences -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("evidence", "line"),
    [
        (Evidence("leak", "3 drops", DAY, "Observation/1", "north side"), "Leak: 3 drops, north side (2026-05-01)"),
        (Evidence("leak", "3 drops", parse_date("2026"), note="north"), "Leak: 3 drops, north (2026)"),
        (Evidence("leak", "3 drops", note="north"), "Leak: 3 drops, north (no date)"),
        (Evidence("leak", "-2.5", DAY, note="<b>north</b>\n#1"), r"Leak: -2.5, \<b\>north\<\/b\> \#1 (2026-05-01)"),
        (Evidence("age", "62"), "Age 62"),
        (Evidence("not-in-the-texts", "3", DAY, note="north"), "3 north 2026-05-01"),
    ],
)
def test_e1_evidence_in_words_with_what_the_record_says_escaped(evidence: Evidence, line: str) -> None:
    assert words().of_evidence(evidence) == line


@pytest.mark.parametrize(
    ("criterion", "sentence"),
    [
        (Criterion("wet", Truth.YES), "it is wet"),
        (Criterion("drops", Truth.YES, threshold=LIMIT), "at least 7.5 mg a day"),
        (Criterion("drops", Truth.YES), "at least"),
        (Criterion("not-in-the-texts", Truth.NO), "not-in-the-texts"),
    ],
)
def test_a_criterion_in_words_with_its_number(criterion: Criterion, sentence: str) -> None:
    assert words().of_criterion(criterion) == sentence


@pytest.mark.parametrize(
    ("gap", "name"),
    [
        (Gap(GapKind.FAILED, "results"), "results of the plumber"),
        (Gap(GapKind.FAILED, "results", "no answer [a]"), r"results of the plumber (no answer \[a\])"),
        (Gap(GapKind.FAILED, "attic"), "attic"),
    ],
)
def test_s3_a_gap_by_name(gap: Gap, name: str) -> None:
    assert words().of_gap(gap) == name


def test_units_and_truths_in_words() -> None:
    assert (words().unit("mg/d"), words().unit("cm")) == ("mg a day", "cm")
    assert [words().truth(truth) for truth in Truth] == ["yes", "no", "not known"]
