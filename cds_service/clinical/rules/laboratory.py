"""Blood tests: the causes of bone loss, and what has to be known before the next injection (rule book 7)."""

from __future__ import annotations

from cds_service.clinical import due
from cds_service.clinical.concepts import on_therapy, prior_fracture, uses_t_scores, within_months
from cds_service.clinical.due import is_due
from cds_service.clinical.facts.conditions import still_active
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.facts.therapies import DrugClass
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.common import low_bone_mass, man, on_record
from cds_service.clinical.rules.contraindications import NEVER_MEASURED, vitamin_d_low
from cds_service.clinical.rules.denosumab import denosumab_followed, last_dose
from cds_service.clinical.rules.drug_safety import LABELS
from cds_service.clinical.rules.drugs_taken import Taken, ever_taken, named, of_class, taken
from cds_service.clinical.rules.recent_results import (
    calcium_high,
    calcium_low,
    counted_calcium,
    egfr_below,
    still_counts,
)
from cds_service.clinical.rules.vitamin_d import latest
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, ever, holds, none_of, not_
from cds_service.kernel.dates import DateSpan, plus_days
from cds_service.kernel.facts import Fact, Gap, GapKind, Known, Series, Unknown
from cds_service.kernel.rules import Finding, Json, Proposal, Rule, Status, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_CARD = "laboratory"
_CARD_BEFORE = "before-injection"
_IN_PANEL = frozenset({"calcium", "albumin", "alkaline phosphatase", "creatinine or eGFR"})


# --- LAB-01 ----------------------------------------------------------------------------------------------------------
@rule(
    "LAB-01",
    sets=("bhof_iscd",),
    status=Status.PREVIEW,
    card=_CARD,
    check="R",
    strength="recalled",
    source="bhof2022",
    reads=(
        "age", "sex", "postmenopausal", "lowest_t", "lowest_z", "fractures", "therapies", "vitamin_d", "calcium", "albumin",
        "creatinine", "egfr",
    ),
)  # fmt: skip
def causes_of_bone_loss_not_looked_for(p: Patient, t: Thresholds) -> Finding:
    """Osteoporosis or a low Z-score before treatment, and blood tests for a cause are missing.

    What it looks for: an adult without an osteoporosis drug, and a T-score in the range of osteoporosis, a Z-score below the
    expected range, osteoporosis diagnosed, or a fragility fracture where Z-scores classify. Calcium and creatinine (or eGFR)
    count for six months (three in kidney disease of stage 4 or 5), 25(OH)D and TSH for twelve; albumin, phosphate, alkaline
    phosphatase and the tests below have no limit in the rule book and count whenever they were done. PTH where calcium is
    out of range, in kidney disease or with low vitamin D; testosterone in men; protein electrophoresis after a vertebral
    fracture; tTG-IgA with low vitamin D or where Z-scores classify. Only what is missing is listed.

    Why it matters: there is often a cause that can be treated, and drugs need calcium, vitamin D and kidney function.

    When it stays silent: everything was done; a drug is taken. Blood count, liver enzymes, free light chains, urine calcium
    and cortisol have no verified code here: the card says that they were not looked for.

    Sources: BHOF, AACE and NOGG agree in outline, recalled; off unless switched on.
    """
    adult = at_least("adult", p.age, t["ms.adult-age"])
    young = not_(uses_t_scores(p, t))
    reason = any_of(
        low_bone_mass(p, t),
        on_record("osteoporosis", p.diagnoses("cond.osteoporosis")),
        all_of(young, prior_fracture(p, frozenset(FractureSite))),
    )
    wanted = _wanted(p, t, young)
    lacking = {name: criterion for name, criterion in wanted.items() if criterion.truth is Truth.YES}
    values: dict[str, Json] = {"missing_tests": list(lacking)}
    return Finding(all_of(adult, reason, not_(on_therapy(p))), none_of(*wanted.values()), values, _orders(lacking))


def _orders(lacking: dict[str, Criterion]) -> tuple[Proposal, ...]:
    offered = {"metabolic-panel": _IN_PANEL, "vitamin-d-test": {"25-OH vitamin D"}, "pth-test": {"PTH"}}
    return tuple(Proposal(order) for order, tests in offered.items() if tests & lacking.keys())


def _wanted(p: Patient, t: Thresholds, young: Criterion) -> dict[str, Criterion]:
    """Every test that is wanted, and whether it is missing."""
    low_d = vitamin_d_low(p, t)
    odd_calcium = any_of(calcium_low(p, t), calcium_high(p, t))
    kidney = on_record("chronic-kidney-disease", still_active(p.diagnoses("cond.ckd", "cond.ckd_4_5")))
    spine = prior_fracture(p, frozenset({FractureSite.VERTEBRA}), "spine-fracture")
    return {
        "calcium": is_due("calcium-missing", due.calcium(p, t)),
        "creatinine or eGFR": all_of(
            is_due("creatinine-missing", due.creatinine(p, t)),
            _missing("egfr-missing", still_counts(p, t, p.egfr, "laboratory.creatinine-months")),
        ),
        "25-OH vitamin D": _missing("vitamin-d-missing", latest(p, t)),
        "albumin": _never(p, "tested-albumin", "lab.albumin"),
        "phosphate": _never(p, "tested-phosphate", "lab.phosphate"),
        "alkaline phosphatase": _never(p, "tested-alp", "lab.ALP"),
        "TSH": _not_within(p, "tested-tsh", "lab.TSH", t.days("laboratory.tsh-months")),
        "PTH": all_of(any_of(odd_calcium, kidney, low_d), _never(p, "tested-pth", "lab.PTH")),
        "testosterone": all_of(man(p), _never(p, "tested-testosterone", "lab.testosterone")),
        "protein electrophoresis": all_of(spine, _never(p, "tested-spep", "lab.SPEP")),
        "tTG-IgA": all_of(any_of(low_d, young), _never(p, "tested-ttg", "lab.tTG_IgA")),
    }


def _missing(key: str, fact: Fact[object]) -> Criterion:
    """Looked for and not known, or too old; unknown where the look-up failed or a result could not be read (S2)."""
    match fact:
        case Known(_, evidence, doubts):
            return holds(key, Truth.of(any(gap.kind is GapKind.TOO_OLD for gap in doubts)), evidence)
        case Unknown(gaps):
            never = {gap.kind for gap in gaps} <= NEVER_MEASURED
            return holds(key, Truth.YES if never else Truth.UNKNOWN, gaps=gaps)


def _never(p: Patient, key: str, concept: str) -> Criterion:
    return not_(ever(key, p.tests(concept)))


def _not_within(p: Patient, key: str, concept: str, months: int) -> Criterion:
    done = p.tests(concept)
    recent = [within_months(key, each.on, p.as_of, months, each.evidence) for each in done.items]
    return none_of(*recent, ever(key, Series((), done.gaps)))


# --- before the next injection: LAB-02, LAB-03 -----------------------------------------------------------------------
def _denosumab_next(p: Patient, t: Thresholds) -> Criterion:
    """The next dose of denosumab is due and nothing else has followed, or one is ordered."""
    kind = of_class(DrugClass.DENOSUMAB)
    if p.at_order:
        return taken(p, "denosumab-now", kind).criterion
    goes_on = all_of(is_due("denosumab-dose-due", due.denosumab(p, t)), not_(denosumab_followed(p)))
    first = _first(p, taken(p, "denosumab-now", kind), "denosumab")
    return all_of(ever_taken(p, "denosumab-on-record", kind), any_of(goes_on, first))


def _zoledronate_next(p: Patient, t: Thresholds) -> Criterion:
    """The next infusion of zoledronic acid is due while the last one counts, or one is ordered."""
    drug = taken(p, "zoledronate-now", named("zoledronic acid"))
    if p.at_order:
        return drug.criterion
    goes_on = is_due("zoledronate-dose-due", due.zoledronate(p, t))
    return all_of(drug.criterion, any_of(goes_on, _first(p, drug, "zoledronic_acid")))


def _first(p: Patient, drug: Taken, ingredient: str) -> Criterion:
    return all_of(drug.criterion, not_(ever("dose-on-record", p.doses(ingredient))))


@rule(
    "LAB-02",
    sets=LABELS,
    card=_CARD_BEFORE,
    check="V2",
    strength="before-dose",
    source="nogg2024",
    reads=("therapies", "calcium", "creatinine", "egfr"),
)
def blood_tests_before_injection(p: Patient, t: Thresholds) -> Finding:
    """A dose of denosumab or zoledronic acid is due, or denosumab was given in kidney disease, and blood tests are missing.

    What it looks for: the next dose due, or the first one ordered, and no calcium or no creatinine that still counts (six
    months; three in kidney disease of stage 4 or 5). On denosumab with eGFR below 30: no calcium since the last dose, two
    weeks after it. 25(OH)D is looked at by SAF-12.

    Why it matters: these drugs lower calcium and are limited by kidney function; in kidney disease calcium is measured again
    after denosumab.

    When it stays silent: results are there; no dose is due; another drug has followed denosumab.

    Sources: read in a restatement.
    """
    denosumab, zoledronate = _denosumab_next(p, t), _zoledronate_next(p, t)
    before = any_of(denosumab, zoledronate)
    lacking = {
        "calcium": is_due("calcium-missing", due.calcium(p, t)),
        "creatinine": is_due("creatinine-missing", due.creatinine(p, t)),
    }
    after, unchecked = _after_dose(p, t)
    open_ = any_of(all_of(before, any_of(*lacking.values())), all_of(after, unchecked))
    due_now = before.truth is Truth.YES
    missing = [name for name, criterion in lacking.items() if due_now and criterion.truth is Truth.YES] or ["calcium"]
    values: dict[str, Json] = {
        "dose_due": due_now,
        "missing_tests": missing,
        "drug": "Denosumab" if denosumab.truth is Truth.YES or not due_now else "Zoledronic acid",
        "due_what": "blood-tests",
        "due_on": "",
    }
    propose = tuple(Proposal(f"{name}-test") for name in missing)
    return Finding(any_of(before, after), not_(open_), values, propose)


def _after_dose(p: Patient, t: Thresholds) -> tuple[Criterion, Criterion]:
    """Two weeks after a dose with an eGFR below 30; and no calcium since that dose."""
    low = egfr_below(p, t, t["label_us.denosumab-egfr"])
    drug = taken(p, "denosumab-now", of_class(DrugClass.DENOSUMAB)).criterion
    last, wait = last_dose(p), t["label_us.denosumab-calcium-days"]
    if last is None:
        never = holds("two-weeks-after-dose", Truth.UNKNOWN if p.therapies.gaps else Truth.NO, gaps=p.therapies.gaps)
        return all_of(drug, low, never), never
    since, sure = (plus_days(day, int(wait.value)) for day in (last.earliest, last.latest))
    passed = Truth.YES if p.as_of >= sure else Truth.NO if p.as_of < since else Truth.UNKNOWN
    after = all_of(drug, low, Criterion("two-weeks-after-dose", passed, threshold=wait, found=str(last)))
    return after, not_(_calcium_after(p, last))


def _calcium_after(p: Patient, dose: DateSpan) -> Criterion:
    """A calcium of a later day than the dose."""
    match p.calcium:
        case Known(lab, evidence, doubts):
            later = lab.on is not None and lab.on.earliest > dose.latest
            earlier = lab.on is not None and lab.on.latest <= dose.earliest
            truth = Truth.YES if later else Truth.UNKNOWN if doubts or not earlier else Truth.NO
            return holds("calcium-since-dose", truth, evidence, doubts or (Gap(GapKind.NOT_RECORDED, "date"),))
        case Unknown(gaps):
            truth = Truth.NO if {gap.kind for gap in gaps} <= NEVER_MEASURED else Truth.UNKNOWN
            return holds("calcium-since-dose", truth, gaps=gaps)


@rule(
    "LAB-03",
    sets=LABELS,
    status=Status.PREVIEW,
    card=_CARD_BEFORE,
    check="R",
    strength="recalled",
    source="label_us",
    reads=("therapies", "clearance"),
)
def clearance_not_known_before_zoledronate(p: Patient, t: Thresholds) -> Finding:
    """The next infusion of zoledronic acid is due, and creatinine clearance cannot be computed.

    What it looks for: the yearly dose due within the time the last one counts, or the first one ordered, and no creatinine
    or no body weight that still counts.

    Why it matters: the label goes by creatinine clearance with the formula of Cockcroft and Gault and actual weight.

    When it stays silent: clearance can be computed (SAF-02 looks at it); no dose due.

    Sources: drug label, recalled; off unless switched on.
    """
    lacking = _missing("clearance-missing", p.clearance)
    names = [gap.what for gap in p.clearance.gaps] if isinstance(p.clearance, Unknown) else []
    propose = (Proposal("creatinine-test"),) if "creatinine" in names else ()
    return Finding(_zoledronate_next(p, t), not_(lacking), {"lacking": names}, propose)


# --- LAB-04 ----------------------------------------------------------------------------------------------------------
@rule(
    "LAB-04",
    sets=LABELS,
    status=Status.PREVIEW,
    card=_CARD,
    check="R",
    strength="recalled",
    source="bhof2022",
    reads=("calcium", "albumin"),
)
def high_calcium_without_pth(p: Patient, t: Thresholds) -> Finding:
    """Calcium is above the limit of the laboratory, and PTH was not measured.

    What it looks for: the latest calcium that still counts, adjusted for albumin, above the limit the laboratory gives, and no
    PTH in the same time.

    Why it matters: PTH tells the causes apart. Until then no vitamin D is started.

    When it stays silent: calcium not above the limit; PTH measured. Where the laboratory gives no limit nobody can tell.

    Sources: recalled wording; off unless switched on.
    """
    calcium = counted_calcium(p, t)
    values: dict[str, Json] = {}
    if isinstance(calcium, Known):
        values = {"calcium": calcium.value.evidence.value, "calcium_on": str(calcium.value.on)}
    measured = not_(_not_within(p, "tested-pth", "lab.PTH", t.days("laboratory.calcium-months")))
    return Finding(calcium_high(p, t), measured, values, (Proposal("pth-test"),))


RULES: tuple[Rule, ...] = (
    causes_of_bone_loss_not_looked_for,
    blood_tests_before_injection,
    clearance_not_known_before_zoledronate,
    high_calcium_without_pth,
)
