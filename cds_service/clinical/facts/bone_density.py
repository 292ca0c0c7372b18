"""T-scores, Z-scores and bone mineral density by site and day, and the DXA examinations themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import ahead, newest_first, observed
from cds_service.clinical.facts.dxa_narrative import narrative, sentences, texts_of
from cds_service.clinical.facts.dxa_sites import CENTRAL, PERIPHERAL, Measure, Site, refined, site_in
from cds_service.clinical.facts.results import Failed, Result, Results, older, read_results
from cds_service.clinical.measurements import shown
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import code_text, codes_in, items, mapping, name_of, string, when
from cds_service.kernel.dates import DateSpan
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Series, Unknown
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import Interval, exactly

__all__ = ["CENTRAL", "Measure", "Scan", "Score", "Site", "lowest", "scans", "scores"]

NEEDS = (*needs.BONE_RESULTS, needs.PROCEDURES)
WHAT = "bone-density"

_CODED = {Measure.T: "dxa.t_score", Measure.Z: "dxa.z_score", Measure.BMD: "dxa.bmd"}
_UNITS = {Measure.T: "{T-score}", Measure.Z: "{Z-score}"}
_SITES = {
    "lumbar_spine": Site.LUMBAR_SPINE,
    "spine": Site.SPINE,
    "total_hip": Site.TOTAL_HIP,
    "femur": Site.FEMUR,
    "forearm": Site.FOREARM,
    "calcaneus": Site.HEEL,
    "humerus": Site.HUMERUS,
    "unspecified": Site.UNKNOWN,
}
_REPORTS = (
    "dxa.report", "dxa.order", "dxa.vfa_order", "dxa.peripheral_order",
    "dxa.procedure", "dxa.vfa_procedure", "dxa.procedure.peripheral",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Score:
    """One T-score, Z-score or bone mineral density.

    Attributes:
        measure: which of the three.
        site: where it was measured.
        value: the number; densities in the unit of the evidence.
        on: when; `None` when the record does not say.
        evidence: what shows it; the note names the site.
        entered: the resource it stands in, "Observation/12" or, from its words, "DiagnosticReport/3".
    """

    measure: Measure
    site: Site
    value: Interval
    on: DateSpan | None
    evidence: Evidence
    entered: str


@dataclass(frozen=True, slots=True)
class Scan:
    """One DXA examination.

    Attributes:
        on: when; `None` when the record does not say.
        central: whether spine or hip was measured; `None` when the record does not say.
        vfa: whether the spine was looked at for vertebral fractures.
        evidence: what shows it.
    """

    on: DateSpan | None
    central: bool | None
    vfa: bool
    evidence: Evidence


# --- scores ----------------------------------------------------------------------------------------------------------
def scores(chart: Chart) -> Series[Score]:
    """All scores on record, newest first; those without a date last.

    Where one day and site has several values all of them are kept (D10). Gaps: look-ups that did not complete, and
    scores on record that could not be read, unless a newer one of the same measure and site is there.
    """
    found: list[Score] = []
    failed: list[tuple[Measure, Site, Failed]] = []
    for kind, prefix in _CODED.items():
        read = read_results(chart, WHAT, kind.value, *(f"{prefix}.{site}" for site in _SITES))
        read = _without_contradicted(chart, kind, read)
        found.extend(_score(each, kind) for each in read.usable)
        failed.extend((kind, Site.UNKNOWN, each) for each in read.failed)
    spoken, unclear = _from_reports(chart, found)
    found.extend(spoken)
    gaps = [each.gap for kind, _, each in failed if not _superseded(found, kind, each.on)]
    ordered = tuple(sorted(found, key=_order))
    return Series(ordered, (*chart.gaps(*needs.BONE_RESULTS), *dict.fromkeys((*gaps, *unclear))))


def _order(score: Score) -> tuple[object, ...]:
    return (*newest_first(score.on), score.measure.value, score.site.value, str(score.value), score.entered)


def _superseded(found: Iterable[Score], kind: Measure, on: DateSpan | None) -> bool:
    """Whether every central region has a newer value: then an old value that cannot be read changes nothing."""
    newer = {_region(each.site) for each in found if each.measure is kind and older(on, each.on)}
    return {Site.LUMBAR_SPINE, Site.TOTAL_HIP, Site.FEMORAL_NECK} <= newer


def _score(result: Result, kind: Measure) -> Score:
    site = _site(result.found, _CODED[kind])
    note = site.value
    return Score(kind, site, result.measured.value, result.on, result.evidence(kind.value, note), result.name)


def _site(found: Found, prefix: str) -> Site:
    """The site of the code, made more exact by body site and words; unknown where they contradict each other."""
    named = {e.concept.removeprefix(f"{prefix}.") for e in found.entries if e.concept.startswith(prefix)}
    sites = {_SITES[name] for name in named if name in _SITES}
    coded = sites.pop() if len(sites) == 1 else Site.UNKNOWN
    parts = (found.part, found.resource) if found.part is not found.resource else (found.part,)
    told = [site_in(_words(part.get(name))) for part in parts for name in ("bodySite", "code")]
    named_in_words = [site for site in told if site is not Site.UNKNOWN]
    if coded is Site.FOREARM and Site.FOREARM not in named_in_words:
        # Synthea codes its only T-score, of no stated site, as 38265-5, the forearm (terminology.md 12, trap 1)
        return Site.UNKNOWN
    site = coded
    for each in named_in_words:
        site = refined(site, each)
        if site is Site.UNKNOWN:
            break
    return site


def _words(codeable: object) -> str:
    """Text and displays of a CodeableConcept."""
    displays = [string(mapping(each).get("display")) for each in items(mapping(codeable).get("coding"))]
    return " ; ".join(filter(None, (code_text(codeable), *displays)))


_BAD_NEWS = re.compile(r"osteopor|osteopen|low bone (?:mass|density)", re.I)
_DENIED = re.compile(r"\b(?:no|not|without|excludes?|excluded|negative)\b", re.I)


def _without_contradicted(chart: Chart, kind: Measure, read: Results) -> Results:
    """Leave out positive scores that are called low beside the number: the sign may have been lost (D18)."""
    kept, failed = list(read.usable), list(read.failed)
    for each in read.usable if kind is not Measure.BMD else ():
        value = each.measured.value
        if value.low is not None and value.low > 0 and _called_low(each.found):
            kept.remove(each)
            chart.set_unread(each.found.resource, GapKind.CONFLICTING.value)
            detail = f"{_abbreviation(kind)} {value} recorded, but called low: sign not clear"
            failed.append(Failed(Gap(GapKind.CONFLICTING, WHAT, detail, each.name), each.on))
    return Results(tuple(kept), tuple(failed))


def _called_low(found: Found) -> bool:
    interpretation = items(found.part.get("interpretation"))
    if any(codes_in(each) & {"l", "ll"} for each in interpretation):
        return True
    notes = [string(mapping(each).get("text")) for each in items(found.resource.get("note"))]
    told = [clause for text in (*map(_words, interpretation), *notes) for clause in sentences(text)]
    return any(_BAD_NEWS.search(clause) and not _DENIED.search(clause) for clause in told)


def _abbreviation(kind: Measure) -> str:
    return {Measure.T: "T-score", Measure.Z: "Z-score", Measure.BMD: "BMD"}[kind]


# --- scores in words -------------------------------------------------------------------------------------------------
def _from_reports(chart: Chart, structured: list[Score]) -> tuple[list[Score], list[Gap]]:
    """Scores from the words of reports, where no Observation of the day says the same."""
    found: list[Score] = []
    gaps: list[Gap] = []
    for report in _reports(chart):
        on = observed(chart, report)
        told = narrative(report)
        if not told.scores and not told.unclear:
            continue
        if ahead(chart, report, on):
            gaps.append(Gap(GapKind.UNREADABLE, WHAT, "dated in the future", name_of(report)))
            continue
        same_day = [each for each in structured if each.on == on and each.measure is not Measure.BMD]
        found.extend(
            _spoken(spoken.measure, spoken.site, exactly(spoken.value), on, report)
            for spoken in told.scores
            if not any(_says(each, spoken.measure, spoken.site) for each in same_day)
        )
        if told.unclear:
            chart.set_unread(report, "report-not-clear")
            if not same_day:
                gaps.append(Gap(GapKind.UNREADABLE, WHAT, "words of a report", name_of(report)))
    return found, gaps


def _reports(chart: Chart) -> Iterator[Resource]:
    return (found.resource for found in chart.find("DiagnosticReport", *_REPORTS))


def _says(score: Score, kind: Measure, site: Site) -> bool:
    """Whether a structured score is of that measure and site; "femur" may be either part of it."""
    either = {score.site, site}
    part_of_femur = Site.FEMUR in either and either <= {Site.FEMUR, Site.TOTAL_HIP, Site.FEMORAL_NECK}
    return score.measure is kind and (_region(score.site) is _region(site) or part_of_femur)


def _spoken(kind: Measure, site: Site, value: Interval, on: DateSpan | None, report: Resource) -> Score:
    name = name_of(report)
    note = f"{site.value}, from the words of the report"
    return Score(kind, site, value, on, Evidence(kind.value, shown(value, _UNITS[kind]), on, name, note), name)


# --- the lowest ------------------------------------------------------------------------------------------------------
def lowest(series: Series[Score], measure: Measure) -> Fact[Score]:
    """The lowest of the latest scores of lumbar spine, total hip and femoral neck (DEF-08).

    A femur of no stated part counts as proximal femur, a spine as lumbar spine; forearm, heel, Ward's area and scores
    without a site never count. Of several values of one day and site the lowest is used (D10). Doubts are the gaps of
    the series, and a missing date.
    """
    of_measure = [each for each in series.items if each.measure is measure]
    latest: dict[Site, Score] = {}
    for score in of_measure:
        if score.site not in CENTRAL:
            continue
        region = _region(score.site)
        held = latest.get(region)
        if held is None or (score.on == held.on and _low(score) < _low(held)):
            latest[region] = score
    femur, parts = latest.get(Site.FEMUR), [latest.get(Site.TOTAL_HIP), latest.get(Site.FEMORAL_NECK)]
    if femur and all(part and older(femur.on, part.on) for part in parts):
        del latest[Site.FEMUR]
    if not latest:
        return Unknown(series.gaps or tuple(map(_no_site, of_measure)) or (Gap(GapKind.NOT_RECORDED, WHAT),))
    found = min(latest.values(), key=_low)
    doubts = series.gaps
    if found.on is None:
        detail = f"{_abbreviation(measure)} {found.value} has no date"
        doubts = (*doubts, Gap(GapKind.NOT_RECORDED, WHAT, detail, found.entered))
    return Known(found, (found.evidence,), doubts)


def _region(site: Site) -> Site:
    return Site.LUMBAR_SPINE if site is Site.SPINE else site


def _low(score: Score) -> tuple[bool, object, str]:
    """Order of values: one without a lower bound ("<-2.5") is the lowest."""
    low = score.value.low
    return (low is not None, low if low is not None else score.value.high, score.entered)


def _no_site(score: Score) -> Gap:
    what = f"{_abbreviation(score.measure)} {score.value}" + (f" of {score.on}" if score.on else "")
    where = "has no site" if score.site is Site.UNKNOWN else f"is of {score.site.value}"
    return Gap(GapKind.NOT_RECORDED, WHAT, f"{what} {where}", score.entered)


# --- examinations ----------------------------------------------------------------------------------------------------
_OF_SPINE = frozenset({"dxa.vfa_procedure", "dxa.vfa_order"})
_OF_BONE = frozenset({"dxa.procedure", "dxa.order", "dxa.report"})
# Codes whose own meaning is the axial skeleton: CPT 77080 and 77085, LOINC 83012-5 and 83014-1, SNOMED CT DXA of hip,
# lumbar spine, femoral neck, spine (terminology.md 2.1 and 2.2). "Bone density scan" leaves the site open.
_AXIAL = frozenset({"77080", "77085", "83012-5", "83014-1", "429529009", "428377003", "439477003", "708690003"})
_VFA = re.compile(
    r"vertebral fracture assessment|\bvfa\b|lateral (?:spine|vertebral|vertebra) (?:imaging|assessment|views?)", re.I
)
_PLANNED = re.compile(
    r"recommend|consider|suggest|advis|should|could|\bmay\b|unable|declin|future|request|indicat|schedul|plan|\bif\b"
    r"|repeat|next|(?:\bno|without|previous|prior|last|earlier)\W*$",
    re.I,
)
_NOT_DONE = re.compile(r"\b(?:not|never) (?:been )?(?:done|performed|available|possible|obtained|included|made)", re.I)
_NOTHING_DONE = re.compile(r"to be\b|not\b|none\b|n/?a\b|refus|pending|defer|cancel|ordered\b|awaited\b", re.I)
_NEAR = 30


def scans(chart: Chart) -> Series[Scan]:
    """DXA examinations, newest first: from procedures, reports and the days of scores; one per day."""
    found = [*_from_procedures(chart), *_from_documents(chart), *_from_scores(chart)]
    found.sort(key=lambda each: (*newest_first(each.on), each.evidence.resource))
    merged: list[Scan] = []
    for scan in found:
        if merged and scan.on is not None and scan.on.exact and merged[-1].on == scan.on:
            merged[-1] = _together(merged[-1], scan)
        else:
            merged.append(scan)
    return Series(tuple(merged), chart.gaps(*NEEDS))


def _together(one: Scan, other: Scan) -> Scan:
    answers = {one.central, other.central}
    central = True if True in answers else None if None in answers else False
    best = min((one, other), key=lambda each: (each.central is not True, each.evidence.resource))
    vfa = one.vfa or other.vfa
    return Scan(one.on, central, vfa, _evidence(one.on, best.evidence.resource, vfa))


def _scan(chart: Chart, found: Found, central: bool | None, vfa: bool) -> Iterator[Scan]:
    """The examination a resource tells of; none when its date lies ahead."""
    on = when(found.resource)
    if not ahead(chart, found.resource, on):
        yield Scan(on, central, vfa, _evidence(on, name_of(found.resource), vfa))


def _evidence(on: DateSpan | None, name: str, vfa: bool) -> Evidence:
    return Evidence("dxa", "", on, name, "with VFA" if vfa else "")


def _from_procedures(chart: Chart) -> Iterator[Scan]:
    for found in chart.find("Procedure", *_REPORTS):
        yield from _scan(chart, found, _central(found), _is_of(found, _OF_SPINE))


def _from_documents(chart: Chart) -> Iterator[Scan]:
    for found in chart.find("DiagnosticReport", *_REPORTS):
        vfa = _is_of(found, _OF_SPINE) or any(map(_says_vfa_done, texts_of(found.resource)))
        yield from _scan(chart, found, _central(found), vfa)


def _from_scores(chart: Chart) -> Iterator[Scan]:
    """The days of scores; peripheral scores tell of a scan that was not central."""
    for prefix in _CODED.values():
        for found in chart.find("Observation", *(f"{prefix}.{site}" for site in _SITES)):
            if any(name.startswith("value") for name in found.part):
                site = _site(found, prefix)
                central = True if site in CENTRAL else False if site in PERIPHERAL else None
                yield from _scan(chart, found, central, False)


def _is_of(found: Found, concepts: frozenset[str]) -> bool:
    return any(entry.concept in concepts for entry in found.entries)


def _central(found: Found) -> bool | None:
    """Was spine or hip measured?"""
    if any(entry.code in _AXIAL for entry in found.entries):
        return True
    places = [*items(found.resource.get("bodySite")), found.resource.get("code")]
    site = next((site for each in places if (site := site_in(_words(each))) is not Site.UNKNOWN), Site.UNKNOWN)
    if not _is_of(found, _OF_BONE) or site in PERIPHERAL:
        return False
    return True if site in CENTRAL else None


def _says_vfa_done(text: str) -> bool:
    """Whether the report clearly says that the spine was looked at: "VFA: no fracture", not "VFA recommended"."""
    return any(_done(each, match) for each in sentences(text) if (match := _VFA.search(each)))


def _done(sentence: str, match: re.Match[str]) -> bool:
    before, after = sentence[: match.start()], sentence[match.end() :].lstrip(" )")
    if _PLANNED.search(before) or _NOT_DONE.search(after):
        return False
    if after.startswith(":"):  # "VFA: no fracture, repeat in two years" was done; "VFA: declined" was not
        said = after[1:].lstrip()
        return not (_PLANNED.match(said) or _NOTHING_DONE.match(said))
    return not _PLANNED.search(after[:_NEAR])
