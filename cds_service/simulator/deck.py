"""A folder of recorded calls, each sent to every service of its hook."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cds_service.fhir.read import string
from cds_service.formats import strict_json
from cds_service.kernel.errors import InputError
from cds_service.simulator.session import Called, Discovery, Session

MAX_FILE = 20_000_000
MAX_NODES = 2_000_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request file.

    Attributes:
        name: its path below the folder.
        body: the call.
    """

    name: str
    body: dict[str, Any] = field(repr=False)


def read(folder: Path) -> list[Recorded]:
    """The calls of a folder and those below it: every .json file with a `hook` and a `context`.

    Raises:
        InputError: there is none, or one cannot be read.
    """
    found = []
    for file in sorted(folder.rglob("*.json")):
        name = file.relative_to(folder).as_posix()
        try:
            body = strict_json.load(file.read_bytes(), max_bytes=MAX_FILE, max_nodes=MAX_NODES)
        except OSError as problem:
            raise InputError(f"a file cannot be read: {type(problem).__name__}", name) from None
        except InputError as problem:
            raise InputError(problem.what, name, "Take it out of the folder, or correct it.") from None
        if isinstance(body, dict) and "hook" in body and "context" in body:
            found.append(Recorded(name, body))
    if not found:
        raise InputError("the folder holds no recorded call", "--deck", "A call is a .json file with hook and context.")
    return found


def play(
    recorded: list[Recorded], session: Session, discovery: Discovery, say: Callable[[str], None]
) -> Iterator[Called]:
    """Send each call, with a new id, to the services of its hook.

    Args:
        recorded: the calls.
        session: of the service.
        discovery: what it offers.
        say: told the name of each file.
    """
    for each in recorded:
        say(each.name)
        hook = string(each.body.get("hook"))
        services = [string(s.get("id")) for s in discovery.services if s.get("hook") == hook]
        if not services:
            yield Called(each.name, "", hook, problem="no service of this hook is offered")
        for service in services:
            name = each.name if len(services) == 1 else f"{each.name} {service}"
            yield session.call(service, {**each.body, "hookInstance": str(uuid.uuid4())}, name)
