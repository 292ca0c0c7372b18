"""The version that was started last is in force, for every process of every server (D23)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from cds_service.store.deployments import Deployments
from tests.store.conftest import Place
from tests.store.parts import NOON, Store

LATER = NOON + dt.timedelta(hours=1)


def test_d23_nothing_is_in_force_before_the_first_start(store: Store) -> None:
    assert Deployments(store.database).in_force() == ""


def test_d23_the_version_that_was_started_last_is_in_force_also_after_a_step_back(
    store: Store, another_store: Callable[[], Store]
) -> None:
    here, elsewhere = Deployments(store.database), Deployments(another_store().database)
    for version in ("0.1.0+aaa", "0.1.0+bbb", "0.1.0+aaa"):
        here.start(version, NOON)
        assert elsewhere.in_force() == version


def test_d23_a_restart_of_the_version_in_force_leaves_no_row(store: Store, place: Place) -> None:
    for _ in range(3):
        Deployments(store.database).start("0.1.0+aaa", NOON)
    assert place.run("SELECT count(*) FROM deployments") == [(1,)]


def test_d23_a_start_that_could_not_be_noted_is_noted_later(store: Store) -> None:
    Deployments(store.database).start("0.1.0+aaa", NOON)
    Deployments(store.database).start_late("0.1.0+bbb", started=LATER, now=LATER)
    assert Deployments(store.database).in_force() == "0.1.0+bbb"


def test_d23_a_start_that_is_noted_late_does_not_outdo_one_that_came_after_it(store: Store) -> None:
    Deployments(store.database).start("0.1.0+bbb", LATER)
    Deployments(store.database).start_late("0.1.0+aaa", started=NOON, now=LATER)
    assert Deployments(store.database).in_force() == "0.1.0+bbb"
