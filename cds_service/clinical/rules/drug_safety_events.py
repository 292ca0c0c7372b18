"""Safety of an osteoporosis drug that is taken: a dose that is late, heart and vessels, bone (SAF-06, SAF-08 to SAF-11)."""

from __future__ import annotations

from cds_service.clinical.facts.therapies import DrugClass
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.common import chosen
from cds_service.clinical.rules.contraindications import (
    caution_pth_analogue,
    caution_raloxifene_immobility,
    contraindication_raloxifene,
    contraindication_romosozumab_eu,
    contraindication_romosozumab_us,
)
from cds_service.clinical.rules.denosumab import denosumab_followed, denosumab_late, last_dose
from cds_service.clinical.rules.drug_safety import CARD, LABELS
from cds_service.clinical.rules.drugs_taken import Taken, about_those_on, named, of_class, warned
from cds_service.kernel.criteria import Criterion, all_of, any_of
from cds_service.kernel.rules import Finding, Level, Rule, Status, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_BOXED = "Boxed warning of the United States label."


@rule(
    "SAF-06",
    sets=LABELS,
    card=CARD,
    check="V2",
    strength="rebound",
    source="acr2022",
    reads=("therapies",),
    critical_because="From seven months after the last dose vertebral fractures rebound; every further week adds to it.",
)
def denosumab_overdue(p: Patient, t: Thresholds) -> Finding:
    """The last dose of denosumab is seven months ago or more, and nothing has followed.

    What it looks for: the last dose on record seven months ago or more (six months and four weeks), and no bisphosphonate,
    romosozumab or other antiresorptive drug since.

    Why it matters: vertebral fractures rebound from seven months after the last dose.

    When it stays silent: a dose within seven months; a follow-on drug. A PTH/PTHrP analogue is no follow-on. With an order
    but no dose on record nobody can tell.

    Sources: ACR 2022 (new vertebral fractures from seven to nine months after the last dose); limit of seven months and Lyu
    2020 (more than 16 weeks late) in restatements.
    """
    last = last_dose(p)
    values = {"denosumab_last": str(last)} if last else {}
    return Finding(denosumab_late(p, t), denosumab_followed(p), values, level=Level.CRITICAL)


_on_romosozumab = about_those_on("romosozumab-now", of_class(DrugClass.ROMOSOZUMAB))


def _under_label(p: Patient, drug: Taken, label: str, event: Criterion) -> Finding:
    finding = warned(drug, event, Level.CRITICAL)
    applies = all_of(chosen(p, "label", label), finding.applies)
    return Finding(applies, finding.satisfied_by, finding.values, level=finding.level)


@rule(
    "SAF-08",
    sets=("label_us",),
    card=CARD,
    check="V",
    strength="label-boxed",
    reads=("therapies",),
    switches=("label",),
    critical_because=_BOXED,
)
@_on_romosozumab
def romosozumab_after_recent_event(p: Patient, t: Thresholds, drug: Taken) -> Finding:
    """Romosozumab is taken, and a heart attack or stroke lies in the year before.

    What it looks for: myocardial infarction or stroke in the last 12 months, under the United States label (D12).

    Why it matters: romosozumab may add to heart attack, stroke and death from both.

    When it stays silent: no event, or an older one; a site that follows the European label (SAF-09).

    Sources: openFDA, romosozumab, boxed warning.
    """
    return _under_label(p, drug, "us", contraindication_romosozumab_us(p, t))


@rule(
    "SAF-09",
    sets=("label_eu",),
    card=CARD,
    check="V2",
    strength="label",
    reads=("therapies",),
    switches=("label",),
    critical_because="The European label names any history of heart attack or stroke as a contraindication.",
)
@_on_romosozumab
def romosozumab_after_any_event(p: Patient, t: Thresholds, drug: Taken) -> Finding:
    """Romosozumab is taken, and a heart attack or stroke is on record, however long ago.

    What it looks for: myocardial infarction or stroke at any time, under the European label (D12).

    Why it matters: there the drug is contraindicated.

    When it stays silent: no event on record; a site that follows the United States label (SAF-08).

    Sources: product information of the European Union, as restated in NOGG 2024.
    """
    return _under_label(p, drug, "eu", contraindication_romosozumab_eu(p, t))


@rule(
    "SAF-10",
    sets=LABELS,
    card=CARD,
    check="V",
    strength="label-boxed",
    source="label_us",
    reads=("therapies", "mobility"),
    critical_because=_BOXED,
)
@about_those_on("raloxifene-now", named("raloxifene"))
def raloxifene_and_thromboembolism(p: Patient, t: Thresholds, drug: Taken) -> Finding:
    """Raloxifene is taken, and venous thromboembolism is on record.

    What it looks for: deep vein thrombosis or pulmonary embolism, active or past (critical). Wheelchair or bed (a warning)
    count only where the profile names SAF-10 under `preview`: that part of the row is recalled, not read.

    Why it matters: raloxifene adds to venous thromboembolism.

    When it stays silent: no such event on record; other selective oestrogen receptor modulators, which the row does not name.

    Sources: openFDA, raloxifene, boxed warning; prolonged immobilisation: recalled wording of the label.
    """
    event = contraindication_raloxifene(p, t)
    previewed = {"SAF-10", "*"} & set(p.profile.preview)
    against = any_of(event, caution_raloxifene_immobility(p, t)) if previewed else event
    thrombosis = event.truth is Truth.YES
    return warned(drug, against, Level.CRITICAL if thrombosis else Level.WARNING, {"thrombosis": thrombosis})


@rule(
    "SAF-11",
    sets=LABELS,
    status=Status.PREVIEW,
    card=CARD,
    check="R",
    strength="recalled",
    source="label_us",
    reads=("therapies", "calcium", "albumin"),
)
@about_those_on("pth-analogue-now", of_class(DrugClass.PTH_ANALOGUE))
def pth_analogue_and_bone_disease(p: Patient, t: Thresholds, drug: Taken) -> Finding:
    """Teriparatide or abaloparatide is taken, and a disease of bone or a high calcium speaks against it.

    What it looks for: Paget's disease, myeloma or bone metastases, irradiation, at any time; calcium above the limit of the
    laboratory, or a diagnosis of hypercalcaemia that is not over where no calcium decides.

    Why it matters: these drugs build bone, in a tumour as well, and raise calcium.

    When it stays silent: none of these on record. Open growth plates, an alkaline phosphatase nobody can explain, a
    hereditary predisposition to osteosarcoma and orthostatic hypotension are not looked for: no verified code, or no limit.

    Sources: drug labels, recalled; off unless switched on.
    """
    return warned(drug, caution_pth_analogue(p, t), Level.WARNING)


RULES: tuple[Rule, ...] = (
    denosumab_overdue,
    romosozumab_after_recent_event,
    romosozumab_after_any_event,
    raloxifene_and_thromboembolism,
    pth_analogue_and_bone_disease,
)
