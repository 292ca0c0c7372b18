"""Examinations and blood tests: the next DXA, the retest of vitamin D, results that no longer count."""

from __future__ import annotations

from cds_service.clinical.due.days import Due, State, counted, later, newest, undated
from cds_service.clinical.facts.conditions import still_active
from cds_service.clinical.facts.laboratory import Lab
from cds_service.clinical.patient import Patient
from cds_service.kernel.facts import Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth


def dxa(p: Patient, t: Thresholds) -> Fact[Due]:
    """The next DXA without glucocorticoids, by the site's reading of D13; unknown where there was none."""
    interval = t["oc2023.dxa-months" if p.choice("mon_years") == "oc2023" else "es2020.dxa-months"]
    months = int(interval.value)
    done = [scan for scan in p.scans.items if scan.central is not False]
    certain = [scan for scan in done if scan.central and scan.on and scan.on.earliest <= p.as_of]
    if not certain:
        unclear = tuple(undated("bone-density-date-or-site", scan.evidence) for scan in done)
        return Unknown((*unclear, *p.scans.gaps) or (Gap(GapKind.NOT_RECORDED, "bone-density"),))
    dated = {scan.on for scan in certain if scan.on}
    on = later(newest(dated), months=months)
    newer = tuple(
        undated("bone-density-date-or-site", scan.evidence)
        for scan in done
        if scan.on not in dated and (scan.on is None or p.as_of < later(scan.on, months=months).latest)
    )
    return counted(p.as_of, "dxa", on, interval, (certain[0].evidence,), newer=(*newer, *p.scans.gaps))


def vitamin_d_retest(p: Patient, t: Thresholds) -> Fact[Due]:
    """25(OH)D about three months after vitamin D was started (VD-04); done once there is a result from then on.

    A changed dose of the same drug is not told apart from the old one. Unknown where no vitamin D is on record.
    """
    interval = t["monitoring.vitamin-d-retest-months"]
    taken = p.current_drugs("vitamin_d", "calcium_vitamin_d")
    begun = [each for each in taken.items if each.current is Truth.YES and each.since]
    if not begun:
        open_ = tuple(undated("drug-current", each.evidence) for each in taken.items)
        return Unknown((*open_, *taken.gaps) or (Gap(GapKind.NOT_RECORDED, "vitamin-d-supplement"),))
    start = newest(each.since for each in begun if each.since)
    on = later(start, months=int(interval.value))
    done = [each.evidence for each in p.vitamin_d.items if each.on and each.on.earliest >= on.latest]
    if done:
        return Known(Due("vitamin-d-retest", on, State.DONE, (done[0],), interval), (done[0],))
    shown = (begun[0].evidence,)
    return counted(p.as_of, "vitamin-d-retest", on, interval, shown, newer=(*taken.gaps, *p.vitamin_d.gaps))


def calcium(p: Patient, t: Thresholds) -> Fact[Due]:
    """From when the last calcium no longer counts; at once when there is none (LAB-02: before each dose of denosumab)."""
    return _laboratory(p, t, "calcium", p.calcium)


def creatinine(p: Patient, t: Thresholds) -> Fact[Due]:
    """From when the last creatinine no longer counts; at once when there is none (LAB-02, LAB-03)."""
    return _laboratory(p, t, "creatinine", p.creatinine)


def _laboratory(p: Patient, t: Thresholds, what: str, lab: Fact[Lab]) -> Fact[Due]:
    """Results count shorter in chronic kidney disease of stage 4 or 5 (rule book 7)."""
    usual, sooner = t[f"laboratory.{what}-months"], t["laboratory.severe-ckd-months"]
    severe = still_active(p.diagnoses("cond.ckd_4_5"))
    interval = sooner if severe.items else usual
    match lab:
        case Unknown((Gap(GapKind.NOT_RECORDED),)):
            return Known(Due(what, None, State.DUE, (), interval))
        case Unknown():
            return lab
        case Known(found, evidence, doubts):
            if found.on is None:
                return Unknown((undated("date", found.evidence),))
            due = counted(p.as_of, what, later(found.on, months=int(interval.value)), interval, evidence, newer=doubts)
            early = later(found.on, months=int(sooner.value))
            open_ = severe.gaps if not severe.items and early.earliest <= p.as_of else ()
            return Unknown(open_) if open_ and isinstance(due, Known) and due.value.state is State.NOT_YET else due
