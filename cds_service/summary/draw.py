"""From the facts of one patient to pictures: which numbers, lines and words go into each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cds_service.cards.escape import unescaped
from cds_service.cards.texts import Texts
from cds_service.clinical import content
from cds_service.clinical.concepts import uses_t_scores
from cds_service.clinical.exposure import Exposure, Run, Stretch
from cds_service.clinical.facts.bone_density import Measure, Score
from cds_service.clinical.facts.fractures import Fracture, FractureSite
from cds_service.clinical.patient import Patient
from cds_service.clinical.profiles import switches
from cds_service.clinical.pulses import pulse_days
from cds_service.clinical.terminology import terminology
from cds_service.fhir.read import items, mapping, name_of, string
from cds_service.kernel.dates import plus_days, plus_months
from cds_service.kernel.facts import Gap
from cds_service.kernel.needs import LookupState, Need, Records, Resource
from cds_service.kernel.quantities import plain
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.kernel.truth import Truth
from cds_service.pictures import Picture, coverage, glucocorticoids, t_scores, vitamin_d
from cds_service.pictures.picture import Line, Mark, Period
from cds_service.pictures.plot_coverage import Lookup, State
from cds_service.pictures.plot_glucocorticoids import Dose, Window
from cds_service.pictures.plot_t_scores import TScore
from cds_service.pictures.plot_vitamin_d import Band, Result

VITAMIN_D_UNITS = ("ng/mL", "nmol/L")
# Daily doses and sums that a guideline set draws a line at.
_DOSE_LINES: Mapping[str, tuple[str, ...]] = {
    "acr2022": ("acr2022.gc-entry-dose", "acr2022.frax-adjust-above", "acr2022.high-daily-dose"),
    "nogg2024": ("nogg2024.gc-dose",),
    "nice": ("nice.high-dose",),
}
_SUM_LINES: Mapping[str, tuple[str, ...]] = {"acr2022": ("acr2022.cumulative-dose",)}
_T_LINES = ("bhof_iscd.normal-t", "bhof_iscd.osteoporosis-t")
_FRACTURES = {
    FractureSite.VERTEBRA: "Vertebral fracture",
    FractureSite.PELVIS: "Pelvic fracture",
    FractureSite.ELSEWHERE: "Fracture elsewhere",
    FractureSite.OTHER: "Fracture, site not stated",
}
# Do T-scores classify this person (DEF-09)?
_CLASSIFY_BY_Z: Mapping[Truth, tuple[str, ...]] = {
    Truth.YES: (),
    Truth.NO: ("Before menopause and in men under 50 guidelines classify by Z-score, not by these T-scores.",),
    Truth.UNKNOWN: (
        "Sex, age or menopausal status is not known: whether these T-scores classify, or a Z-score, is open.",
    ),
}
_MONTHS_DRAWN = 24
_DAYS_AHEAD, _ROOM = 90, 10


# --- words -----------------------------------------------------------------------------------------------------------
def gap_words(gaps: Iterable[Gap], texts: Texts) -> tuple[str, ...]:
    """Gaps as plain text, one entry a reason ("Look-up failed: DXA results")."""
    return tuple(unescaped(line) for line in texts.of_gaps(gaps))


def _line(threshold: Threshold, texts: Texts) -> Line:
    number = f"{plain(threshold.value)} {texts.unit(threshold.unit)}".strip()
    words = f"{threshold.label} {number} ({threshold.source.label})"
    return Line(threshold.value, words, f"{number} ({threshold.source.label})")


def _lines(keys: Mapping[str, tuple[str, ...]], p: Patient, t: Thresholds, texts: Texts) -> tuple[Line, ...]:
    return tuple(_line(t[key], texts) for name in p.profile.sets for key in keys.get(name, ()))


# --- T-scores --------------------------------------------------------------------------------------------------------
def draw_t_scores(p: Patient, t: Thresholds, texts: Texts) -> Picture:
    """T-scores of every site, with fractures and osteoporosis drugs.

    No record tells a centre's least significant change, so none is drawn (`clinical/limits.toml`).
    """
    found = [score for score in p.scores.items if score.measure is Measure.T]
    scanners = _scanners(found, p.chart.records)
    scores = [TScore(s.site.value, s.value, s.on, scanners.get(s.entered, ""), None, _from_words(s)) for s in found]
    periods = [Period(each.drug, each.started, each.last, each.current.value) for each in p.therapies.items]
    notes = [
        f"{what}: not everything could be looked at. {'; '.join(gap_words(gaps, texts))}."
        for what, gaps in (("Fractures", p.fractures.gaps), ("Treatment", p.therapies.gaps))
        if gaps
    ]
    if found:
        notes += _CLASSIFY_BY_Z[uses_t_scores(p, t).truth]
    return t_scores(
        scores,
        [_line(t[key], texts) for key in _T_LINES],
        p.as_of,
        periods=periods,
        fractures=[Mark(_fracture(each), each.on) for each in p.fractures.items],
        gaps=gap_words(p.scores.gaps, texts),
        notes=notes,
    )


def _from_words(score: Score) -> str:
    return "from the words of a report" if score.entered.startswith("DiagnosticReport/") else ""


def _fracture(each: Fracture) -> str:
    words = _FRACTURES.get(each.site, f"{each.site.value.capitalize()} fracture")
    cause = {Truth.YES: "low trauma", Truth.NO: "not low trauma", Truth.UNKNOWN: "cause not recorded"}
    return f"{words}, {cause[each.low_trauma]}"


def _scanners(scores: Iterable[Score], records: Records) -> dict[str, str]:
    """A number for each scanner the record names, by the resource of the score; nothing where it names none.

    Only a reference or an identifier proves that two scans were made on the same machine; a make or model does not.
    """
    by_name = {name_of(resource): resource for resource in records.resources()}
    numbers: dict[tuple[str, str], str] = {}
    found = {}
    for score in sorted(scores, key=lambda s: (s.on.latest if s.on else dt.date.max, s.entered)):
        device = _device(by_name.get(score.entered, {}))
        if any(device):
            found[score.entered] = numbers.setdefault(device, f"scanner {len(numbers) + 1}")
    return found


def _device(resource: Resource) -> tuple[str, str]:
    device = mapping(resource.get("device"))
    reference = string(device.get("reference"))
    if reference and not reference.startswith("#"):
        return "", reference
    identifier = mapping(device.get("identifier"))
    value = string(identifier.get("value"))
    return (string(identifier.get("system")), value) if value else ("", "")


# --- vitamin D -------------------------------------------------------------------------------------------------------
def vitamin_d_unit(p: Patient) -> str:
    """The unit of the site, else that of the newest result."""
    newest = next((each.unit for each in p.vitamin_d.items), VITAMIN_D_UNITS[0])
    return p.profile.unit("vitamin-d") or newest


def draw_vitamin_d(p: Patient, t: Thresholds, texts: Texts, unit: str = "") -> Picture:
    """25-OH vitamin D with the bands of the profile's cut-offs.

    Args:
        p: the facts.
        t: the numbers in force.
        texts: the words.
        unit: one of `VITAMIN_D_UNITS`; that of the site when empty. Bands are the guideline's own numbers in that unit.
    """
    unit = unit or vitamin_d_unit(p)
    results = [
        Result(each.in_unit(unit), f"{each.value} {each.unit}", each.on, each.evidence.note)
        for each in p.vitamin_d.items
    ]
    name = p.profile.vitamin_d
    bands = tuple(_bands(name, t, unit))
    label = content.guideline_sets()[name].source.label
    high = _near(results, [t[f"vitamin_d_safety.{key}.{_KEY[unit]}"] for key in ("high-above", "toxic-above")], texts)
    return vitamin_d(
        results,
        bands,
        unit,
        label if bands else f"{label} gives none",
        p.as_of,
        lines=high,
        gaps=gap_words(p.vitamin_d.gaps, texts),
    )


_KEY = {"ng/mL": "ng", "nmol/L": "nmol"}
# Sets that name a range to be in; the others speak of deficiency.
_RANGES = frozenset({"vd_acr_gc", "vd_ms_ca", "vd_ms_iran2016"})


def _bands(name: str, t: Thresholds, unit: str) -> Iterator[Band]:
    """The classes from low to high, named as rules name them."""
    low, enough, *high = (t.optional(f"{name}.{key}.{_KEY[unit]}") for key in
                          ("deficient-below", "sufficient-from", "concern-above", "range-to"))  # fmt: skip
    top = next((each for each in high if each is not None), None)
    ranges = name in _RANGES
    if low is not None:
        yield Band("deficient", None, low.value)
    if enough is not None:
        yield Band("below range" if ranges else "insufficient", low.value if low else None, enough.value)
        yield Band("in range" if ranges else "sufficient", enough.value, top.value if top else None)
    if top is not None:
        yield Band("above range" if ranges else "potential concern", top.value, None)


def _near(results: Sequence[Result], limits: Iterable[Threshold], texts: Texts) -> tuple[Line, ...]:
    """Limits of safety, where a result comes as near as two thirds of the way to the lowest of them."""
    highest = max(
        (bound for each in results for bound in (each.value.low, each.value.high) if bound is not None), default=0
    )
    told = list(limits)
    if highest * 3 < min(limit.value for limit in told) * 2:
        return ()
    return tuple(_line(limit, texts) for limit in told)


# --- glucocorticoids -------------------------------------------------------------------------------------------------
def draw_glucocorticoids(p: Patient, t: Thresholds, texts: Texts) -> Picture:
    """Systemic glucocorticoids of the last two years at most, the last one summed as the rules sum it."""
    exposure = p.exposure
    window = _window(exposure, t)
    gaps, pulses = set(exposure.gaps), pulse_days(exposure, t)
    doubts = [gap for gap in exposure.doubts(window.first, p.as_of) if gap not in gaps]
    return glucocorticoids(
        tuple(_doses(exposure.stretches, pulses)),
        window,
        lines=_lines(_DOSE_LINES, p, t, texts),
        total_lines=_lines(_SUM_LINES, p, t, texts),
        gaps=gap_words(exposure.gaps, texts),
        doubts=gap_words(doubts, texts),
        notes=[_pulses_counted(p)] if pulses else [],
    )


def _pulses_counted(p: Patient) -> str:
    """The reading the site takes of pulses in the sum (D15): the picture always sums them."""
    reading = switches()["count_pulses"].option(p.choice("count_pulses"))
    return f"How this site's rules count pulses: {reading.means if reading else 'not known'}."


def _window(exposure: Exposure, t: Thresholds) -> Window:
    as_of = exposure.as_of
    summed_from = plus_days(as_of, 1 - t.days("acr2022.cumulative-window"))
    begins = min((each.first for each in exposure.stretches), default=as_of)
    first = plus_days(max(min(begins, summed_from), plus_months(as_of, -_MONTHS_DRAWN)), -_ROOM)
    ends = max((each.last for each in exposure.stretches), default=as_of)
    last = min(max(ends, plus_days(as_of, _ROOM)), plus_days(as_of, _DAYS_AHEAD))
    return Window(first, last, summed_from, as_of)


def _doses(stretches: Iterable[Stretch], pulses: Sequence[Run]) -> Iterator[Dose]:
    for each in stretches:
        pulse = any(run.first <= each.first and each.last <= run.last for run in pulses)
        yield Dose(each.first, each.last, each.daily, pulse)


# --- coverage --------------------------------------------------------------------------------------------------------
_STATES = {
    LookupState.PARTIAL: State.PARTIAL,
    LookupState.FAILED: State.FAILED,
    LookupState.NOT_PERMITTED: State.NOT_PERMITTED,
    LookupState.NOT_SUPPLIED: State.NOT_SUPPLIED,
}


def draw_coverage(records: Records, needs: Sequence[Need], not_kept: Sequence[str], texts: Texts) -> Picture:
    """How each look-up went, in the order of the needs.

    Args:
        records: as they were gathered.
        needs: what was asked for.
        not_kept: need keys that the site says its EHR has no such resource for.
        texts: the words.
    """
    return coverage([_looked_up(records, need, not_kept, texts) for need in needs])


def _looked_up(records: Records, need: Need, not_kept: Sequence[str], texts: Texts) -> Lookup:
    told = records.lookup(need.key)
    name = texts.names.get(need.key, need.key)
    if need.key in not_kept and told.state is LookupState.NOT_SUPPLIED:
        return Lookup(name, State.NONE_FOUND, 0, "the site keeps no such resources")
    count = sum(1 for resource in told.resources if _answers(resource, need))
    found = State.FOUND if count else State.NONE_FOUND
    return Lookup(name, _STATES.get(told.state, found), count, told.detail)


def _answers(resource: Resource, need: Need) -> bool:
    """Is it of the kind that was asked for? A whole-patient record gives every Observation to every need of that type."""
    if resource.get("resourceType") != need.resource_type:
        return False
    if not need.concepts:
        return True
    codes = [resource.get("code"), *(mapping(each).get("code") for each in items(resource.get("component")))]
    return any(concept.startswith(need.concepts) for code in codes for concept in terminology().concepts(code))
