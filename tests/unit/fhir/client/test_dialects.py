"""Vendors' dialects: data with the place where each quirk was seen; a name that is none stops the start."""

from __future__ import annotations

import pytest

from cds_service.fhir.client.dialects import _read, dialect, dialects
from cds_service.kernel.errors import ContentError


def test_every_vendor_that_was_seen_has_one() -> None:
    names = ["generic", "epic", "athenahealth", "nextgen", "eclinicalworks", "drchrono", "cerner"]
    assert list(dialects()) == names


def test_a_dialect_says_only_what_differs_and_the_rest_is_generic() -> None:
    generic, epic, ecw = dialect("generic"), dialect("epic"), dialect("eclinicalworks")
    assert (generic.count, ecw.count, epic.count) == (500, 0, 500)
    assert set(generic.categories) - set(epic.categories) == {"exam", "procedure", "survey"}
    assert not dialect("nextgen").same_path_case


def test_every_difference_rests_on_something_that_was_seen() -> None:
    for name, each in dialects().items():
        if name != "generic" and each != dialect("generic"):
            differs = (each.count, each.categories, each.same_path_case) != (
                dialect("generic").count,
                dialect("generic").categories,
                dialect("generic").same_path_case,
            )
            assert not differs or each.quirks


def test_a_name_that_is_no_dialect_is_refused_and_all_are_listed() -> None:
    with pytest.raises(ContentError, match=r"dialects\.toml: meditech: is no dialect\. Use one of: generic, epic, "):
        dialect("meditech")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[epic]\ntitle = "Epic"\nquirks = []', "generic"),
        ('[generic]\ntitle = "x"\nquirks = []\nprefer = false', "prefer"),
        ('[generic]\ntitle = "x"\nquirks = [{ seen = "x" }]', "so"),
        ('[generic]\ntitle = "x"\nquirks = []\ncount = -1', "count"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(text: str, key: str) -> None:
    with pytest.raises(ContentError, match=key):
        _read(text)
