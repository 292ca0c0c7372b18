"""Public keys out of a JSON Web Key Set (RFC 7517): which are fit to verify a client's token, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

# CDS Hooks recommends ES384 and RS384, and forbids "none" and every symmetric algorithm.
DEFAULT_ALGORITHMS = ("ES384", "RS384")
_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_OF_CURVE = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
ALGORITHMS = frozenset({*_RSA, *_OF_CURVE.values()})
_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MIN_RSA_BITS = 2_048
# verifying takes time that grows with the square of the size
_MAX_RSA_BITS = 8_192


@dataclass(frozen=True, slots=True)
class Key:
    """A public key.

    Attributes:
        kid: its id in the set, compared literally (Epic's holds `+`, `/` and `=`).
        algorithms: the signatures it may verify.
        public: the key.
    """

    kid: str
    algorithms: frozenset[str]
    public: RSAPublicKey | EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class KeySet:
    """The fit keys of one set, and what was wrong with the others.

    Attributes:
        keys: in the order of the set; a `kid` may occur twice, for keys of two types.
        problems: (path in the set, problem, fix), one for each key that was left out.
    """

    keys: tuple[Key, ...]
    problems: tuple[tuple[str, str, str], ...]

    def has(self, kid: str) -> bool:
        """Whether a key has this id."""
        return any(key.kid == kid for key in self.keys)

    def fit(self, kid: str, algorithm: str) -> tuple[Key, ...]:
        """The keys with this id that verify this algorithm."""
        return tuple(key for key in self.keys if key.kid == kid and algorithm in key.algorithms)


class _Unfit(Exception):
    """Why a key is left out: (problem, fix)."""


def read(document: Any) -> KeySet:
    """Read a key set.

    Args:
        document: parsed JSON, of any shape.

    Returns:
        What can be used of it; never raises.
    """
    entries = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        return KeySet((), (("keys", "is not a list of keys", "Give a JSON Web Key Set as RFC 7517 defines it."),))
    keys: list[Key] = []
    problems: list[tuple[str, str, str]] = []
    for number, entry in enumerate(entries):
        try:
            keys.append(_key(entry))
        except _Unfit as unfit:
            problem, fix = unfit.args
            problems.append((f"keys.{number}", problem, fix))
    return KeySet(tuple(keys), tuple(problems))


def _key(entry: Any) -> Key:
    if not isinstance(entry, Mapping):
        raise _Unfit("is not an object", "Write the key as RFC 7517 defines it.")
    if _PRIVATE & entry.keys():
        raise _Unfit(
            "holds a private or secret key", "Have the client make a new key, and register its public part only."
        )
    kid, kind = entry.get("kid"), entry.get("kty")
    if not isinstance(kid, str) or not kid:
        raise _Unfit("has no kid", "Give the key the id that the client's tokens carry.")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        raise _Unfit("is neither an RSA nor an EC key", "Use kty RSA or EC.")
    if entry.get("use", "sig") != "sig" or not _may_verify(entry.get("key_ops")):
        raise _Unfit("is not meant for signatures", "Use the key whose use is sig.")
    public = _public(entry, kind)
    return Key(kid, _algorithms(entry, public), public)


def _may_verify(operations: Any) -> bool:
    return operations is None or (isinstance(operations, list) and "verify" in operations)


def _public(entry: Mapping[str, Any], kind: str) -> RSAPublicKey | EllipticCurvePublicKey:
    members = {name: entry.get(name) for name in _MEMBERS[kind]}
    if not all(isinstance(value, str) for value in members.values()):
        raise _Unfit(f"lacks one of {', '.join(members)}", "Copy the key as the client published it.")
    if kind == "EC" and members["crv"] not in _OF_CURVE:
        raise _Unfit("has a curve that is weak or not for these signatures", "Use P-256, P-384 or P-521.")
    algorithm = _OF_CURVE[str(members["crv"])] if kind == "EC" else "RS384"
    try:
        public = PyJWK({"kty": kind, **members}, algorithm).key
    except (PyJWTError, ValueError, OverflowError):
        raise _Unfit("cannot be read", "Copy the key as the client published it.") from None
    if isinstance(public, RSAPublicKey) and not _MIN_RSA_BITS <= public.key_size <= _MAX_RSA_BITS:
        # PyJWT accepts RSA 1024 unless told otherwise (safety.md A19)
        raise _Unfit(f"is an RSA key of {public.key_size} bits", f"Use {_MIN_RSA_BITS} to {_MAX_RSA_BITS} bits.")
    return public  # type: ignore[no-any-return]  # PyJWK.key is Any


def _algorithms(entry: Mapping[str, Any], public: RSAPublicKey | EllipticCurvePublicKey) -> frozenset[str]:
    fit = _RSA if isinstance(public, RSAPublicKey) else frozenset({_OF_CURVE[entry["crv"]]})
    named = entry.get("alg")
    if named is None:
        return fit
    if not isinstance(named, str) or named not in fit:
        raise _Unfit("names an algorithm that is not for a key of its type", "Leave alg out, or name the right one.")
    return frozenset({named})
