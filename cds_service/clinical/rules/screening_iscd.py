"""Whom US bone specialists measure, and whose spine they image: SCR-04 to SCR-08 (ISCD 2023, BHOF 2022)."""

from __future__ import annotations

from cds_service.clinical.concepts import long_term_use, on_dose_for_months, on_therapy, score_value, uses_t_scores
from cds_service.clinical.facts.bone_density import Measure, Site, lowest
from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.rules.common import chosen, man, woman
from cds_service.clinical.rules.diagnosis import score_values
from cds_service.clinical.rules.multiple_sclerosis import assessed_at_this_age, has_ms, trigger_in_ms
from cds_service.clinical.rules.risk_factors import (
    bone_harming_drug,
    fragility_fracture,
    secondary_cause,
)
from cds_service.clinical.rules.screening import (
    CARD,
    READS,
    READS_DXA,
    SWITCHES,
    SWITCHES_DXA,
    asks_for_dxa,
    measured_lately,
    ost_values,
    screened,
    shown_age,
    spine_assessed,
)
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, at_most, less_than, more_than, true
from cds_service.kernel.facts import Fact, Known, Series
from cds_service.kernel.quantities import Interval
from cds_service.kernel.rules import Finding, Json, Proposal, Rule, Status, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_SET = ("bhof_iscd",)
_READS_MS = ("edss", "mobility", "falls", "bmi", "sex", "postmenopausal")
_READS_SPINE = (*READS, "age", "sex", "postmenopausal", "lowest_t", "height_loss")


# --- bone density ----------------------------------------------------------------------------------------------------
@rule(
    "SCR-04",
    sets=_SET,
    card=CARD,
    check="V",
    strength="iscd-position",
    reads=(*READS_DXA, "sex", "ost"),
    switches=(*SWITCHES_DXA, "men_age"),
)
def bone_density_due_by_age(p: Patient, t: Thresholds) -> Finding:
    """A woman from 65 or a man from 70 without a recent DXA.

    What it looks for: a woman of 65 or older, or a man of 70 or older where the site follows ISCD for men, and no DXA in the
    last 23 months, or a fragility fracture or the start of long-term glucocorticoids since.

    Why it matters: at this age bone density is measured whatever else is on record.

    When it stays silent: a DXA in the last 23 months and nothing new since; outside the groups the site screens. Where the
    site takes a calculator first (D8), the card asks for FRAX or QFracture and offers no DXA until a result calls for it.

    Sources: ISCD 2023, indications for bone density testing; the 23 months are project policy.
    """
    values, proposals = asks_for_dxa(p, t)
    applies = all_of(
        any_of(
            all_of(at_least("age-at-least", p.age, t["bhof_iscd.women-age"]), woman(p)),
            all_of(at_least("age-at-least", p.age, t["bhof_iscd.men-age"]), man(p), chosen(p, "men_age", "bhof_iscd")),
        ),
        screened(p, t),
    )
    return Finding(applies, measured_lately(p, t), values | ost_values(p, t), proposals)


@rule(
    "SCR-05",
    sets=_SET,
    card=CARD,
    check="V",
    strength="iscd-position",
    reads=(*READS_DXA, *_READS_MS, "therapies"),
    switches=(*SWITCHES_DXA, "young_mode", "ms_dxa"),
)
def bone_density_due_by_disease(p: Patient, t: Thresholds) -> Finding:
    """A disease or drug that costs bone, a fragility fracture or an osteoporosis drug, and no recent DXA.

    What it looks for: an adult of any age with a fragility fracture (not of hand, foot, skull or face), a disease or drug
    associated with bone loss, an osteoporosis drug, or multiple sclerosis with one of the triggers of MS-01; and no DXA in the
    last 23 months, or a fragility fracture or the start of long-term glucocorticoids since. Diseases: rheumatoid arthritis,
    ankylosing spondylitis, lupus, hyperthyroidism, hyperparathyroidism, Cushing's syndrome, hypogonadism, premature or surgical
    menopause, type 1 diabetes, malabsorption and inflammatory bowel disease, chronic liver disease, anorexia nervosa,
    osteogenesis imperfecta. Drugs: long-term glucocorticoids, an enzyme-inducing anticonvulsant for six months, aromatase
    inhibitors, GnRH analogues and androgen deprivation, depot medroxyprogesterone. Who is about to be treated is not on record
    as such.

    Why it matters: these people lose bone at any age, and their loss is not suspected.

    When it stays silent: a DXA in the last 23 months and nothing new since; MS without a trigger, so that not everybody with
    MS is scanned; relapse pulses and short courses of glucocorticoids; under 50, whom the site does not assess (D7).

    Sources: ISCD 2023, indications for bone density testing. Read literally they are about everybody with MS; the triggers are
    project policy and only keep the rule silent. The list of diseases and drugs is this project's reading (ACR's clinical risk
    assessment, FRAX, the terminology of secondary causes).
    """
    values, proposals = asks_for_dxa(p, t)
    applies = all_of(
        any_of(_costs_bone(p, t), fragility_fracture(p, t), on_therapy(p)),
        at_least("adult", p.age, t["ms.adult-age"]),
        assessed_at_this_age(p, t),
        screened(p, t),
    )
    return Finding(applies, measured_lately(p, t), values | _ms_value(p, t), proposals)


@shared
def _costs_bone(p: Patient, t: Thresholds) -> Criterion:
    """A disease or drug associated with bone loss."""
    return any_of(bone_harming_drug(p, t), secondary_cause(p, t), _ms_counts(p, t))


@shared
def _ms_counts(p: Patient, t: Thresholds) -> Criterion:
    """MS with a trigger, where the site takes it for an indication (D16)."""
    return all_of(trigger_in_ms(p, t), has_ms(p, t), chosen(p, "ms_dxa", "indication"))


def _ms_value(p: Patient, t: Thresholds) -> dict[str, Json]:
    """Whether a summary begins with MS: its triggers alone would not say why they count."""
    return {"ms": _ms_counts(p, t).truth is Truth.YES}


@rule(
    "SCR-06",
    sets=_SET,
    card=CARD,
    check="V",
    strength="iscd-position",
    reads=(*READS_DXA, *_READS_MS, "ost"),
    switches=(*SWITCHES_DXA, "men_age", "young_mode", "ms_dxa"),
)
def bone_density_due_by_risk_factor(p: Patient, t: Thresholds) -> Finding:
    """A woman under 65 after menopause or a man under 70 with a risk factor, and no recent DXA.

    What it looks for: a postmenopausal woman under 65, or a man under 70 where the site follows ISCD for men, with a BMI below
    18.5, a fragility fracture, or a disease or drug associated with bone loss as in SCR-05; and no DXA in the last 23 months,
    or a new risk factor since.

    Why it matters: one risk factor brings the age of measurement forward.

    When it stays silent: no risk factor; older people (SCR-04); a DXA in the last 23 months and nothing new since.

    Sources: ISCD 2023, indications for bone density testing; the guideline says "low body weight", the limit of BMI is project
    policy.
    """
    values, proposals = asks_for_dxa(p, t)
    younger = any_of(
        all_of(
            less_than("age-below", p.age, t["bhof_iscd.women-age"]), woman(p), true("postmenopausal", p.postmenopausal)
        ),
        all_of(
            at_least("adult", p.age, t["ms.adult-age"]),
            less_than("age-below", p.age, t["bhof_iscd.men-age"]),
            man(p),
            chosen(p, "men_age", "bhof_iscd"),
        ),
    )
    factor = any_of(less_than("bmi-below", p.bmi, t["policy.low-bmi"]), fragility_fracture(p, t), _costs_bone(p, t))
    applies = all_of(factor, younger, assessed_at_this_age(p, t), screened(p, t))
    return Finding(applies, measured_lately(p, t), values | _ms_value(p, t) | ost_values(p, t), proposals)


# --- spine -----------------------------------------------------------------------------------------------------------
@rule(
    "SCR-07",
    sets=_SET,
    card=CARD,
    check="V",
    strength="iscd-vfa",
    reads=_READS_SPINE,
    switches=SWITCHES,
)
def spine_not_assessed_at_low_t_score(p: Patient, t: Thresholds) -> Finding:
    """A T-score below -1.0 and a reason to expect a vertebral fracture, and no assessment of the spine.

    What it looks for: a lowest T-score below -1.0, where T-scores classify, and one of: a woman from 70 or a man from 80;
    more than 4 cm between the tallest adult height on record and the latest one; 5 mg prednisolone-equivalent a day or more
    for three months. And no vertebral fracture assessment on record, or a new risk factor since.

    Why it matters: most vertebral fractures are never noticed, and one changes treatment.

    When it stays silent: a T-score of exactly -1.0; an assessment on record. A vertebral fracture that the patient reports and
    nobody documented is not on record as such, and spine X-rays are not read.

    Sources: ISCD 2023, indications for vertebral fracture assessment (restated at NGC).
    """
    course = on_dose_for_months(p.exposure, "gc-vfa-dose", t["bhof_iscd.gc-entry-dose"], t["bhof_iscd.vfa-gc-months"])
    lost = more_than("height-loss-above", p.height_loss, t["bhof_iscd.vfa-height-loss"])
    old = _old_for_imaging(p, t)
    applies = all_of(
        less_than("t-below", score_value(p.lowest_t), t["bhof_iscd.normal-t"]),
        any_of(old, lost, course.criterion),
        uses_t_scores(p, t),
        screened(p, t),
    )
    why = {"old": old, "height": lost, "gc": course.criterion}
    return Finding(applies, spine_assessed(p, t), _spine_values(p, why), (Proposal("vfa"),))


def _old_for_imaging(p: Patient, t: Thresholds) -> Criterion:
    """A woman from 70, a man from 80."""
    return any_of(
        all_of(at_least("age-at-least", p.age, t["bhof_iscd.vfa-women-age"]), woman(p)),
        all_of(at_least("age-at-least", p.age, t["bhof_iscd.vfa-men-age"]), man(p)),
    )


def _spine_values(p: Patient, why: dict[str, Criterion]) -> dict[str, Json]:
    """The T-score, and which of the reasons there are, in order, for card texts."""
    found: list[Json] = [name for name, criterion in why.items() if criterion.truth is Truth.YES]
    lost: dict[str, Json] = {"height_lost": str(p.height_loss.value)} if isinstance(p.height_loss, Known) else {}
    return score_values("t_score", p.lowest_t) | {"age": shown_age(p), "why": found} | lost


@rule(
    "SCR-08",
    sets=_SET,
    status=Status.PREVIEW,
    card=CARD,
    check="R",
    strength="recalled",
    source="bhof2022",
    reads=(*_READS_SPINE, "scores"),
    switches=SWITCHES,
)
def spine_not_imaged(p: Patient, t: Thresholds) -> Finding:
    """A low T-score at an older age, a low-trauma fracture, lost height or glucocorticoids, and no image of the spine.

    What it looks for: a postmenopausal woman or a man from 50 with one of: a T-score of -1.0 or lower of the femoral neck in a
    woman from 65; a lowest T-score of -1.0 or lower in a woman from 70 or a man from 80; a low-trauma fracture; 4 cm or more
    between the tallest adult height on record and the latest one; long-term glucocorticoids. And no vertebral fracture
    assessment on record, or a new risk factor since.

    Why it matters: most vertebral fractures are never noticed, and one changes treatment.

    When it stays silent: an assessment on record. Left out: 2 cm lost between two careful measurements, which a record does not
    tell from others; "recent" glucocorticoids that are over, for want of a span; men from 80 without a T-score.

    Sources: BHOF 2022, recalled wording, not yet read in the source; off unless switched on.
    """
    use = long_term_use(p, t)
    lost = at_least("height-loss-at-least", p.height_loss, t["bhof_iscd.imaging-height-loss"])
    low, fracture = _low_by_age(p, t), fragility_fracture(p, t)
    applies = all_of(any_of(low, fracture, lost, use.criterion), uses_t_scores(p, t), screened(p, t))
    why = {"t_score": low, "fracture": fracture, "height": lost, "gc": use.criterion}
    return Finding(applies, spine_assessed(p, t), _spine_values(p, why), (Proposal("vfa"),))


def _low_by_age(p: Patient, t: Thresholds) -> Criterion:
    limit = t["bhof_iscd.normal-t"]
    return any_of(
        all_of(
            at_most("t-neck-at-most", _neck(p), limit),
            at_least("age-at-least", p.age, t["bhof_iscd.imaging-women-age"]),
            woman(p),
        ),
        all_of(at_most("t-at-most", score_value(p.lowest_t), limit), _old_for_imaging(p, t)),
    )


def _neck(p: Patient) -> Fact[Interval]:
    """The latest T-score of the femoral neck."""
    of_neck = tuple(score for score in p.scores.items if score.site is Site.FEMORAL_NECK)
    return score_value(lowest(Series(of_neck, p.scores.gaps), Measure.T))


RULES: tuple[Rule, ...] = (
    bone_density_due_by_age,
    bone_density_due_by_disease,
    bone_density_due_by_risk_factor,
    spine_not_assessed_at_low_t_score,
    spine_not_imaged,
)
