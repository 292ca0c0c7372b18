"""Services are found by entry point; what is wrong with a declaration is said at the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from cds_service.engine import services
from cds_service.kernel.errors import ContentError
from hooks.patient_view import SERVICE
from tests.unit.engine.made_up import Clinic, service

HOUSE = service(Clinic({}))


@dataclass(frozen=True)
class Point:
    """An entry point of an installed distribution."""

    name: str
    declared: object

    def load(self) -> object:
        return self.declared


def install(monkeypatch: pytest.MonkeyPatch, *points: Point) -> None:
    def entry_points(*, group: str) -> Sequence[Point]:
        assert group == "cds_service.services"
        return points

    monkeypatch.setattr(services, "entry_points", entry_points)


def test_this_distribution_declares_the_patient_view_service() -> None:
    assert SERVICE in services.installed()


def test_services_come_in_the_order_of_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    garden = replace(HOUSE, id="garden")
    install(monkeypatch, Point("b", HOUSE), Point("a", garden))
    assert services.installed() == (garden, HOUSE)


def test_nothing_installed_is_no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    assert services.installed() == ()


@pytest.mark.parametrize("declared", [None, "hooks.patient_view", Clinic({}), services.Service], ids=repr)
def test_a_declaration_that_is_no_service_is_refused(monkeypatch: pytest.MonkeyPatch, declared: object) -> None:
    install(monkeypatch, Point("mine", declared))
    with pytest.raises(ContentError) as problem:
        services.installed()
    assert str(problem.value) == "entry points: mine: is not a Service. See hooks/patient_view.py."


def test_two_services_of_one_id_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Point("first", HOUSE), Point("second", replace(HOUSE, title="Another house")))
    with pytest.raises(ContentError) as problem:
        services.installed()
    assert str(problem.value) == "entry points: second: id 'house' is declared twice"
