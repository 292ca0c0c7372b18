"""Safety of an osteoporosis drug that is taken: oesophagus, calcium, vitamin D, jaw, femur, pregnancy (rule book 4.3)."""

from __future__ import annotations

from cds_service.clinical.concepts import as_json
from cds_service.clinical.facts.therapies import DrugClass
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.contraindications import (
    caution_barrett,
    caution_jaw,
    caution_pregnancy_possible,
    caution_unadjusted_calcium,
    contraindication_atypical_fracture,
    contraindication_hypocalcaemia,
    contraindication_oesophagus,
    contraindication_pregnancy,
    contraindication_upright,
    contraindication_vitamin_d,
)
from cds_service.clinical.rules.drugs_taken import (
    BISPHOSPHONATES,
    Taken,
    about_those_on,
    any_drug,
    of_class,
    warned,
)
from cds_service.clinical.rules.recent_results import calcium_low, counted_calcium
from cds_service.clinical.rules.vitamin_d import latest
from cds_service.kernel.criteria import any_of
from cds_service.kernel.facts import Known
from cds_service.kernel.rules import Finding, Json, Level, Proposal, Rule, Status, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

CARD = "drug-safety"
LABELS = ("label_us", "label_eu")
_LOWERS_CALCIUM = BISPHOSPHONATES | {DrugClass.DENOSUMAB, DrugClass.ROMOSOZUMAB}


@rule(
    "SAF-01",
    sets=LABELS,
    card=CARD,
    check="P",
    strength="label-oral",
    source="label_us",
    reads=("therapies", "ms", "edss", "mobility"),
    critical_because="Labels of oral bisphosphonates name it as a contraindication.",
)
@about_those_on("oral-bisphosphonate-now", of_class(DrugClass.BISPHOSPHONATE_ORAL))
def oral_bisphosphonate_and_oesophagus(p: Patient, t: Thresholds, drug: Taken) -> Finding:
    """An oral bisphosphonate is taken, and the oesophagus empties slowly or the patient cannot sit upright.

    What it looks for: stricture or achalasia of the oesophagus that is not over; bed, or EDSS 8.0 and more, as signs that 30
    minutes upright are not possible (critical). Barrett's oesophagus alone is a warning.

    Why it matters: a tablet that stays in the oesophagus injures it. There are drugs that are injected.

    When it stays silent: none of these on record; no oral bisphosphonate. Dysphagia, aspiration and feeding tubes have no
    verified code and are not looked for.

    Sources: drug label, read in a restatement; EDSS 8 and bed as signs: project policy.
    """
    contraindicated = any_of(contraindication_oesophagus(p, t), contraindication_upright(p, t))
    against = any_of(contraindicated, caution_barrett(p, t))
    critical = contraindicated.truth is Truth.YES
    return warned(drug, against, Level.CRITICAL if critical else Level.WARNING, {"contraindicated": critical})


@rule(
    "SAF-04",
    sets=LABELS,
    card=CARD,
    check="V2",
    strength="label-hypocalcaemia",
    source="nogg2024",
    reads=("therapies", "calcium", "albumin"),
    critical_because="Uncorrected hypocalcaemia is a contraindication in the labels of these drugs.",
)
@about_those_on("calcium-lowering-drug-now", of_class(*_LOWERS_CALCIUM))
def antiresorptive_and_low_calcium(p: Patient, t: Thresholds, drug: Taken) -> Finding:
    """A bisphosphonate, denosumab or romosozumab is taken, and calcium is low.

    What it looks for: the latest calcium of the last six months (three in chronic kidney disease of stage 4 or 5), adjusted
    for albumin, below the limit of the laboratory, or below 2.10 mmol/L where it gives none: critical. A diagnosis of
    hypocalcaemia that is not over, where there is no such result: critical. A low total calcium that nobody has adjusted
    for albumin: a warning, unless the albumin of that day is 40 g/L or more, so that adjusting would not raise it.

    Why it matters: these drugs take calcium out of the blood; low calcium is corrected before the next dose.

    When it stays silent: calcium not low; ionised calcium and calcium adjusted for protein do not count.

    Sources: NOGG 2024, pages 29, 30 and 34, read in a restatement.
    """
    low, unadjusted = contraindication_hypocalcaemia(p, t), caution_unadjusted_calcium(p, t)
    certain = low.truth is Truth.YES
    values: dict[str, Json] = {"calcium_adjusted": certain}
    calcium = counted_calcium(p, t)
    if isinstance(calcium, Known) and Truth.YES in (calcium_low(p, t).truth, unadjusted.truth):
        values |= {"calcium": calcium.value.evidence.value, "calcium_on": str(calcium.value.on)}
    propose = (Proposal("calcium-test"),)
    level = Level.CRITICAL if certain else Level.WARNING
    return warned(drug, any_of(low, unadjusted), level, values, propose)


@rule(
    "SAF-12",
    sets=LABELS,
    card=CARD,
    check="V2",
    strength="nogg-recommendation-17",
    source="nogg2024",
    reads=("therapies", "vitamin_d"),
)
@about_those_on("injected-antiresorptive-now", of_class(DrugClass.BISPHOSPHONATE_IV, DrugClass.DENOSUMAB))
def injected_antiresorptive_and_vitamin_d(p: Patient, t: Thresholds, drug: Taken) -> Finding:
    """Denosumab or an intravenous bisphosphonate is taken, and 25(OH)D is low or not known.

    What it looks for: the latest 25(OH)D of the last 12 months below 20 ng/mL (50 nmol/L), compared in the unit reported; or
    none in 12 months, where the look-up completed.

    Why it matters: without vitamin D an injected antiresorptive can lower calcium for weeks. It is replaced before the next
    dose; an oral bisphosphonate may start alongside a supplement.

    When it stays silent: 20 ng/mL (50 nmol/L) or more; oral drugs; romosozumab, which the recommendation does not name.

    Sources: NOGG 2024, recommendation 17 (strong), read in a restatement.
    """
    against = contraindication_vitamin_d(p, t)
    found = latest(p, t)
    values: dict[str, Json] = {"vitamin_d_known": isinstance(found, Known)}
    if isinstance(found, Known):
        number = as_json(found.value.value)
        shown = str(found.value.value) if number is None else str(number)
        values |= {"vitamin_d_found": f"{shown} {found.value.unit}", "vitamin_d_on": str(found.value.on)}
    propose = () if isinstance(found, Known) else (Proposal("vitamin-d-test"),)
    return warned(drug, against, Level.WARNING, values, propose)


@rule(
    "SAF-13",
    sets=LABELS,
    status=Status.PREVIEW,
    card=CARD,
    check="R",
    strength="recalled",
    reads=("therapies",),
)
@about_those_on("antiresorptive-now", of_class(*BISPHOSPHONATES, DrugClass.DENOSUMAB))
def antiresorptive_and_jaw(p: Patient, t: Thresholds, drug: Taken) -> Finding:
    """A bisphosphonate or denosumab is taken, and osteonecrosis of the jaw is on record.

    What it looks for: the diagnosis of drug-related osteonecrosis of the jaw, past or present.

    Why it matters: a dentist has to know of the drug, and whoever gives the drug of the jaw.

    When it stays silent: no such diagnosis. Planned dental work and the state of the teeth have no verified code: the card
    cannot ask before an extraction.

    Sources: AAOMS 2022, recalled; off unless switched on.
    """
    return warned(drug, caution_jaw(p, t), Level.INFO, propose=(Proposal("dental-referral"),))


@rule(
    "SAF-14",
    sets=LABELS,
    card=CARD,
    check="V",
    strength="label-atypical",
    source="label_us",
    reads=("therapies", "atypical_fractures"),
)
@about_those_on("antiresorptive-now", of_class(*BISPHOSPHONATES, DrugClass.DENOSUMAB))
def antiresorptive_and_atypical_fracture(p: Patient, t: Thresholds, drug: Taken) -> Finding:
    """A bisphosphonate or denosumab is taken, and an atypical femoral fracture is on record.

    What it looks for: an atypical femoral fracture at any time, whichever side.

    Why it matters: it is a harm of these drugs. The United States labels changed what they say about it in January and
    February 2026; the new text is to be read before the drug goes on.

    When it stays silent: no such fracture on record. Pain in thigh or groin, which comes before it, has no verified
    code and is not looked for.

    Sources: openFDA, recent major changes of warnings and precautions 5.5 and 5.7, 2026. That they changed was read, the
    new text was not: the card repeats none of it.
    """
    values: dict[str, Json] = {}
    if p.atypical_fractures.items:
        values["fracture_on"] = str(p.atypical_fractures.items[0].on or "")
    return warned(drug, contraindication_atypical_fracture(p, t), Level.WARNING, values, (Proposal("bone-referral"),))


@rule(
    "SAF-15",
    sets=LABELS,
    card=CARD,
    check="V",
    strength="acr-footnote",
    source="acr2022",
    reads=("therapies", "pregnant", "pregnancy_possible"),
)
@about_those_on("bone-drug-now", any_drug)
def bone_drug_and_pregnancy(p: Patient, t: Thresholds, drug: Taken) -> Finding:
    """An osteoporosis drug is taken in pregnancy, or where pregnancy is possible.

    What it looks for: pregnancy on record (a warning), or a woman of whom the record says that menopause has not passed
    (information).

    Why it matters: denosumab needs contraception, and no pregnancy until more than five months after the last dose;
    bisphosphonates stay in bone for long and are used with caution.

    When it stays silent: men; after menopause. Contraception and sterility cannot be read. That the label forbids denosumab
    in pregnancy is recalled only, so that the card is not critical.

    Sources: ACR 2022, footnotes to the recommendations.
    """
    pregnant = contraindication_pregnancy(p, t)
    against = any_of(pregnant, caution_pregnancy_possible(p, t))
    level = Level.WARNING if pregnant.truth is Truth.YES else Level.INFO
    return warned(drug, against, level, {"pregnant": pregnant.truth is Truth.YES})


# The first of equally urgent rules speaks in the summary of the card they share.
RULES: tuple[Rule, ...] = (
    antiresorptive_and_low_calcium,
    oral_bisphosphonate_and_oesophagus,
    bone_drug_and_pregnancy,
    antiresorptive_and_atypical_fracture,
    injected_antiresorptive_and_vitamin_d,
    antiresorptive_and_jaw,
)
