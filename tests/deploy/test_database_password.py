"""The password of the compose file's PostgreSQL."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from deploy import database_password
from tests.packaging.container import compose


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_both_files_hold_the_same_password_for_their_reader(tmp_path: Path) -> None:
    database_password.make(tmp_path)
    password = (tmp_path / "password").read_text("ascii")

    assert len(password) >= 43
    assert (tmp_path / "pgpass").read_text("ascii") == f"postgres:5432:bonecds:bonecds:{password}\n"


def test_libpq_would_ignore_a_passfile_that_others_may_read(tmp_path: Path) -> None:
    database_password.make(tmp_path)

    assert mode(tmp_path / "pgpass") == 0o600
    # another user, the server's, has to read this one
    assert mode(tmp_path / "password") == 0o444


def test_a_password_that_is_there_stays_and_a_lost_passfile_comes_back(tmp_path: Path) -> None:
    database_password.make(tmp_path)
    before = (tmp_path / "pgpass").read_text("ascii")
    (tmp_path / "pgpass").unlink()

    database_password.make(tmp_path)

    assert (tmp_path / "pgpass").read_text("ascii") == before


def test_two_sites_have_two_passwords(tmp_path: Path) -> None:
    sites = [tmp_path / "one", tmp_path / "two"]
    for site in sites:
        site.mkdir()
        database_password.make(site)

    assert len({(site / "password").read_text("ascii") for site in sites}) == 2


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    database_password.make(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["password", "pgpass"]


def test_the_passfile_is_for_the_database_that_the_compose_file_names() -> None:
    services: dict[str, Any] = compose()["services"]
    url = make_url(services["bonecds"]["environment"]["BONECDS_DATABASE_URL"])
    server = services["postgres"]["environment"]

    assert f"{url.host}:{url.port or 5432}:{url.database}:{url.username}" == database_password.WHERE
    assert url.password is None
    assert (server["POSTGRES_DB"], server["POSTGRES_USER"]) == (url.database, url.username)
