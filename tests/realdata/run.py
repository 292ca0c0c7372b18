"""Evaluate every patient of the public FHIR data and tell what was read: `make realdata`.

    python tests/realdata/run.py [DATA]

Exit status 0 when every patient was evaluated or refused with its reason, 1 after a crash. The patients are read in place.
"""

from __future__ import annotations

import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    # As a script, Python puts this folder first and not the repository.
    sys.path[0] = str(ROOT)

from cds_service.clinical.facts.bone_density import Measure, Site  # noqa: E402
from cds_service.clinical.patient import Patient  # noqa: E402
from cds_service.engine.answer import Decision, decide  # noqa: E402
from cds_service.engine.gather import from_bundle  # noqa: E402
from cds_service.kernel.errors import InputError  # noqa: E402
from cds_service.kernel.facts import Known, Unknown  # noqa: E402
from cds_service.kernel.rules import Verdict  # noqa: E402
from hooks.patient_view import SERVICE  # noqa: E402
from tests.realdata.corpus import DATA, Case, cases, resources_of, skipped  # noqa: E402

_ONE_VALUE = ("age", "sex", "deceased", "postmenopausal", "edss", "bmi", "egfr", "calcium", "pregnancy_possible")
_MANY = ("frax", "scans", "fractures", "therapies", "ms", "mobility", "falls")


@dataclass(slots=True)
class Tally:
    """What one folder gave."""

    bundles: int = 0
    resources: int = 0
    facts: Counter[str] = field(default_factory=Counter)
    cards: Counter[str] = field(default_factory=Counter)
    cannot_tell: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)


def evaluated(case: Case) -> Decision:
    """The decision on one patient, as `bonecds explain --profile us` reaches it."""
    records = from_bundle(case.bundle, SERVICE.needs)
    return decide(SERVICE, records, case.as_of, SERVICE.clinic.profile("us"), "realdata")


def facts_read(facts: Patient) -> Counter[str]:
    """How much of each kind was read; all facts are worked out."""
    found = Counter({name: int(isinstance(getattr(facts, name), Known)) for name in _ONE_VALUE})
    found.update({name: len(getattr(facts, name).items) for name in _MANY})
    for score in facts.scores.items:
        where = "site unknown" if score.site is Site.UNKNOWN else "with site"
        found[f"{score.measure.value} {where}" if score.measure is Measure.T else score.measure.value] += 1
    found["vitamin D results"] = len(facts.vitamin_d.items)
    found["glucocorticoid courses"] = len(facts.exposure.courses)
    found["osteoporosis"] = len(facts.diagnoses("cond.osteoporosis", "cond.osteoporosis_drug_induced").items)
    return +found


def unread(decision: Decision) -> Counter[str]:
    """What was set aside, by reason."""
    chart = decision.evaluation.facts.chart
    found = Counter(f"{each.resource.split('/')[0]}: {each.reason}" for each in chart.unread)
    found.update({f"status: {reason}": number for reason, number in chart.set_aside.items()})
    found.update(chart.records.problems)
    return found


def gap_reasons(facts: Patient) -> Iterator[str]:
    """Facts of one value that are not known although something of their kind may be on record."""
    for name in _ONE_VALUE:
        fact = getattr(facts, name)
        if isinstance(fact, Unknown):
            yield from (f"{name}: {gap.kind.value}" for gap in fact.gaps if gap.resource)


def add(tally: Tally, case: Case) -> None:
    """Evaluate one patient and count; a crash is kept, with its place."""
    tally.bundles += 1
    tally.resources += len(resources_of(case.bundle))
    try:
        decision = evaluated(case)
        facts = decision.evaluation.facts
        tally.facts.update(facts_read(facts))
        tally.unread.update(unread(decision))
        tally.unread.update(gap_reasons(facts))
    except InputError as problem:
        tally.refused.append(f"{case.name}: {problem}")
        return
    except Exception as problem:  # whatever it is, the other patients are looked at too
        frame = traceback.extract_tb(problem.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        tally.crashes.append(f"{case.name}: {type(problem).__name__} at {place}: {problem}")
        return
    outcomes = decision.evaluation.outcomes
    if decision.evaluation.silent:
        tally.silent[decision.evaluation.silent] += 1
    else:
        tally.cards.update(o.rule.id for o in outcomes if o.verdict is Verdict.RECOMMEND)
        tally.cannot_tell.update(o.rule.id for o in outcomes if o.verdict is Verdict.CANNOT_TELL)


def report(folder: str, tally: Tally) -> str:
    """One folder in words."""
    rows = {
        "facts read": tally.facts,
        "cards by rule": tally.cards,
        "cannot tell": tally.cannot_tell,
        "no card at all": tally.silent,
        "unreadable": tally.unread,
    }
    lines = [f"{folder}: {tally.bundles} bundles, {tally.resources} resources"]
    lines += [f"  {name}: {_listed(counts)}" for name, counts in rows.items()]
    lines += [f"  REFUSED {each}" for each in tally.refused]
    return "\n".join([*lines, *(f"  CRASH {each}" for each in tally.crashes)])


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items())) or "none"


def main(arguments: Sequence[str]) -> int:
    root = Path(arguments[0]).resolve() if arguments else DATA
    if not root.is_dir():
        print(f"there is no {root}", file=sys.stderr)
        return 2
    tallies: dict[str, Tally] = {}
    for number, case in enumerate(cases(root), 1):
        add(tallies.setdefault(case.folder, Tally()), case)
        print(f"\r{number} patients, {case.folder:<40.40}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for folder, tally in tallies.items():
        print(f"{report(folder, tally)}\n")
    print("Not evaluated:")
    for each in skipped(root):
        print(f"  {each.folder}: {each.what}: {each.why}")
    crashes = sum(len(tally.crashes) for tally in tallies.values())
    refused = sum(len(tally.refused) for tally in tallies.values())
    total = sum(tally.bundles for tally in tallies.values())
    print(f"\n{total} patients, {refused} refused, {crashes} crashes")
    return 1 if crashes or not total else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
