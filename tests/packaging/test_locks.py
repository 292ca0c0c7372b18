"""Supply chain: what `make demo` and `make test` install is named to the last byte."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.packaging.repository import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
MUTATION = "tests/mutation/requirements.lock"
SUPPLY_CHAIN = "tests/supply_chain/requirements.lock"
_PIN = re.compile(r"(?P<name>[a-z0-9-]+)==[\w.]+( ; .+)?((?: --hash=sha256:[0-9a-f]{64})+)")


def entries(lock: str) -> list[str]:
    """One line per requirement, comments gone."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [re.sub(r"\s+", " ", line) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def names(lock: str) -> set[str]:
    """The packages a lock file pins."""
    return {entry.split("==")[0] for entry in entries(lock)}


def wanted(requirements: list[str]) -> set[str]:
    """The packages a list in pyproject.toml asks for, spelled as lock files spell them."""
    bare = (re.split(r"[<>=!~\[; ]", each)[0] for each in requirements)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in bare}


@pytest.mark.parametrize("lock", [*LOCKS, MUTATION, SUPPLY_CHAIN])
def test_i1_every_locked_requirement_is_pinned_with_hashes(lock: str) -> None:
    """An index URL, a local path, a range or a missing hash is not a pin, so it shows here."""
    assert [entry for entry in entries(lock) if not _PIN.fullmatch(entry)] == []


def test_i1_run_time_lock_covers_the_service_and_its_build() -> None:
    """hatchling is locked too: `make demo` builds without isolation, so nothing unhashed is fetched."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = wanted(project["project"]["dependencies"] + project["build-system"]["requires"])
    needed |= wanted(project["project"]["optional-dependencies"]["postgresql"])

    assert needed <= names("requirements.lock")


def test_i1_the_other_locks_cover_their_groups() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert wanted(project["dependency-groups"]["dev"]) <= names("requirements-dev.lock")
    assert wanted(project["dependency-groups"]["mutation"]) <= names(MUTATION)
    assert wanted(project["dependency-groups"]["supply-chain"]) <= names(SUPPLY_CHAIN)


def test_both_locks_agree() -> None:
    """They are installed one after the other; the second must not change what the first installed."""
    pins = [{entry.split(" ")[0] for entry in entries(lock)} for lock in LOCKS]
    shared = names(LOCKS[0]) & names(LOCKS[1])

    assert shared == {pin.split("==")[0] for pin in pins[0] & pins[1]}
