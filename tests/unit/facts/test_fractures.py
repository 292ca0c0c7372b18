"""Fractures: site, energy and date, one event per fracture (DEF-07, D11, terminology.md 6.2)."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.fractures import Fracture, FractureSite, atypical_femoral, fractures
from cds_service.kernel.facts import Gap, GapKind, Series
from cds_service.kernel.truth import Truth
from tests.support.charts import chart_of

SCT, CM, WHO = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10"
PATIENT = '{"resourceType": "Patient", "id": "p1", "birthDate": "1970-01-01"}'
DUE_TO = "http://hl7.org/fhir/StructureDefinition/condition-dueTo"


def condition(
    *codes: tuple[str, str], on: str = "2024-05-17", ident: str = "c1", text: str = "", more: str = ""
) -> str:
    codings = ", ".join(f'{{"system": "{system}", "code": "{code}"}}' for system, code in codes)
    onset = f', "onsetDateTime": "{on}"' if on else ""
    code = f'{{"coding": [{codings}], "text": "{text}"}}'
    return f'{{"resourceType": "Condition", "id": "{ident}", "code": {code}{onset}{more}}}'


def found(*resources: str) -> tuple[Fracture, ...]:
    return fractures(chart_of(PATIENT, *resources)).items


def told(*resources: str) -> list[tuple[str, str, str]]:
    return [(f.site.value, f.low_trauma.value, str(f.on)) for f in found(*resources)]


@pytest.mark.parametrize(
    ("system", "code", "site", "low_trauma"),
    [
        (CM, "M80.051A", "hip", "yes"),
        (CM, "M80.08XA", "vertebra", "yes"),
        (CM, "M8008XA", "vertebra", "yes"),  # trap 19: without dots
        (CM, "M80.031A", "wrist", "yes"),
        (CM, "M80.021A", "humerus", "yes"),
        (CM, "M80.0B1A", "pelvis", "yes"),
        (CM, "M80.071A", "elsewhere", "yes"),  # foot: never a major osteoporotic site
        (CM, "M80.00XA", "other", "yes"),
        (CM, "M48.56XA", "vertebra", "yes"),  # collapsed vertebra, not traumatic
        (CM, "S72.001A", "hip", "unknown"),
        (CM, "S32.010A", "vertebra", "unknown"),
        (CM, "S52.501A", "wrist", "unknown"),
        (CM, "S42.201A", "humerus", "unknown"),
        (CM, "S32.501A", "pelvis", "unknown"),
        (CM, "S22.31XA", "rib", "unknown"),
        (CM, "M84.40XA", "other", "unknown"),
        (WHO, "M80.0", "other", "yes"),
        (WHO, "S72.0", "hip", "unknown"),
        (SCT, "704334005", "hip", "yes"),
        (SCT, "240198002", "vertebra", "yes"),
        (SCT, "123971006", "wrist", "unknown"),
        (SCT, "443165006", "other", "yes"),
        (SCT, "306171000000106", "other", "yes"),
    ],
)
def test_def_07_site_and_energy_from_the_code(system: str, code: str, site: str, low_trauma: str) -> None:
    assert told(condition((system, code))) == [(site, low_trauma, "2024-05-17")]


@pytest.mark.parametrize("code", ["M84.551A", "M84.651A", "M97.01XA", "M84.751A"])
def test_def_07_pathological_of_other_causes_periprosthetic_and_atypical_do_not_count(code: str) -> None:
    assert found(condition((CM, code)), condition((CM, code), (SCT, "5913000"), ident="c2")) == ()


def test_saf_14_atypical_femoral_fractures_have_a_list_of_their_own() -> None:
    chart = chart_of(
        PATIENT,
        condition((CM, "M84.751A")),
        condition((SCT, "890095006"), on="2025", ident="c2"),
        condition((SCT, "890095006"), on="2027", ident="c3"),
    )
    assert [f.evidence.resource for f in atypical_femoral(chart).items] == ["Condition/c2", "Condition/c1"]


@pytest.mark.parametrize(
    ("more", "text", "site"),
    [
        (', "bodySite": [{"text": "Left wrist"}]', "", "wrist"),
        (', "bodySite": {"coding": [{"display": "Neck of femur"}]}', "", "hip"),
        ("", "Fragility fracture of proximal humerus", "humerus"),
        ("", "Fragility fractures of hip and spine", "other"),
        ("", "Fragility fracture of the foot", "elsewhere"),
        ("", "Fragility fracture", "other"),
    ],
)
def test_the_site_of_a_generic_code_comes_from_body_site_then_text(more: str, text: str, site: str) -> None:
    assert [s for s, _, _ in told(condition((SCT, "443165006"), text=text, more=more))] == [site]


def test_a_generic_code_takes_site_from_the_other_coding_and_lends_its_meaning() -> None:
    assert told(condition((WHO, "S72.0"), (SCT, "306171000000106"))) == [("hip", "yes", "2024-05-17")]


FALL = (
    '{"resourceType": "Condition", "id": "f1", "code": {"coding": [{"system": "http://snomed.info/sct",'
    ' "code": "217082002"}]}%s}'
)


@pytest.mark.parametrize(
    ("more", "fall", "low_trauma"),
    [
        (f', "extension": [{{"url": "{DUE_TO}", "valueReference": {{"reference": "Condition/f1"}}}}]', "", "yes"),
        (f', "extension": [{{"url": "{DUE_TO}", "valueReference": {{"reference": "urn:uuid:f1"}}}}]', "", "yes"),
        (
            f', "extension": [{{"url": "{DUE_TO}", "valueReference": {{"reference": "Condition/f1"}}}}]',
            ', "verificationStatus": {"coding": [{"code": "entered-in-error"}]}',
            "unknown",
        ),
        (
            f', "extension": [{{"url": "{DUE_TO}", "valueCodeableConcept":'
            f' {{"coding": [{{"system": "{CM}", "code": "W18.30XA"}}]}}}}]',
            "",
            "yes",
        ),
        (
            f', "extension": [{{"url": "{DUE_TO}", "valueCodeableConcept":'
            f' {{"coding": [{{"system": "{CM}", "code": "V43.52XA"}}]}}}}]',
            "",
            "no",
        ),
        (', "evidence": [{"detail": [{"reference": "Condition/f1"}]}]', "", "yes"),
        (f', "evidence": [{{"code": [{{"coding": [{{"system": "{CM}", "code": "W19.XXXA"}}]}}]}}]', "", "yes"),
        (
            f', "extension": [{{"url": "{DUE_TO}", "valueReference": {{"reference": "#f"}}}}], "contained": [{{"resourceType":'
            f' "Condition", "id": "f", "code": {{"coding": [{{"system": "{SCT}", "code": "1912002"}}]}}}}]',
            "",
            "yes",
        ),
        (
            f', "extension": [{{"url": "{DUE_TO}", "valueReference": {{"reference": "Condition/nowhere"}}}}]',
            "",
            "unknown",
        ),
        (f', "extension": [{{"url": "{DUE_TO}"}}, "odd", null], "evidence": ["odd"]', "", "unknown"),
        (
            ', "extension": [{"url": "http://example.org/other", "valueReference": {"reference": "Condition/f1"}}]',
            "",
            "unknown",
        ),
    ],
)
def test_def_07_a_fall_as_the_recorded_cause_makes_it_low_trauma(more: str, fall: str, low_trauma: str) -> None:
    assert [cause for _, cause, _ in told(condition((CM, "S52.501A"), more=more), FALL % fall)] == [low_trauma]


@pytest.mark.parametrize("seventh", ["D", "G", "K", "P", "S"])
def test_6_2_follow_up_codes_prove_a_fracture_but_not_its_date(seventh: str) -> None:
    (fracture,) = found(condition((CM, f"M80.08X{seventh}")))
    assert fracture.on
    assert (str(fracture.on), fracture.on.earliest.isoformat()) == ("by 2024-05-17", "1970-01-01")


def test_6_2_follow_up_visits_belong_to_the_fracture_they_follow() -> None:
    visits = [
        condition((CM, "S72.001D"), on="", more=f', "recordedDate": "2024-{month}-01"', ident=f"d{month}")
        for month in ("06", "08", "11")
    ]
    assert told(condition((CM, "S72.001A")), *visits) == [("hip", "unknown", "2024-05-17")]
    assert told(*visits) == [("hip", "unknown", "by 2024-06-01")]


def test_6_2_a_follow_up_visit_before_the_fracture_proves_an_earlier_one() -> None:
    visit = condition((CM, "S72.001D"), on="", more=', "recordedDate": "2020-01-01"', ident="d1")
    assert told(condition((CM, "S72.001A")), visit) == [
        ("hip", "unknown", "2024-05-17"),
        ("hip", "unknown", "by 2020-01-01"),
    ]


def test_6_2_a_snomed_coding_beside_an_initial_encounter_is_one_dated_event() -> None:
    assert told(condition((CM, "M80.08XA"), (CM, "S22.000D"), (SCT, "240198002"))) == [
        ("vertebra", "yes", "2024-05-17")
    ]


@pytest.mark.parametrize(("code", "low_trauma"), [("Z87.310", "yes"), ("Z87.311", "unknown"), ("Z87.81", "unknown")])
def test_a_history_code_proves_a_fracture_of_unknown_site_and_date(code: str, low_trauma: str) -> None:
    assert told(condition((CM, code))) == [("other", low_trauma, "by 2024-05-17")]
    assert told(condition((CM, code), on="")) == [("other", low_trauma, "None")]


def test_a_history_code_adds_nothing_to_a_known_earlier_fracture_of_its_kind() -> None:
    history = condition((CM, "Z87.310"), on="2025-01-01", ident="z1")
    assert told(condition((CM, "M80.08XA")), history) == [("vertebra", "yes", "2024-05-17")]
    # of a fracture whose cause nobody recorded it may be another one
    assert len(found(condition((CM, "S72.001A")), history)) == 2


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        ("2024-05-17", "2024-05-17", 1),
        ("2024-05-17", "2024-05", 1),
        ("2024", "2024-05-17", 1),
        ("2024-05-17", "2024-05-18", 2),
        ("", "", 1),
        ("", "2024-05-17", 2),
    ],
)
def test_d11_the_same_site_and_day_counts_once(first: str, second: str, count: int) -> None:
    hip, twin = condition((CM, "S72.001A"), on=first), condition((SCT, "5913000"), on=second, ident="c2")
    assert len(found(hip, twin)) == count
    assert len(found(twin, hip)) == count


def test_d11_a_recorded_date_alone_joins_the_event_of_that_day_only() -> None:
    recorded = condition((SCT, "5913000"), on="", more=', "recordedDate": "2024-05-17"', ident="c2")
    assert len(found(condition((CM, "S72.001A")), recorded)) == 1
    assert len(found(condition((CM, "S72.001A"), on="2024-05-16"), recorded)) == 2


def test_d11_synthea_writes_a_fragility_fracture_beside_the_forearm_fracture_of_the_same_day() -> None:
    forearm = condition((SCT, "65966004"))
    fragility = condition((SCT, "443165006"), ident="c2")
    assert told(fragility, forearm) == [("wrist", "yes", "2024-05-17")]


def test_d11_one_certain_cause_among_duplicates_is_enough() -> None:
    crash = condition(
        (CM, "S72.001A"),
        more=f', "extension": [{{"url": "{DUE_TO}", "valueCodeableConcept": {{"coding": [{{"system": "{CM}", "code": "V43"}}]}}}}]',
    )
    assert [f.low_trauma for f in found(crash)] == [Truth.NO]
    assert [f.low_trauma for f in found(crash, condition((SCT, "704334005"), ident="c2"))] == [Truth.YES]


@pytest.mark.parametrize(("on", "count"), [("1987-12-31", 0), ("1988-01-01", 1), ("1988", 1), ("1987", 0), ("", 1)])
def test_def_07_fractures_before_the_18th_birthday_do_not_count(on: str, count: int) -> None:
    assert len(found(condition((CM, "M80.08XA"), on=on))) == count


def test_resolved_fractures_stay_history_and_newest_comes_first() -> None:
    resolved = ', "clinicalStatus": {"coding": [{"code": "resolved"}]}'
    hip = condition((CM, "M80.051A"), on="2019-01-01", more=resolved)
    wrist = condition((SCT, "123971006"), on="2023-01-01", ident="c2")
    undated = condition((SCT, "240198002"), on="", ident="c3")
    assert [f.site for f in found(hip, undated, wrist)] == [FractureSite.WRIST, FractureSite.HIP, FractureSite.VERTEBRA]


@pytest.mark.parametrize("verification", ["entered-in-error", "refuted", "provisional"])
def test_d8_unconfirmed_fractures_do_not_count(verification: str) -> None:
    assert found(condition((CM, "M80.051A"), more=f', "verificationStatus": "{verification}"')) == ()


def test_d15_a_fracture_of_the_future_is_not_used_and_reported() -> None:
    chart = chart_of(PATIENT, condition((CM, "M80.051A"), on="2026-06-16"))
    assert fractures(chart).items == ()
    assert [each.reason for each in chart.unread] == ["future-date"]


def test_trap_17_the_same_code_in_another_system_is_another_thing() -> None:
    assert found(condition(("http://hl7.org/fhir/sid/icd-9-cm", "M80.051A"))) == ()


def test_s2_without_the_condition_list_none_is_not_none() -> None:
    assert fractures(chart_of(incomplete=[needs.CONDITIONS])) == Series((), (Gap(GapKind.FAILED, "conditions"),))
