"""Vitamin D: VD-01 to VD-05, with the cut-offs of the active vitamin D profile (`clinical.md` 5)."""

from __future__ import annotations

from cds_service.clinical.concepts import as_json, long_term_use, prior_fracture, tentative, within_months
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.facts.laboratory import Lab
from cds_service.clinical.facts.vitamin_d import ANALYTE, VitaminD
from cds_service.clinical.measurements import shown
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.common import low_bone_mass, on_record, reduced_mobility, taken_now
from cds_service.clinical.rules.glucocorticoid_classes import on_long_term
from cds_service.fhir.read import name_of
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, ever, holds, less_than, more_than
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval, exactly
from cds_service.kernel.rules import Finding, Json, Kind, Level, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

VD_SETS = ("vd_iom2011", "vd_es2011", "vd_es2024", "vd_ros2018", "vd_acr_gc", "vd_ms_ca", "vd_ms_iran2016")
CLASSIFYING = tuple(name for name in VD_SETS if name != "vd_es2024")
_ON_GLUCOCORTICOIDS = "vd_acr_gc"
# These name a range to be in; the others speak of deficiency
_WITH_RANGES = frozenset({_ON_GLUCOCORTICOIDS, "vd_ms_ca", "vd_ms_iran2016"})
SUPPLEMENTS = ("vitamin_d", "calcium_vitamin_d")
_LOW_CLASSES = frozenset({"deficient", "insufficient", "below_range"})
UNIT_KEY = {"ng/mL": "ng", "nmol/L": "nmol"}


def latest(p: Patient, t: Thresholds) -> Fact[VitaminD]:
    """The newest 25(OH)D result that is not too old to count.

    A result that could not be read may be newer than the newest one that could: its gap goes along as a doubt.
    """
    dated = [result for result in p.vitamin_d.items if result.on is not None and result.on.earliest <= p.as_of]
    if not dated:
        return Unknown(p.vitamin_d.gaps or (Gap(GapKind.NOT_RECORDED, "vitamin-d"),))
    newest = dated[0]
    if newest.on is None or newest.on.latest < plus_months(p.as_of, -t.days("policy.result-months")):
        return Unknown((Gap(GapKind.TOO_OLD, "vitamin-d", str(newest.on), newest.evidence.resource), *p.vitamin_d.gaps))
    return Known(newest, (newest.evidence,), p.vitamin_d.gaps)


def _value(p: Patient, t: Thresholds) -> tuple[Fact[Interval], str]:
    """The value in the unit reported, and the key of that unit in the threshold names (DEF-11)."""
    match latest(p, t):
        case Known(result, evidence, doubts):
            return Known(result.value, evidence, doubts), UNIT_KEY[result.unit]
        case Unknown() as nothing:
            return nothing, "ng"


def supplemented(p: Patient) -> Criterion:
    """Vitamin D, with or without calcium, on the medication list now, or being ordered."""
    ordered = tuple(
        Evidence("order", "vitamin D", None, name_of(found.resource))
        for prefix in SUPPLEMENTS
        for found in p.chart.ordered(prefix)
    )
    if ordered:
        return holds("vitamin-d-supplement", Truth.YES, ordered)
    return taken_now("vitamin-d-supplement", p.current_drugs(*SUPPLEMENTS))


def against_target(p: Patient, t: Thresholds) -> str:
    """Where the value lies against ACR's target on glucocorticoids: below, within or above; empty when unknown."""
    value, unit = _value(p, t)
    low = at_least("vitamin-d-at-least", value, t[f"vd_acr_gc.sufficient-from.{unit}"]).truth
    high = more_than("vitamin-d-more-than", value, t[f"vd_acr_gc.range-to.{unit}"]).truth
    if low is Truth.NO:
        return "below"
    if high is Truth.YES:
        return "above"
    certain = isinstance(value, Known) and not value.doubts
    return "within" if certain and (low, high) == (Truth.YES, Truth.NO) else ""


def classify(p: Patient, t: Thresholds) -> tuple[str, Criterion]:
    """Class under the active profile ("" when unknown) and the criterion that tells whether one can be given."""
    name = p.choice("vd_profile")
    if name == _ON_GLUCOCORTICOIDS and (people := on_long_term(p, t)).truth is not Truth.YES:
        return "", people
    value, unit = _value(p, t)
    ranges = name in _WITH_RANGES
    steps = (
        ("deficient-below", less_than, "deficient"),
        ("sufficient-from", less_than, "below_range" if ranges else "insufficient"),
        ("concern-above", more_than, "above_range" if ranges else "sufficient"),
        ("range-to", more_than, "above_range"),
    )
    read: list[Criterion] = []
    for key, compare, label in steps:
        limit = t.optional(f"{name}.{key}.{unit}")
        if limit is None:
            continue
        read.append(compare("vitamin-d-below" if compare is less_than else "vitamin-d-more-than", value, limit))
        if read[-1].truth is Truth.YES:
            return label, read[-1]
        if read[-1].truth is Truth.UNKNOWN:
            return "", read[-1]
    if not read:
        return "", holds("vitamin-d-classes", Truth.NO)
    if isinstance(value, Known) and value.doubts:
        return "", holds("vitamin-d-in-range", Truth.UNKNOWN, gaps=value.doubts)
    # below no limit and above none: the value is in range, shown by what it was compared with
    return ("in_range" if ranges else "sufficient"), holds("vitamin-d-in-range", Truth.YES, read[0].evidence)


def _measured(p: Patient, t: Thresholds) -> dict[str, Json]:
    match latest(p, t):
        case Known(result):
            number = as_json(result.value)
            return {
                "vitamin_d": number if number is not None else str(result.value),
                "vitamin_d_unit": result.unit,
                "vitamin_d_shown": in_both_units(p, result),
                "vitamin_d_on": str(result.on),
                "vitamin_d_profile": p.choice("vd_profile"),
            }
        case Unknown():
            return {}


def in_both_units(p: Patient, result: VitaminD | Lab) -> str:
    """The value as reported and, where the site reads another unit, in that one as well: "48 nmol/L (19.2 ng/mL)"."""
    analyte = result.analyte if isinstance(result, Lab) else ANALYTE
    reported, unit = shown(result.value, result.unit), p.profile.unit(analyte)
    return reported if unit in ("", result.unit) else f"{reported} ({shown(result.in_unit(unit), unit)})"


@rule(
    "VD-01",
    sets=VD_SETS,
    card="vitamin-d",
    check="V",
    strength="vitamin-d-indication",
    source="es2024",
    reads=(
        "age",
        "sex",
        "postmenopausal",
        "exposure",
        "fractures",
        "ms",
        "edss",
        "mobility",
        "lowest_t",
        "lowest_z",
        "vitamin_d",
    ),
    switches=("gc_entry", "gc_duration_op"),
)
def vitamin_d_not_measured_despite_indication(p: Patient, t: Thresholds) -> Finding:
    """An indication to measure 25(OH)D, and no result in the last year.

    What it looks for: osteoporosis, a fragility fracture, long-term glucocorticoids, malabsorption, an enzyme-inducing
    anticonvulsant, or MS with a fracture, low bone density or reduced mobility; no 25(OH)D result in 12 months.

    Why it matters: guidelines advise against routine testing and for testing where it changes what is done.

    When it stays silent: no indication; a result within 12 months.

    Sources: ROS 2018; Endocrine Society 2011 and 2024 (against routine testing, established indications excepted).
    """
    fracture = prior_fracture(p, frozenset(FractureSite))
    in_ms = all_of(on_record("ms", p.ms), any_of(fracture, low_bone_mass(p, t), reduced_mobility(p, t)))
    indication = any_of(
        on_record("osteoporosis", p.diagnoses("cond.osteoporosis")),
        fracture,
        long_term_use(p, t).criterion,
        on_record("malabsorption", p.diagnoses("cond.malabsorption")),
        taken_now("anticonvulsant", p.current_drugs("comed.enzyme_inducing_aed")),
        in_ms,
    )
    recent = any_of(
        *(
            within_months("vitamin-d-recent", result.on, p.as_of, t.days("policy.result-months"), result.evidence)
            for result in p.vitamin_d.items
        ),
        ever("vitamin-d-on-record", type(p.vitamin_d)((), p.vitamin_d.gaps)),
    )
    adult = at_least("adult", p.age, t["ms.adult-age"])
    return Finding(all_of(adult, indication), recent, {}, (Proposal("vitamin-d-test"),))


@rule(
    "VD-02",
    sets=CLASSIFYING,
    kind=Kind.DEFINITION,
    card="vitamin-d",
    check="P",
    strength="definition",
    reads=("age", "vitamin_d", "exposure"),
    switches=("vd_profile",),
)
def vitamin_d_class(p: Patient, t: Thresholds) -> Finding:
    """The class of the latest 25(OH)D under the active profile.

    What it looks for: the newest result of the last 12 months, compared in the unit reported, so that exactly 20 ng/mL and
    exactly 50 nmol/L fall on the same side. The target of ACR 2022 is for people on long-term glucocorticoids only.

    Why it matters: profiles disagree (12/20, 20/30 ng/mL, 25/50 nmol/L ...); value, unit and profile are always shown, and
    the unit the site reads beside that of the laboratory.

    When it stays silent: no result, too old, unit not known.

    Sources: the active vitamin D profile; DEF-11.
    """
    name, known = classify(p, t)
    values = _measured(p, t)
    if name:
        values["class"] = name
    adult = at_least("adult", p.age, t["ms.adult-age"])
    # whatever the class, it can be told: the criterion that could not be decided says why not
    told = holds("vitamin-d-classified", Truth.YES, known.evidence) if name else known
    return Finding(all_of(adult, told), values=values)


@rule(
    "VD-03",
    sets=CLASSIFYING,
    card="vitamin-d",
    check="V2",
    strength="vitamin-d-profile",
    reads=("age", "vitamin_d", "exposure"),
    switches=("vd_profile",),
)
def vitamin_d_low(p: Patient, t: Thresholds) -> Finding:
    """25(OH)D is below the sufficient range of the active profile.

    What it looks for: the class of VD-02 is deficient, insufficient or below range.

    Why it matters: low vitamin D harms bone and must be corrected before parenteral antiresorptive drugs. Doses are those
    of the active profile where they were read in the source (ROS: total and when to load; MS Society of Canada; Iran; ACR),
    else left to the local protocol; a single very large bolus is never suggested (VD-06).

    When it stays silent: sufficient; never as a treatment of MS itself (VD-07).

    Sources: the active vitamin D profile.
    """
    name, known = classify(p, t)
    adult = at_least("adult", p.age, t["ms.adult-age"])
    values = _measured(p, t) | ({"vitamin_d_class": name} if name else {})
    if supplemented(p).truth is Truth.YES:
        values["on_vitamin_d"] = True
    if known.threshold:
        values["cut_off"] = as_json(exactly(known.threshold.value))
    return Finding(all_of(adult, low_vitamin_d(p, t)), values=values)


def low_vitamin_d(p: Patient, t: Thresholds) -> Criterion:
    """Below the sufficient range of the active profile; unknown where no class can be given."""
    name, known = classify(p, t)
    truth = Truth.of(name in _LOW_CLASSES) if name else known.truth if known.truth is not Truth.YES else Truth.NO
    return Criterion("vitamin-d-low", truth, known.evidence, known.threshold, known.found, known.open_gaps())


@rule(
    "VD-05",
    sets=VD_SETS,
    card="vitamin-d-excess",
    check="V2",
    strength="vitamin-d-toxicity",
    source="es2011",
    critical_because="vitamin D toxicity causes hypercalcaemia and kidney injury (DESIGN: vitamin D toxicity is critical)",
    reads=("vitamin_d", "calcium"),
    switches=("vd_profile",),
)
def vitamin_d_too_high(p: Patient, t: Thresholds) -> Finding:
    """25(OH)D is above the range in which it is safe.

    What it looks for: over 150 ng/mL (375 nmol/L): critical. Over 100 (250): warning. Over 50 (125): information, where the
    active profile names it as a concern.

    Why it matters: vitamin D toxicity causes hypercalcaemia and kidney injury.

    When it stays silent: at or below the limits.

    Sources: Endocrine Society 2011; Iranian MS consensus 2016 (stop over 100 ng/mL); IOM 2011, MS Society of Canada (over 50).
    """
    value, unit = _value(p, t)
    doubts = value.doubts if isinstance(value, Known) else ()
    toxic = tentative(more_than("vitamin-d-more-than", value, t[f"vitamin_d_safety.toxic-above.{unit}"]), doubts)
    high = tentative(more_than("vitamin-d-more-than", value, t[f"vitamin_d_safety.high-above.{unit}"]), doubts)
    parts = [toxic, high]
    if concern := t.optional(f"{p.choice('vd_profile')}.concern-above.{unit}"):
        parts.append(more_than("vitamin-d-more-than", value, concern))
    level = Level.CRITICAL if toxic.truth is Truth.YES else Level.WARNING if high.truth is Truth.YES else Level.INFO
    values = _measured(p, t)
    if isinstance(p.calcium, Known):
        values |= {
            "calcium": in_both_units(p, p.calcium.value),
            "calcium_on": str(p.calcium.value.on or ""),
        }
    return Finding(any_of(*parts), values=values, level=level)


RULES: tuple[Rule, ...] = (
    vitamin_d_not_measured_despite_indication,
    vitamin_d_class,
    vitamin_d_low,
    vitamin_d_too_high,
)
