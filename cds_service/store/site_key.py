"""The secret that turns identifiers into hashes nobody else can make, or try out."""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cds_service.kernel.errors import ContentError

_HEX = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SiteKey:
    """A key of 32 bytes.

    Attributes:
        id: names the key without giving it away; stands beside every hash.
    """

    _secret: bytes = field(repr=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self._digest(b"id of this key")[:16])

    def pseudonym(self, kind: str, issuer: str, identifier: str) -> str:
        """The hash under which somebody is kept: HMAC-SHA-256, 64 hex digits; nothing for nobody.

        Args:
            kind: "patient" or "user"; the same id gives another hash for each.
            issuer: whose identifier it is: the `iss` of the EHR, or its FHIR address where callers are not authenticated.
            identifier: a Patient's id, or a `userId`.
        """
        # JSON, since plain joining would make ("ab", "c") of ("a", "bc")
        return self._digest(json.dumps([kind, issuer, identifier]).encode()) if identifier else ""

    def evidence(self, issuer: str, identifier: str, told: str) -> str:
        """The hash of one thing a card about a patient rested on, 16 hex digits: the same for that patient only.

        Args:
            issuer: whose identifier it is.
            identifier: a Patient's id.
            told: what it was, in words of ours.
        """
        return self._digest(json.dumps(["evidence", issuer, identifier, told]).encode())[:16]

    def _digest(self, text: bytes) -> str:
        return hmac.digest(self._secret, text, "sha256").hex()


def beside(database_file: str) -> Path:
    """Where the key of a SQLite database is kept unless the site says otherwise.

    Raises:
        ContentError: there is no file to put it beside, so the site has to say.
    """
    if not database_file:
        raise ContentError(
            "settings",
            "audit_key_file",
            "is needed with this database.",
            "Name a file that every server of the site gets; make its content with: openssl rand -hex 32.",
        )
    return Path(f"{database_file}.key")


def read_or_make(path: Path) -> SiteKey:
    """The key in a file, which is made if it is not there. Of several processes that start at once, one makes it.

    Raises:
        ContentError: the file cannot be read or made, or holds something else; the message does not show it.
    """
    try:
        if not path.exists():
            _make(path)
    except OSError as problem:
        raise ContentError(str(path), "(file)", f"the key cannot be made: {type(problem).__name__}.") from None
    return read(path)


def read(path: Path) -> SiteKey:
    """The key in a file that is there.

    Raises:
        ContentError: the file cannot be read, or holds something else; the message does not show it.
    """
    return SiteKey(read_secret(path))


def read_secret(path: Path) -> bytes:
    """The 32 bytes that a file holds as 64 hex digits.

    Raises:
        ContentError: the file cannot be read, or holds something else; the message does not show it.
    """
    try:
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise ContentError(str(path), "(file)", f"the key cannot be read: {type(problem).__name__}.") from None
    if not _HEX.fullmatch(text):
        raise ContentError(
            str(path), "(file)", "is not a key of 64 hex digits.", "Make one with: openssl rand -hex 32."
        )
    return bytes.fromhex(text)


def _make(path: Path) -> None:
    """Written whole under another name (mode 0600) and then linked, which fails if somebody else was faster."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(name, path)
        except FileExistsError:
            return
    finally:
        os.unlink(name)  # noqa: PTH108
    # the name, too, has to outlive a power cut: hashes of a lost key are worth nothing
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
