"""People with multiple sclerosis: MS-01 to MS-07. No MS guideline gives triggers an engine can use: project policy."""

from __future__ import annotations

from cds_service.clinical.concepts import (
    as_json,
    dxa_since,
    frax_since,
    latest_frax,
    long_term_use,
    prior_fracture,
)
from cds_service.clinical.facts.comedication import Medication
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.facts.mobility import MobilityKind
from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.pulses import pulses
from cds_service.clinical.rules.common import aid_on_record, chosen, on_record, reduced_mobility, taken_now
from cds_service.clinical.rules.contraindications import (
    caution_raloxifene_immobility,
    contraindication_oesophagus,
    contraindication_upright,
)
from cds_service.clinical.rules.nice_glucocorticoids import major_risk_factor
from cds_service.kernel.criteria import (
    Criterion,
    all_of,
    any_of,
    at_least,
    holds,
    less_than,
    none_of,
    not_,
    true,
)
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import COULD_NOT_LOOK, Gap, GapKind, Known, Series, Unknown
from cds_service.kernel.quantities import exactly
from cds_service.kernel.rules import Finding, Json, Kind, Proposal, Rule, Status, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_SET = ("ms",)
_CARD = "ms-bone-health"
_TRIGGERS = ("age", "sex", "postmenopausal", "ms", "edss", "mobility", "falls", "fractures", "exposure", "bmi")
# Seen to go with falls or fractures in cohorts of people with MS
CONTRIBUTORS = (
    "comed.ssri_snri",
    "comed.benzodiazepine_sedative",
    "comed.enzyme_inducing_aed",
)
# Named from memory; tricyclic antidepressants, named as well, have no verified code
_RECALLED_CONTRIBUTORS = ("comed.opioid", "comed.ms_symptomatic_sedating")
# How far walking is lost, most first, and where the EDSS stands that goes with it; no code tells one stick from two
_EDSS_OF_AIDS = (
    (MobilityKind.BEDBOUND, "ms.edss-bed"),
    (MobilityKind.WHEELCHAIR, "ms.edss-wheelchair"),
    (MobilityKind.WALKING_AID, "ms.edss-walking-aid"),
)


def has_ms(p: Patient, t: Thresholds) -> Criterion:
    """An adult with multiple sclerosis."""
    return all_of(at_least("adult", p.age, t["ms.adult-age"]), on_record("ms", p.ms))


# --- who is assessed -------------------------------------------------------------------------------------------------
@rule(
    "MS-01",
    sets=_SET,
    card=_CARD,
    check="P",
    strength="project-policy",
    reads=(*_TRIGGERS, "scans", "frax", "timed_walk"),
    switches=("ms_dxa", "young_mode", "gc_entry", "gc_duration_op"),
)
def bone_health_not_assessed_in_ms(p: Patient, t: Thresholds) -> Finding:
    """MS with a reason to look at bone, and nothing done in two years.

    What it looks for: MS and any of: age 50 or over; postmenopausal; EDSS 6.0 or more, a walking aid or wheelchair; a
    fragility fracture; long-term glucocorticoids; two falls in a year; BMI below 18.5; an enzyme-inducing anticonvulsant
    for six months; hypogonadism or early menopause. And no DXA in 24 months. Where the site follows NICE, a risk tool
    comes first from 40 on (FRAX in 24 months is enough), and under 50 only a major risk factor of NICE counts.

    Why it matters: fractures come earlier and oftener in MS, and few are ever scanned (13.7 % in Manitoba).

    When it stays silent: none of the triggers (MS-02); assessed within 24 months; the site takes MS for no indication.

    Sources: project policy, consistent with NICE ("regularly assessed"), ISCD 2023 and Bazelier 2011.
    """
    since = plus_months(p.as_of, -t.days("ms.dxa-months"))
    tool_first = all_of(chosen(p, "ms_dxa", "cg146"), at_least("age-at-least", p.age, t["nice.tool-age"]))
    done = dxa_since(p, "dxa-recent", since)
    if tool_first.truth is Truth.YES:
        done = any_of(done, frax_since(p, "frax-recent", since))
    values: dict[str, Json] = {"tool_first": tool_first.truth is Truth.YES}
    if isinstance(p.timed_walk, Known):
        values["timed_walk"] = str(p.timed_walk.value)
    return Finding(
        all_of(
            has_ms(p, t), chosen(p, "ms_dxa", "indication", "cg146"), trigger_in_ms(p, t), assessed_at_this_age(p, t)
        ),
        done,
        values,
        () if tool_first.truth is Truth.YES else (Proposal("dxa"),),
    )


@shared
def trigger_in_ms(p: Patient, t: Thresholds) -> Criterion:
    """A reason to look at bone in a person with MS (MS-01)."""
    return any_of(
        reduced_mobility(p, t),
        prior_fracture(p, frozenset(FractureSite)),
        long_term_use(p, t).criterion,
        _falls(p, t),
        less_than("bmi-below", p.bmi, t["ms.bmi"]),
        anticonvulsant_long(p, t),
        on_record("hypogonadism", p.diagnoses("cond.hypogonadism", "menopause.premature_or_surgical")),
        true("postmenopausal", p.postmenopausal),
        at_least("age-at-least", p.age, t["ms.age"]),
    )


@shared
def assessed_at_this_age(p: Patient, t: Thresholds) -> Criterion:
    """Under 50 some guidelines want more than a trigger: NICE a major risk factor, IOF a fracture (D7)."""
    match p.choice("young_mode"):
        case "nice":
            older = at_least("age-at-least", p.age, t["nice.no-routine-age"])
            return any_of(chosen(p, "young_mode", "acr2022", "iscd"), older, major_risk_factor(p))
        case "iof":
            older, fracture = at_least("age-at-least", p.age, t["ms.age"]), prior_fracture(p, frozenset(FractureSite))
            return any_of(chosen(p, "young_mode", "acr2022", "iscd"), older, fracture)
        case _:
            return chosen(p, "young_mode", "acr2022", "iscd")


@rule(
    "MS-02",
    sets=_SET,
    kind=Kind.DEFINITION,
    card=_CARD,
    check="P",
    strength="project-policy",
    reads=_TRIGGERS,
    switches=("gc_entry", "gc_duration_op"),
)
def no_trigger_in_ms(p: Patient, t: Thresholds) -> Finding:
    """MS, and none of the reasons of MS-01 to look at bone.

    What it looks for: every trigger of MS-01 was looked for, and none is there.

    Why it matters: it explains why there is no card. ISCD read literally would scan every adult with MS.

    When it stays silent: always; it is never a card, and says nothing about bone.

    Sources: project policy.
    """
    return Finding(all_of(has_ms(p, t), none_of(trigger_in_ms(p, t))))


def _falls(p: Patient, t: Thresholds) -> Criterion:
    since = plus_months(p.as_of, -t.days("ms.falls-months"))
    counted = [fall for fall in p.falls.items if fall.recurrent or (fall.on and fall.on.earliest >= since)]
    enough = len(counted) >= t.number("ms.falls") or any(fall.recurrent for fall in counted)
    undated = [fall for fall in p.falls.items if fall.on is None or fall.on.earliest < since <= fall.on.latest]
    shown = tuple(fall.evidence for fall in counted)
    if enough:
        return holds("falls", Truth.YES, shown)
    unsure = len(counted) + len(undated) >= t.number("ms.falls")
    doubts = (Gap(GapKind.NOT_RECORDED, "falls"),) if unsure else ()
    truth = Truth.UNKNOWN if unsure or p.falls.gaps else Truth.NO
    return holds("falls", truth, shown, (*doubts, *p.falls.gaps))


@shared
def anticonvulsant_long(p: Patient, t: Thresholds) -> Criterion:
    """An enzyme-inducing anticonvulsant for six months or longer."""
    taken = p.current_drugs("comed.enzyme_inducing_aed")
    limit = plus_months(p.as_of, -t.days("ms.anticonvulsant-months"))
    long = [d for d in taken.items if d.current is Truth.YES and d.since and d.since.latest <= limit]
    if long:
        return holds("anticonvulsant-long", Truth.YES, tuple(drug.evidence for drug in long))
    unsure = any(drug.since is None or drug.since.earliest <= limit for drug in taken.items)
    doubts = (Gap(GapKind.NOT_RECORDED, "anticonvulsant-start"),) if unsure else ()
    truth = Truth.UNKNOWN if unsure or taken.gaps else Truth.NO
    return holds("anticonvulsant-long", truth, gaps=(*doubts, *taken.gaps))


@rule(
    "MS-03",
    sets=_SET,
    card=_CARD,
    check="V",
    strength="cohort-finding",
    source="bisson2019",
    reads=("age", "ms", "frax"),
)
def frax_underestimates_in_ms(p: Patient, t: Thresholds) -> Finding:
    """FRAX is on record for a person with MS, who is likely at higher risk than it says.

    What it looks for: MS and a FRAX result. With bone density entered, ticking rheumatoid arthritis as a stand-in fitted best;
    without it, secondary osteoporosis. Never both, and never applied silently.

    Why it matters: in a cohort of 744 FRAX was three to five percentage points too low.

    When it stays silent: the stand-in is already ticked; FRAX does not say whether bone density was entered.

    Sources: Bisson 2019, a cohort finding, not a guideline.
    """
    frax = latest_frax(p)
    if not isinstance(frax, Known):
        none = holds("frax-on-record", Truth.UNKNOWN if p.frax.gaps else Truth.NO, gaps=p.frax.gaps)
        return Finding(all_of(has_ms(p, t), none))
    found = holds("frax-on-record", Truth.YES, frax.evidence)
    with_bmd = frax.value.with_bmd
    if with_bmd is None:
        unclear = holds("frax-inputs", Truth.UNKNOWN, gaps=(Gap(GapKind.NOT_RECORDED, "frax-inputs"),))
        return Finding(all_of(has_ms(p, t), found, unclear))
    proxy = "rheumatoid_arthritis" if with_bmd else "secondary_osteoporosis"
    ticked = holds("frax-proxy-ticked", Truth.of(proxy in frax.value.ticked), frax.evidence)
    values: dict[str, Json] = {"proxy_suggested": proxy, "with_bmd": with_bmd}
    return Finding(all_of(has_ms(p, t), found), ticked, values)


@rule(
    "MS-04",
    sets=_SET,
    card=_CARD,
    check="P",
    strength="project-policy",
    reads=("age", "ms", "exposure", "ordered_exposure", "scans"),
    switches=("gc_entry", "gc_duration_op"),
)
def relapse_pulses_only(p: Patient, t: Thresholds) -> Finding:
    """Relapse pulses in the last year or being ordered, and no long-term glucocorticoids.

    What it looks for: MS, at least one high-dose course of a few days in 12 months or among the orders, and no long-term
    course.

    Why it matters: pulses alone showed no loss of bone density in MS studies, so they give no ACR class and no drug
    suggestion; they are a moment to ask about vitamin D, calcium, falls and mobility.

    When it stays silent: long-term glucocorticoids (the ACR rules speak); no pulses; a DXA since.

    Sources: scope of ACR 2022 (longer than three months); Zorzon 2005, Schwid 1996; the card is project policy.
    """
    months = t.days("ms.pulse-months")
    had_pulses = pulses(p.exposure, t, months)
    recent = dxa_since(p, "dxa-recent", plus_months(p.as_of, -months))
    values: dict[str, Json] = {"last_pulse": had_pulses.found} if had_pulses.found else {}
    values["pulse_ordered"] = pulses(p.ordered_exposure, t, months).truth is Truth.YES
    return Finding(all_of(has_ms(p, t), had_pulses, not_(long_term_use(p, t).criterion)), recent, values)


@rule(
    "MS-05",
    sets=_SET,
    kind=Kind.DEFINITION,
    card="lifestyle",
    check="V",
    strength="cohort-finding",
    source="bazelier",
    reads=("age", "ms"),
)
def drugs_that_add_to_falls_or_fractures(p: Patient, t: Thresholds) -> Finding:
    """MS and drugs that go with falls or fractures.

    What it looks for: a current antidepressant (SSRI, SNRI), benzodiazepine or Z-drug, or enzyme-inducing anticonvulsant.
    Apart from them, and marked as recalled: an opioid, baclofen or another sedating drug for symptoms of MS, a proton pump
    inhibitor for more than a year. Tricyclic antidepressants are not looked for: no code for them is verified.

    Why it matters: they are contributors one can change. A line inside another card, never a card of its own.

    When it stays silent: none of them.

    Sources: Bazelier 2011, Bazelier 2012, Dong 2015; opioids, baclofen and proton pump inhibitors recalled.
    """
    taken, recalled = p.current_drugs(*CONTRIBUTORS), p.current_drugs(*_RECALLED_CONTRIBUTORS)
    acid = _longer_than_a_year(p, t)
    values: dict[str, Json] = {}
    for key, drugs in (("contributors", taken.items), ("contributors_recalled", (*recalled.items, *acid.items))):
        if names := sorted({drug.drug for drug in drugs if drug.current is Truth.YES}):
            values[key] = names
    any_taken = any_of(
        taken_now("contributing-drugs", taken),
        taken_now("contributing-drugs-recalled", Series((*recalled.items, *acid.items), recalled.gaps)),
    )
    return Finding(all_of(has_ms(p, t), any_taken), values=values)


def _longer_than_a_year(p: Patient, t: Thresholds) -> Series[Medication]:
    """Proton pump inhibitors certainly taken for more than a year."""
    taken = p.current_drugs("comed.ppi")
    limit = plus_months(p.as_of, -t.days("ms.ppi-months"))
    return Series(tuple(drug for drug in taken.items if drug.since and drug.since.latest < limit), taken.gaps)


@rule(
    "MS-06",
    sets=_SET,
    kind=Kind.DEFINITION,
    card="drug-choice",
    check="V2",
    strength="label",
    source="label_us",
    reads=("age", "ms", "edss", "mobility"),
)
def upright_and_swallowing_before_oral_drug(p: Patient, t: Thresholds) -> Finding:
    """MS with reduced mobility: check posture and swallowing before an oral bisphosphonate.

    What it looks for: MS and EDSS 6.0 or more, a walking aid, a wheelchair or bed. `upright_doubtful`: bed or EDSS 8.0 or
    more; `oesophagus`: stricture or achalasia on record; `immobile`: wheelchair or bed.

    Why it matters: oral bisphosphonates need 30 minutes upright and safe swallowing; raloxifene does not go with prolonged
    immobility. A line inside the card that offers treatment.

    When it stays silent: mobile people.

    Sources: drug labels, as restated; EDSS 8.0 is a sign this project chose (SAF-01).
    """
    values: dict[str, Json] = {
        "upright_doubtful": contraindication_upright(p, t).truth is Truth.YES,
        "oesophagus": contraindication_oesophagus(p, t).truth is Truth.YES,
        "immobile": caution_raloxifene_immobility(p, t).truth is Truth.YES,
    }
    return Finding(all_of(has_ms(p, t), reduced_mobility(p, t)), values=values)


@rule(
    "MS-07",
    sets=_SET,
    kind=Kind.DEFINITION,
    status=Status.PREVIEW,
    card=_CARD,
    check="R",
    strength="recalled",
    source="kurtzke1983",
    reads=("age", "ms", "edss", "mobility"),
)
def edss_told_by_aid(p: Patient, t: Thresholds) -> Finding:
    """No EDSS on record, and an aid from which one can be told.

    What it looks for: MS, no EDSS, and a walking aid (EDSS about 6.0), a wheelchair (7.0 or more) or bed (8.0 or more). It is
    reported as `edss_at_least`. Aids on both sides (6.5) have no code that tells them from one.

    Why it matters: clinics often record how somebody gets about and not the score. Shown for the reader; no rule counts it.

    When it stays silent: an EDSS is on record, which always wins; no aid.

    Sources: Kurtzke 1983, recalled.
    """
    kinds = {aid.kind for aid in p.mobility.items}
    found = next(((kind, key) for kind, key in _EDSS_OF_AIDS if kind in kinds), None)
    values: dict[str, Json] = {}
    if found:
        values = {"edss_at_least": as_json(exactly(t.number(found[1]))), "edss_from": found[0].value}
    aid = aid_on_record(p, "mobility-aid", *(kind for kind, _ in _EDSS_OF_AIDS))
    return Finding(all_of(has_ms(p, t), _no_edss(p), aid), values=values)


def _no_edss(p: Patient) -> Criterion:
    """Nobody recorded an EDSS; one that could not be read, or a look-up that failed, leaves it open (S2)."""
    if isinstance(p.edss, Unknown):
        open_ = tuple(gap for gap in p.edss.gaps if gap.kind in COULD_NOT_LOOK or gap.kind is GapKind.UNREADABLE)
        return holds("edss-not-on-record", Truth.UNKNOWN if open_ else Truth.YES, gaps=open_)
    return holds("edss-not-on-record", Truth.NO, p.edss.evidence)


RULES: tuple[Rule, ...] = (
    bone_health_not_assessed_in_ms,
    no_trigger_in_ms,
    frax_underestimates_in_ms,
    relapse_pulses_only,
    drugs_that_add_to_falls_or_fractures,
    upright_and_swallowing_before_oral_drug,
    edss_told_by_aid,
)
