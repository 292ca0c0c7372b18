"""What commands are given on the command line: a token, key material, an id."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cds_service.fhir.read import mapping, string
from cds_service.formats import strict_json
from cds_service.formats.urls import Base, parse_base
from cds_service.kernel.errors import InputError
from cds_service.simulator import signing

_MAX_BYTES = 100_000
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
# RFC 6750, 2.1: what may stand behind "Bearer"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


@dataclass(frozen=True, slots=True)
class Granted:
    """An access token, and what its server said about it.

    Attributes:
        token: the token.
        scope: what was granted; "" where only the token was given.
        patient: the patient it is bound to; "" for none.
    """

    token: str = field(repr=False)
    scope: str = ""
    patient: str = field(default="", repr=False)


def read_bytes(path: Path, option: str) -> bytes:
    """A file as it is.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as problem:
        raise InputError(
            f"the file cannot be read: {type(problem).__name__}", option, "Name a readable file."
        ) from None


def patient_id(text: str) -> str:
    """A logical id that was given, or "" where none was.

    Raises:
        InputError: it is none; it is not repeated.
    """
    if text and not _ID.fullmatch(text):
        raise InputError(
            "this is no FHIR id",
            "--patient",
            "Give the logical id alone: letters, digits, '-' and '.', without a type.",
        )
    return text


def granted(file: Path | None, variable: str | None) -> Granted | None:
    """The token that was given, if one was.

    Args:
        file: holds the token, or the JSON answer of the token endpoint (`access_token`, `scope`, `patient`).
        variable: name of the environment variable that holds one of the two.

    Raises:
        InputError: both were given, or there is no token in what was; nothing of it is repeated.
    """
    if file is not None and variable is not None:
        raise InputError("two tokens were given", "--token-file, --token-env", "Give one.")
    if file is not None:
        return _read(read_bytes(file, "--token-file"), "--token-file")
    if variable is not None:
        return _read(os.environ.get(variable, "").encode(), "--token-env")
    return None


def address(text: str, option: str) -> Base:
    """An address: https, or http on this machine.

    Raises:
        InputError: it is none.
    """
    try:
        return parse_base(text, insecure=True)
    except ValueError as problem:
        raise InputError(f"the address {problem}", option, "Write https://host/path.") from None


def ca_file_of(path: Path | None) -> str | None:
    """The file of certificate authorities, if one was given.

    Raises:
        InputError: it cannot be read.
    """
    if path is not None:
        read_bytes(path, "--ca-bundle")
    return str(path) if path else None


def signer_of(key: Path | None, iss: str | None, kid: str | None, jku: str) -> signing.Signer | None:
    """What signs the calls, if a key was given.

    Raises:
        InputError: the key cannot be used, or something of the four is missing.
    """
    if key is None:
        if iss or kid or jku:
            raise InputError("there is no key to sign with", "--sign-with", "Name the file of the private key.")
        return None
    if not iss or not kid:
        raise InputError("a token needs iss and kid", "--iss, --kid", "Give both as the service registered them.")
    return signing.signer(read_bytes(key, "--sign-with"), issuer=iss, kid=kid, jku=jku)


def _read(raw: bytes, option: str) -> Granted:
    raw = raw.strip()
    if raw.startswith(b"{"):
        try:
            answer: Any = mapping(strict_json.load(raw, max_bytes=_MAX_BYTES))
        except InputError:
            answer = {}
        found = Granted(string(answer.get("access_token")), string(answer.get("scope")), string(answer.get("patient")))
    else:
        found = Granted(raw.decode("ascii", "replace"))
    if not _TOKEN.fullmatch(found.token):
        raise InputError(
            "there is no token", option, "It holds the token alone, or the JSON that the token endpoint answered."
        )
    return found
