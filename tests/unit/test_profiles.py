"""A site's choices: complete, known by name, free of contradictions; and a clear word where they are not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cds_service.clinical import basis, content, profiles, signoffs
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.measurements import analytes
from cds_service.clinical.patient import ALL_NEEDS
from cds_service.clinical.profiles import EVERYBODY, OUR_GROUPS, Profile
from cds_service.clinical.signoffs import SignOff
from cds_service.kernel.errors import ContentError, InputError
from hooks.patient_view import SERVICE

US = profiles.profile("us")
every_profile = pytest.mark.parametrize("name", profiles.built_in())


def site(text: str) -> Profile:
    """A site file of that content, checked as the service checks it."""
    return CLINIC.site(text, "clinic.toml")


# --- the profiles that come with the service -------------------------------------------------------------------------
@every_profile
def test_a_built_in_profile_names_only_what_there_is(name: str) -> None:
    made = CLINIC.profile(name)
    assert set(made.sets) <= set(content.guideline_sets())
    assert made.vitamin_d in made.sets
    assert set(made.not_kept) <= {need.key for need in ALL_NEEDS}
    assert SERVICE.texts(made.language, made.wording).topics.keys() == SERVICE.texts("en").topics.keys()


@every_profile
def test_a_built_in_profile_answers_all_17_disagreements(name: str) -> None:
    rows = {profiles.switches()[switch].row for switch, _ in profiles.profile(name).switches}
    assert rows == {f"D{number}" for number in range(1, 18)}


@every_profile
def test_recalled_rules_are_off_in_a_built_in_profile(name: str) -> None:
    """Rows marked R are preview: a site switches them on by name, we never do."""
    assert profiles.profile(name).preview == ()


@every_profile
def test_screening_is_for_the_two_groups_of_the_intended_use(name: str) -> None:
    assert profiles.profile(name).screening == OUR_GROUPS


def test_every_guideline_set_has_a_rule_or_cut_offs() -> None:
    used = {name for rule in SERVICE.rules for name in rule.sets}
    assert set(content.guideline_sets()) - used == set()


def test_a_profile_that_does_not_exist_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"there is no profile 'mars' \(at profile\)\. Choose one of: ca, uk, us"):
        profiles.profile("mars")


# --- a site file -----------------------------------------------------------------------------------------------------
def test_a_site_file_starts_from_a_profile_and_overrides_any_of_it() -> None:
    made = site(
        """
        base = "us"
        card_cap = 2
        off = ["GC-11"]
        [switches]
        cum_op = "and"
        [units]
        vitamin-d = "nmol/L"
        [wording]
        "blocks.product" = "Bone health, our clinic"
        """
    )
    assert (made.id, made.card_cap, made.off, made.sets) == ("clinic", 2, ("GC-11",), US.sets)
    assert (made.choice("cum_op"), made.choice("gc_entry")) == ("and", US.choice("gc_entry"))
    assert (made.unit("vitamin-d"), made.unit("calcium")) == ("nmol/L", "mg/dL")
    assert SERVICE.texts("en", made.wording).blocks["product"] == "Bone health, our clinic"


OTHER_SET = "Switch that set on, or choose another reading."
NO_RULE = "there is no rule 'GC-99' at this hook. See docs/reference/."


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cards = 2", "(file): Additional properties are not allowed ('cards' was unexpected)"),
        ("card_cap = 0", "card_cap: 0 is less than the minimum of 1"),
        ('order_advice = "later"', "order_advice: 'later' is not one of ['select', 'sign']"),
        ('screening = "women"', "screening: 'women' is not one of ['everybody', 'ms-or-glucocorticoids']"),
        ('off = ["GC-99"]', f"off: {NO_RULE}"),
        ('preview = ["GC-99"]', f"preview: {NO_RULE}"),
        ('off = ["DX-02"]\npreview = ["DX-02"]', "off: DX-02 stands under preview as well. Keep one of them."),
        ('not_kept = ["x"]', f"not_kept: there is no look-up 'x'. Known: {', '.join(n.key for n in ALL_NEEDS)}."),
        ("switches = { x = 'y' }", f"switches.x: is no switch. Known: {', '.join(sorted(profiles.switches()))}."),
        ('switches = { cum_op = "xor" }', "switches.cum_op: 'xor' is no reading of it. Choose: or, and."),
        ('units = { t25 = "s" }', f"units.t25: is no measurement. Known: {', '.join(sorted(analytes()))}."),
        ('units = { vitamin-d = "mmol/L" }', "units.vitamin-d: 'mmol/L' is no unit of it. Known: ng/mL, nmol/L."),
        (
            'equivalence = { betamethasone = "x" }',
            "equivalence.betamethasone: there is no table 'x' for it. See guidelines/equivalence.toml.",
        ),
        (
            'sets = ["label_us"]',
            f"switches.gc_entry: 'acr2022' contradicts `sets`: it follows acr2022, which is off. {OTHER_SET}",
        ),
        (
            'switches = { treat_first = "treat" }',
            f"switches.treat_first: 'treat' contradicts `sets`: it follows nogg2024, which is off. {OTHER_SET}",
        ),
        (
            'switches = { label = "eu" }',
            f"switches.label: 'eu' contradicts `sets`: it follows label_eu, which is off. {OTHER_SET}",
        ),
    ],
)
def test_what_is_wrong_in_a_site_file_is_said_with_file_key_and_fix(line: str, message: str) -> None:
    with pytest.raises(ContentError) as problem:
        site(f'base = "us"\n{line}')
    assert str(problem.value) == f"clinic.toml: {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "(file): 'base' is a required property"),
        ('base = "mars"', "base: there is no profile 'mars'. Choose one of: ca, uk, us."),
    ],
)
def test_a_site_file_says_what_it_starts_from(text: str, message: str) -> None:
    with pytest.raises(ContentError) as problem:
        site(text)
    assert str(problem.value) == f"clinic.toml: {message}"


@pytest.mark.parametrize("extra", ["label_eu", "vd_es2011"])
def test_two_labels_or_two_sets_of_vitamin_d_cut_offs_contradict_each_other(extra: str) -> None:
    sets = ", ".join(f'"{name}"' for name in (*US.sets, extra))
    with pytest.raises(ContentError, match=f"sets: {extra} contradicts switches"):
        site(f'base = "us"\nsets = [{sets}]')


def test_a_guideline_set_that_does_not_exist_is_named_with_those_there_are() -> None:
    sets = ", ".join(f'"{name}"' for name in (*US.sets, "acr2021"))
    with pytest.raises(ContentError, match=r"sets: there is no guideline set 'acr2021'. Known: "):
        site(f'base = "us"\nsets = [{sets}]')


def test_words_that_replace_no_text_are_refused() -> None:
    made = site('base = "us"\n[wording]\n"rules.GC-01.headline" = "x"')
    with pytest.raises(ContentError, match=r"profile: wording.rules.GC-01.headline: is no text of this language"):
        SERVICE.texts("en", made.wording)


def test_a_profile_takes_one_of_the_published_tables_where_they_disagree() -> None:
    ours = dict(US.equivalence)
    for ingredient in ours:
        rest = tuple(pair for pair in US.equivalence if pair[0] != ingredient)
        with pytest.raises(ContentError) as problem:
            profiles._check_tables(replace(US, equivalence=rest), "clinic.toml")
        assert str(problem.value) == (
            f"clinic.toml: equivalence.{ingredient}: is missing: published tables disagree about it. "
            "See guidelines/equivalence.toml."
        )
    assert "betamethasone" in ours


# --- just some guidelines --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sets", "switch", "reading"),
    [
        (("ms",), "vd_profile", "vd_iom2011"),
        (("vd_es2011", "ms"), "vd_profile", "vd_es2011"),
        (("nogg2024",), "treat_first", "treat"),
        (("nogg2024",), "frax_mode", "by_age"),
        (("acr2022", "label_us"), "treat_first", "assess"),
        (("acr2022", "nogg2024"), "treat_first", "assess"),
        (("nogg2024", "acr2022"), "treat_first", "treat"),
        (("nice",), "young_mode", "nice"),
        (("label_eu",), "label", "eu"),
    ],
)
def test_only_some_guidelines_are_read_as_they_read_themselves(
    sets: tuple[str, ...], switch: str, reading: str
) -> None:
    assert US.only(sets).choice(switch) == reading


def test_only_keeps_the_site_and_runs_preview_rules_for_everybody() -> None:
    narrowed = US.only(("acr2022",))
    assert (narrowed.sets, narrowed.preview, narrowed.off, narrowed.screening) == (("acr2022",), ("*",), (), EVERYBODY)
    kept = ("id", "title", "card_cap", "language", "not_kept", "units", "equivalence", "wording", "risk_models")
    assert [getattr(narrowed, name) for name in kept] == [getattr(US, name) for name in kept]


# --- sign-offs -------------------------------------------------------------------------------------------------------
RULE = next(rule for rule in SERVICE.rules if rule.id == "GC-01")


def signed(content_hash: str, on: dt.date = dt.date(2026, 6, 1)) -> SignOff:
    """Somebody's signature on GC-01."""
    return SignOff("GC-01", "1", content_hash, "A. Clinician", "consultant rheumatologist", on)


def test_a_signature_holds_for_exactly_what_was_signed() -> None:
    good, other = signed(basis.content_hash(RULE)), signed("0" * 64)
    assert basis.valid(RULE, [other]) is None
    assert basis.valid(RULE, [other, good]) == good
    assert basis.status(RULE, [good]) == "stable"
    assert basis.status(RULE, [other]) == "unsigned"


def test_of_several_signatures_that_hold_the_newest_counts() -> None:
    early, late = (signed(basis.content_hash(RULE), dt.date(2026, month, 1)) for month in (5, 6))
    assert basis.valid(RULE, [late, early]) == late


def test_the_hash_covers_code_facts_numbers_and_words() -> None:
    told = basis.Basis(RULE).as_json
    assert list(told) == ["declared", "functions", "constants", "numbers", "codes", "units", "words"]
    assert "cds_service.clinical.concepts.long_term" in told["functions"]
    assert "cds_service.clinical.dosage.course.Days" in told["functions"], "a class whose methods were made for it"
    assert not any(line.startswith('["lines"') for line in told["words"]), "lines of other rules"
    assert "cds_service.clinical.facts.glucocorticoids.exposure" in told["functions"]
    assert any(line.startswith("acr2022.gc-entry-dose 2.5 ") for line in told["numbers"])
    assert any(line.startswith("glucocorticoid.drug ") for line in told["codes"])
    assert any('"gc-long-term"' in line for line in told["words"])
    assert any('["rules", "GC-01"' in line for line in told["words"])


def test_a_site_signs_in_its_own_file_and_may_run_signed_rules_only() -> None:
    text = f"""
        base = "us"
        unsigned = false
        [[signoff]]
        rule = "GC-01"
        version = "1"
        content = "{basis.content_hash(RULE)}"
        reviewer = "A. Clinician"
        role = "consultant rheumatologist"
        on = 2026-06-01
        """
    made = site(text)
    assert [rule.id for rule in SERVICE.rules if CLINIC.signed(rule, made)] == ["GC-01"]


def test_a_signature_without_a_day_is_refused() -> None:
    told = {"rule": "GC-01", "version": "1", "content": "0" * 64, "reviewer": "A", "role": "B", "on": "June"}
    lines = "\n".join(f'{key} = "{value}"' for key, value in told.items())
    with pytest.raises(ContentError, match=r"clinic.toml: on: is not a date. Write it as 2026-06-15."):
        site(f'base = "us"\n[[signoff]]\n{lines}')


SIGNED = f"""
rule = "GC-01"
version = "1"
content = "{"0" * 64}"
reviewer = "A. Clinician"
role = "consultant rheumatologist"
on = 2026-06-01
"""


@pytest.fixture
def reviews(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Files of signatures as a release would bring them."""
    told: dict[str, str] = {}
    files, read = content.files, content.read
    monkeypatch.setattr(
        content,
        "files",
        lambda folder, ending: (
            [name for name in told if name.endswith(ending)] if folder == "reviews" else files(folder, ending)
        ),
    )
    monkeypatch.setattr(content, "read", lambda name: told[name[8:]] if name.startswith("reviews/") else read(name))
    signoffs.shipped.cache_clear()
    yield told
    signoffs.shipped.cache_clear()


def test_signatures_of_a_release_count_at_every_site(reviews: dict[str, str]) -> None:
    reviews |= {"gc-01.toml": SIGNED, "gc-01-later.toml": f'{SIGNED}note = "seen again"\n', "README.md": "no signature"}
    by = ("A. Clinician", "consultant rheumatologist", dt.date(2026, 6, 1))
    both = (SignOff("GC-01", "1", "0" * 64, *by), SignOff("GC-01", "1", "0" * 64, *by, "seen again"))
    assert signoffs.shipped() == both
    assert site('base = "us"').signatures == both


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2026-06-01", '"June"', "on: is not a date. Write it as 2026-06-15."),
        ('role = "consultant rheumatologist"', "", "(file): 'role' is a required property"),
        ("000", "0", "content: "),
    ],
)
def test_a_wrong_signature_of_a_release_is_named_by_its_file(
    old: str, new: str, message: str, reviews: dict[str, str]
) -> None:
    reviews["gc-01.toml"] = SIGNED.replace(old, new)
    with pytest.raises(ContentError) as problem:
        signoffs.shipped()
    assert str(problem.value).startswith(f"reviews/gc-01.toml: {message}")
