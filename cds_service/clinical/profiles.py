"""A site's choices: which guidelines, which reading where they disagree, units, words, how many cards.

A profile is complete: it answers every question of `switches.toml`. A site file names a profile as its `base` and
overrides any of it. Numbers are never part of a profile; they stay in `guidelines/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from cds_service.clinical import content, signoffs
from cds_service.clinical.measurements import analytes
from cds_service.clinical.signoffs import SignOff
from cds_service.formats import strict_toml
from cds_service.kernel.errors import ContentError, InputError
from cds_service.kernel.rules import Rule

_EVERYBODY_PERCENT = 100
EVERYBODY = "everybody"
OUR_GROUPS = "ms-or-glucocorticoids"

# keys of [quiet] beside the codes of reasons
ACCEPTED = "accepted"
DISMISSED = "dismissed"

_NAMES = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
_PAIRS = {"type": "object", "additionalProperties": {"type": "string"}}
_DAYS = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 3650}}
_PROPERTIES: Mapping[str, Any] = {
    "title": {"type": "string", "minLength": 1},
    "sets": {**_NAMES, "minItems": 1},
    "preview": _NAMES,
    "off": _NAMES,
    "unsigned": {"type": "boolean"},
    "card_cap": {"type": "integer", "minimum": 1, "maximum": 10},
    "order_advice": {"enum": ["select", "sign"]},
    "language": {"type": "string"},
    "screening": {"enum": [EVERYBODY, OUR_GROUPS]},
    "not_kept": _NAMES,
    "risk_models": _NAMES,
    "switches": _PAIRS,
    "units": _PAIRS,
    "equivalence": _PAIRS,
    "wording": _PAIRS,
    "quiet": _DAYS,
    "quiet_topics": _DAYS,
    "quiet_for_the_user_alone": _NAMES,
    "shown_to_percent": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 100}},
}
_SCHEMA = {
    "type": "object",
    "required": list(_PROPERTIES),
    "additionalProperties": False,
    "properties": _PROPERTIES,
}
_SITE_SCHEMA = {
    "type": "object",
    "required": ["base"],
    "additionalProperties": False,
    "properties": {
        "base": {"type": "string"},
        "signoff": {"type": "array", "items": signoffs.SCHEMA},
        **_PROPERTIES,
    },
}
_SWITCHES_SCHEMA = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["row", "question", "options"],
        "additionalProperties": False,
        "properties": {
            "row": {"type": "string", "pattern": "^D[0-9]+$"},
            "question": {"type": "string", "minLength": 1},
            "options": {
                "type": "array",
                "minItems": 2,
                "items": {
                    "type": "object",
                    "required": ["value", "means", "sets"],
                    "additionalProperties": False,
                    "properties": {"value": {"type": "string"}, "means": {"type": "string"}, "sets": _NAMES},
                },
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class Option:
    """One reading of a disagreement.

    Attributes:
        value: its name in a profile.
        means: the reading, for people.
        sets: guideline sets that read it so; a profile that takes it has one of them on. Empty: any profile may.
    """

    value: str
    means: str
    sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """One disagreement between guidelines (rule book, section 11).

    Attributes:
        name: key in a profile ("treat_first").
        row: its row in the rule book ("D4").
        question: what is disagreed about.
        options: the readings.
    """

    name: str
    row: str
    question: str
    options: tuple[Option, ...]

    def option(self, value: str) -> Option | None:
        """The reading of that name."""
        return next((each for each in self.options if each.value == value), None)


@dataclass(frozen=True, slots=True)
class Profile:
    """A site's choices.

    Attributes:
        id: name of the file ("us"), or of the site file.
        title: for people.
        sets: guideline sets whose rules are on, most important first.
        preview: ids of preview rules that are on all the same; "*" for all of the sets.
        off: ids of rules that are off although their set is on.
        unsigned: whether rules run that nobody has signed in their present form.
        card_cap: most cards in one answer.
        order_advice: hook at which advice about an order is given, "select" or "sign"; safety cards are given at both.
        language: name of the folder in `texts/`.
        screening: whom screening rules speak about, EVERYBODY or OUR_GROUPS.
        not_kept: need keys that count as looked up although the EHR never supplies them.
        risk_models: risk equations shown as supporting text.
        switches: the reading taken of every disagreement.
        units: unit in which a value is shown beside that of the laboratory, by analyte.
        equivalence: which published glucocorticoid equivalence, by ingredient.
        wording: texts that replace those of the language, by key.
        quiet: for how many days a topic stays silent after an answer: accepted, dismissed, or dismissed for a reason, by its
            code, which may be one of the site's own.
        quiet_topics: the same for single topics, whatever the answer was.
        quiet_for_the_user_alone: reasons that silence a topic for the user who gave them only.
        shown_to_percent: rules that are shown to some patients only, and run in silent mode for the others.
        signatures: sign-offs that count here: those of the release and those of the site.
    """

    id: str
    title: str
    sets: tuple[str, ...]
    preview: tuple[str, ...]
    off: tuple[str, ...]
    unsigned: bool
    card_cap: int
    order_advice: str
    language: str
    screening: str
    not_kept: tuple[str, ...]
    risk_models: tuple[str, ...]
    switches: tuple[tuple[str, str], ...]
    units: tuple[tuple[str, str], ...]
    equivalence: tuple[tuple[str, str], ...]
    wording: tuple[tuple[str, str], ...]
    quiet: tuple[tuple[str, int], ...]
    quiet_topics: tuple[tuple[str, int], ...]
    quiet_for_the_user_alone: tuple[str, ...]
    shown_to_percent: tuple[tuple[str, int], ...]
    signatures: tuple[SignOff, ...] = ()

    def choice(self, switch: str) -> str:
        """The reading this site takes of a disagreement."""
        return dict(self.switches)[switch]

    def unit(self, analyte: str) -> str:
        """The unit in which this site reads an analyte; empty where it has no preference."""
        return dict(self.units).get(analyte, "")

    def equal(self, ingredient: str) -> str:
        """Which published equivalence this site takes for that ingredient; empty where tables agree."""
        return dict(self.equivalence).get(ingredient, "")

    def quiet_days(self, topic: str, *, accepted: bool, reasons: Sequence[str]) -> int:
        """For how many days a topic stays silent after its card was answered so; of several reasons the longest counts."""
        topics, told = dict(self.quiet_topics), dict(self.quiet)
        if topic in topics:
            return topics[topic]
        if accepted:
            return told[ACCEPTED]
        return max((told[each] for each in reasons if each in told), default=told[DISMISSED])

    def percent_shown(self, rule: str) -> int:
        """To how many of a hundred patients what a rule says is shown."""
        return dict(self.shown_to_percent).get(rule, _EVERYBODY_PERCENT)

    @property
    def vitamin_d(self) -> str:
        """The vitamin D profile whose classes are used ("vd_iom2011")."""
        return self.choice("vd_profile")

    def only(self, sets: tuple[str, ...]) -> Profile:
        """The same site with just the named guideline sets, their preview rules included, read as they read themselves.

        Where several named guidelines answer a disagreement, the first one named decides; where none does, the site.
        Screening rules speak about everybody, as in their guidelines.
        """
        chosen = {name: _reading(switches()[name], sets, own) for name, own in self.switches}
        return replace(
            self, sets=sets, preview=("*",), off=(), screening=EVERYBODY, switches=tuple(sorted(chosen.items()))
        )


def _reading(switch: Switch, sets: tuple[str, ...], own: str) -> str:
    kept = switch.option(own)
    for name in sets:
        if kept and name in kept.sets:
            return own
        if option := next((each for each in switch.options if name in each.sets), None):
            return option.value
    return own


@lru_cache(maxsize=1)
def switches() -> Mapping[str, Switch]:
    """Every disagreement by name."""
    told = strict_toml.load(content.read("switches.toml"), "switches.toml", _SWITCHES_SCHEMA)
    return {
        name: Switch(
            name,
            each["row"],
            each["question"],
            tuple(Option(o["value"], o["means"], tuple(o["sets"])) for o in each["options"]),
        )
        for name, each in told.items()
    }


def built_in() -> tuple[str, ...]:
    """Names of the profiles that come with the service."""
    return tuple(file.removesuffix(".toml") for file in content.files("profiles", ".toml"))


@lru_cache(maxsize=8)
def profile(name: str) -> Profile:
    """The built-in profile of that name.

    Raises:
        InputError: there is none; the message lists those there are.
        ContentError: a key is unknown, missing or contradicts another.
    """
    if name not in built_in():
        raise InputError(f"there is no profile {name!r}", "profile", f"Choose one of: {', '.join(built_in())}.")
    file = f"profiles/{name}.toml"
    return _profile(name, strict_toml.load(content.read(file), file, _SCHEMA), file)


def site(text: str, file: str) -> Profile:
    """The profile that a site file describes: its `base`, with whatever else it says put in place.

    Args:
        text: the file, TOML.
        file: its name, for messages; its stem becomes the profile's id.

    Raises:
        ContentError: a key is unknown, or what results contradicts itself.
    """
    told = strict_toml.load(text, file, _SITE_SCHEMA)
    base = told.pop("base")
    signed = tuple(signoffs.parse(each, file) for each in told.pop("signoff", ()))
    if base not in built_in():
        raise ContentError(file, "base", f"there is no profile {base!r}", f"Choose one of: {', '.join(built_in())}.")
    inside = f"profiles/{base}.toml"
    merged = strict_toml.load(content.read(inside), inside, _SCHEMA)
    for key, value in told.items():
        merged[key] = {**merged[key], **value} if isinstance(value, Mapping) else value
    return _profile(file.rsplit("/", 1)[-1].removesuffix(".toml"), merged, file, signed)


def _profile(name: str, told: Mapping[str, Any], file: str, signed: tuple[SignOff, ...] = ()) -> Profile:
    choices = {key: _frozen(told[key]) for key in _PROPERTIES}
    made = Profile(name, **choices, signatures=(*signoffs.shipped(), *signed))
    _check_switches(made, file)
    _check_sets(made, file)
    _check_tables(made, file)
    return made


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple(sorted(value.items()))
    return tuple(value) if isinstance(value, list) else value


def _check_switches(made: Profile, file: str) -> None:
    """Every disagreement is answered, with a reading that exists and that one of the profile's guidelines takes."""
    chosen = dict(made.switches)
    for name in chosen.keys() - switches().keys():
        raise ContentError(file, f"switches.{name}", "is no switch", f"Known: {', '.join(sorted(switches()))}.")
    for name, switch in switches().items():
        options = ", ".join(each.value for each in switch.options)
        if name not in chosen:
            raise ContentError(file, f"switches.{name}", f"is missing: {switch.question}", f"Choose: {options}.")
        option = switch.option(chosen[name])
        if option is None:
            raise ContentError(file, f"switches.{name}", f"{chosen[name]!r} is no reading of it", f"Choose: {options}.")
        if option.sets and not set(option.sets) & set(made.sets):
            raise ContentError(
                file,
                f"switches.{name}",
                f"{option.value!r} contradicts `sets`: it follows {' or '.join(option.sets)}, which is off",
                "Switch that set on, or choose another reading.",
            )


def _check_sets(made: Profile, file: str) -> None:
    """The sets exist, and there is one label and one set of vitamin D cut-offs."""
    for name in made.sets:
        if name not in content.guideline_sets():
            known = ", ".join(sorted(content.guideline_sets()))
            raise ContentError(file, "sets", f"there is no guideline set {name!r}", f"Known: {known}.")
    for switch in ("label", "vd_profile"):
        option = switches()[switch].option(made.choice(switch))
        others = {each for o in switches()[switch].options for each in o.sets} - set(option.sets if option else ())
        if clash := sorted(others & set(made.sets)):
            raise ContentError(
                file,
                "sets",
                f"{', '.join(clash)} contradicts switches.{switch} = {made.choice(switch)!r}",
                "Take one of them out.",
            )


def _check_tables(made: Profile, file: str) -> None:
    """The units and the published equivalences that a profile names exist."""
    for analyte, unit in made.units:
        known = analytes()
        if analyte not in known:
            raise ContentError(file, f"units.{analyte}", "is no measurement", f"Known: {', '.join(sorted(known))}.")
        if unit not in known[analyte].units:
            units = ", ".join(known[analyte].units)
            raise ContentError(file, f"units.{analyte}", f"{unit!r} is no unit of it", f"Known: {units}.")
    tables = {value.key for value in content.all_thresholds()}
    for ingredient, table in made.equivalence:
        if f"equivalence.{ingredient}.{table}" not in tables:
            what = f"there is no table {table!r} for it"
            raise ContentError(file, f"equivalence.{ingredient}", what, "See guidelines/equivalence.toml.")
    for ingredient in {key.split(".")[1] for key in tables if key.startswith("equivalence.") and key.count(".") > 1}:
        if not made.equal(ingredient):
            what = "is missing: published tables disagree about it"
            raise ContentError(file, f"equivalence.{ingredient}", what, "See guidelines/equivalence.toml.")


def check_names(made: Profile, rules: Iterable[Rule], need_keys: Iterable[str], file: str) -> None:
    """The rules and look-ups that a profile names exist, and it does not say two things about one rule.

    Raises:
        ContentError: naming the key.
    """
    given = tuple(rules)
    known = {rule.id for rule in given}
    topics = {rule.card for rule in given}
    for name in dict(made.quiet_topics).keys() - topics:
        raise ContentError(
            file, f"quiet_topics.{name}", "there is no such topic", f"Known: {', '.join(sorted(topics))}."
        )
    for ident in dict(made.shown_to_percent).keys() - known:
        raise ContentError(
            file, f"shown_to_percent.{ident}", "there is no such rule at this hook", "See docs/reference/."
        )
    for key, named in (("preview", made.preview), ("off", made.off)):
        for ident in named:
            if ident not in known and ident != "*":
                raise ContentError(file, key, f"there is no rule {ident!r} at this hook", "See docs/reference/.")
    if both := sorted(set(made.preview) & set(made.off)):
        raise ContentError(file, "off", f"{', '.join(both)} stands under preview as well", "Keep one of them.")
    for name in made.not_kept:
        if name not in need_keys:
            raise ContentError(file, "not_kept", f"there is no look-up {name!r}", f"Known: {', '.join(need_keys)}.")
