"""T-scores, Z-scores, densities and DXA examinations on record."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.bone_density import Measure, Site, lowest, scans, scores
from cds_service.fhir.chart import Unread
from cds_service.kernel.facts import Gap, GapKind, Known, Unknown
from cds_service.kernel.needs import Need
from tests.support.charts import chart_of
from tests.support.dxa import (
    FEMUR,
    FOREARM,
    HEEL,
    HIP,
    HIP_BMD,
    HIP_Z,
    NO_SITE,
    SPINE,
    body_site,
    codeable,
    lowest_t,
    report,
    score,
    sites,
)


# --- values and sites ------------------------------------------------------------------------------------------------
def test_a_score_has_measure_site_value_date_and_evidence() -> None:
    (only,) = scores(chart_of(score("-2.5", SPINE))).items
    assert (only.measure, only.site, str(only.value), str(only.on)) == (
        Measure.T,
        Site.LUMBAR_SPINE,
        "-2.5",
        "2026-05-01",
    )
    shown = only.evidence
    assert (shown.kind, shown.value, shown.resource, shown.note) == (
        "t-score",
        "-2.5",
        "Observation/s1",
        "lumbar spine",
    )


@pytest.mark.parametrize(
    ("code", "where", "text", "expected"),
    [
        (SPINE, "", "", "lumbar spine"),
        (HIP, "Total hip", "", "total hip"),
        (FEMUR, "", "", "proximal femur"),
        (FEMUR, "Femoral neck", "", "femoral neck"),
        (HIP, "", "DXA left femoral neck T-score", "femoral neck"),
        (HIP, "Left hip", "Femoral neck", "femoral neck"),
        (FEMUR, "Ward's triangle", "", "Ward's area"),
        (FEMUR, "Trochanter", "", "another region"),
        (FEMUR, "Total hip", "", "total hip"),
        (NO_SITE, "Lumbar spine L1-L4", "", "lumbar spine"),
        (NO_SITE, "", "", "site not stated"),
        (SPINE, "Total hip", "", "site not stated"),  # D22: the words say other than the code
        (HEEL, "", "", "heel"),
        (FOREARM, "", "DXA Radius and Ulna [T-score]", "forearm"),
        (FOREARM, "Left forearm", "", "forearm"),
    ],
)
def test_site_from_code_then_body_site_then_text(code: str, where: str, text: str, expected: str) -> None:
    assert sites(chart_of(score("-2.5", code, text=text, more=body_site(where) if where else ""))) == [expected]


def test_trap_1_synthea_forearm_code_for_a_score_without_site() -> None:
    chart = chart_of(score("-2.7", FOREARM, on="2019-03-01", text="DXA [T-score] Bone density"))
    assert sites(chart) == ["site not stated"]
    detail = "T-score -2.7 of 2019-03-01 has no site"
    assert lowest(scores(chart), Measure.T) == Unknown(
        (Gap(GapKind.NOT_RECORDED, "bone-density", detail, "Observation/s1"),)
    )


def test_components_take_site_and_date_from_the_observation_around_them() -> None:
    parts = f'{{"code": {codeable(NO_SITE)}, "valueQuantity": {{"value": -2.1}}}}'
    chart = chart_of(
        '{"resourceType": "Observation", "id": "panel", "status": "final", "effectiveDateTime": "2026-05-01",'
        f' "code": {{"text": "DXA femoral neck"}}, "component": [{parts}]}}'
    )
    assert [(str(each.value), each.site.value, str(each.on)) for each in scores(chart).items] == [
        ("-2.1", "femoral neck", "2026-05-01")
    ]


def test_contained_results_of_a_report_are_read() -> None:
    contained = (
        f'{{"resourceType": "Observation", "id": "o", "code": {codeable(HIP)}, "valueQuantity": {{"value": -1.2}}}}'
    )
    assert sites(chart_of(report(more=f', "contained": [{contained}]'))) == ["total hip"]


@pytest.mark.parametrize("unit", ["g/cm2", "g/cm²", "%", "{Z-score}"])
def test_taiwan_trap_a_density_under_a_t_score_code_is_no_score(unit: str) -> None:
    chart = chart_of(score("0.887", SPINE, unit=f', "unit": "{unit}"'))
    found = scores(chart)
    assert found.items == ()
    assert [gap.kind for gap in found.gaps] == [GapKind.UNIT_UNKNOWN]
    assert chart.unread == [Unread("Observation/s1", "unit-unknown")]


@pytest.mark.parametrize("code", ["71969-0", "71971-6", "72025-0", "72026-8"])
def test_promis_and_vr_12_t_scores_are_not_bone_density(code: str) -> None:
    chart = chart_of(
        '{"resourceType": "Observation", "id": "q", "status": "final", "effectiveDateTime": "2026-05-01", "code":'
        f' {codeable(code, "PROMIS-10 Global Mental Health (GMH) score T-score")}, "valueInteger": 60}}'
    )
    found = scores(chart)
    assert (found.items, found.gaps) == ((), ())
    assert scans(chart).items == ()


def test_d18_a_score_out_of_range_is_shown_as_a_gap() -> None:
    found = scores(chart_of(score("-25", SPINE)))
    assert found.gaps == (Gap(GapKind.UNREADABLE, "bone-density", "-25 is not possible", "Observation/s1"),)


# --- lost signs (D18) ------------------------------------------------------------------------------------------------
def interpreted(content: str) -> str:
    return f', "interpretation": [{content}]'


@pytest.mark.parametrize(
    "more",
    [
        interpreted('{"coding": [{"code": "L"}]}'),
        interpreted('{"coding": [{"code": "LL"}]}'),
        interpreted('{"text": "Osteoporosis"}'),
        ', "note": [{"text": "Consistent with osteopenia."}]',
    ],
)
def test_d18_a_positive_score_that_is_called_low_has_lost_its_sign(more: str) -> None:
    chart = chart_of(score("2.5", HIP, more=more))
    found = scores(chart)
    assert found.items == ()
    detail = "T-score 2.5 recorded, but called low: sign not clear"
    assert found.gaps == (Gap(GapKind.CONFLICTING, "bone-density", detail, "Observation/s1"),)
    assert chart.unread == [Unread("Observation/s1", "conflicting")]


@pytest.mark.parametrize(
    ("number", "more"),
    [
        ("2.5", ""),
        ("2.5", interpreted('{"coding": [{"code": "N"}]}')),
        ("2.5", ', "note": [{"text": "No evidence of osteoporosis."}]'),
        ("-2.5", interpreted('{"coding": [{"code": "L"}]}')),
    ],
)
def test_d18_positive_scores_are_legal(number: str, more: str) -> None:
    assert [str(each.value) for each in scores(chart_of(score(number, HIP, more=more))).items] == [number]


# --- the lowest (DEF-08) ---------------------------------------------------------------------------------------------
def test_def_08_the_lowest_of_spine_hip_and_neck() -> None:
    chart = chart_of(
        score("-1.9", SPINE, ident="a"),
        score("-2.6", FEMUR, ident="b", more=body_site("Femoral neck")),
        score("-2.1", HIP, ident="c"),
    )
    assert lowest_t(chart) == ("-2.6", "femoral neck", "2026-05-01")


@pytest.mark.parametrize("where", ["Ward's triangle", "Trochanter"])
def test_def_08_never_ward_never_a_part_of_the_hip(where: str) -> None:
    chart = chart_of(score("-3.9", FEMUR, ident="a", more=body_site(where)), score("-1.2", HIP, ident="b"))
    assert lowest_t(chart) == ("-1.2", "total hip", "2026-05-01")


@pytest.mark.parametrize(("code", "text"), [(FOREARM, "forearm"), (HEEL, "heel")])
def test_def_08_peripheral_scores_alone_give_no_lowest(code: str, text: str) -> None:
    found = lowest(scores(chart_of(score("-3.9", code, text=text))), Measure.T)
    detail = f"T-score -3.9 of 2026-05-01 is of {text}"
    assert found == Unknown((Gap(GapKind.NOT_RECORDED, "bone-density", detail, "Observation/s1"),))


def test_def_08_the_newest_value_of_a_site_counts_not_the_lowest_ever() -> None:
    chart = chart_of(score("-2.9", HIP, on="2015-01-01", ident="a"), score("-1.8", HIP, on="2026-05-01", ident="b"))
    assert lowest_t(chart) == ("-1.8", "total hip", "2026-05-01")


def test_def_08_an_older_value_of_another_site_still_counts() -> None:
    chart = chart_of(score("-2.9", SPINE, on="2015-01-01", ident="a"), score("-1.8", HIP, on="2026-05-01", ident="b"))
    assert lowest_t(chart) == ("-2.9", "lumbar spine", "2015-01-01")


def test_def_08_an_unnamed_part_of_the_femur_gives_way_to_newer_values_of_both_parts() -> None:
    newer_parts = (score("-1.1", HIP, ident="b"), score("-1.4", FEMUR, ident="c", more=body_site("Femoral neck")))
    chart = chart_of(score("-2.9", FEMUR, on="2015-01-01", ident="a"), *newer_parts)
    assert lowest_t(chart) == ("-1.4", "femoral neck", "2026-05-01")


def test_d10_two_values_of_one_day_and_site_are_both_kept_and_the_lower_is_used() -> None:
    chart = chart_of(score("-1.8", HIP, ident="a"), score("-2.6", HIP, ident="b"))
    assert len(scores(chart).items) == 2
    assert lowest_t(chart) == ("-2.6", "total hip", "2026-05-01")


def test_dx_03_z_scores_have_a_lowest_of_their_own() -> None:
    z = score("-2.1", HIP_Z, unit=', "unit": "{Z-score}"')
    found = lowest(scores(chart_of(z)), Measure.Z)
    assert isinstance(found, Known)
    assert str(found.value.value) == "-2.1"
    assert lowest(scores(chart_of(z)), Measure.T) == Unknown((Gap(GapKind.NOT_RECORDED, "bone-density"),))


def test_bone_mineral_density_is_kept_apart() -> None:
    (only,) = scores(chart_of(score("0.812", HIP_BMD, unit=', "unit": "g/cm2"'))).items
    assert (only.measure, only.evidence.kind, only.evidence.value) == (Measure.BMD, "bone-density", "0.812 g/cm2")


# --- dates and look-ups ----------------------------------------------------------------------------------------------
def test_d15_a_score_of_the_future_is_not_used() -> None:
    chart = chart_of(score("-2.5", HIP, on="2027-01-01"))
    gap = Gap(GapKind.UNREADABLE, "bone-density", "dated in the future", "Observation/s1")
    assert scores(chart).items == ()
    assert lowest(scores(chart), Measure.T) == Unknown((gap,))
    assert scans(chart).items == ()
    assert chart.unread == [Unread("Observation/s1", "future-date")]


def test_d14_a_score_without_a_date_counts_and_is_a_doubt() -> None:
    chart = chart_of(score("-2.5", HIP, on=""))
    found = lowest(scores(chart), Measure.T)
    assert isinstance(found, Known)
    assert found.doubts == (Gap(GapKind.NOT_RECORDED, "bone-density", "T-score -2.5 has no date", "Observation/s1"),)
    assert chart.unread == [Unread("Observation/s1", "no-date")]


def test_d14_a_dated_score_comes_before_one_without_a_date() -> None:
    assert lowest_t(chart_of(score("-2.5", HIP, on="", ident="a"), score("-1.1", HIP, on="2020", ident="b"))) == (
        "-1.1",
        "total hip",
        "2020",
    )


def test_d8_entered_in_error_twin_changes_nothing() -> None:
    twin = score("-4.6", HIP, ident="x").replace('"final"', '"entered-in-error"')
    assert lowest_t(chart_of(score("-1.1", HIP), twin)) == ("-1.1", "total hip", "2026-05-01")


@pytest.mark.parametrize("need", [needs.BONE_DENSITY, needs.BONE_REPORTS])
def test_s2_nothing_found_is_nothing_on_record_only_after_complete_look_ups(need: Need) -> None:
    assert lowest(scores(chart_of()), Measure.T) == Unknown((Gap(GapKind.NOT_RECORDED, "bone-density"),))
    gap = Gap(GapKind.FAILED, need.key)
    assert lowest(scores(chart_of(incomplete=[need])), Measure.T) == Unknown((gap,))
    found = lowest(scores(chart_of(score("-2.5"), incomplete=[need])), Measure.T)
    assert isinstance(found, Known)
    assert found.doubts == (gap,)


# --- scores in words -------------------------------------------------------------------------------------------------
def test_d10_a_score_in_the_words_of_a_report_is_read() -> None:
    (only,) = scores(chart_of(report(conclusion="Lumbar spine L1-L4 T-score -2.6."))).items
    assert (str(only.value), only.site, str(only.on), only.entered) == (
        "-2.6",
        Site.LUMBAR_SPINE,
        "2026-05-01",
        "DiagnosticReport/r1",
    )
    assert only.evidence.note == "lumbar spine, from the words of the report"


def test_d11_words_that_repeat_an_observation_add_nothing() -> None:
    told = report(conclusion="Total hip T-score -1.8, lumbar spine T-score -2.6.")
    chart = chart_of(score("-1.8", HIP), told)
    assert [(str(each.value), each.site.value) for each in scores(chart).items] == [
        ("-2.6", "lumbar spine"),
        ("-1.8", "total hip"),
    ]


def test_d10_observations_win_over_words_that_differ() -> None:
    chart = chart_of(score("-1.8", HIP), report(conclusion="Total hip T-score -2.8."))
    assert [str(each.value) for each in scores(chart).items] == ["-1.8"]


def test_d18_words_that_are_not_clear_are_reported_and_leave_a_gap() -> None:
    chart = chart_of(report(conclusion="Total hip T-score 1.8."))
    found = scores(chart)
    assert found.items == ()
    assert found.gaps == (Gap(GapKind.UNREADABLE, "bone-density", "words of a report", "DiagnosticReport/r1"),)
    assert chart.unread == [Unread("DiagnosticReport/r1", "report-not-clear")]


def test_d15_words_of_a_report_of_the_future_are_not_used() -> None:
    found = scores(chart_of(report(conclusion="Total hip T-score -1.8.", on="2027-01-01")))
    assert found.items == ()
    assert found.gaps == (Gap(GapKind.UNREADABLE, "bone-density", "dated in the future", "DiagnosticReport/r1"),)


def test_us_core_a_pdf_beside_results_of_the_day_leaves_no_gap() -> None:
    pdf = ', "presentedForm": [{"contentType": "application/pdf", "data": "JVBERi0="}]'
    assert scores(chart_of(score("-1.6", HIP), report(more=pdf))).gaps == ()
