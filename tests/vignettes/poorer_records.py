"""How the answer to a vignette changes when the record tells less, in `poorer/<RULE>.txt`.

    python -m tests.vignettes.poorer_records

writes the files anew; read the difference before committing it. For the first vignettes of a rule each resource is made to
tell less, one at a time (no date, the year alone, no value or dose, no status), and then the look-ups. Listed are the lines
of the answer that change, as in `whole_outcomes.py`; what changes nothing is not listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from cds_service.clinical.clinic import CLINIC
from cds_service.kernel.needs import Lookup, LookupState, Records, Resource
from cds_service.kernel.rules import Rule, decide
from tests.support.cases import Case, all_cases
from tests.vignettes.whole_outcomes import GoldenFolder, Lines, difference, leaves_of

POORER = GoldenFolder(
    Path(__file__).with_name("poorer"),
    "Written by `python -m tests.vignettes.poorer_records`: write it anew and read the difference.",
)
_DATES = frozenset({
    "abatementDateTime", "authoredOn", "birthDate", "effectiveDateTime", "end", "onsetDateTime", "recordedDate", "start",
    "whenHandedOver",
})  # fmt: skip
_VALUES = frozenset({
    "daysSupply", "dose", "doseAndRate", "valueBoolean", "valueCodeableConcept", "valueInteger", "valueQuantity",
})  # fmt: skip
_STATUSES = frozenset({"clinicalStatus", "status", "verificationStatus"})
_YEAR = 4

Told: TypeAlias = Callable[[str, Any], Any]


# --- one resource tells less -----------------------------------------------------------------------------------------
def _without(keys: frozenset[str]) -> Told:
    return lambda key, value: None if key in keys else value


LESS: dict[str, Told] = {
    "has no date": _without(_DATES),
    "says the year alone": lambda key, value: value[:_YEAR] if key in _DATES else value,
    "has no value or dose": _without(_VALUES),
    "has no unit": _without(frozenset({"unit", "code"})),
    "has no status": _without(_STATUSES),
}


def retold(value: Any, told: Told) -> Any:
    """The same JSON with each of its keys told anew; `None` leaves it out."""
    if isinstance(value, dict):
        kept = {key: told(key, each) for key, each in value.items()}
        return {key: retold(each, told) for key, each in kept.items() if each is not None}
    return [retold(each, told) for each in value] if isinstance(value, list) else value


def resources_of(records: Records) -> Iterator[Resource]:
    """Each of them once, in the order in which they were written."""
    found = {f"{each.get('resourceType')}/{each.get('id')}": each for each in records.resources()}
    yield from (found[name] for name in sorted(found, key=lambda name: (name.partition("-")[2].rjust(_YEAR), name)))


def with_other(records: Records, old: Resource, new: Resource) -> Records:
    def put(lookup: Lookup) -> Lookup:
        return replace(lookup, resources=tuple(new if each == old else each for each in lookup.resources))

    extra = tuple(new if each == old else each for each in records.extra)
    return replace(records, lookups={key: put(lookup) for key, lookup in records.lookups.items()}, extra=extra)


# --- look-ups tell less ----------------------------------------------------------------------------------------------
def _empty_ones_failed(records: Records) -> Records:
    failed = {key: Lookup(LookupState.FAILED) for key, lookup in records.lookups.items() if not lookup.resources}
    return replace(records, lookups={**records.lookups, **failed})


def _all_partial(records: Records) -> Records:
    return replace(
        records, lookups={key: replace(each, state=LookupState.PARTIAL) for key, each in records.lookups.items()}
    )


# --- the answers -----------------------------------------------------------------------------------------------------
def poorer(records: Records) -> Iterator[tuple[str, Records]]:
    """Every poorer record, and how it is poorer."""
    for each in resources_of(records):
        for less, told in LESS.items():
            changed = retold(each, told)
            if changed != each:
                yield f"{each['id']} {less}", with_other(records, each, changed)
    yield "whatever found nothing failed", _empty_ones_failed(records)
    yield "no look-up came to its end", _all_partial(records)


@lru_cache(maxsize=1)
def first_cases() -> dict[str, tuple[Case, ...]]:
    """The first vignette of every verdict by rule, of those whose look-ups completed."""
    found: dict[str, dict[str, Case]] = {}
    for case in all_cases():
        if "incomplete" not in case.story:
            found.setdefault(case.rule, {}).setdefault(case.expect["verdict"], case)
    return {rule: tuple(cases.values())[:2] for rule, cases in found.items()}


def changes(rule: Rule) -> dict[str, Lines]:
    """How the answers of a rule change, by the vignette and what its record does not tell."""
    found: dict[str, Lines] = {}
    for case in first_cases()[rule.id]:
        alike: dict[Lines, list[str]] = {}
        for name, lines in _changes(rule, case):
            alike.setdefault(lines, []).append(name)
        found.update((f"{case.name}: {'; '.join(names)}", lines) for lines, names in alike.items() if lines)
    return found


def _changes(rule: Rule, case: Case) -> Iterator[tuple[str, Lines]]:
    numbers = CLINIC.thresholds(case.as_of)

    def answer(records: Records) -> Lines:
        return leaves_of(decide(rule, CLINIC.facts(records, case.as_of, numbers, case.profile), numbers))

    usual = answer(case.records)
    for name, records in poorer(case.records):
        yield name, difference(usual, answer(records))


if __name__ == "__main__":
    from tests.support.cases import RULES

    POORER.write((ident, name, lines) for ident in first_cases() for name, lines in changes(RULES[ident]).items())
