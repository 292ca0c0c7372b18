"""Every glucocorticoid of the SMART and MIMIC patients: what its dose was read as, or why it was not.

    python -m tests.realdata.steroid_orders --write      writes docs/steroid-orders.md

MIMIC is under ODbL: none of its texts is repeated, only what was read and how often.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.dosage.course import dosages_of
from cds_service.clinical.patient import Patient
from cds_service.engine.gather import from_bundle
from cds_service.fhir.chart import Found
from cds_service.fhir.read import code_text, items, mapping, string
from hooks.patient_view import SERVICE
from tests.realdata.corpus import ROOT, SHIFTED, Case, cases

PAGE = ROOT / "docs" / "steroid-orders.md"
_SMART = "smart-patients"
_HEAD = """# Glucocorticoids of the public patients

Written by `python -m tests.realdata.steroid_orders --write`; a test checks that it is current. Every glucocorticoid order, supply,
administration and list entry of the 27 SMART patients and the MIMIC patients beside the checkout, as the service reads it. Every
dose that was read was compared with the order by eye (26 November 2026).
"""


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One way in which a glucocorticoid is written, and how it is read."""

    source: str
    kind: str
    written: str
    read: str


def lines() -> Counter[Line]:
    """Every glucocorticoid resource of both sets, alike ones together."""
    found: Counter[Line] = Counter()
    for case in cases():
        if _set_of(case):
            found.update(_lines(case))
    return found


def _set_of(case: Case) -> str:
    return next(
        (name for folder, name in ((_SMART, "SMART"), (SHIFTED, "MIMIC")) if case.folder.startswith(folder)), ""
    )


def _lines(case: Case) -> Iterator[Line]:
    records = from_bundle(case.bundle, SERVICE.needs)
    profile, numbers = CLINIC.profile("us"), CLINIC.thresholds(case.as_of)
    patient: Patient = CLINIC.facts(records, case.as_of, numbers, profile)
    by_resource: dict[str, list[str]] = {}
    for course in patient.exposure.courses:
        why = "; ".join(f"{gap.kind.value}: {gap.detail}" for gap in course.doubts if gap.detail)
        told = f"{course.evidence.value}{f' ({why})' if why else ''}"
        by_resource.setdefault(course.evidence.resource, []).append(told)
    for each in patient.chart.drugs("glucocorticoid."):
        name = f"{each.resource['resourceType']}/{each.resource.get('id')}"
        undated = any(note.reason == "no-date" and note.resource == name for note in patient.chart.unread)
        none = "not placed in time: no date" if undated else "not counted: local, replacement or mineralocorticoid"
        read = by_resource.get(name, [none])
        yield Line(
            _set_of(case), str(each.resource["resourceType"]), _written(each, _set_of(case)), ", then ".join(read)
        )


def _written(found: Found, source: str) -> str:
    """Drug and dose as written; of MIMIC only its shape."""
    dosages = [mapping(each) for each in dosages_of(found.resource)]
    if source == "MIMIC":
        parts = {
            name for each in dosages for name in ("doseAndRate", "dose", "timing", "text", "route") if name in each
        }
        return f"{', '.join(sorted(parts)) or 'no dosage'}"
    drug = code_text(found.part.get("code")) or string(
        mapping(items(mapping(found.part.get("code")).get("coding"))[0]).get("display")
    )
    supply, days = mapping(found.resource.get("quantity")), mapping(found.resource.get("daysSupply"))
    handed = (
        f"{supply.get('value')} {supply.get('unit')} for {days.get('value')} {days.get('unit')}"
        if supply
        else "no dosage"
    )
    told = "; ".join(_dose(each) for each in dosages) or handed
    return f"{drug}: {told}"


def _dose(dosage: object) -> str:
    """Structure in short, and the words."""
    content = mapping(dosage)
    repeat = mapping(mapping(content.get("timing")).get("repeat"))
    amounts = [mapping(mapping(each).get("doseQuantity")) for each in items(content.get("doseAndRate"))]
    shown = [f"{each.get('value')} {string(each.get('unit')) or '(no unit)'}" for each in amounts if each]
    often = (
        f"{repeat.get('frequency')} per {repeat.get('period')} {repeat.get('periodUnit')}"
        if repeat.get("period")
        else ""
    )
    words = f'"{string(content.get("text"))}"' if content.get("text") else ""
    return " ".join(part for part in (*shown, often, words) if part) or "nothing"


def page() -> str:
    """The page."""
    found = lines()
    rows = [
        f"| {line.source} | {line.kind} | {number} | {_cell(line.written)} | {_cell(line.read)} |"
        for line, number in sorted(found.items())
    ]
    systemic = {line: number for line, number in found.items() if "not counted" not in line.read}
    read = {line: n for line, n in systemic.items() if "not readable" not in line.read and "no date" not in line.read}
    told = (sum(each.values()) for each in (found, systemic, read))
    summary = "{} resources, {} of them systemic; the dose of {} was read.".format(*told)
    table = "\n".join(["| Set | Resource | Times | Written | Read |", "|---|---|---:|---|---|", *rows])
    return f"{_HEAD}\n{summary}\n\n{table}\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What the doses of the public patients' glucocorticoids were read as.")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    if parser.parse_args().write:
        PAGE.write_text(page(), "utf-8")
    else:
        print(page())
