"""The key sets of registered clients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from cds_service.doctor.finding import KEYS, Finding, counted
from cds_service.security.clients import Client
from cds_service.security.jwks import Key, KeySet

_PUBLISH = "Have the client publish the public part of an RS384 (2048 bits or more) or ES384 key there."


def unreachable(client: Client, url: str, problem: str) -> Finding:
    """The service could not fetch the keys either."""
    return KEYS.failed(
        f"{url} cannot be fetched: {problem}",
        "Check the address, the firewall and the certificate (a public one); no redirect is followed and no proxy used.",
        client.name,
    )


def key_set(client: Client, where: str, found: KeySet, max_age: int | None = None) -> Iterator[Finding]:
    """What a key set is worth.

    Args:
        client: whose it is.
        where: its address, or "settings".
        found: the set, read.
        max_age: how long its server lets us keep it, in seconds.
    """
    fit = [key for key in found.keys if not key.algorithms.isdisjoint(client.algorithms)]
    left_out = [f"{place} {problem}" for place, problem, _ in found.problems]
    if not fit:
        seen = "no key that can be used" if found.keys or left_out else "no key"
        if found.keys:
            seen += f" with {', '.join(client.algorithms)}"
        yield KEYS.failed(f"{where}: {seen}", _fix(client, found), client.name, tuple(left_out))
        return
    kept = "" if max_age is None else f"; kept for {max_age} s"
    yield KEYS.passed(f"{where}: {', '.join(map(_described, fit))}{kept}", client.name)
    if left_out:
        fixes = dict.fromkeys(fix for _, _, fix in found.problems)
        yield KEYS.warned(
            f"{where}: {counted(len(left_out), 'key')} left out", " ".join(fixes), client.name, tuple(left_out)
        )
    if unused := len(found.keys) - len(fit):
        yield KEYS.warned(
            f"{where}: {counted(unused, 'key')} for none of its algorithms ({', '.join(client.algorithms)})",
            "Nothing to do, unless the client signs with one of them: then add its algorithm to algorithms.",
            client.name,
        )
    if twice := _twice(fit):
        yield KEYS.warned(
            f"{where}: {twice} kid stand{'s' if twice == 1 else ''} for several keys of the same algorithm",
            "Have the client give each key a kid of its own, or tokens of the older one cost a verification more each.",
            client.name,
        )


def _fix(client: Client, found: KeySet) -> str:
    if found.keys:
        theirs = sorted({each for key in found.keys for each in key.algorithms})
        return f"Add one of {', '.join(theirs)} to algorithms of this client, or have it publish another key."
    return " ".join(dict.fromkeys(fix for _, _, fix in found.problems)) or _PUBLISH


def _described(key: Key) -> str:
    if isinstance(key.public, RSAPublicKey):
        return f"RSA {key.public.key_size} ({'/'.join(sorted(key.algorithms))})"
    return f"EC {key.public.curve.key_size} ({'/'.join(sorted(key.algorithms))})"


def _twice(keys: list[Key]) -> int:
    counted = Counter((key.kid, algorithm) for key in keys for algorithm in key.algorithms)
    return len({kid for (kid, _), number in counted.items() if number > 1})
