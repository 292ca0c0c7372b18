"""Which concepts of ours a FHIR code means. Pure matching over rows that somebody else has loaded.

A code counts only together with its code system: `340` is multiple sclerosis in ICD-9 and something else
everywhere else. Systems are recognised in the spellings that real servers send (`canonical_system`). Nothing here raises on
odd input: what is not a code matches nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from cds_service.fhir.read import items, mapping, string
from cds_service.kernel.recall import for_one_call

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD11 = "http://id.who.int/icd/release/11/mms"
ATC = "http://www.whocc.no/atc"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
CPT = "http://www.ama-assn.org/go/cpt"
DMD = "https://dmd.nhs.uk"

# each with its name for people
NAMES = {
    LOINC: "LOINC",
    SNOMED: "SNOMED CT",
    RXNORM: "RxNorm",
    ICD10CM: "ICD-10-CM",
    ICD10: "ICD-10",
    ICD11: "ICD-11",
    ATC: "ATC",
    HCPCS: "HCPCS",
    CPT: "CPT",
    DMD: "dm+d",
}
SYSTEMS = tuple(NAMES)
_OIDS = {
    "2.16.840.1.113883.6.1": LOINC,
    "2.16.840.1.113883.6.96": SNOMED,
    "2.16.840.1.113883.6.88": RXNORM,  # Epic sends RxNorm under its OID
    "2.16.840.1.113883.6.90": ICD10CM,
    "2.16.840.1.113883.6.3": ICD10,
    "2.16.840.1.113883.6.73": ATC,
    "2.16.840.1.113883.6.285": HCPCS,
    "2.16.840.1.113883.6.12": CPT,
}
_ICD = frozenset({ICD10CM, ICD10, ICD11})
_BY_STEM = _ICD | {ATC}
_SHORTEST_STEM = 3
_LONGEST_CODE = 20
_SCHEME = re.compile(r"^https?://", re.IGNORECASE)


def _system_key(uri: str) -> str:
    return _SCHEME.sub("", uri).rstrip("/").lower()


_URIS = {_system_key(system): system for system in SYSTEMS}
# MIMIC-IV keeps ICD-10-CM, without dots, under a name of its own
_URIS["mimic.mit.edu/fhir/mimic/codesystem/mimic-diagnosis-icd10"] = ICD10CM


@for_one_call(maxsize=1024)
def canonical_system(uri: str) -> str:
    """The URI we use for a code system; an unknown one comes back trimmed.

    Taken as the same: `http` and `https`, upper and lower case, a trailing slash, a version after `|`, OIDs with and
    without `urn:oid:`, and SNOMED CT editions written into the URI (`http://snomed.info/sct/731000124108`).
    """
    text = uri.strip()
    bare = text.partition("|")[0].strip()
    oid = bare[8:] if bare[:8].lower() == "urn:oid:" else bare
    if oid in _OIDS:
        return _OIDS[oid]
    key = _system_key(bare)
    if key.startswith("snomed.info/sct/"):
        return SNOMED
    return _URIS.get(key, text)


def normal_code(system: str, code: str) -> str:
    """A code as the tables are keyed: ICD without dots and in capitals (trap 19), ATC in capitals, others trimmed."""
    if system in _ICD:
        return code.replace(".", "").strip(" *+†!").upper()
    return code.strip().upper() if system == ATC else code.strip()


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the value sets.

    Attributes:
        concept: what the code means to us ("lab.25OHD.total").
        system: canonical URI of its code system; empty for a drug found by its name in free text.
        code: as published, with dots.
        display: official name; empty where its licence keeps us from shipping it.
        match: "exact", "prefix" (ICD: this code and all below it), "class-prefix" (ATC) or "text".
        ingredient: our name of the drug ("zoledronic_acid"), else empty.
        strength_mg: mg of the ingredient in one `per`; `None` when the code does not say, or says several.
        per: "1" (tablet, capsule, vial, syringe), "mL", "actuation" or empty.
        form: dose form in lower case ("oral tablet").
        route_class: "systemic", "local", "depends" (on the route ordered), "mineralocorticoid" or "not-convertible".
        unit: usual UCUM unit of a result; for HCPCS drug codes what one billing unit holds.
        licence: on what terms the code is used, a section of `valuesets/NOTICE.md`.
        edition: release of the code system ("2026-04"), or a remark: "us" and "uk" editions, "historic".
    """

    concept: str
    system: str
    code: str
    display: str = ""
    match: str = "exact"
    ingredient: str = ""
    strength_mg: Decimal | None = None
    per: str = ""
    form: str = ""
    route_class: str = ""
    unit: str = ""
    licence: str = ""
    edition: str = ""


_LOCAL_FORM = re.compile(
    r"\b(creams?|ointments?|lotions?|gels?|paste|foam|shampoo|topical(ly)?|scalp|skin"
    r"|eyes?|ophthalmic|ears?|otic|nasal(ly)?|nose|rectal(ly)?|enemas?|suppositor(y|ies)|vaginal(ly)?|buccal"
    r"|inhal\w*|nebul\w*|intra-?\s?articular|joint)\b",
    re.IGNORECASE,
)
_SYSTEMIC_FORM = re.compile(
    r"\b(oral(ly)?|by mouth|tab(let)?s?|caps(ule)?s?|intravenous(ly)?|iv|intramuscular(ly)?|im|subcutaneous(ly)?)\b",
    re.IGNORECASE,
)


def local_form_in_text(text: str) -> bool:
    """Whether free text names a form or place that acts locally ("cream", "eye drops", "inhaler", "enema").

    Text that also names a systemic form ("oral paste") is not clear, so it does not count.
    """
    return _route_in_text(text) == "local"


def _route_in_text(text: str) -> str:
    """Where the forms named in free text act: "local", "systemic", or "" when it names none, or both."""
    local, systemic = bool(_LOCAL_FORM.search(text)), bool(_SYSTEMIC_FORM.search(text))
    if local == systemic:
        return ""
    return "local" if local else "systemic"


class Terminology:
    """The value sets, ready to match."""

    __slots__ = ("_concepts", "_exact", "_first_words", "_names", "_rows", "_stems", "version")

    def __init__(self, rows: tuple[Entry, ...], version: str) -> None:
        """Index the rows; use `from_rows`."""
        self.version = version
        self._rows = rows
        self._concepts = frozenset(row.concept for row in rows)
        exact: dict[tuple[str, str], list[Entry]] = {}
        stems: dict[tuple[str, str], list[Entry]] = {}
        for row in rows:
            target = stems if row.system in _BY_STEM else exact
            target.setdefault((row.system, normal_code(row.system, row.code)), []).append(row)
            if row.system == DMD:
                # dm+d identifiers are SNOMED CT UK identifiers and travel under either system
                exact.setdefault((SNOMED, row.code), []).append(row)
        self._exact = {key: tuple(found) for key, found in exact.items()}
        self._stems = {key: tuple(found) for key, found in stems.items()}
        self._names = _names(rows)
        self._first_words = frozenset(name[0] for name in self._names if name)

    @classmethod
    def from_rows(cls, rows: Iterable[Entry], version: str = "") -> Terminology:
        """Index rows.

        Args:
            rows: rows with canonical systems.
            version: identifies their content; worked out from the rows when empty.
        """
        kept = tuple(rows)
        return cls(kept, version or hashlib.sha256(repr(kept).encode()).hexdigest()[:12])

    def entries(self, system: str, code: str) -> tuple[Entry, ...]:
        """The rows a code matches, at most one per concept; the longest stem speaks for its concept."""
        uri = canonical_system(system)
        if uri in _BY_STEM:
            return self._by_stem(uri, normal_code(uri, code[:_LONGEST_CODE]))
        return self._exact.get((uri, code.strip()), ())

    def of_coding(self, coding: object) -> tuple[Entry, ...]:
        """The rows a FHIR Coding matches; a code sent as a number is read as its digits."""
        if not isinstance(coding, dict):
            return ()
        system, code = coding.get("system"), coding.get("code")
        if isinstance(code, int) and not isinstance(code, bool):
            code = str(code)
        return self.entries(system, code) if isinstance(system, str) and isinstance(code, str) else ()

    def of_concept(self, codeable: object) -> tuple[Entry, ...]:
        """The rows that any coding of a CodeableConcept matches, each once.

        A list of concepts, a lone coding where a list belongs, and a bare Coding are taken as they are meant.
        """
        found = [self.of_coding(coding) for coding in _codings(codeable)]
        if len(found) == 1:
            return found[0]
        return tuple(dict.fromkeys(entry for entries in found for entry in entries))

    def concepts(self, codeable: object) -> frozenset[str]:
        """The names of the concepts a CodeableConcept carries."""
        return frozenset(entry.concept for entry in self.of_concept(codeable))

    def of_drug(self, medication: object) -> tuple[Entry, ...]:
        """The rows of a FHIR Medication (or of any object with a `code`).

        In this order, the first that names a drug: its code, its coded ingredients, a drug name in its words.
        Where the code leaves open where the drug acts, the form named in the words decides: "cream", "oral tablet".
        Strengths are never read from words (S7).
        """
        drug = mapping(medication)
        code = drug.get("code")
        found = self.of_concept(code)
        named = _names_drug(found)
        if named and not any(entry.route_class == "depends" for entry in found):
            return found
        # MIMIC writes the drug's name only into Medication.identifier
        names = (string(mapping(each).get("value")) for each in items(drug.get("identifier")))
        words = " ".join((*_words(code), *_words(drug.get("form")), *names))
        if not named:
            parts = (mapping(part).get("itemCodeableConcept") for part in items(drug.get("ingredient")))
            told = (self.of_concept(list(parts)), self.text_entries(words))
            found = next((entries for entries in told if _names_drug(entries)), found)
        if not any(entry.route_class == "depends" for entry in found):
            return found
        route = _route_in_text(words) or "depends"
        return tuple(replace(e, route_class=route) if e.route_class == "depends" else e for e in found)

    def drug_in_text(self, text: str) -> str | None:
        """The one steroid or bone drug that free text names, by generic or brand name; `None` for none or several.

        Whole words only: "methylprednisolone" does not name prednisolone. Misspellings are not guessed.
        """
        ingredients = {entry.ingredient for entry in self.text_entries(text)}
        return ingredients.pop() if len(ingredients) == 1 else None

    def text_entries(self, text: str) -> tuple[Entry, ...]:
        """Rows for every steroid or bone drug that free text names; without code and strength."""
        phrases = _phrases(text, self._first_words)
        return tuple(dict.fromkeys(self._names[name] for name in phrases if name in self._names))

    def codes(self, *concepts: str) -> tuple[tuple[str, str], ...]:
        """(system, code) of those concepts and of all below them ("dxa.t_score"), in the order of the files.

        For search templates and suggestions; ICD stems and ATC classes are left out: a server searches for whole codes.
        """
        return tuple(dict.fromkeys((r.system, r.code) for r in self.rows(*concepts) if r.match == "exact"))

    def rows(self, *concepts: str) -> tuple[Entry, ...]:
        """All rows of those concepts and of all below them; of everything when none is named."""
        if not concepts:
            return self._rows
        below = tuple(f"{concept}." for concept in concepts)
        return tuple(row for row in self._rows if row.concept in concepts or row.concept.startswith(below))

    def names(self) -> frozenset[str]:
        """The names of all concepts, to check that code and value sets agree."""
        return self._concepts

    def _by_stem(self, system: str, code: str) -> tuple[Entry, ...]:
        found: dict[str, Entry] = {}
        for length in range(len(code), _SHORTEST_STEM - 1, -1):
            for row in self._stems.get((system, code[:length]), ()):
                if row.match != "exact" or length == len(code):
                    found.setdefault(row.concept, row)
        return tuple(found.values())


def _names_drug(entries: tuple[Entry, ...]) -> bool:
    return any(entry.ingredient for entry in entries)


def _codings(codeable: object) -> Iterator[object]:
    for concept in items(codeable):
        if isinstance(concept, dict):
            yield from items(concept["coding"]) if "coding" in concept else (concept,)


def _words(codeable: object) -> Iterator[str]:
    """All words of a CodeableConcept: its text and every display."""
    for concept in items(codeable):
        yield string(concept) or string(mapping(concept).get("text"))
        yield from (string(mapping(coding).get("display")) for coding in _codings(concept))


# --- drug names in free text ------------------------------------------------------------------------------------------
_TOKEN = re.compile(r"[a-z0-9&']+(?:-[a-z0-9]+)*")
# "methyl prednisolone" and "hydro-cortisone" are the longer drug, not the shorter one
_SPLIT_NAME = re.compile(r"\b(methyl|hydro|fludro)[\s-]+(?=prednisolone|cortisone)")
_BIOSIMILAR_SUFFIX = re.compile(r"(?<=mab)-[a-z]{4}$")
_BRAND = re.compile(r"\[([^\[\]]+)\]")
_LONGEST_NAME = 4
# shorter brand names are everyday abbreviations as well ("TAC")
_SHORTEST_BRAND = 4
_TEXT_CHARACTERS = 2000
# Kinds of rows in families with names, the one that speaks for the drug as such first; True: text keeps the concept.
_KINDS = {
    "glucocorticoid.ingredient": False,
    "glucocorticoid.mineralocorticoid": True,
    "therapy.ingredient": False,
    "therapy.hormone": True,
    "therapy.atc": False,
    "glucocorticoid.drug": False,
    "therapy.drug": False,
    "therapy.oncology": True,
    "therapy.not_osteoporosis": True,
    "glucocorticoid.nonsystemic": True,
}


def _tokens(text: str) -> list[str]:
    found = _TOKEN.findall(_SPLIT_NAME.sub(r"\1", text.lower()))
    return [_BIOSIMILAR_SUFFIX.sub("", token) for token in found]


def _phrases(text: str, first_words: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """Every run of words that begins like a name we know."""
    tokens = _tokens(text[:_TEXT_CHARACTERS])
    for start in (place for place, token in enumerate(tokens) if token in first_words):
        for end in range(start + 1, min(start + _LONGEST_NAME, len(tokens)) + 1):
            yield tuple(tokens[start:end])


def _names(rows: tuple[Entry, ...]) -> Mapping[tuple[str, ...], Entry]:
    """Name in tokens -> the row that text with this name stands for; a name of two drugs is none of them."""
    named = sorted(
        (r for r in rows if r.ingredient and r.concept in _KINDS), key=lambda r: list(_KINDS).index(r.concept)
    )
    generic: dict[str, Entry] = {}
    for row in named:
        generic.setdefault(row.ingredient, _as_text(row, row.route_class))
    found: dict[tuple[str, ...], dict[str, Entry]] = {}
    for row in named:
        of_drug = generic[row.ingredient]
        for name in _generic_names(row):
            found.setdefault(tuple(_tokens(name)), {}).setdefault(row.ingredient, of_drug)
        for brand in _brands(row):
            found.setdefault(tuple(_tokens(brand)), {}).setdefault(row.ingredient, _as_text(row, of_drug.route_class))
    return {name: next(iter(drugs.values())) for name, drugs in found.items() if len(drugs) == 1}


def _as_text(row: Entry, route_class: str) -> Entry:
    concept = row.concept if _KINDS[row.concept] else f"{row.concept.partition('.')[0]}.text"
    return Entry(concept, "", "", match="text", ingredient=row.ingredient, route_class=route_class)


def _generic_names(row: Entry) -> Iterator[str]:
    yield row.ingredient.replace("_", " ")
    if row.system == ATC and row.match == "exact" and "," not in row.display and " and " not in row.display:
        yield row.display


def _brands(row: Entry) -> Iterator[str]:
    for brand in _BRAND.findall(row.display):
        # of a pack only the first word names the brand: "DexPak TaperPak 6 Day"
        name = brand.split()[0] if row.display.startswith("{") else brand
        if len(name) >= _SHORTEST_BRAND:
            yield name
