"""What a change does to patients: the same vignettes and scenarios under two versions of the service, compared.

The patients are those of the newer version, written as CDS Hooks calls, so both versions read the same bytes. Each version
answers in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from cds_service.kernel.errors import InputError
from cds_service.review.call import request_text
from cds_service.review.vignettes import load

VIGNETTES, SCENARIOS = Path("tests/vignettes"), Path("fixtures/scenarios")
_SCENARIO_DAY = "2026-06-15"
# Run by each version with its own code first on the path. It uses only what the design keeps stable: a service's hook, needs
# and clinic, `decide`, `gather` and `parse`. What a version cannot run is said, not guessed.
_DRIVER = """
import dataclasses, datetime as dt, json, sys
from cds_service.engine.answer import decide
from cds_service.engine.gather import gather
from cds_service.engine.services import installed
from cds_service.formats import strict_json
from cds_service.protocol.request import parse

services = {each.hook: each for each in installed()}

def answer(case):
    body = strict_json.load(case["call"].encode())
    service = services[body["hook"]]
    site = service.clinic.profile(case["profile"])
    if case["sets"]:
        site = site.only(tuple(case["sets"]))
    if case["switches"]:
        site = dataclasses.replace(site, switches=tuple(sorted({**dict(site.switches), **case["switches"]}.items())))
    call = parse(body, hook=service.hook)
    decision = decide(service, gather(call, service.needs), dt.date.fromisoformat(case["as_of"]), site, "impact")
    verdicts = {each.rule.id: each.verdict.value for each in decision.evaluation.outcomes}
    return {"verdicts": verdicts, "cards": [[each.indicator.value, each.summary, each.detail] for each in decision.cards]}

told = []
for case in json.load(sys.stdin):
    try:
        told.append(answer(case))
    except Exception as problem:
        told.append({"failed": f"{type(problem).__name__}: {problem}"[:200]})
json.dump(told, sys.stdout, default=str)
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One patient who gets another answer.

    Attributes:
        patient: "GC-01: 2.5 mg a day", or the name of a scenario.
        verdicts: rule id to (before, after); "" where a version has no such rule.
        cards: (before, after) summaries, where any text of a card changed; equal where only the detail did.
        failed: why one of the versions could not answer.
    """

    patient: str
    verdicts: Mapping[str, tuple[str, str]]
    cards: tuple[tuple[str, ...], tuple[str, ...]] | None
    failed: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        cards = {"before": list(self.cards[0]), "after": list(self.cards[1])} if self.cards else None
        verdicts = {rule: {"before": a, "after": b} for rule, (a, b) in self.verdicts.items()}
        return {"patient": self.patient, "verdicts": verdicts, "cards": cards, "failed": self.failed}


def impact(base: str, head: str, root: Path) -> tuple[int, tuple[Change, ...]]:
    """How many patients were asked about, and those who get another answer.

    Args:
        base: revision or folder of the older version.
        head: of the newer one.
        root: the checkout whose history has the revisions.

    Raises:
        InputError: no such revision or folder, or a version that does not run at all.
    """
    with tempfile.TemporaryDirectory() as scratch:
        older, newer = (_checkout(each, root, Path(scratch, name)) for name, each in (("base", base), ("head", head)))
        cases = list(_cases(newer))
        before, after = _answers(older, cases), _answers(newer, cases)
    changes = (_change(case["name"], old, new) for case, old, new in zip(cases, before, after, strict=True))
    return len(cases), tuple(each for each in changes if each)


def _checkout(version: str, root: Path, into: Path) -> Path:
    """The files of a version: a folder as it is, a revision unpacked."""
    if (root / version / "cds_service").is_dir():
        return root / version
    command = ["git", "-C", str(root), "archive", "--format=tar", version]
    packed = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  our own arguments, no shell
    if packed.returncode:
        raise InputError(f"{version!r} is neither a folder with cds_service/ nor a revision", "impact")
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(into, filter="data")
    return into


def _cases(newer: Path) -> Iterator[dict[str, Any]]:
    for case in load(newer / VIGNETTES):
        yield {
            "name": str(case),
            "call": request_text(case.story),
            "as_of": case.as_of.isoformat(),
            "profile": case.site,
            "sets": list(case.sets),
            "switches": dict(case.switches),
        }
    for file in sorted((newer / SCENARIOS).glob("*/request.json")):
        common = {"as_of": _SCENARIO_DAY, "profile": "us", "sets": [], "switches": {}}
        yield {"name": f"scenario {file.parent.name}", "call": file.read_text("utf-8"), **common}


def _answers(version: Path, cases: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    run = subprocess.run(  # noqa: S603  our own interpreter and script
        [sys.executable, "-c", _DRIVER],
        input=json.dumps(list(cases)),
        capture_output=True,
        text=True,
        cwd=version,
        env={"PYTHONPATH": str(version), "PATH": ""},
        check=False,
    )
    if run.returncode:
        last = run.stderr.strip().splitlines()[-1:] or ["no message"]
        raise InputError(f"this version does not run: {last[0]}", str(version), "Is it older than this command?")
    told: list[dict[str, Any]] = json.loads(run.stdout)
    return told


def _change(patient: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change | None:
    failed = "; ".join(
        f"{name}: {each['failed']}" for name, each in (("before", old), ("after", new)) if "failed" in each
    )
    if failed:
        return Change(patient, {}, None, failed) if old != new else None
    rules = sorted({*old["verdicts"], *new["verdicts"]})
    verdicts = {rule: (old["verdicts"].get(rule, ""), new["verdicts"].get(rule, "")) for rule in rules}
    moved = {rule: pair for rule, pair in verdicts.items() if pair[0] != pair[1]}
    cards = None
    if old["cards"] != new["cards"]:
        cards = (tuple(each[1] for each in old["cards"]), tuple(each[1] for each in new["cards"]))
    return Change(patient, moved, cards) if moved or cards else None


def as_text(asked: int, changes: Iterable[Change]) -> Iterator[str]:
    """The changelog entry: which patients get other advice, by rule."""
    told = tuple(changes)
    yield f"{len(told)} of {asked} patients get another answer."
    by_move: dict[tuple[str, str, str], list[str]] = {}
    for each in told:
        for rule, (before, after) in each.verdicts.items():
            by_move.setdefault((rule, before or "no such rule", after or "no such rule"), []).append(each.patient)
    for (rule, before, after), patients in sorted(by_move.items()):
        yield ""
        yield f"{rule}: {before} -> {after} ({len(patients)})"
        yield from (f"  - {patient}" for patient in patients)
    worded = [each for each in told if each.cards]
    if worded:
        yield ""
        yield f"Cards that read differently ({len(worded)})"
    for each in worded:
        old, new = each.cards or ((), ())
        yield f"  - {each.patient}"
        yield from (f"      - {line}" for line in old if line not in new)
        yield from (f"      + {line}" for line in new if line not in old)
        if old == new:
            yield "      the detail changed"
    for each in told:
        if each.failed:
            yield f"  ! {each.patient}: {each.failed}"
