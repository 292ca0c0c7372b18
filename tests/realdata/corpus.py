"""Every patient of the public FHIR data beside the checkout, one bundle each, and what there is besides patients.

The data is read in place and never copied. Where it comes from is told in its own SOURCES.md.
"""

from __future__ import annotations

import datetime as dt
import gzip
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cds_service.cli.explain import MAX_FILE, MAX_NODES
from cds_service.formats import strict_json

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
AS_OF = dt.date(2026, 6, 15)
# Its dates were shifted to 2110-2210: each chart is looked at on the day after its last date.
SHIFTED = "mimic-iv-demo-fhir"

Json = dict[str, Any]

_HAS_PATIENT = re.compile(rb'"resourceType"\s*:\s*"Patient"')
_DATE = re.compile(rb'"(\d{4}-\d{2}-\d{2})')
_NOT_JSON: Mapping[str, str] = {
    ".tgz": "a package of profiles, no patients",
    ".ndjson": "single dosages, no patients",
    ".xml": "single dosages in STU3 XML, no patients",
    ".txt": "text, no FHIR",
    ".txt.gz": "tables the SMART patients were made from, no FHIR",
}
# Before R4: what SOURCES.md calls raw. The R4 conversions of the same patients are read.
_OLDER = {
    "stu3_bundle.json.gz": "STU3, not R4; read as r4-converted.json.gz",
    "dstu2_bundle.json.gz": "DSTU2, not R4; read as r4-converted.json.gz",
}
_SKIPPED_FOLDERS = {
    "smart-patients/stu3-raw": "STU3, not R4; the same patients are read from smart-patients/r4-converted",
    "cds-hooks-requests-opioid-cds-r4": "bodies of CDS Hooks calls, most not JSON; no patient bundles",
    "cds-hooks-requests-opioid-cds-r4/repaired": "bodies of CDS Hooks calls; no patient bundles",
}
# Folders of single resources that make up one patient or several.
_LOOSE = ("epic-shaped-capture", "hl7-us-core-examples/dxa")
_TALKED_ABOUT = ("subject", "patient", "for", "beneficiary", "individual")
_SHARED_BY_ALL = ("Medication", "Practitioner", "PractitionerRole", "Organization", "Location", "Specimen", "Device")


@dataclass(frozen=True, slots=True)
class Case:
    """One patient.

    Attributes:
        folder: where it stands, below the data.
        name: file name, or file name and patient.
        bundle: the whole record as parsed JSON.
        as_of: the day to look at it.
    """

    folder: str
    name: str
    bundle: Json
    as_of: dt.date = AS_OF


@dataclass(frozen=True, slots=True)
class Skipped:
    """Files of a folder that hold no patient to evaluate, and why."""

    folder: str
    what: str
    why: str


def read(path: Path) -> Any:
    """The JSON of a file, gzipped or not, read as strictly as `bonecds explain` reads files."""
    return _parsed(_bytes(path))


def cases(root: Path = DATA, only: Callable[[str, str], bool] = lambda folder, file: True) -> Iterator[Case]:
    """Every patient, folder by folder; bundles are parsed one at a time.

    Args:
        root: where the data lies.
        only: whether to open a file, by its folder and name; of the folders whose files make up one patient all or none.
    """
    for folder in _folders(root):
        name = str(folder.relative_to(root))
        if name in _SKIPPED_FOLDERS:
            continue
        if name in _LOOSE:
            if not only(name, ""):
                continue
            loose = [read(path) for path in _json_files(folder)]
            yield from (Case(name, each.name, each.bundle) for each in by_patient("all files", loose))
            continue
        for path in sorted(folder.iterdir()):
            if only(name, path.name):
                yield from _cases_of(name, path)


def skipped(root: Path = DATA) -> list[Skipped]:
    """What is not evaluated, one entry per folder and reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for folder in _folders(root):
        name = str(folder.relative_to(root))
        for path in sorted(each for each in folder.iterdir() if each.is_file()):
            why = _SKIPPED_FOLDERS.get(name) or _why_not(name, path)
            if why:
                found.setdefault((name, why), []).append(path.name)
    return [Skipped(folder, _counted(names), why) for (folder, why), names in found.items()]


def by_patient(name: str, resources: Sequence[Json]) -> list[Case]:
    """Single resources, sorted by the patient they refer to, one case each.

    A patient that is only referred to gets a Patient resource with nothing but its id. What belongs to no patient
    (drugs, practitioners, places) goes along with every case: references may point at it.
    """
    own: dict[str, list[Json]] = {}
    shared: list[Json] = []
    for resource in resources:
        kind, owner = resource.get("resourceType"), _owner(resource)
        if owner:
            own.setdefault(owner, []).append(resource)
        elif kind in _SHARED_BY_ALL:
            shared.append(resource)
    found = []
    for owner, theirs in sorted(own.items()):
        if not any(each.get("resourceType") == "Patient" for each in theirs):
            theirs = [{"resourceType": "Patient", "id": owner}, *theirs]
        found.append(Case("", f"{name}, Patient/{owner}", _collection([*theirs, *shared])))
    return found


def day_after_last_date(bundle: bytes) -> dt.date:
    """The day after the last date in the text of a bundle."""
    last = max(match[1].decode() for match in _DATE.finditer(bundle))
    return dt.date.fromisoformat(last) + dt.timedelta(days=1)


def resources_of(bundle: Json) -> list[Json]:
    """The resources of a bundle."""
    return [entry["resource"] for entry in bundle.get("entry", ()) if isinstance(entry.get("resource"), dict)]


def _cases_of(folder: str, path: Path) -> Iterator[Case]:
    if path.name.endswith(".tar.gz"):
        loose = _untarred(path)
        bundles = [each for each in loose if each.get("resourceType") == "Bundle"]
        single = [each for each in loose if each.get("resourceType") != "Bundle"]
        for bundle in bundles:
            single += resources_of(bundle)
        yield from (Case(folder, each.name, each.bundle) for each in by_patient(path.name, single))
    elif path.is_file() and not _why_not(folder, path):
        raw = _bytes(path)
        as_of = day_after_last_date(raw) if folder == SHIFTED else AS_OF
        yield Case(folder, path.name, _parsed(raw), as_of)


def _why_not(folder: str, path: Path) -> str:
    """Why a file holds no patient; empty when it does."""
    if path.name in _OLDER:
        return _OLDER[path.name]
    ending = next((end for end in sorted(_NOT_JSON, key=len, reverse=True) if path.name.endswith(end)), "")
    if ending:
        return _NOT_JSON[ending]
    if path.name.endswith(".tar.gz") or folder in _LOOSE:
        return "" if path.name.endswith((".json", ".json.gz", ".tar.gz")) else "licence and notes"
    if not path.name.endswith((".json", ".json.gz")):
        return "licence and notes"
    if path.name == "MANIFEST.json":
        return "a list of the files beside it"
    if _HAS_PATIENT.search(_bytes(path)):
        return ""
    return "a single resource without its patient; also in the archive beside it or in the patient's bundle"


def _owner(resource: Json) -> str:
    """Logical id of the patient a resource is or refers to; empty when it refers to none."""
    if resource.get("resourceType") == "Patient":
        return str(resource.get("id", ""))
    for name in _TALKED_ABOUT:
        reference = resource.get(name)
        target = reference.get("reference") if isinstance(reference, dict) else None
        if isinstance(target, str) and target.startswith("Patient/"):
            return target.removeprefix("Patient/")
    return ""


def _collection(resources: Sequence[Json]) -> Json:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _untarred(path: Path) -> list[Json]:
    with tarfile.open(path) as archive:
        members = sorted((each for each in archive if each.name.endswith(".json")), key=lambda each: each.name)
        files = (archive.extractfile(each) for each in members)
        return [_parsed(file.read()) for file in files if file]


def _folders(root: Path) -> list[Path]:
    return sorted(each for each in root.rglob("*") if each.is_dir())


def _json_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.name.endswith((".json", ".json.gz"))]


def _counted(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} files"


def _bytes(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


def _parsed(raw: bytes) -> Any:
    return strict_json.load(raw, max_bytes=MAX_FILE, max_nodes=MAX_NODES)
