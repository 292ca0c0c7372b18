"""Falls, exercise, intake, smoking and alcohol: LIF-01 to LIF-05.

None of them has a card of its own (clinical.md 12: one card for a visit is the aim): each adds a line to the card on MS or
on glucocorticoids that is there anyway, or none.
"""

from __future__ import annotations

from decimal import Decimal

from cds_service.clinical.concepts import as_json
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.common import does_not_walk, in_our_groups, man, woman
from cds_service.clinical.rules.glucocorticoid_classes import on_long_term
from cds_service.clinical.rules.multiple_sclerosis import has_ms
from cds_service.clinical.rules.risk_factors import drinks, smokes
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, holds, less_than, none_of, not_
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import exactly
from cds_service.kernel.rules import Finding, Json, Kind, Rule, Status, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_SET = ("lifestyle",)
_CARD = "lifestyle"


def _concerned(p: Patient, t: Thresholds) -> Criterion:
    """Adults of the two groups of the service."""
    return all_of(at_least("adult", p.age, t["ms.adult-age"]), in_our_groups(p, t))


@rule(
    "LIF-01",
    sets=_SET,
    kind=Kind.DEFINITION,
    status=Status.PREVIEW,
    card=_CARD,
    check="R",
    strength="recalled",
    source="bhof2022",
    reads=("age", "sex", "ms", "exposure"),
)
def intake_of_calcium_and_vitamin_d(p: Patient, t: Thresholds) -> Finding:
    """How much calcium and vitamin D a day, for people who are not on long-term glucocorticoids.

    What it looks for: women from 51 and men from 50. Calcium 1200 mg a day in all (men under 71: 1000 mg), diet first, and
    vitamin D 800 to 1000 IU.

    Why it matters: intake below this is common and can be changed.

    When it stays silent: long-term glucocorticoids, for which ACR's own figures stand on their card (GC-11); younger people.

    Sources: BHOF 2022, recalled; ACR's figures: GC-11.
    """
    women = all_of(woman(p), at_least("age-at-least", p.age, t["lifestyle.calcium-women-age"]))
    men = all_of(man(p), at_least("age-at-least", p.age, t["lifestyle.calcium-men-age"]))
    older_men = all_of(man(p), at_least("age-at-least", p.age, t["lifestyle.calcium-older-men-age"]))
    higher = any_of(women, older_men).truth
    values: dict[str, Json] = {}
    if higher is not Truth.UNKNOWN:
        calcium = t.number("lifestyle.calcium-higher" if higher is Truth.YES else "lifestyle.calcium")
        values = {
            "calcium_intake_mg": as_json(exactly(calcium)),
            "vitamin_d_intake_from": as_json(exactly(t.number("lifestyle.vitamin-d-from"))),
            "vitamin_d_intake_to": as_json(exactly(t.number("lifestyle.vitamin-d-to"))),
        }
    return Finding(all_of(_concerned(p, t), any_of(women, men), not_(on_long_term(p, t))), values=values)


@rule(
    "LIF-02",
    sets=_SET,
    kind=Kind.DEFINITION,
    card=_CARD,
    check="P",
    strength="project-policy-lifestyle",
    reads=("age", "ms", "exposure", "smoking", "alcohol", "bmi"),
)
def smoking_alcohol_or_low_weight(p: Patient, t: Thresholds) -> Finding:
    """Smoking, much alcohol or a low body weight on record.

    What it looks for: smoking now; three drinks of alcohol a day or more; BMI below 18.5.

    Why it matters: each costs bone and can be changed. FRAX and ACR count alcohol from three *units* a day. Records hold
    drinks, and what a drink holds differs between countries, so the number is taken as recorded, and fewer drinks say
    nothing about units.

    When it stays silent: none of them found. Nothing is said about what is not on record.

    Sources: FRAX and ACR 2017 (three units a day), NICE CG146 1.1 (BMI); counting drinks is project policy.
    """
    thin = less_than("bmi-below", p.bmi, t["nice.low-bmi"])
    found = {"smokes_now": smokes(p, t), "drinks_much": drinks(p, t), "low_bmi": thin}
    values: dict[str, Json] = {key: True for key, each in found.items() if each.truth is Truth.YES}
    if isinstance(p.alcohol, Known):
        values["drinks_a_day"] = str(p.alcohol.value)
    if isinstance(p.bmi, Known):
        values["bmi"] = str(p.bmi.value)
    return Finding(all_of(_concerned(p, t), any_of(*found.values())), values=values)


@rule(
    "LIF-03",
    sets=_SET,
    kind=Kind.DEFINITION,
    card=_CARD,
    check="V",
    strength="cohort-finding",
    source="cameron2013",
    reads=("age", "ms", "falls_in_year", "falls_asked"),
)
def falls_not_asked_about(p: Patient, t: Thresholds) -> Finding:
    """MS, and nobody has asked about falls in a year.

    What it looks for: MS, no fall and no question about falls on record in the last 12 months.

    Why it matters: any fall in the past year foretells the next one as well as EDSS or the timed walk. The question is worth
    a line, not a card.

    When it stays silent: falls were asked about, or one is on record (LIF-04). STEADI's questions for everybody from 65 are
    recalled only and not used.

    Sources: Cameron 2013, a cohort of people with MS.
    """
    since = plus_months(p.as_of, -t.days("lifestyle.falls-asked-months"))
    dated = [each for each in p.falls_asked.items if each.on and each.on.earliest >= since]
    open_ = [each for each in p.falls_asked.items if each.on is None or each.on.earliest < since <= each.on.latest]
    gaps = (*(Gap(GapKind.NOT_RECORDED, "date", "", each.evidence.resource) for each in open_), *p.falls_asked.gaps)
    truth = Truth.YES if dated else Truth.UNKNOWN if gaps else Truth.NO
    asked = holds("falls-asked", truth, tuple(each.evidence for each in dated), gaps)
    return Finding(all_of(has_ms(p, t), none_of(asked, _fell(p))))


def _fell(p: Patient) -> Criterion:
    """Any fall in the last twelve months."""
    match p.falls_in_year:
        case Known(number, evidence, doubts):
            return holds("fell-in-year", number.more_than(Decimal(0)), evidence, doubts)
        case Unknown(gaps):
            return holds("fell-in-year", Truth.UNKNOWN, gaps=gaps)


@rule(
    "LIF-04",
    sets=_SET,
    kind=Kind.DEFINITION,
    card=_CARD,
    check="V",
    strength="nice-ms",
    source="nice_cg186",
    reads=("age", "ms", "falls_in_year"),
)
def fell_in_the_last_year(p: Patient, t: Thresholds) -> Finding:
    """MS, and a fall in the last twelve months.

    What it looks for: MS and any fall in the last 12 months.

    Why it matters: NICE offers people with MS and mobility problems a supervised exercise programme with resistance and
    aerobic training, and vestibular rehabilitation where balance is the problem.

    When it stays silent: no fall on record. What guidelines on falls in general offer is recalled only (NICE 2025) and not
    shown, so that people without MS get no line.

    Sources: NICE CG186, now NG220.
    """
    return Finding(all_of(has_ms(p, t), _fell(p)))


@rule(
    "LIF-05",
    sets=_SET,
    kind=Kind.DEFINITION,
    card=_CARD,
    check="P",
    strength="project-policy-lifestyle",
    reads=("age", "ms", "edss", "mobility", "exposure"),
)
def exercise_for_people_who_do_not_walk(p: Patient, t: Thresholds) -> Finding:
    """Wheelchair, bed, paralysis or a high EDSS: exercise is never called weight-bearing.

    What it looks for: a wheelchair, bed or paralysis on record, or MS and EDSS 7.0 or more.

    Why it matters: advice to walk is no advice to somebody who cannot. Exercise as able, a standing frame or physiotherapy is
    named instead. The card on general measures keeps to this whether this rule is on or not.

    When it stays silent: people who walk; mobility not known (exercise is then called "as able").

    Sources: project policy.
    """
    return Finding(all_of(_concerned(p, t), does_not_walk(p, t)))


RULES: tuple[Rule, ...] = (
    intake_of_calcium_and_vitamin_d,
    smoking_alcohol_or_low_weight,
    falls_not_asked_about,
    fell_in_the_last_year,
    exercise_for_people_who_do_not_walk,
)
