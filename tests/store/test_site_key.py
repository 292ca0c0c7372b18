"""The key of the hashes: made once, kept to its owner, never shown."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cds_service.kernel.errors import ContentError
from cds_service.store.site_key import SiteKey, beside, read_or_make

KEY = SiteKey(bytes(range(32)))


def test_a_key_is_made_at_the_first_start_and_read_at_the_second(tmp_path: Path) -> None:
    made = read_or_make(tmp_path / "key")

    assert read_or_make(tmp_path / "key") == made
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_two_sites_have_two_keys(tmp_path: Path) -> None:
    assert read_or_make(tmp_path / "one").id != read_or_make(tmp_path / "other").id


def test_of_workers_that_start_at_once_one_makes_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: read_or_make(tmp_path / "key").id, range(64)))

    assert len(found) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("content", ["", "short", "ab" * 31, "g" * 64, "ab" * 33, "ключ"])
def test_something_else_is_refused_and_not_shown(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)

    with pytest.raises(ContentError) as caught:
        read_or_make(tmp_path / "key")
    assert "key" in str(caught.value)
    assert not content or content not in str(caught.value)


def test_the_way_the_documentation_makes_a_key_works(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0F" * 32 + "\n")

    assert read_or_make(tmp_path / "key") == SiteKey(b"\x0f" * 32)


def test_a_folder_nobody_can_write_to_is_said(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="the key cannot be made: FileNotFoundError"):
        read_or_make(tmp_path / "nowhere" / "key")


def test_the_key_stands_beside_a_sqlite_file() -> None:
    assert beside("/var/lib/bonecds/calls.db") == Path("/var/lib/bonecds/calls.db.key")


def test_other_databases_need_a_named_file() -> None:
    """Two servers that made a key each would have two names for one patient."""
    with pytest.raises(ContentError, match="openssl rand -hex 32"):
        beside("")


def test_the_key_is_not_in_its_repr_nor_its_id() -> None:
    secret = bytes(range(32))
    assert repr(KEY) == f"SiteKey(id='{KEY.id}')"
    assert KEY.id not in secret.hex()


@pytest.mark.parametrize(
    "other",
    [
        ("user", "https://a.example.org", "1"),
        ("patient", "https://b.example.org", "1"),
        ("patient", "https://a.example.org", "2"),
        ("patient", "https://a.example.org1", ""),
    ],
)
def test_a_hash_depends_on_kind_issuer_and_id(other: tuple[str, str, str]) -> None:
    assert KEY.pseudonym("patient", "https://a.example.org", "1") != KEY.pseudonym(*other)


def test_the_same_person_has_the_same_hash_for_ever() -> None:
    """Old records are found by it: a change here is a change of every site's data."""
    assert KEY.pseudonym("patient", "https://a.example.org", "1") == (
        "21125d11b94eea67f31641366307da2a07e29bb37413785e2198afbff01f3cc3"
    )


def test_nobody_has_no_hash() -> None:
    assert KEY.pseudonym("patient", "https://a.example.org", "") == ""
