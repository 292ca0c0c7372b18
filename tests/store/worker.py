"""Another process that uses the store: `python -m tests.store.worker WHAT ADDRESS [...]`. Says on its output how it fares."""

from __future__ import annotations

import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from cds_service.kernel.errors import StoreUnavailable
from cds_service.store.database import Database
from tests.store.parts import LATER, Store, record


def use(address: str, *tokens: str) -> None:
    """Use tokens, one after the other."""
    store = _started(address)
    for token in tokens:
        print(store.tokens.first_use("iss", token, LATER))


def race(address: str, tokens: str, threads: str, start_at: str) -> None:
    """Use the same tokens from several threads; print those that were ours."""
    store = _started(address, pause_s=0)
    time.sleep(max(0, float(start_at) - time.time()))

    def attempt(number: int) -> bool:
        while True:
            try:
                return store.tokens.first_use("iss", f"token-{number}", LATER)
            except StoreUnavailable:
                # A slow disk under this load: as good as locked. Try again, as no service would.
                continue

    def all_of_them(_thread: int) -> list[int]:
        return [number for number in range(int(tokens)) if attempt(number)]

    with ThreadPoolExecutor(int(threads)) as pool:
        print(*(number for found in pool.map(all_of_them, range(int(threads))) for number in found))


def write_until_killed(address: str) -> None:
    """Write records, and say so after each."""
    store = _started(address)
    number = 0
    while True:
        number += 1
        store.audit.record(record(f"c-{number}"))
        print(f"c-{number}", flush=True)


def start(address: str, start_at: str) -> None:
    """Start like a worker of a server."""
    store = Store(address)
    time.sleep(max(0, float(start_at) - time.time()))
    store.database.migrate()
    store.audit.record(record())
    print("started", store.alarms)


def disk_full(address: str) -> None:
    """Write records until there is no room, then make room."""
    store = _started(address)
    store.audit.record(record("before"))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard))
    try:
        for number in range(10_000):
            store.audit.record(record(f"c-{number}"))
    except StoreUnavailable:
        print("refused", store.alarms[0][0], bool(store.database.problems()))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    store.clock.seconds += 10
    store.audit.record(record("after"))
    print("again", store.database.problems())


def read_only(address: str) -> None:
    """Write where nothing may be written."""
    store = Store(address)
    for attempt in (store.database.migrate, lambda: store.audit.record(record())):
        store.clock.seconds += 10
        try:
            attempt()
        except StoreUnavailable:
            print("refused", store.alarms.pop()[1].startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")))
        else:
            print("done")


def _started(address: str, pause_s: float | None = None) -> Store:
    store = Store(address)
    if pause_s is not None:
        store.database = Database(address, lambda *_: None, pause_s=pause_s)
        store.tokens = type(store.tokens)(store.database)
    store.database.migrate()
    return store


if __name__ == "__main__":
    {f.__name__: f for f in (use, race, write_until_killed, start, disk_full, read_only)}[sys.argv[1]](*sys.argv[2:])
