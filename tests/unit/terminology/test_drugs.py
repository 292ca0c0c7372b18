"""What a drug code says: which drug, how much of it, where it acts; and drug names in free text."""

import json
from decimal import Decimal

import pytest

from cds_service.clinical.terminology import terminology
from cds_service.fhir.codes import local_form_in_text

RXN = "http://www.nlm.nih.gov/research/umls/rxnorm"
SCT = "http://snomed.info/sct"
ATC = "http://www.whocc.no/atc"
DMD = "https://dmd.nhs.uk"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"


def drug(system, code):
    [entry] = [e for e in terminology().entries(system, code) if e.ingredient and not e.concept.startswith("order.")]
    strength = None if entry.strength_mg is None else str(entry.strength_mg)
    return entry.ingredient, strength, entry.per, entry.route_class


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        pytest.param(RXN, "312617", ("prednisone", "5", "1", "systemic"), id="trap-9-312617-is-5-mg"),
        pytest.param(RXN, "312615", ("prednisone", "20", "1", "systemic"), id="trap-9-312615-is-20-mg"),
        pytest.param(RXN, "198145", ("prednisone", "10", "1", "systemic"), id="trap-9-198145-is-10-mg"),
        pytest.param(RXN, "105411", ("prednisolone", "2.5", "1", "systemic"), id="prednisolone-tablet"),
        pytest.param(RXN, "283077", ("prednisolone", "3", "mL", "systemic"), id="oral-solution-per-ml"),
        pytest.param(RXN, "1743726", ("methylprednisolone", "1000", "1", "systemic"), id="pulse-vial"),
        pytest.param(RXN, "343033", ("dexamethasone", "0.75", "1", "systemic"), id="dexamethasone"),
        pytest.param(RXN, "1743855", ("methylprednisolone", "80", "1", "depends"), id="depot-per-container"),
        pytest.param(RXN, "1358610", ("methylprednisolone", "40", "mL", "depends"), id="depot-per-ml"),
        pytest.param(RXN, "1086276", ("triamcinolone", "80", "1", "depends"), id="syringe-of-2-ml-at-40-mg-per-ml"),
        pytest.param(RXN, "245993", ("methylprednisolone", "1.5", "1", "systemic"), id="combination-only-its-own-part"),
        pytest.param(RXN, "578803", ("betamethasone", None, "", "depends"), id="two-salts-are-not-one-strength"),
        pytest.param(RXN, "762675", ("methylprednisolone", None, "", "systemic"), id="pack-has-no-single-strength"),
        pytest.param(RXN, "313979", ("fludrocortisone", "0.1", "1", "mineralocorticoid"), id="trap-12-fludrocortisone"),
        pytest.param(RXN, "1244214", ("budesonide", "3", "1", "not-convertible"), id="gut-targeted-budesonide"),
        pytest.param(RXN, "1085728", ("triamcinolone", None, "", "local"), id="trap-13-oral-paste-is-local"),
        pytest.param(RXN, "197407", ("betamethasone", None, "", "local"), id="cream"),
        pytest.param(RXN, "247047", ("budesonide", None, "", "local"), id="inhaled"),
        pytest.param(RXN, "8640", ("prednisone", None, "", "depends"), id="ingredient-leaves-route-open"),
        pytest.param(RXN, "4452", ("fludrocortisone", None, "", "mineralocorticoid"), id="fludrocortisone-ingredient"),
        pytest.param(RXN, "41126", ("fluticasone", None, "", "local"), id="never-systemic"),
        pytest.param(RXN, "376", ("corticotropin", None, "", "not-convertible"), id="corticotropin"),
        pytest.param(ATC, "H02AB06", ("prednisolone", None, "", "systemic"), id="atc-systemic"),
        pytest.param(ATC, "A07EA06", ("budesonide", None, "", "not-convertible"), id="atc-oral-budesonide"),
        pytest.param(ATC, "A07EA02", ("hydrocortisone", None, "", "local"), id="atc-rectal"),
        pytest.param(DMD, "42086811000001106", ("prednisolone", "1", "1", "systemic"), id="dmd-tablet"),
        pytest.param(DMD, "42086611000001107", ("prednisolone", "3", "mL", "systemic"), id="dmd-15-mg-in-5-ml"),
        pytest.param(DMD, "41968511000001100", ("prednisolone", "0.5", "1", "systemic"), id="dmd-500-microgram"),
        pytest.param(DMD, "4195311000001108", ("methylprednisolone", "1000", "1", "systemic"), id="dmd-1-g-vial"),
        pytest.param(DMD, "36034811000001109", ("methylprednisolone", "80", "1", "depends"), id="dmd-vial-of-2-ml"),
        pytest.param(SCT, "42086811000001106", ("prednisolone", "1", "1", "systemic"), id="dmd-id-under-snomed"),
        pytest.param(DMD, "325426006", ("prednisolone", "1", "1", "systemic"), id="trap-21-previous-dmd-id"),
        pytest.param(SCT, "373994007", ("prednisone", "5", "1", "systemic"), id="snomed-product"),
        pytest.param(HCPCS, "J1020", ("methylprednisolone", None, "", "depends"), id="trap-14-old-hcpcs"),
        pytest.param(HCPCS, "J1010", ("methylprednisolone", None, "", "depends"), id="trap-14-new-hcpcs"),
    ],
)
def test_glucocorticoids(system, code, expected):
    assert expected == drug(system, code)


@pytest.mark.parametrize(
    ("system", "code", "concept", "ingredient", "strength"),
    [
        (RXN, "904431", "therapy.drug", "alendronate", "70"),
        (RXN, "904492", "therapy.drug", "alendronate", "70"),
        (ATC, "M05BB03", "therapy.atc", "alendronate", None),
        (RXN, "993452", "therapy.drug", "denosumab", "60"),
        pytest.param(RXN, "1046402", "therapy.oncology", "denosumab", "119", id="trap-23-denosumab-120"),
        (RXN, "705824", "therapy.drug", "zoledronic_acid", "5"),
        pytest.param(RXN, "1114085", "therapy.oncology", "zoledronic_acid", "4", id="trap-23-zoledronic-acid-4"),
        pytest.param(HCPCS, "J0897", "therapy.hcpcs", "denosumab", None, id="trap-23-billing-code-has-no-strength"),
        (HCPCS, "Q5161", "therapy.hcpcs", "denosumab", None),
        (RXN, "2693643", "therapy.not_osteoporosis", "palopegteriparatide", "0.168"),
        (ATC, "H05AA05", "therapy.not_osteoporosis", "palopegteriparatide", None),
        (RXN, "2123190", "therapy.drug", "romosozumab", "104.949"),
        (RXN, "1490067", "therapy.drug", "raloxifene", "60"),
        (ATC, "G03CC07", "therapy.atc", "bazedoxifene", None),
        pytest.param(RXN, "904420", "therapy.drug", "alendronate", "10", id="trap-1-synthea-component-without-form"),
        pytest.param(RXN, "199362", "vitamin_d.drug", "cholecalciferol", "0.025", id="trap-24-1000-units-are-25-ug"),
        (RXN, "2418", "vitamin_d.ingredient", "cholecalciferol", None),
    ],
)
def test_bone_drugs_and_their_look_alikes(system, code, concept, ingredient, strength):
    [entry] = [e for e in terminology().entries(system, code) if e.concept == concept]
    assert (ingredient, strength and Decimal(strength)) == (entry.ingredient, entry.strength_mg)


def test_an_atc_class_matches_what_lies_below_it():
    assert {"comed.ppi"} == {e.concept for e in terminology().entries(ATC, "A02BC01")}
    assert {"comed.ppi"} == {e.concept for e in terminology().entries(ATC, "a02bc")}
    assert terminology().entries(ATC, "A02B") == ()


def test_what_one_billing_unit_holds_is_kept_apart_from_strengths():
    [entry] = terminology().entries(HCPCS, "J7509")
    assert (entry.unit, entry.strength_mg) == ("4 mg", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("predniSONE 5 MG tablet", "prednisone"),
        ("Deltasone 10 mg", "prednisone"),
        ("Methylprednisolone 4 mg", "methylprednisolone"),
        ("methyl-prednisolone 4 mg", "methylprednisolone"),
        ("methyl prednisolone", "methylprednisolone"),
        ("hydro cortisone 10 mg", "hydrocortisone"),
        ("Solu-Medrol 1 g in saline", "methylprednisolone"),
        ("Medrol Dosepak", "methylprednisolone"),
        ("Alendronic acid 70mg tablets", "alendronate"),
        ("Fosamax Plus D", "alendronate"),
        ("denosumab-bbdz", "denosumab"),
        ("Prolia 60 mg", "denosumab"),
        ("palopegteriparatide", "palopegteriparatide"),
        ("prednisolon", None),
        ("predinsone", None),
        ("TAC", None),
        ("prednisone, then prednisolone", None),
        ("ibuprofen", None),
        ("", None),
    ],
)
def test_drug_names_in_text_are_whole_words_and_never_guessed(text, expected):
    assert expected == terminology().drug_in_text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hydrocortisone 1% cream", True),
        ("prednisolone eye drops", True),
        ("prednisolone acetate ophthalmic suspension", True),
        ("budesonide inhaler", True),
        ("budesonide nebules", True),
        ("prednisolone 20 mg enema", True),
        ("triamcinolone intra-articular", True),
        ("hydrocortisone scalp lotion", True),
        ("prednisone 5 mg oral tablet", False),
        pytest.param("triamcinolone oral paste", False, id="both-named-so-not-clear"),
        ("prednisone", False),
        pytest.param("hearing", False, id="ear-is-a-word"),
    ],
)
def test_local_forms_in_text(text, expected):
    assert expected == local_form_in_text(text)


@pytest.mark.parametrize(
    ("medication", "expected"),
    [
        pytest.param(
            '{"code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "312617"}]}}',
            ("prednisone", Decimal(5), "systemic"),
            id="product-code",
        ),
        pytest.param(
            '{"code": {"text": "x"}, "ingredient": [{"itemCodeableConcept": {"coding":'
            ' [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "8638"}]}}]}',
            ("prednisolone", None, "depends"),
            id="coded-ingredient",
        ),
        pytest.param(
            '{"code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "8638"}],'
            ' "text": "Prednisolone 1% eye drops"}}',
            ("prednisolone", None, "local"),
            id="ingredient-code-and-a-local-form-in-words",
        ),
        pytest.param(
            '{"code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "H02AB"}], "text": "Prednisone 5 mg"}}',
            ("prednisone", None, "depends"),
            id="class-code-and-a-name-in-words",
        ),
        pytest.param(
            '{"code": {"text": "Prednisone 5 mg oral tablet"}}',
            ("prednisone", None, "systemic"),
            id="s7-words-give-no-strength",
        ),
        pytest.param(
            '{"code": {"text": "Dexamethasone"}, "form": {"text": "Ophthalmic suspension"}}',
            ("dexamethasone", None, "local"),
            id="form-of-the-medication",
        ),
        pytest.param(
            '{"code": {"coding": [{"system": "urn:local", "code": "1", "display": "Florinef 0.1 mg"}]}}',
            ("fludrocortisone", None, "mineralocorticoid"),
            id="local-code-with-a-brand-as-display",
        ),
        pytest.param('{"code": "prednisone"}', ("prednisone", None, "depends"), id="stu3-string"),
    ],
)
def test_what_a_medication_names(medication, expected):
    [entry] = terminology().of_drug(json.loads(medication))
    assert expected == (entry.ingredient, entry.strength_mg, entry.route_class)


@pytest.mark.parametrize(
    "medication", ["null", "[]", '"prednisone"', '{"code": 5}', '{"ingredient": [1, {"itemCodeableConcept": 2}]}']
)
def test_s7_odd_medications_name_nothing(medication):
    assert terminology().of_drug(json.loads(medication)) == ()


def test_trap_23_oncology_brands_in_words_stay_oncology():
    assert [e.concept for e in terminology().text_entries("Xgeva 120 mg")] == ["therapy.oncology"]
    assert [e.concept for e in terminology().text_entries("Prolia 60 mg")] == ["therapy.text"]
