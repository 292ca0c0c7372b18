"""What is looked at again, and when: MON-01, MON-02, MON-05, MON-06."""

from __future__ import annotations

from cds_service.clinical import due
from cds_service.clinical.concepts import on_therapy, score_value, uses_t_scores
from cds_service.clinical.facts.bone_density import CENTRAL, Measure, Score
from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.rules.common import chosen, low_bone_mass, on_record
from cds_service.clinical.rules.glucocorticoid_classes import on_long_term
from cds_service.clinical.rules.multiple_sclerosis import bone_health_not_assessed_in_ms
from cds_service.clinical.rules.risk_factors import fragility_fracture
from cds_service.clinical.rules.screening_canada import bone_density_due_in_canada
from cds_service.clinical.rules.screening_iscd import (
    bone_density_due_by_age,
    bone_density_due_by_disease,
    bone_density_due_by_risk_factor,
)
from cds_service.clinical.rules.treatment_criteria import known_or_not_looked_at, recalled
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, holds, more_than, not_
from cds_service.kernel.facts import Gap, GapKind, Known
from cds_service.kernel.quantities import plain
from cds_service.kernel.rules import Finding, Json, Kind, Proposal, Rule, Status, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_SET = ("monitoring",)
# Rules that ask for a DXA sooner than MON-01 would
_ASKING = (
    bone_health_not_assessed_in_ms,
    bone_density_due_by_age,
    bone_density_due_by_disease,
    bone_density_due_by_risk_factor,
    bone_density_due_in_canada,
)
_OWN = ("age", "sex", "postmenopausal", "exposure", "fractures", "lowest_t", "lowest_z", "scans", "therapies")


def _adult(p: Patient, t: Thresholds) -> Criterion:
    return at_least("adult", p.age, t["ms.adult-age"])


@shared
def dxa_asked_for(p: Patient, t: Thresholds) -> Criterion:
    """Another rule of the site asks for a DXA already, or ACR's rules look after it on long-term glucocorticoids (GC-13)."""
    sets = set(p.profile.sets)
    asking = [_asks(each.decide(p, t)) for each in _ASKING if set(each.sets) & sets]
    if "acr2022" in sets:
        asking.append(on_long_term(p, t))
    return known_or_not_looked_at("dxa-asked-for-elsewhere", any_of(*asking))


def _asks(finding: Finding) -> Criterion:
    """Does a rule recommend?"""
    return all_of(finding.applies, not_(finding.satisfied_by)) if finding.satisfied_by else finding.applies


@rule(
    "MON-01",
    sets=_SET,
    card="plan",
    check="V",
    strength="es-monitoring",
    source="es2020",
    reads=tuple(dict.fromkeys((*_OWN, *(name for each in _ASKING for name in each.reads)))),
    switches=tuple(dict.fromkeys(("mon_years", *(name for each in _ASKING for name in each.switches)))),
)
def bone_density_not_repeated(p: Patient, t: Thresholds) -> Finding:
    """The last DXA is three years old, and there is a reason to repeat it.

    What it looks for: an adult with a DXA on record, and an osteoporosis drug, osteoporosis on the problem list, a low-trauma
    fracture, or bone density in the range of osteoporosis (Z-score below the expected range before menopause and in men under
    50). `due_on` is the day of the next one. The guideline repeats DXA every 1 to 3 years; the later end is taken.

    Why it matters: how bone density fares, on a drug or without one, shows on a second measurement only.

    When it stays silent: before that day (`satisfied`); on long-term glucocorticoids (GC-13); in a treatment break (MON-05);
    where another rule asks for a DXA already; where the site reads D13 as NOGG (with the review of treatment, TX-07) or as ACP
    (not in the first 5 years). Canada's three years are recalled: switched on with MON-01 under `preview`.

    Sources: Endocrine Society 2019 (1 to 3 years); whom it is repeated for, and the later end: project policy.
    """
    reading = any_of(chosen(p, "mon_years", "es2020"), all_of(chosen(p, "mon_years", "oc2023"), recalled(p, "MON-01")))
    reason = any_of(
        on_therapy(p),
        on_record("osteoporosis", p.diagnoses("cond.osteoporosis")),
        fragility_fracture(p, t),
        low_bone_mass(p, t),
    )
    had = tuple(scan.evidence for scan in p.scans.items if scan.central is not False)
    truth = Truth.YES if had else Truth.UNKNOWN if p.scans.gaps else Truth.NO
    applies = all_of(
        _adult(p, t),
        reading,
        holds("dxa-on-record", truth, had[:1], p.scans.gaps),
        not_(known_or_not_looked_at("treatment-break", due.in_break(p, t))),
        not_(dxa_asked_for(p, t)),
        reason,
    )
    repeat = due.dxa(p, t)
    values: dict[str, Json] = {}
    if applies.truth is not Truth.NO and isinstance(repeat, Known):
        values = due.values(repeat) | {"last_dxa": str(repeat.evidence[0].on)}
    return Finding(applies, not_(due.is_due("dxa-due", repeat)), values, (Proposal("dxa"),))


@rule(
    "MON-02",
    sets=_SET,
    kind=Kind.DEFINITION,
    card="plan",
    check="V",
    strength="definition",
    source="acr2022",
    reads=("age", "scores"),
)
def change_of_bone_density(p: Patient, t: Thresholds) -> Finding:
    """Two bone densities differ; whether that is a real change cannot be told.

    What it looks for: two densities of one site and unit of different days. `bmd_difference` is the newer minus the older one;
    it is never called a loss. A real change is more than the least significant change of the centre, on the same machine;
    neither is on record, so the answer is that it cannot be told. No difference is no change.

    Why it matters: a least significant change of 3 to 5 % is typical; a smaller difference says nothing.

    When it stays silent: one measurement only; T-scores, whose reference may have changed.

    Sources: ISCD; ACR 2022, Figure 2 (3 to 5 %).
    """
    pair = _two_of_one_site(p)
    if pair is None:
        truth = Truth.UNKNOWN if p.scores.gaps else Truth.NO
        return Finding(all_of(_adult(p, t), holds("two-densities", truth, gaps=p.scores.gaps)))
    newer, older = pair
    shown = (newer.evidence, older.evidence)
    values: dict[str, Json] = {
        "bmd_site": newer.site.value,
        "bmd_from": f"{older.evidence.value} ({older.on})",
        "bmd_to": f"{newer.evidence.value} ({newer.on})",
    }
    if newer.value.low is not None and older.value.low is not None:
        values["bmd_difference"] = plain(newer.value.low - older.value.low)
    same = newer.value.exact and newer.value == older.value
    gap = Gap(GapKind.NOT_RECORDED, "least-significant-change")
    change = holds("bone-density-changed", Truth.NO if same else Truth.UNKNOWN, shown, (gap,))
    return Finding(all_of(_adult(p, t), holds("two-densities", Truth.YES, shown), change), values=values)


def _two_of_one_site(p: Patient) -> tuple[Score, Score] | None:
    """The newest density of spine or hip, and the one before it of the same site and unit."""
    dated = [each for each in p.scores.items if each.measure is Measure.BMD and each.site in CENTRAL and each.on]
    for place, newer in enumerate(dated):
        for older in dated[place + 1 :]:
            same = older.site is newer.site and _unit(older) == _unit(newer)
            if same and due.after(newer.on, older.on) is Truth.YES:
                return newer, older
    return None


def _unit(score: Score) -> str:
    return score.evidence.value.rpartition(" ")[-1]


@rule(
    "MON-05",
    sets=_SET,
    card="plan",
    check="V2",
    strength="break-recheck",
    source="es2020",
    reads=("age", "therapies", "scans"),
    switches=("mon_years",),
)
def treatment_break_not_rechecked(p: Patient, t: Thresholds) -> Finding:
    """A break after a full course of a bisphosphonate, and risk was not looked at again.

    What it looks for: 5 years of tablets or 3 yearly doses of zoledronate that are over, no osteoporosis drug since, and no DXA
    in the last two years of the break. At a site that monitors as NOGG (D13): 18 months after risedronate or ibandronate, 24
    after alendronate, 36 after zoledronate. `due_on` is the day of the next look, counted from the last use or a DXA since.

    Why it matters: protection wears off at different speed; risk may have risen, and treatment may have to go on.

    When it stays silent: before that day (`satisfied`); a shorter course; another drug since.

    Sources: Endocrine Society 2019, 2.2 (every 2 to 4 years; the earlier end is taken); NOGG 2024, as restated.
    """
    recheck = due.break_recheck(p, t)
    last = due.last_bisphosphonate(p)
    applies = all_of(_adult(p, t), due.in_break(p, t))
    values: dict[str, Json] = {}
    if applies.truth is not Truth.NO and last and isinstance(recheck, Known):
        values = due.values(recheck) | {"drug": last.drug.capitalize(), "stopped": str(last.last or "")}
    return Finding(applies, not_(due.is_due("break-recheck-due", recheck)), values, (Proposal("dxa"),))


@rule(
    "MON-06",
    sets=_SET,
    kind=Kind.DEFINITION,
    status=Status.PREVIEW,
    card="plan",
    check="R",
    strength="recalled",
    reads=("age", "sex", "postmenopausal", "lowest_t", "scores", "therapies"),
)
def diagnosis_stays_after_improvement(p: Patient, t: Thresholds) -> Finding:
    """A T-score has risen above -2.5 on treatment: the diagnosis stays.

    What it looks for: women after menopause and men from 50 on an osteoporosis drug, whose lowest T-score is above -2.5 now and
    was -2.5 or lower before.

    Why it matters: the risk that led to treatment is not gone because the number crossed a line.

    When it stays silent: never in that range; not treated.

    Sources: recalled wording, not yet read in the source; off unless switched on.
    """
    limit = t["bhof_iscd.osteoporosis-t"]
    now = score_value(p.lowest_t)
    newest = p.lowest_t.value.on if isinstance(p.lowest_t, Known) else None
    before = [
        each.evidence
        for each in p.scores.items
        if each.measure is Measure.T and each.site in CENTRAL and due.after(newest, each.on) is Truth.YES
        if each.value.at_most(limit.value) is Truth.YES
    ]
    truth = Truth.YES if before else Truth.UNKNOWN if p.scores.gaps else Truth.NO
    was = Criterion("t-was-at-most", truth, tuple(before), limit, gaps=p.scores.gaps if not before else ())
    return Finding(all_of(uses_t_scores(p, t), on_therapy(p), more_than("t-more-than", now, limit), was))


RULES: tuple[Rule, ...] = (
    bone_density_not_repeated,
    change_of_bone_density,
    treatment_break_not_rechecked,
    diagnosis_stays_after_improvement,
)
