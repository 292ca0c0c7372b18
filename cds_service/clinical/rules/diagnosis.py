"""What bone density may be called: DX-01 to DX-05 (ISCD 2023)."""

from __future__ import annotations

from cds_service.clinical.concepts import as_json, on_therapy, prior_fracture, score_value, uses_t_scores
from cds_service.clinical.facts.bone_density import Score
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.common import on_record
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, at_most, holds, less_than, not_
from cds_service.kernel.facts import Fact, Known
from cds_service.kernel.rules import Finding, Json, Kind, Proposal, Rule, Status, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_SET = ("bhof_iscd", "iscd")
_READS_T = ("age", "sex", "postmenopausal", "lowest_t")


def _adult(p: Patient, t: Thresholds) -> Criterion:
    return at_least("adult", p.age, t["ms.adult-age"])


def _known(key: str, score: Fact[Score]) -> Criterion:
    match score:
        case Known(_, evidence):
            return holds(key, Truth.YES, evidence)
        case unknown:
            return holds(key, Truth.UNKNOWN, gaps=unknown.gaps)


def score_values(prefix: str, score: Fact[Score]) -> dict[str, Json]:
    """The number, site and day of a score, for card texts."""
    match score:
        case Known(value):
            number = as_json(value.value)
            return {
                f"{prefix}_lowest": number if number is not None else str(value.value),
                f"{prefix}_site": value.site.value,
                f"{prefix}_on": str(value.on or ""),
            }
        case _:
            return {}


@rule(
    "DX-01",
    sets=_SET,
    card="bone-density",
    check="V",
    strength="iscd-position",
    reads=(*_READS_T, "therapies"),
)
def t_score_in_osteoporosis_range(p: Patient, t: Thresholds) -> Finding:
    """The class of the lowest T-score, and whether an osteoporosis-range score has been taken up.

    What it looks for: postmenopausal women and men from 50 with a T-score of lumbar spine, total hip or femoral neck. At
    least -1.0 is normal, at most -2.5 is the osteoporosis range, in between is low bone mass. It recommends when the
    score is in the osteoporosis range and neither diagnosis nor treatment is on record.

    Why it matters: an osteoporosis-range score that nobody acted on is the commonest missed finding.

    When it stays silent: premenopausal women and younger men (DX-03); menopause not on record; normal or low bone mass;
    already diagnosed or treated.

    Sources: ISCD 2023; WHO classification.
    """
    score = score_value(p.lowest_t)
    osteoporosis = at_most("t-at-most", score, t["bhof_iscd.osteoporosis-t"])
    low = less_than("t-below", score, t["bhof_iscd.normal-t"])
    applies = all_of(_adult(p, t), uses_t_scores(p, t), _known("t-score-known", p.lowest_t))
    values = score_values("t_score", p.lowest_t)
    if applies.truth is Truth.YES and Truth.UNKNOWN not in (osteoporosis.truth, low.truth):
        values["class"] = (
            "osteoporosis"
            if osteoporosis.truth is Truth.YES
            else "low_bone_mass"
            if low.truth is Truth.YES
            else "normal"
        )
    taken_up = any_of(not_(osteoporosis), on_record("osteoporosis", p.diagnoses("cond.osteoporosis")), on_therapy(p))
    return Finding(applies, taken_up, values, (Proposal("bone-referral"),))


@rule(
    "DX-02",
    sets=_SET,
    kind=Kind.DEFINITION,
    status=Status.PREVIEW,
    card="bone-density",
    check="R",
    strength="recalled",
    reads=(*_READS_T, "fractures"),
)
def osteoporosis_by_fracture(p: Patient, t: Thresholds) -> Finding:
    """Osteoporosis can be diagnosed from a fracture, without a T-score.

    What it looks for: a low-trauma hip or vertebral fracture; or a T-score below -1.0 with a low-trauma fracture of proximal
    humerus, pelvis or distal forearm.

    Why it matters: half of fragility fractures happen above -2.5.

    When it stays silent: premenopausal women and men under 50; the cause of the fracture is not on record.

    Sources: recalled wording, not yet read in the source; off unless switched on.
    """
    major = prior_fracture(p, frozenset({FractureSite.HIP, FractureSite.VERTEBRA}), "fracture-hip-or-spine")
    minor_sites = frozenset({FractureSite.HUMERUS, FractureSite.PELVIS, FractureSite.WRIST})
    minor = prior_fracture(p, minor_sites, "fracture-minor-site")
    low = less_than("t-below", score_value(p.lowest_t), t["bhof_iscd.normal-t"])
    return Finding(all_of(_adult(p, t), uses_t_scores(p, t), any_of(major, all_of(minor, low))))


@rule(
    "DX-03",
    sets=_SET,
    card="bone-density",
    check="V",
    strength="iscd-position",
    reads=("age", "sex", "postmenopausal", "lowest_z"),
)
def z_score_below_expected_range(p: Patient, t: Thresholds) -> Finding:
    """Z-scores, not T-scores, before menopause and in men under 50.

    What it looks for: premenopausal women and men under 50 with a Z-score of lumbar spine, total hip or femoral neck. -2.0 or
    lower is below the expected range for age, anything above is within it.

    Why it matters: a T-score calls healthy young people ill; bone density alone makes no diagnosis at this age.

    When it stays silent: within the expected range; menopause not on record.

    Sources: ISCD 2023.
    """
    below = at_most("z-at-most", score_value(p.lowest_z), t["bhof_iscd.z-below-expected"])
    applies = all_of(_adult(p, t), not_(uses_t_scores(p, t)), _known("z-score-known", p.lowest_z))
    values = score_values("z_score", p.lowest_z)
    if applies.truth is Truth.YES and below.truth is not Truth.UNKNOWN:
        is_below = below.truth is Truth.YES
        values["class"] = "below_expected_range_for_age" if is_below else "within_expected_range_for_age"
    return Finding(applies, not_(below), values)


@rule(
    "DX-04",
    sets=_SET,
    status=Status.PREVIEW,
    card="bone-density",
    check="R",
    strength="recalled",
    reads=("age", "sex", "postmenopausal", "lowest_z", "fractures"),
)
def secondary_causes_not_considered(p: Patient, t: Thresholds) -> Finding:
    """A low Z-score or a fragility fracture before menopause or under 50: look for a cause.

    What it looks for: the population of DX-03 with a Z-score of -2.0 or lower or a fragility fracture.

    Why it matters: at this age there is often a cause that can be treated.

    When it stays silent: older people; neither finding.

    Sources: recalled wording, not yet read in the source; off unless switched on.
    """
    below = at_most("z-at-most", score_value(p.lowest_z), t["bhof_iscd.z-below-expected"])
    return Finding(
        all_of(_adult(p, t), not_(uses_t_scores(p, t)), any_of(below, prior_fracture(p, frozenset(FractureSite))))
    )


@rule(
    "DX-05",
    sets=_SET,
    kind=Kind.DEFINITION,
    card="bone-density",
    check="V",
    strength="iscd-position",
    reads=_READS_T,
)
def t_score_reference(p: Patient, t: Thresholds) -> Finding:
    """T-scores are read against one reference for everybody.

    What it looks for: a T-score that is used for classification.

    Why it matters: the reference is a uniform White female one, whatever the person's sex or origin, so scores compare.

    When it stays silent: Z-scores.

    Sources: ISCD 2023.
    """
    return Finding(all_of(_adult(p, t), uses_t_scores(p, t), _known("t-score-known", p.lowest_t)))


RULES: tuple[Rule, ...] = (
    t_score_in_osteoporosis_range,
    osteoporosis_by_fracture,
    z_score_below_expected_range,
    secondary_causes_not_considered,
    t_score_reference,
)
