"""The database and the key of the record of calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.doctor.finding import ADMIN_KEY, AUDIT_KEY, DATABASE, Check, Finding
from cds_service.store.condition import Condition

_OTHERS = 0o077
# PRAGMA synchronous: 2 is FULL, 3 EXTRA
_SAFE = {
    "journal_mode": ({"wal"}, "Put the file on a local disk: a network share cannot keep a write-ahead log."),
    "synchronous": ({"2", "3"}, "Tell the maintainers: the service asks for FULL."),
    "fsync": ({"on"}, "Set fsync = on: without it a power cut may damage the whole database."),
    "full_page_writes": ({"on"}, "Set full_page_writes = on, unless the file system writes pages whole (ZFS)."),
    "synchronous_commit": (
        {"on", "remote_apply", "remote_write", "local"},
        "Nothing for this service, whose sessions switch it on; other programs on this server lose their last commits.",
    ),
}
_LOSES_ALL = ("fsync",)


def no_database(registered: int) -> Finding:
    """There is none."""
    if registered:
        return DATABASE.failed("there is none", "Set database_url: clients need one.")
    return DATABASE.skipped("there is none: nothing is kept, and no tokens are asked for")


def database(seen: Condition) -> Iterator[Finding]:
    """Whether what is written stays written."""
    if seen.kind == "memory":
        yield DATABASE.failed(
            "it is in memory: used tokens can be used again after a restart, and no call is recorded",
            "Name a file: sqlite:////var/lib/bonecds/bonecds.sqlite3",
        )
    elif not seen.made:
        yield _not_made(seen)
    elif seen.problem:
        yield DATABASE.failed(
            f"it cannot be used: {seen.problem}", "docs/store.md says what the code means.", seen.kind
        )
    elif not seen.writable:
        yield DATABASE.failed("it is read-only", "Name the primary: ?target_session_attrs=read-write", seen.kind)
    else:
        yield from _in_use(seen)


def _not_made(seen: Condition) -> Finding:
    if seen.writable:
        return DATABASE.warned("the file is not there yet", "Nothing to do: the first start makes it.", seen.kind)
    return DATABASE.failed(
        "the file is not there, and its folder cannot be written by this user",
        "Make the folder, and let the user the service runs as write there. Run this as that user.",
        seen.kind,
    )


def _in_use(seen: Condition) -> Iterator[Finding]:
    bad = [(name, value) for name, value in seen.guards if value.lower() not in _SAFE[name][0]]
    for name, value in bad:
        make = DATABASE.failed if name in _LOSES_ALL or seen.kind == "sqlite" else DATABASE.warned
        yield make(f"{name} is {value}", _SAFE[name][1], seen.kind)
    if seen.kind == "sqlite" and seen.mode & _OTHERS:
        yield DATABASE.warned(f"others may open the file (mode {seen.mode:03o})", "chmod 600 it.", seen.kind)
    if seen.schema == "unknown":
        yield DATABASE.failed(
            "a newer version made its tables, or another program",
            "Run that version, restore the backup taken before the update, or name another database.",
            seen.kind,
        )
    elif seen.schema != "current":
        yield DATABASE.warned(
            "its tables are of an older version" if seen.schema == "older" else "it has no tables yet",
            "Nothing to do: the next start brings them up to date. Take a backup before.",
            seen.kind,
        )
    elif not bad:
        guards = ", ".join(f"{name} {value}" for name, value in seen.guards)
        yield DATABASE.passed(f"writable, tables current, {guards}", seen.kind)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file with a key.

    Attributes:
        problem: why it cannot be used, or "" .
        made: whether it is there.
        mode: its permissions.
    """

    problem: str = ""
    made: bool = True
    mode: int = 0o600


def audit_key(seen: KeyFile) -> Finding:
    """It is there, and nobody else can read it."""
    if seen.problem:
        return AUDIT_KEY.failed(
            seen.problem, "Make one with: openssl rand -hex 32. docs/store.md says where it belongs."
        )
    if not seen.made:
        return AUDIT_KEY.warned(
            "the key is not there yet",
            "Nothing to do on one server: the first start makes it. With several, give each the same file.",
        )
    if seen.mode & _OTHERS:
        return AUDIT_KEY.failed(
            f"others may read the key (mode {seen.mode:03o})", "chmod 600 it, and think of a new one."
        )
    return AUDIT_KEY.passed(f"there, for its owner alone (mode {seen.mode:03o})")


def former_key(seen: KeyFile, about: str) -> Finding:
    """A key that was in use before: what it made can still be tied to patients."""
    return _secret(AUDIT_KEY, seen, about, "Give the file as it was, or take it out of former_key_files.")


def admin_key(seen: KeyFile | None) -> Finding:
    """The password of the page of reports; `None` where there is no such page."""
    if seen is None:
        return ADMIN_KEY.passed("there is no page of reports (admin_key_file)")
    return _secret(ADMIN_KEY, seen, "", "Make one with: openssl rand -hex 32, or take admin_key_file out.")


def _secret(check: Check, seen: KeyFile, about: str, otherwise: str) -> Finding:
    """Of a file that has to be there: the service does not make it."""
    if seen.problem or not seen.made:
        return check.failed(seen.problem or "the file is not there", otherwise, about)
    if seen.mode & _OTHERS:
        return check.warned(
            f"others may read it (mode {seen.mode:03o})", "chmod 600 it, and think of a new one.", about
        )
    return check.passed(f"there, for its owner alone (mode {seen.mode:03o})", about)
