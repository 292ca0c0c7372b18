"""The password of the PostgreSQL that docker-compose.yml starts: made once, kept in a volume, written nowhere else.

Two files, since their readers want two forms: `password` for the server (POSTGRES_PASSWORD_FILE), which runs as another user,
and `pgpass` for the service (libpq's passfile, which libpq ignores unless its owner alone may read it).
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

# host:port:database:user, as docker-compose.yml names them
WHERE = "postgres:5432:bonecds:bonecds"


def make(folder: Path) -> None:
    """Write what is missing. A password that is there stays: the database was set up with it.

    Args:
        folder: of a volume that the server and the service mount, and nobody else.
    """
    password = folder / "password"
    if not password.exists():
        # url-safe: neither a colon nor a backslash, which mean something in a passfile
        _write(password, secrets.token_urlsafe(32), 0o444)
    _write(folder / "pgpass", f"{WHERE}:{password.read_text('ascii').strip()}\n", 0o600)


def _write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all, and never readable by more than `mode` says."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
