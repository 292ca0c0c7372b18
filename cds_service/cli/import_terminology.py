"""Write `clinical/valuesets/` from the research table of verified codes (`bonecds import-terminology CSV`).

What becomes of which row is decided in `valuesets/import.toml`; what each column is derived from is decided
here. Only rows marked VERIFIED are taken, and names only where their licence lets us ship them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from cds_service.cli.help_option import HELP
from cds_service.clinical.terminology import COLUMNS, INDEX
from cds_service.fhir.codes import ATC, CPT, DMD, HCPCS, ICD10, ICD10CM, ICD11, LOINC, RXNORM, SNOMED, SYSTEMS
from cds_service.formats import strict_toml
from cds_service.kernel.errors import ContentError, InputError

FOLDER = Path(__file__).parent.parent / "clinical" / "valuesets"
MAP = "import.toml"
_IU_PER_MG_VITAMIN_D = 40_000  # terminology.md 5.3
_LICENCES = {
    LOINC: "loinc",
    SNOMED: "snomed-gps-cc-by-4.0",
    RXNORM: "us-public-domain",
    ICD10CM: "us-public-domain",
    HCPCS: "us-public-domain",
    ICD10: "who-identifier",
    ICD11: "who-identifier",
    ATC: "who-identifier",
    CPT: "ama-identifier",
    DMD: "nhsbsa-ogl-identifier",
}
_EDITIONS = {ICD10CM: "2026-04", ICD11: "2022-02", ATC: "2026-04"}
_OPTIONAL = {CPT: "optional_cpt", DMD: "optional_dmd", SNOMED: "optional_snomed_outside_gps"}
_NAMELESS = frozenset({CPT, DMD, ICD10, ICD11})
_ATC_SUBSTANCE = 7
_ICD_FULL = 7


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a value-set file; the fields are its columns."""

    concept: str
    system: str
    code: str
    display: str
    match: str
    ingredient: str
    strength_mg: str
    per: str
    form: str
    route_class: str
    unit: str
    licence: str
    edition: str


@dataclass(frozen=True, slots=True)
class Source:
    """One row of the research table."""

    concept: str
    system: str
    code: str
    display: str
    unit: str = ""
    route: str = ""
    verified_in: str = ""


class Importer:
    """Turns source rows into value-set rows."""

    def __init__(self, sources: tuple[Source, ...], plan: Mapping[str, Any]) -> None:
        self.sources, self.plan = sources, plan
        self.in_gps = {s.code for s in sources if s.system == SNOMED and "THO-GPS" in s.verified_in}
        self.names = {s.display.lower(): "" for s in sources if _is_substance(s)} | plan["ingredients"]
        self.twins = {(s.system, s.code): s for s in reversed(sources) if not s.concept.startswith("order.")}

    def rows(self) -> Iterator[Row]:
        """All rows, duplicates included."""
        for source in self.sources:
            if source.code in self.plan["skip"]:
                continue
            for concept in self._concepts(source):
                yield self._row(source, concept)
        for extra in self.plan["add"]:
            source = Source("add", extra["system"], extra["code"], extra.get("display", ""))
            for concept in extra["concepts"]:
                yield self._row(source, concept)

    def _concepts(self, source: Source) -> list[str]:
        split = self.plan["split"].get(source.concept, {})
        key = f"{source.system.rsplit('/', 1)[-1]} {source.code}"
        found = split.get(key) or split.get(source.code) or self._renamed(source.concept)
        if not found:
            raise ContentError(MAP, source.concept, f"nothing is said about {source.code}", "Add it to [split].")
        return [c.replace("MEASURE", _measure(source.display)).replace("lab.*", source.concept) for c in found]

    def _renamed(self, concept: str) -> list[str] | None:
        names: Mapping[str, list[str]] = self.plan["concepts"]
        if concept in names:
            return names[concept]
        # only a trailing star is a pattern: the research table uses brackets in names
        fits = (names[name] for name in names if name.endswith("*") and concept.startswith(name[:-1]))
        return next(fits, None)

    def _row(self, source: Source, concept: str) -> Row:
        offered = concept.startswith("order.medication")
        told = self.twins.get((source.system, source.code), source) if offered else source
        drug = offered or concept.partition(".")[0] in _DRUGS
        ingredient = self._ingredient(told, concept) if drug else ""
        route_class = _route_class(told, concept, ingredient) if concept.startswith("glucocorticoid.") else ""
        strength = _strength(told, ingredient, self.names) if drug and route_class != "local" else None
        return Row(
            concept,
            source.system,
            _stem(source),
            self._display(source),
            _match(source),
            ingredient,
            f"{strength[0].normalize():f}" if strength else "",
            strength[1] if strength else "",
            _form(told) if drug else "",
            route_class,
            _unit(source),
            self._licence(source),
            _edition(source),
        )

    def _display(self, source: Source) -> str:
        hidden = source.system in _NAMELESS or (source.system == SNOMED and source.code not in self.in_gps)
        hidden = hidden or (source.system == ATC and len(source.code) < _ATC_SUBSTANCE)
        # two LOINC names were never seen in full; a made-up name would break the LOINC licence
        if hidden or "not seen" in source.display:
            return ""
        return source.display if _stem(source) == source.code else source.display.removesuffix(", initial encounter")

    def _licence(self, source: Source) -> str:
        outside = source.system == SNOMED and source.code not in self.in_gps
        return "snomed-identifier" if outside else _LICENCES[source.system]

    def _ingredient(self, source: Source, concept: str) -> str:
        if given := self.plan["ingredient_of"].get(source.code):
            return str(given)
        if source.concept.startswith("calcium_vitaminD"):
            return "calcium_vitamin_d"
        if source.concept.startswith("calcium.drug"):
            return re.split(r"\s\d", source.display)[0].lower().replace(" ", "_")
        if told := re.match(r"(?:glucocorticoid\.drug[^.]*|therapy\.drug|vitaminD)\.([a-z_]+)\.", source.concept):
            return told[1]
        if source.system not in _DRUG_SYSTEMS or (source.system == ATC and len(source.code) < _ATC_SUBSTANCE):
            return ""
        found = {self.names[n] or n.replace(" ", "_") for n in _found_names(source.display, self.names)}
        if concept.startswith("therapy."):
            found -= {"calcium", "cholecalciferol", "alfacalcidol"}
        return found.pop() if len(found) == 1 else ""


_DRUGS = frozenset({"glucocorticoid", "therapy", "calcium", "vitamin_d", "calcium_vitamin_d", "comed", "ms_therapy"})
_WITH_STRENGTH = ("glucocorticoid.", "therapy.", "calcium.", "vitaminD.", "test_data.")
_DRUG_SYSTEMS = frozenset({RXNORM, ATC, HCPCS, DMD, SNOMED})


def _is_substance(source: Source) -> bool:
    if source.system == ATC:
        mixed = any(sign in source.display for sign in (",", "(", " and ", "combinations"))
        return len(source.code) == _ATC_SUBSTANCE and not mixed
    # products carry a strength; the name of a product is not the name of a drug
    return source.system == RXNORM and not source.unit and not re.search(r"\d (MG|UNT|ML)\b", source.display)


def _found_names(display: str, names: Iterable[str]) -> set[str]:
    """Names of drugs in a display, as whole words; "calcium" does not count inside "calcium carbonate"."""
    text = display.lower()
    found = {name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?!\w)", text)}
    return {name for name in found if not any(name != other and name in other for other in found)}


def _measure(display: str) -> str:
    for sign, measure in (("[T-score]", "t_score"), ("[Z-score]", "z_score"), ("[Mass/Area]", "bmd")):
        if sign in display:
            return measure
    return ""


def _match(source: Source) -> str:
    if source.system in (ICD10CM, ICD10, ICD11):
        return "prefix"
    return "class-prefix" if source.system == ATC and len(source.code) < _ATC_SUBSTANCE else "exact"


def _stem(source: Source) -> str:
    """The code, without the encounter letter: A, D and S mean the same event (`terminology.md` 6.2)."""
    if source.system == ICD10CM and len(source.code.replace(".", "")) == _ICD_FULL:
        return source.code[:-1].rstrip("X").rstrip(".")
    return source.code


def _unit(source: Source) -> str:
    if source.system == LOINC:
        return source.unit
    if source.system == HCPCS and (told := re.search(r"\b\d+(?:\.\d+)? ?(?:mg|mcg|units)\b", source.display)):
        # what one billing unit holds; not a strength, since the amount given is a count of these
        return told[0]
    return ""


def _edition(source: Source) -> str:
    if any(
        word in f"{source.concept} {source.unit}" for word in ("previous_id", "discontinued", "legacy)", "obsolete")
    ):
        return "historic"
    if source.system == SNOMED and len(source.code) > 10 and source.code[-3] == "1":
        namespace = source.code[-10:-3]
        return {"1000124": "us", "1000000": "uk"}.get(namespace, f"extension-{namespace}")
    return _EDITIONS.get(source.system, "")


# --- strength, form and place of action
_MG = re.compile(r"^([\d.]+) MG(?:$| [(w])")
_MG_ML = re.compile(r"^([\d.]+) MG/ML(?: \(per container ([\d.]+) mL\))?$")
_MG_PUFF = re.compile(r"^([\d.]+) MG/ACTUAT$")
_UNITS = re.compile(r"^([\d.]+) UNT$")
_DMD_STRENGTH = re.compile(r"^([\d.]+)(mg|g|microgram)(?:/([\d.]*)ml)?$")
_PART = re.compile(r"([\d.]+ (?:MG/ML|MG|UNT))\b")
_CONTAINER = re.compile(r"\b(vial|ampoule|syringe)s?\b")
_IN_MG = {"mg": Decimal(1), "g": Decimal(1000), "microgram": Decimal("0.001")}


def _strength(source: Source, ingredient: str, names: Mapping[str, str]) -> tuple[Decimal, str] | None:
    """Milligrams of the ingredient and what holds them; `None` for packs, classes, salts mixed in one product.

    A product with a known volume per container counts per container ("1", 60 mg for denosumab 1 mL x 60 mg/mL); one
    without counts per mL.
    """
    if not source.concept.startswith(_WITH_STRENGTH) or "PCK" in source.concept or source.display.startswith("{"):
        return None
    if source.system == SNOMED:
        told = re.search(r"([\d.]+)mg tablet", source.display)
        return (Decimal(told[1]), "1") if told else None
    if source.system == DMD:
        return _dmd_strength(source)
    unit = source.unit if ";" not in source.unit else _own_part(source.display, ingredient, names)
    return _rxnorm_strength(unit or _own_part(source.display, ingredient, names), source.concept)


def _own_part(display: str, ingredient: str, names: Mapping[str, str]) -> str:
    """The strength of one ingredient of a combination; nothing when two parts are the same drug."""
    spelled = [name for name, ours in names.items() if (ours or name.replace(" ", "_")) == ingredient]
    own = [part for part in display.split(" / ") if _found_names(part, spelled)]
    told = _PART.search(own[0]) if len(own) == 1 else None
    return told[1] if told else ""


def _rxnorm_strength(unit: str, concept: str) -> tuple[Decimal, str] | None:
    if told := _MG.match(unit):
        return Decimal(told[1]), "1"
    if told := _MG_ML.match(unit):
        return (Decimal(told[1]) * Decimal(told[2]), "1") if told[2] else (Decimal(told[1]), "mL")
    if told := _MG_PUFF.match(unit):
        return Decimal(told[1]), "actuation"
    if (told := _UNITS.match(unit)) and concept.startswith("vitaminD."):
        return Decimal(told[1]) / _IU_PER_MG_VITAMIN_D, "1"
    return None


def _dmd_strength(source: Source) -> tuple[Decimal, str] | None:
    told = _DMD_STRENGTH.match(source.unit)
    if not told:
        return None
    mg = Decimal(told[1]) * _IN_MG[told[2]]
    if told[3] is None or _CONTAINER.search(source.display):
        return mg, "1"
    return mg / Decimal(told[3] or 1), "mL"


def _form(source: Source) -> str:
    """The dose form in lower case ("delayed release oral tablet", "oral solution")."""
    if source.display.startswith("{"):
        return "pack"
    bare = re.sub(r"\s*\[[^\]]*\]", "", source.display)
    if source.system == RXNORM:
        told = re.search(r".*[\d.]+ (?:MG|UNT)(?:/\w+)? (\D+)$", bare)
    elif source.system in (DMD, SNOMED):
        told = re.search(r".*\d(?:mg|g|microgram)(?:/[\d.]*ml)?(?: \(1%\))? ([\D]+?)s?(?: \(Product\))?$", bare)
    else:
        return ""
    return told[1].strip().lower() if told else ""


_NO_EQUIVALENT = frozenset({"corticotropin", "budesonide"})
_ROUTE_WORDS = (
    ("NON-systemic", "local"),
    ("mineralocorticoid", "mineralocorticoid"),
    ("gut-targeted", "not-convertible"),
    ("ROUTE-DEPENDENT", "depends"),
    ("SYSTEMIC", "systemic"),
)


def _route_class(source: Source, concept: str, ingredient: str) -> str:
    """Where a glucocorticoid acts, as far as its code says."""
    if concept == "glucocorticoid.mineralocorticoid":
        return "mineralocorticoid"
    if concept.startswith(("glucocorticoid.status", "glucocorticoid.class")):
        return ""
    if source.code == "A07EA06" or (ingredient in _NO_EQUIVALENT and concept != "glucocorticoid.nonsystemic"):
        return "not-convertible"
    if concept == "glucocorticoid.nonsystemic":
        return "local"
    for words, route_class in _ROUTE_WORDS:
        if words in source.route:
            return route_class
    if source.system == ATC:
        # H02AB is "glucocorticoids for systemic use"; H02BX01 is the depot with lidocaine
        return "systemic" if source.code.startswith("H02AB") else "depends"
    systemic = source.system in (HCPCS, SNOMED) and re.search(r"\b(oral|tablet)\b", source.display)
    return "systemic" if systemic else "depends"


# --- files
def generate(table: str, plan_text: str) -> Mapping[str, str]:
    """File name -> content of all value-set files and their index.

    Args:
        table: the research table, as CSV text.
        plan_text: `import.toml`.

    Raises:
        ContentError: the plan leaves a row without a concept.
        InputError: the table has other columns.
    """
    plan = strict_toml.load(plan_text, MAP, {"type": "object"})
    known = {(r.concept, r.system, r.code): r for r in reversed(tuple(Importer(_sources(table), plan).rows()))}
    files: dict[str, list[Row]] = {}
    for row in sorted(known.values(), key=lambda r: (r.concept, SYSTEMS.index(r.system), r.code)):
        files.setdefault(_file(row, plan["files"]), []).append(row)
    content = {f"{name}.csv": _csv(files[name]) for name in plan["titles"] if name in files}
    return content | {INDEX: _index(list(content), plan["titles"])}


def _sources(table: str) -> tuple[Source, ...]:
    reader = csv.DictReader(io.StringIO(table))
    wanted = ["concept", "system", "code", "display", "unit_or_strength", "route", "verified_in", "status"]
    if reader.fieldnames != wanted:
        raise InputError("the table has other columns", "line 1", f"They are: {', '.join(wanted)}.")
    return tuple(Source(*(row[name] for name in wanted[:-1])) for row in reader if row["status"] == "VERIFIED")


def _file(row: Row, files: Mapping[str, list[str]]) -> str:
    if row.system in _OPTIONAL and row.licence != _LICENCES[SNOMED]:
        return _OPTIONAL[row.system]
    family = row.concept.partition(".")[0]
    return next(name for name, families in files.items() if family in families)


def _csv(rows: Iterable[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(astuple(row) for row in rows)
    return out.getvalue()


def _index(names: Iterable[str], titles: Mapping[str, str]) -> str:
    lines = ["# Written by `bonecds import-terminology`; licences: NOTICE.md. Optional files may be taken out."]
    for name in names:
        stem = name.removesuffix(".csv")
        optional = str(stem.startswith("optional_")).lower()
        lines += ["", "[[file]]", f'name = "{name}"', f'title = "{titles[stem]}"', f"optional = {optional}"]
    return "\n".join([*lines, ""])


@click.command("import-terminology", context_settings=HELP)
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=FOLDER, help="Where to write.")
@click.option("--check", is_flag=True, help="Write nothing; fail when a file is not current.")
def import_terminology(table: Path, out: Path, *, check: bool) -> None:
    """Write the value sets from the research TABLE (CSV) and import.toml."""
    content = generate(table.read_text(encoding="utf-8"), (FOLDER / MAP).read_text(encoding="utf-8"))
    stale = [
        n for n, text in content.items() if not (out / n).is_file() or (out / n).read_text(encoding="utf-8") != text
    ]
    if check and stale:
        raise InputError("not current", ", ".join(stale), "Run `bonecds import-terminology`.")
    for name in stale:
        (out / name).write_text(content[name], encoding="utf-8")
    for name, text in content.items():
        click.echo(f"{name}: {text.count(chr(10)) - 1} rows" if name != INDEX else f"{name}: {len(content) - 1} files")
