"""DXA examinations: when, central or not, with vertebral fracture assessment or not."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.bone_density import scans
from cds_service.fhir.chart import Chart, Unread
from cds_service.kernel.facts import Gap, GapKind
from tests.support.charts import chart_of
from tests.support.dxa import FOREARM, HEEL, HIP, SPINE, VFA_ONLY, WITH_VFA, procedure, report, score


def seen(chart: Chart) -> list[tuple[str, bool | None, bool]]:
    return [(str(scan.on), scan.central, scan.vfa) for scan in scans(chart).items]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (procedure("312681000"), (None, False)),  # a bone density scan of an unstated site
        (procedure("312681000", more=', "bodySite": [{"text": "Lumbar spine and hip"}]'), (True, False)),
        (procedure("312681000", more=', "bodySite": [{"text": "Heel"}]'), (False, False)),
        (procedure("429529009"), (True, False)),
        (procedure("428569003"), (False, False)),
        (procedure("726548004"), (False, True)),  # lateral spine: fractures, no density
        (report(), (None, False)),
        (report(WITH_VFA), (True, True)),
        (report(VFA_ONLY), (False, True)),
        (score("-1.2", HIP), (True, False)),
        (score("-1.2", HEEL), (False, False)),
        (score("-1.2", FOREARM, text="DXA [T-score] Bone density"), (None, False)),
    ],
)
def test_examinations_and_what_they_cover(resource: str, expected: tuple[bool | None, bool]) -> None:
    assert seen(chart_of(resource)) == [("2026-05-01", *expected)]


def test_d11_all_that_tells_of_one_day_is_one_examination() -> None:
    chart = chart_of(procedure("312681000"), report(), score("-1.2", HIP, ident="a"), score("-1.4", SPINE, ident="b"))
    assert seen(chart) == [("2026-05-01", True, False)]


@pytest.mark.parametrize(
    ("conclusion", "expected"),
    [
        ("Vertebral fracture assessment: No vertebral fracture.", True),
        ("Vertebral fracture assessment: prior fracture of T12.", True),
        ("VFA shows no deformity.", True),
        ("Lateral spine imaging was obtained.", True),
        ("VFA not performed.", False),
        ("VFA: no fracture, repeat in two years.", True),
        ("VFA: recommended.", False),
        ("VFA: declined.", False),
        ("VFA: to be scheduled.", False),
        ("VFA: not done.", False),
        ("Vertebral fracture assessment: not done.", False),
        ("Vertebral fracture assessment is recommended.", False),
        ("Consider VFA.", False),
        ("No VFA.", False),
        ("Compared with prior VFA.", False),
        ("No vertebral fracture known.", False),
    ],
)
def test_vfa_in_the_words_of_a_report(conclusion: str, expected: bool) -> None:
    assert seen(chart_of(report(conclusion=conclusion))) == [("2026-05-01", None, expected)]


def test_examinations_newest_first_and_those_of_the_future_left_out() -> None:
    chart = chart_of(
        procedure("429529009", on="2019-01-01", ident="a"),
        procedure("429529009", on="2027-01-01", ident="b"),
        procedure("429529009", on="2024", ident="c"),
    )
    assert [on for on, _, _ in seen(chart)] == ["2024", "2019-01-01"]
    assert chart.unread == [Unread("Procedure/b", "future-date")]


def test_s2_examinations_need_three_look_ups() -> None:
    assert scans(chart_of()).complete
    for need in (needs.BONE_DENSITY, needs.BONE_REPORTS, needs.PROCEDURES):
        assert scans(chart_of(incomplete=[need])).gaps == (Gap(GapKind.FAILED, need.key),)
