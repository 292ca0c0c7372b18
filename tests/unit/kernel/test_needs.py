"""Look-ups and the records they bring: only a completed one proves absence (S2)."""

from __future__ import annotations

import pytest

from cds_service.kernel.facts import COULD_NOT_LOOK, Gap, GapKind, Series
from cds_service.kernel.needs import Lookup, LookupState, Records


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (LookupState.PARTIAL, GapKind.PARTIAL),
        (LookupState.FAILED, GapKind.FAILED),
        (LookupState.NOT_PERMITTED, GapKind.NOT_PERMITTED),
        (LookupState.NOT_SUPPLIED, GapKind.NOT_SUPPLIED),
    ],
)
def test_s2_every_look_up_that_did_not_complete_leaves_a_gap(state: LookupState, kind: GapKind) -> None:
    assert Lookup(state, detail="timeout").gap("vitaminD") == Gap(kind, "vitaminD", "timeout")
    assert kind in COULD_NOT_LOOK


def test_s2_a_completed_look_up_leaves_none() -> None:
    assert Lookup(LookupState.COMPLETE).gap("vitaminD") is None


def test_what_was_never_asked_for_counts_as_not_supplied() -> None:
    assert Records("p1", {}).lookup("vitaminD") == Lookup(LookupState.NOT_SUPPLIED)


def test_a_look_up_is_found_under_its_key() -> None:
    done = Lookup(LookupState.COMPLETE)
    assert Records("p1", {"vitaminD": done}).lookup("vitaminD") is done


def test_d11_a_resource_under_two_keys_is_one_resource() -> None:
    """One object that two searches found; two that merely look alike stay two here and are told apart by id later."""
    one, twin, other = {"id": "1"}, {"id": "1"}, {"id": "2"}
    lookups = {
        "boneDensity": Lookup(LookupState.COMPLETE, (one, twin)),
        "vitaminD": Lookup(LookupState.PARTIAL, (one, other)),
    }
    assert Records("p1", lookups, extra=(other, one)).resources() == (one, twin, other)


def test_s2_a_series_is_complete_exactly_when_it_has_no_gaps() -> None:
    assert Series().complete is True
    assert Series((1, 2)).complete is True
    assert Series((1, 2), (Gap(GapKind.FAILED, "fractures"),)).complete is False
