"""What a site chooses: one page per built-in profile, and the disagreements of guidelines side by side."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical import content
from cds_service.clinical.profiles import EVERYBODY, Profile, Switch, switches
from cds_service.engine.evaluate import switched_on
from cds_service.kernel.rules import Rule
from cds_service.review.pages.book import Book
from cds_service.review.pages.markdown import bullets, link, page, pairs, section, table
from cds_service.review.pages.rule_page import statement


def profile_pages(book: Book) -> Iterator[tuple[str, str]]:
    """Path and text of every profile's page."""
    for profile in book.profiles:
        yield f"profiles/{profile.id}.md", _page(book, profile)


def _page(book: Book, profile: Profile) -> str:
    runs = [rule for rule in book.rules.values() if switched_on(rule, profile)]
    silent = [rule for rule in book.rules.values() if rule not in runs and set(rule.sets) & set(profile.sets)]
    return page(
        f"Profile {profile.id}: {profile.title}",
        f"The choices of `cds_service/clinical/profiles/{profile.id}.toml`. A site file takes a profile as its base and "
        "changes any of them; numbers are never part of a profile.",
        section("Guidelines, most important first", _sets(profile)),
        section("Readings where guidelines disagree", _readings(profile)),
        section("Other choices", pairs(_choices(book, profile))),
        section("Rules that run", _rules(book, runs)),
        section("Rules of these guidelines that do not run", bullets(_silent(silent, profile))),
    )


def _sets(profile: Profile) -> str:
    known = content.guideline_sets()
    rows = [
        (str(place), link(known[name].title, f"../guidelines/{name}.md"), known[name].about)
        for place, name in enumerate(profile.sets, 1)
    ]
    return table(("", "Guideline", "For whom"), rows)


def _readings(profile: Profile) -> str:
    rows = []
    for switch in switches().values():
        taken = switch.option(profile.choice(switch.name))
        others = "; ".join(option.means for option in switch.options if option is not taken)
        row = link(switch.row, f"../switches.md#{switch.row.lower()}")
        rows.append((row, switch.question, f"**{taken.means if taken else profile.choice(switch.name)}**", others))
    return table(("", "Question", "Reading taken", "Others"), rows)


def _choices(book: Book, profile: Profile) -> Iterator[tuple[str, str]]:
    names = book.texts.names
    screened = {EVERYBODY: "everybody"}.get(
        profile.screening, "only people with multiple sclerosis or on glucocorticoids"
    )
    yield "Most cards in one answer", str(profile.card_cap)
    when = {"select": "when it is chosen or changed", "sign": "when it is signed"}[profile.order_advice]
    yield "Advice about an order is given", f"{when}; what speaks against the drug, at both"
    yield "Screening rules speak about", screened
    yield "Language", profile.language
    yield (
        "Units shown beside those of the laboratory",
        ", ".join(f"{names.get(n, n)}: {u}" for n, u in profile.units) or "none",
    )
    yield (
        "Glucocorticoid equivalence where tables differ",
        ", ".join(f"{n}: {table_}" for n, table_ in profile.equivalence),
    )
    yield "Preview rules that run all the same", ", ".join(profile.preview) or "none"
    yield "Runs rules that nobody has signed as they are", "yes" if profile.unsigned else "no"
    yield "Rules switched off", ", ".join(profile.off) or "none"
    yield "Look-ups its EHR does not keep", ", ".join(names.get(each, each) for each in profile.not_kept) or "none"
    yield "Risk equations shown beside FRAX", ", ".join(profile.risk_models) or "none"
    yield "Own words", ", ".join(f"`{key}`" for key, _ in profile.wording) or "none"


def _rules(book: Book, runs: list[Rule]) -> str:
    rows = [(link(each.id, f"../rules/{each.id}.md"), statement(each), book.status(each), each.check) for each in runs]
    return table(("Rule", "What it finds", "Status", "Check"), rows)


def _silent(rules: list[Rule], profile: Profile) -> Iterator[str]:
    for rule in rules:
        why = "switched off" if rule.id in profile.off else f"{rule.status.value}, not named by the profile"
        yield f"{link(rule.id, f'../rules/{rule.id}.md')}: {why}"


# --- switches --------------------------------------------------------------------------------------------------------
def switches_page(book: Book) -> tuple[str, str]:
    """All disagreements, profiles side by side."""
    overview = [
        (
            link(each.row, f"#{each.row.lower()}"),
            each.question,
            *(f"`{site.choice(each.name)}`" for site in book.profiles),
        )
        for each in _in_order()
    ]
    names = [link(site.id, f"profiles/{site.id}.md") for site in book.profiles]
    return "switches.md", page(
        "Where guidelines disagree",
        "Guidelines answer these questions differently. A profile answers each of them; a site may answer otherwise. With "
        "`--only` each guideline is read as it reads itself.",
        table(("", "Question", *names), overview),
        *(_switch(book, each) for each in _in_order()),
    )


def _in_order() -> list[Switch]:
    return sorted(switches().values(), key=lambda each: int(each.row.removeprefix("D")))


def _switch(book: Book, switch: Switch) -> str:
    rows = [
        (
            f"`{option.value}`",
            option.means,
            ", ".join(link(name, f"guidelines/{name}.md") for name in option.sets) or "any",
            ", ".join(site.id for site in book.profiles if site.choice(switch.name) == option.value),
        )
        for option in switch.options
    ]
    asking = ", ".join(link(r.id, f"rules/{r.id}.md") for r in book.rules.values() if switch.name in r.switches)
    return section(
        switch.row,
        f"**{switch.question}** (`{switch.name}`)",
        table(("Reading", "Means", "Guidelines that read it so", "Taken by"), rows),
        f"Changes the answer of: {asking}." if asking else "No rule asks about it yet.",
    )
