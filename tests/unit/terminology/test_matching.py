"""What a code means: systems as servers spell them, ICD stems, and the traps of the terminology notes that concern matching."""

import json

import pytest

from cds_service.clinical.terminology import terminology
from cds_service.fhir.codes import canonical_system

LOINC = "http://loinc.org"
SCT = "http://snomed.info/sct"
RXN = "http://www.nlm.nih.gov/research/umls/rxnorm"
CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD11 = "http://id.who.int/icd/release/11/mms"
ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"
ATC = "http://www.whocc.no/atc"
DMD = "https://dmd.nhs.uk"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
CPT = "http://www.ama-assn.org/go/cpt"


def means(system: str, code: str) -> set[str]:
    return {entry.concept for entry in terminology().entries(system, code)}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("http://loinc.org", LOINC),
        ("https://loinc.org/", LOINC),
        (" HTTP://LOINC.ORG ", LOINC),
        ("urn:oid:2.16.840.1.113883.6.1", LOINC),
        ("2.16.840.1.113883.6.96", SCT),
        ("http://snomed.info/sct/731000124108", SCT),
        ("http://snomed.info/sct|http://snomed.info/sct/900000000000207008", SCT),
        ("urn:oid:2.16.840.1.113883.6.88", RXN),
        ("URN:OID:2.16.840.1.113883.6.90", CM),
        ("http://hl7.org/fhir/sid/ICD-10-CM/", CM),
        ("2.16.840.1.113883.6.3", ICD10),
        ("urn:oid:2.16.840.1.113883.6.73", ATC),
        ("https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", HCPCS),
        ("urn:oid:2.16.840.1.113883.6.285", HCPCS),
        ("urn:oid:2.16.840.1.113883.6.12", CPT),
        ("http://dmd.nhs.uk", DMD),
        (" urn:local:lab ", "urn:local:lab"),
        ("", ""),
    ],
)
def test_systems_are_recognised_as_servers_spell_them(sent, expected):
    assert expected == canonical_system(sent)


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (CM, "G35.D", {"ms.condition"}),
        (CM, "G35", {"ms.condition"}),
        (CM, "g35a", {"ms.condition", "ms.relapsing"}),
        (CM, "G35.B1", {"ms.condition", "ms.primary_progressive"}),
        (CM, "G35.C2", {"ms.condition", "ms.secondary_progressive"}),
        (ICD10, "G35", {"ms.condition"}),
        (ICD11, "8A40.1", {"ms.condition", "ms.primary_progressive"}),
        (SCT, "24700007", {"ms.condition"}),
        (SCT, "426373005", {"ms.condition", "ms.relapsing"}),
        (SCT, "428700003", {"ms.condition", "ms.primary_progressive"}),
    ],
)
def test_multiple_sclerosis_old_and_new_codes(system, code, expected):
    assert expected == means(system, code)


@pytest.mark.parametrize(
    ("system", "code"),
    [
        pytest.param(ICD9, "340", id="340-of-icd-9-is-not-read"),
        pytest.param(CM, "340", id="340-is-no-icd-10-cm-code"),
        pytest.param(CM, "G12.21", id="amyotrophic-lateral-sclerosis"),
        pytest.param(CM, "I70.0", id="atherosclerosis"),
        pytest.param(SCT, "86044005", id="amyotrophic-lateral-sclerosis-snomed"),
        pytest.param("", "24700007", id="no-system"),
        pytest.param("urn:local:dx", "24700007", id="local-system-with-a-familiar-code"),
        pytest.param(LOINC, "LP241977-0", id="trap-22-loinc-part-is-no-observation"),
        pytest.param(RXN, "4850", id="trap-11-glucose-is-no-steroid"),
        pytest.param(RXN, "197901", id="trap-10-lorazepam-is-no-steroid"),
        pytest.param(SCT, "314990009", id="trap-15-metastasis-from-bone"),
        pytest.param(SCT, "78441005", id="trap-16-osteopenia-as-morphology"),
        pytest.param(HCPCS, "J3590", id="unclassified-biologics"),
        pytest.param(ATC, "M05BX", id="class-that-also-holds-burosumab"),
        pytest.param(CM, "M8", id="too-short-for-a-stem"),
    ],
)
def test_codes_that_mean_nothing_to_us(system, code):
    assert set() == means(system, code)


def test_trap_22_malignant_ms_is_ms_of_no_type():
    assert {"ms.condition"} == means(SCT, "439567002") == means(SCT, "724778008")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("M80.08XA", {"cond.osteoporosis", "fracture.vertebra", "fracture.osteoporotic", "fracture.fragility_generic"}),
        ("M8008XA", {"cond.osteoporosis", "fracture.vertebra", "fracture.osteoporotic", "fracture.fragility_generic"}),
        ("M80.051A", {"cond.osteoporosis", "fracture.hip", "fracture.osteoporotic", "fracture.fragility_generic"}),
        ("M80.00XS", {"cond.osteoporosis", "fracture.osteoporotic", "fracture.fragility_generic"}),
        ("M81.0", {"cond.osteoporosis"}),
        ("S72.011D", {"fracture.hip"}),
        ("S52.501A", {"fracture.wrist_forearm"}),
        ("s42.201a", {"fracture.humerus"}),
        ("S22.41XA", {"fracture.rib"}),
        ("M84.551A", {"fracture.excluded_pathological"}),
        ("M97.01XA", {"fracture.excluded_pathological"}),
        ("M84.751A", {"fracture.atypical_femoral"}),
        ("W18.30XA", {"falls.event"}),
        ("W18.30XD", {"falls.event"}),
        ("W19.XXXA", {"falls.event"}),
        ("T38.0X5D", {"glucocorticoid.status.adverse_effect"}),
        ("Z87.310", {"fracture.fragility_generic", "fracture.osteoporotic", "fracture.history"}),
        ("Z87.81", {"fracture.history_traumatic"}),
    ],
)
def test_trap_19_icd_stems_with_and_without_dots_and_seventh_characters(code, expected):
    assert expected == means(CM, code)


def test_collapsed_vertebra_is_fragile_but_not_by_name_osteoporotic():
    expected = {"fracture.vertebra", "fracture.fragility_generic"}
    assert expected == means(CM, "M48.54XA") == means(ICD10, "M48.5")


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (CM, "R29.6", {"falls.recurrent"}),
        (ICD10, "R29.6", {"falls.risk"}),
        (CM, "Z79.52", {"glucocorticoid.status.systemic"}),
        (ICD10, "Z79.52", set()),
        (CM, "Z91.81", {"falls.history"}),
        (ICD10, "Z91.81", set()),
        (ICD10, "M81.4", {"cond.osteoporosis", "cond.osteoporosis_drug_induced"}),
        (CM, "M81.4", {"cond.osteoporosis"}),
        (CM, "E83.51", {"cond.hypocalcaemia"}),
        (ICD10, "E83.5", {"cond.calcium_disorder"}),
    ],
)
def test_trap_17_the_two_icd_10s_share_no_table(system, code, expected):
    assert expected == means(system, code)


@pytest.mark.parametrize("code", ["M85.80", "M85.88"])
def test_trap_18_m85_8_is_only_possibly_osteopenia(code):
    assert {"cond.osteopenia_possible"} == means(CM, code)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("62292-8", {"lab.25OHD.total", "order.25OHD"}, id="total-ng"),
        pytest.param("68438-1", {"lab.25OHD.total"}, id="total-nmol"),
        pytest.param("14635-7", {"lab.25OHD.D3"}, id="trap-4-d3-only-nmol"),
        pytest.param("1989-3", {"lab.25OHD.D3"}, id="trap-4-d3-only-ng"),
        pytest.param("49054-0", {"lab.25OHD.D2"}, id="trap-4-d2-only"),
        pytest.param("1649-3", {"lab.vitD.not_25OHD"}, id="trap-5-calcitriol"),
        pytest.param("62290-2", {"lab.vitD.not_25OHD"}, id="trap-5-calcitriol-total"),
        pytest.param("35365-6", {"lab.25OHD.legacy_or_ambiguous"}, id="trap-5-vitamin-d-and-metabolites"),
        pytest.param("18281-6", {"lab.calcium.protein_corrected"}, id="trap-6-corrected-for-protein"),
        pytest.param("29265-6", {"lab.calcium.albumin_corrected"}, id="trap-6-corrected-for-albumin"),
        pytest.param("98979-8", {"lab.eGFR", "lab.eGFR.race_free"}, id="egfr-2021"),
        pytest.param("48643-1", {"lab.eGFR", "lab.eGFR.race_stratified"}, id="egfr-race-stratified"),
        pytest.param("38265-5", {"dxa.t_score.forearm"}, id="trap-1-synthea-codes-its-t-score-as-forearm"),
        pytest.param("38263-0", {"dxa.t_score.femur"}, id="t-score-femur"),
        pytest.param("80946-7", {"dxa.t_score.total_hip"}, id="t-score-left-hip"),
        pytest.param("85394-5", {"dxa.z_score.lumbar_spine"}, id="z-score-spine"),
        pytest.param("46383-6", {"dxa.bmd.unspecified"}, id="bmd-without-site"),
        pytest.param("83014-1", {"dxa.order", "dxa.vfa_order", "order.dxa_vfa"}, id="dxa-with-vfa"),
        pytest.param("95925-4", {"bone_imaging.qct"}, id="ct-is-not-dxa"),
        pytest.param("90265-0", {"fracture_risk.frax_mof"}, id="frax-mof"),
        pytest.param("90266-8", {"fracture_risk.frax_hip"}, id="frax-hip"),
        pytest.param("72166-2", {"lifestyle.smoking"}, id="smoking-question"),
        pytest.param("82810-3", {"cond.pregnancy.status"}, id="pregnancy-question"),
    ],
)
def test_results(code, expected):
    assert expected == means(LOINC, code)


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (CPT, "77080", {"dxa.procedure", "order.dxa"}),
        (CPT, "77081", {"dxa.procedure.peripheral"}),
        (CPT, "77085", {"dxa.procedure", "dxa.vfa_procedure", "order.dxa_vfa"}),
        (CPT, "77086", {"dxa.vfa_procedure", "order.vfa"}),
        (SCT, "312681000", {"dxa.procedure", "order.dxa"}),
        (SCT, "726548004", {"dxa.vfa_procedure"}),
        (SCT, "708656007", {"dxa.procedure.peripheral"}),
        (HCPCS, "G0130", {"dxa.procedure.peripheral"}),
        (SCT, "273554001", {"ms.EDSS"}),
        (SCT, "449868002", {"smoking.current"}),
        (SCT, "266919005", {"smoking.never"}),
        (SCT, "8517006", {"smoking.former"}),
        (SCT, "266927001", {"smoking.unknown"}),
        (CM, "F17.211", {"smoking.dependence"}),
        (CM, "E28.310", {"menopause.premature_or_surgical"}),
        (CM, "N95.1", {"menopause.climacteric"}),
        (CM, "E23.0", {"cond.hypogonadism", "cond.hypopituitarism"}),
        (CM, "N18.4", {"cond.ckd", "cond.ckd_4_5"}),
        (CM, "N18.31", {"cond.ckd"}),
        (SCT, "94222008", {"cond.bone_metastasis"}),
        (SCT, "26643006", {"route.oral"}),
        (SCT, "6064005", {"route.topical"}),
    ],
)
def test_procedures_answers_and_splits(system, code, expected):
    assert expected == means(system, code)


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (CM, "Z78.0", "menopause.postmenopausal"),
        (SCT, "76498008", "menopause.postmenopausal"),
        (CM, "I25.2", "cond.mi"),
        (SCT, "22298006", "cond.mi"),
        (CM, "Z86.718", "cond.vte"),
        (SCT, "404223003", "cond.vte"),
        (CM, "E27.1", "cond.adrenal_insufficiency"),
        (ICD10, "E27.1", "cond.adrenal_insufficiency"),
        (SCT, "363732003", "cond.adrenal_insufficiency"),
        (CM, "Z74.01", "mobility.bedbound"),
        (SCT, "160685001", "mobility.bedbound"),
        (SCT, "217082002", "falls.event"),
        (SCT, "306171000000106", "fracture.osteoporotic"),
        (SCT, "240198002", "fracture.vertebra"),
        (SCT, "203450003", "fracture.osteoporotic"),
        (SCT, "704334005", "fracture.hip"),
        (SCT, "431031001", "fracture.osteoporotic"),
        (ICD10, "S72.0", "fracture.hip"),
        (SCT, "123971006", "fracture.wrist_forearm"),
        (SCT, "208288001", "fracture.humerus"),
    ],
)
def test_codes_of_the_acceptance_deck(system, code, expected):
    assert expected in means(system, code)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            '{"coding": [{"system": "http://loinc.org", "code": "62292-8"}]}', True, id="as-the-standard-says"
        ),
        pytest.param('{"coding": {"system": "http://loinc.org", "code": "62292-8"}}', True, id="coding-not-a-list"),
        pytest.param('[{"coding": [{"system": "http://loinc.org", "code": "62292-8"}]}]', True, id="list-of-concepts"),
        pytest.param('{"system": "http://loinc.org", "code": " 62292-8 "}', True, id="a-bare-coding"),
        pytest.param(
            '{"coding": [null, 3, "x", {"system": "http://loinc.org", "code": "62292-8"}]}',
            True,
            id="odd-entries-beside",
        ),
        pytest.param('{"coding": [{"code": "62292-8"}]}', False, id="no-system"),
        pytest.param('{"coding": [{"system": 7, "code": "62292-8"}]}', False, id="system-a-number"),
        pytest.param('{"coding": [{"system": "http://loinc.org", "code": ["62292-8"]}]}', False, id="code-a-list"),
        pytest.param('{"coding": [{"system": "http://loinc.org", "code": true}]}', False, id="code-a-boolean"),
        pytest.param('{"coding": null, "text": "62292-8"}', False, id="text-only"),
        pytest.param('"62292-8"', False, id="a-string"),
        pytest.param("null", False, id="nothing"),
        pytest.param("[[[]]]", False, id="nested-lists"),
    ],
)
def test_s7_a_concept_of_any_shape_is_read_or_matches_nothing(text, expected):
    assert expected == ("lab.25OHD.total" in terminology().concepts(json.loads(text)))


def test_a_code_sent_as_a_number_is_read():
    concept = json.loads('{"coding": [{"system": "urn:oid:2.16.840.1.113883.6.88", "code": 312617}]}')
    assert {"prednisone"} == {entry.ingredient for entry in terminology().of_concept(concept)}


def test_two_codings_of_one_meaning_are_one_concept_and_no_row_stands_twice():
    concept = json.loads(
        '{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "G35.A"},'
        ' {"system": "http://snomed.info/sct", "code": "426373005"},'
        ' {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "G35A"}]}'
    )
    found = terminology().of_concept(concept)
    assert frozenset({"ms.condition", "ms.relapsing"}) == terminology().concepts(concept)
    assert len(found) == len(set(found))


def test_codes_for_searches_are_whole_codes_of_the_concept_and_all_below_it():
    codes = terminology().codes("dxa.t_score")
    assert (LOINC, "38267-1") in codes
    assert (LOINC, "38263-0") in codes
    assert (LOINC, "85394-5") not in codes
    assert not [code for system, code in terminology().codes("falls", "cond") if system in (CM, ICD10, ICD11)]
    assert terminology().codes("lab.25OHD.D") == ()


def test_the_code_of_the_order_comes_first_as_the_files_say():
    assert terminology().codes("order.dxa")[0] == (LOINC, "38268-9")
