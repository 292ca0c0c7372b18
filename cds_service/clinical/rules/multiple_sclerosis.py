"""People with multiple sclerosis: MS-01 to MS-06. No MS guideline gives triggers an engine can use: project policy."""

from __future__ import annotations

from cds_service.clinical.concepts import dxa_since, latest_frax, long_term, prior_fracture, pulses
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.common import on_record, reduced_mobility, taken_now
from cds_service.kernel.criteria import (
    Criterion,
    all_of,
    any_of,
    at_least,
    holds,
    less_than,
    not_,
    true,
)
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import Gap, GapKind, Known
from cds_service.kernel.rules import Finding, Json, Kind, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_SET = ("ms",)
_CARD = "ms-bone-health"
CONTRIBUTORS = (
    "comed.ssri_snri",
    "comed.benzodiazepine_sedative",
    "comed.enzyme_inducing_aed",
)


def has_ms(p: Patient, t: Thresholds) -> Criterion:
    """An adult with multiple sclerosis."""
    return all_of(at_least("adult", p.age, t["ms.adult-age"]), on_record("ms", p.ms))


@rule(
    "MS-01",
    sets=_SET,
    card=_CARD,
    check="P",
    strength="project-policy",
    reads=(
        "age",
        "sex",
        "postmenopausal",
        "ms",
        "edss",
        "mobility",
        "falls",
        "fractures",
        "exposure",
        "bmi",
        "scans",
    ),
)
def bone_health_not_assessed_in_ms(p: Patient, t: Thresholds) -> Finding:
    """MS with a reason to look at bone, and no DXA in two years.

    What it looks for: MS and any of: age 50 or over; postmenopausal; EDSS 6.0 or more, a walking aid or wheelchair; a
    fragility fracture; long-term glucocorticoids; two falls in a year; BMI below 18.5; an enzyme-inducing anticonvulsant
    for six months; hypogonadism or early menopause. And no DXA in 24 months.

    Why it matters: fractures come earlier and oftener in MS, and few are ever scanned (13.7 % in Manitoba).

    When it stays silent: none of the triggers (MS-02: no card); a DXA within 24 months.

    Sources: project policy, consistent with NICE ("regularly assessed"), ISCD 2023 and Bazelier 2011.
    """
    course = long_term(p.exposure, "gc-long-term", t["acr2022.gc-entry-dose"], t["acr2022.gc-entry-days"])
    trigger = any_of(
        reduced_mobility(p, t),
        prior_fracture(p, frozenset(FractureSite)),
        course.criterion,
        _falls(p, t),
        less_than("bmi-below", p.bmi, t["ms.bmi"]),
        _anticonvulsant(p, t),
        on_record("hypogonadism", p.diagnoses("cond.hypogonadism", "menopause.premature_or_surgical")),
        true("postmenopausal", p.postmenopausal),
        at_least("age-at-least", p.age, t["ms.age"]),
    )
    recent = dxa_since(p, "dxa-recent", plus_months(p.as_of, -t.days("ms.dxa-months")))
    return Finding(all_of(has_ms(p, t), trigger), recent, propose=(Proposal("dxa"),))


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


def _anticonvulsant(p: Patient, t: Thresholds) -> Criterion:
    taken = p.current_drugs("comed.enzyme_inducing_aed")
    limit = plus_months(p.as_of, -t.days("ms.anticonvulsant-months"))
    long = [d for d in taken.items if d.current is Truth.YES and d.since and d.since.latest <= limit]
    if long:
        return holds("anticonvulsant-long", Truth.YES, tuple(drug.evidence for drug in long))
    unsure = any(drug.since is None or drug.since.earliest <= limit for drug in taken.items)
    doubts = (Gap(GapKind.NOT_RECORDED, "anticonvulsant-start"),) if unsure else ()
    truth = Truth.UNKNOWN if unsure or taken.gaps else Truth.NO
    return holds("anticonvulsant-long", truth, gaps=(*doubts, *taken.gaps))


@rule("MS-03", sets=_SET, card=_CARD, check="V", strength="cohort-finding", reads=("age", "ms", "frax"))
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
    reads=("age", "ms", "exposure", "scans"),
)
def relapse_pulses_only(p: Patient, t: Thresholds) -> Finding:
    """Relapse pulses in the last year, and no long-term glucocorticoids.

    What it looks for: MS, at least one high-dose course of a few days in 12 months, and no long-term course.

    Why it matters: pulses alone showed no loss of bone density in MS studies, so they give no ACR class and no drug
    suggestion; they are a moment to ask about vitamin D, calcium, falls and mobility.

    When it stays silent: long-term glucocorticoids (the ACR rules speak); no pulses; a DXA since.

    Sources: scope of ACR 2022 (longer than three months); Zorzon 2005, Schwid 1996; the card is project policy.
    """
    months = t.days("ms.pulse-months")
    course = long_term(p.exposure, "gc-long-term", t["acr2022.gc-entry-dose"], t["acr2022.gc-entry-days"])
    had_pulses = pulses(p.exposure, t, months)
    recent = dxa_since(p, "dxa-recent", plus_months(p.as_of, -months))
    values: dict[str, Json] = {"last_pulse": had_pulses.found} if had_pulses.found else {}
    return Finding(all_of(has_ms(p, t), had_pulses, not_(course.criterion)), recent, values)


@rule(
    "MS-05",
    sets=_SET,
    kind=Kind.DEFINITION,
    card=_CARD,
    check="V",
    strength="cohort-finding",
    reads=("age", "ms"),
)
def drugs_that_add_to_falls_or_fractures(p: Patient, t: Thresholds) -> Finding:
    """MS and drugs that go with falls or fractures.

    What it looks for: a current antidepressant, benzodiazepine or Z-drug, or enzyme-inducing anticonvulsant.

    Why it matters: they are contributors one can change. A line inside another card, never a card of its own.

    When it stays silent: none of them.

    Sources: Bazelier 2011, Bazelier 2012, Dong 2015.
    """
    taken = p.current_drugs(*CONTRIBUTORS)
    names = sorted({drug.drug for drug in taken.items if drug.current is Truth.YES})
    values: dict[str, Json] = {"contributors": list(names)} if names else {}
    return Finding(all_of(has_ms(p, t), taken_now("contributing-drugs", taken)), values=values)


@rule(
    "MS-06",
    sets=_SET,
    kind=Kind.DEFINITION,
    card="glucocorticoid-treatment",
    check="V2",
    strength="label",
    reads=("age", "ms", "edss", "mobility"),
)
def upright_and_swallowing_before_oral_drug(p: Patient, t: Thresholds) -> Finding:
    """MS with reduced mobility: check posture and swallowing before an oral bisphosphonate.

    What it looks for: MS and EDSS 6.0 or more, a walking aid, a wheelchair or bed.

    Why it matters: oral bisphosphonates need 30 minutes upright and safe swallowing; raloxifene does not go with prolonged
    immobility. A line inside the card that offers treatment.

    When it stays silent: mobile people.

    Sources: drug labels, as restated.
    """
    return Finding(all_of(has_ms(p, t), reduced_mobility(p, t)))


RULES: tuple[Rule, ...] = (
    bone_health_not_assessed_in_ms,
    frax_underestimates_in_ms,
    relapse_pulses_only,
    drugs_that_add_to_falls_or_fractures,
    upright_and_swallowing_before_oral_drug,
)
