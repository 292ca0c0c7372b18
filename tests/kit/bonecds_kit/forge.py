"""Forged tokens, row by row: what a CDS Hooks service must make of each (ASVS 5.0, 9.1.1 to 9.2.4).

    with Forger(audience="http://127.0.0.1:8080/cds-services/my-service") as forger:
        ...  # start the service with forger.registration()
        for row in TABLE:
            for forgery in row.forgeries:
                for step in forgery.steps(forger):
                    ...  # let step.wait seconds pass, call with step.authorization, compare with step.expected

A row whose `by_hand` says so needs more than tokens: a second worker, a store that is down.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterator

from bonecds_kit.forger import Forger, public_jwk
from bonecds_kit.keyserver import FAULTS
from bonecds_kit.sequences import bogus_kids, faulty, not_spent, replay, rotation, same_id
from bonecds_kit.steps import (
    NOT_ALLOWED,
    NOT_AUTHENTICATED,
    OK,
    Forgery,
    Row,
    Step,
    claims,
    each,
    header,
    raw,
    times,
)

# --- A1-A3: algorithms

_NONE = ("none", "None", "nOnE", "NONE", "")


def _a3() -> tuple[Forgery, ...]:
    """Every algorithm named over every key of the client, but for the two that are registered with the right key."""
    right = {("ES384", "ec-key"), ("RS384", "rsa+key/1=")}
    named = [
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ES256",
        "ES384",
        "ES512",
        "ES256K",
        "EdDSA",
        "es384",
    ]
    kids = ("ec-key", "rsa+key/1=", "ec256-key", "ec521-key")
    pairs = [(algorithm, kid) for algorithm in named for kid in kids if (algorithm, kid) not in right]
    return each(*((f"{algorithm} with {kid}", header(alg=algorithm, kid=kid)) for algorithm, kid in pairs))


# --- A4: where the keys are


def _a4() -> tuple[Forgery, ...]:
    def jku(make: Callable[[str, str], str], *, own_key: bool) -> Callable[[Forger], str]:
        def build(forger: Forger) -> str:
            named = forger.header(jku=make(forger.jwks.url, forger.evil.url))
            return forger.signed(named, forger.claims(), None if own_key else forger.others["ec"])

        return build

    look_alikes: dict[str, Callable[[str, str], str]] = {
        "the attacker's": lambda ours, evil: evil,
        "ours as user information": lambda ours, evil: (
            ours.removesuffix("/jwks.json") + "@" + evil.removeprefix("http://")
        ),
        "ours, then @ and the attacker's": lambda ours, evil: ours + "@" + evil.removeprefix("http://"),
        "a fragment": lambda ours, evil: ours + "#",
        "the attacker's, ours as fragment": lambda ours, evil: evil + "#" + ours,
        "the attacker's, ours as query": lambda ours, evil: evil + "?" + ours,
        "dot segments": lambda ours, evil: ours.replace("/jwks", "/x/../jwks"),
        "dot segments to elsewhere": lambda ours, evil: ours + "/../evil.json",
        "ours as a prefix": lambda ours, evil: ours + ".evil",
        "a query": lambda ours, evil: ours + "?x=1",
        "a slash more": lambda ours, evil: ours + "/",
        "two slashes": lambda ours, evil: ours.replace("/jwks", "//jwks"),
        "https for http": lambda ours, evil: ours.replace("http:", "https:"),
        "upper case": lambda ours, evil: ours.replace("http:", "HTTP:"),
        "another name of the host": lambda ours, evil: ours.replace("127.0.0.1", "localhost"),
        "the host as one number": lambda ours, evil: evil.replace("127.0.0.1", "2130706433"),
        "a backslash": lambda ours, evil: ours.replace("/jwks", "\\@" + evil.removeprefix("http://")),
        "a space": lambda ours, evil: ours + " ",
        "a file": lambda ours, evil: "file:///etc/passwd",
        "empty": lambda ours, evil: "",
    }
    forged = [(f"{name}, the attacker's key", jku(make, own_key=False)) for name, make in look_alikes.items()]
    signed = [(f"{name}, the client's own key", jku(make, own_key=True)) for name, make in look_alikes.items()]
    others: tuple[object, ...] = (None, 7, [], {})
    kinds = [(f"jku {value!r}", header(jku=value)) for value in others]
    return each(*forged, *signed, *kinds)


# --- A5: keys in the header


def _in_header(make: Callable[[Forger], dict[str, object]], signer: str = "ec") -> Callable[[Forger], str]:
    return lambda forger: forger.signed(forger.header(**make(forger)), forger.claims(), forger.others.get(signer))


def _jwk(forger: Forger) -> dict[str, object]:
    return {"jwk": public_jwk(forger.served("ec-key"), forger.others["ec"])}


# --- A6-A8: key ids and key sets

_KIDS: tuple[object, ...] = (
    ...,
    "",
    None,
    7,
    [],
    "../../ec-key",
    "' OR 1=1 --",
    "EC-KEY",
    "ec-key\u0000",
    "ec-key ",
    "k" * 3_000,
)


# --- A12-A17: claims

_TOKEN_IDS: tuple[object, ...] = (..., "", None, 7, True, [], ["a"], {}, "j" * 257)


def _audiences() -> tuple[Forgery, ...]:
    def aud(change: Callable[[str], object]) -> Callable[[Forger], str]:
        return lambda forger: forger.good(aud=change(forger.audience))

    changes: dict[str, Callable[[str], object]] = {
        "the base address": lambda ours: ours.rpartition("/")[0],
        "the host": lambda ours: "/".join(ours.split("/")[:3]),
        "another service": lambda ours: ours + "-2",
        "another host": lambda ours: ours.replace("://", "://other."),
        "a slash more": lambda ours: ours + "/",
        "upper case": str.upper,
        "a query": lambda ours: ours + "?x=1",
        "a space more": lambda ours: ours + " ",
        "empty": lambda ours: "",
        "null": lambda ours: None,
        "missing": lambda ours: ...,
        "a number": lambda ours: 1,
        "an object": lambda ours: {ours: True},
        "an empty list": lambda ours: [],
        "a list of others": lambda ours: [ours + "-2", "https://other.example"],
        "a list in a list": lambda ours: [[ours]],
    }
    return each(*((name, aud(change)) for name, change in changes.items()))


# --- A20: the header


def _authorization(
    make: Callable[[str], tuple[str, ...]], *expected: int, query: bool = False
) -> Callable[[Forger], Iterator[Step]]:
    def steps(forger: Forger) -> Iterator[Step]:
        token = forger.good()
        yield Step(make(token), frozenset(expected), query=f"?access_token={token}" if query else "")

    return steps


_A20 = (
    # RFC 9110, 11.1 makes the scheme case-insensitive; a service that insists on "Bearer" does no harm
    Forgery("lower case", _authorization(lambda token: (f"bearer {token}",), 200, 401)),
    Forgery("upper case", _authorization(lambda token: (f"BEARER {token}",), 200, 401)),
    Forgery("two headers", _authorization(lambda token: (f"Bearer {token}", f"Bearer {token}"), 400)),
    Forgery("two headers, one Basic", _authorization(lambda token: ("Basic Zm9vOmJhcg==", f"Bearer {token}"), 400)),
    Forgery("two in one header", _authorization(lambda token: (f"Bearer {token}, Bearer {token}",), 400)),
    Forgery("only in the query", _authorization(lambda token: (), 401, query=True)),
    Forgery("no header", _authorization(lambda token: (), 401)),
    Forgery("empty header", _authorization(lambda token: ("",), 401)),
    Forgery("no scheme", _authorization(lambda token: (token,), 401)),
    Forgery("another scheme", _authorization(lambda token: (f"JWT {token}",), 401)),
    Forgery("Basic", _authorization(lambda token: ("Basic Zm9vOmJhcg==",), 401)),
    Forgery("no token", _authorization(lambda token: ("Bearer ",), 401)),
    Forgery("two parts", _authorization(lambda token: ("Bearer " + token.rpartition(".")[0],), 401)),
    Forgery("four parts", _authorization(lambda token: (f"Bearer {token}.e30",), 401)),
    Forgery("padded", _authorization(lambda token: (f"Bearer {token}==",), 401)),
    Forgery("something after it", _authorization(lambda token: (f"Bearer {token} x",), 401)),
)


def _twice(name: str, other: Callable[[Forger], object]) -> tuple[Forgery, ...]:
    """A claim twice, in both orders: parsers disagree on which of the two counts."""

    def build(*, ours_last: bool) -> Callable[[Forger], str]:
        def token(forger: Forger) -> str:
            good = forger.claims()
            pairs = [(name, other(forger)), (name, good.pop(name))]
            pairs = [*good.items(), *(pairs if ours_last else reversed(pairs))]
            text = ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs)
            return forger.signed(forger.header(), f"{{{text}}}".encode())

        return token

    orders = (("last", True), ("first", False))
    return each(*((f"{name} twice, ours {place}", build(ours_last=last)) for place, last in orders))


def _alg_twice(forger: Forger) -> str:
    once = json.dumps(forger.header())
    return forger.signed(f'{once[:-1]}, "alg": "none"}}'.encode(), forger.claims())


TABLE: tuple[Row, ...] = (
    Row(
        "A1",
        "alg none, in any spelling",
        each(*((repr(alg), lambda forger, alg=alg: forger.unsigned(alg) + "AA") for alg in _NONE))
        + each(*((f"{alg}, no signature", lambda forger, alg=alg: forger.unsigned(alg)) for alg in ("none", "ES384")))
        + each(*((f"alg {alg!r}", header(alg=alg)) for alg in (..., None, 1, ["ES384"]))),
    ),
    Row(
        "A2",
        "a symmetric signature with the public key as secret",
        each(
            *(
                (f"{alg} over {kid}", lambda forger, alg=alg, kid=kid: forger.with_secret(alg, kid))
                for alg in ("HS256", "HS384", "HS512")
                for kid in ("rsa+key/1=", "ec-key")
            )
        ),
    ),
    Row("A3", "an algorithm that is not registered for the client", _a3()),
    Row("A4", "a jku that is not registered: refused, and never called", _a4()),
    Row(
        "A5",
        "a key in the header",
        each(
            ("jwk", _in_header(_jwk)),
            ("x5u", _in_header(lambda forger: {"x5u": forger.evil.url})),
            ("x5c", _in_header(lambda forger: {"x5c": [base64.b64encode(b"no certificate").decode()]})),
        )
        + each(("jwk beside a good signature", _in_header(_jwk, "the client")), expected=OK | NOT_AUTHENTICATED),
    ),
    Row(
        "A6",
        "kid missing, unknown or hostile; at most one look at the key set for each cool-down",
        (
            *each(*((f"kid {str(kid)[:20]!r}", header(kid=kid)) for kid in _KIDS)),
            Forgery("twenty unknown ids", bogus_kids),
        ),
        by_hand="Look at how often the key set was read: the twenty unknown ids cause one request at most.",
        key_reads=True,
    ),
    Row("A7", "a new key is published: accepted after the cool-down at the latest", (Forgery("rotation", rotation),)),
    Row(
        "A8",
        "the key set cannot be had: the last good one serves, and nothing is a server error",
        tuple(Forgery(fault, faulty(fault)) for fault in FAULTS),
        by_hand="Start the service while the fault lasts: 401 until it ends.",
    ),
    Row(
        "A9",
        "exp past, missing or no number",
        each(
            ("expired", times(-500, -250)),
            ("missing", times(0, None)),
            ("zero", claims(exp=0)),
            ("negative", claims(exp=-1)),
        )
        + each(
            *((text, raw(exp=text)) for text in ("NaN", "Infinity", "1e400", "null", '"abc"', "true", "[]", "{}", '""'))
        )
        + each(("a numeric string", lambda forger: forger.good(exp=str(forger.now() + 200)))),
    ),
    Row(
        "A10",
        "a life that is too long",
        each(
            ("ten years", times(0, 315_360_000)),
            ("10**30", claims(exp=10**30)),
            ("1e300", raw(exp="1e300")),
            ("a little over an hour", times(0, 3_601)),
            ("issued long ago, still valid", times(-7_200, 100)),
        ),
    ),
    Row(
        "A11",
        "iat in the future, negative, or no number",
        each(("ten minutes ahead", times(600, 800)), ("a day ago", times(-86_400, 100)), ("missing", times(None, 100)))
        + each(*((text, raw(iat=text)) for text in ("-1", "0", "null", "true", '"abc"', "-1e300", "1e300")))
        + each(("a numeric string", lambda forger: forger.good(iat=str(forger.now()))))
        + each(("nbf ten minutes ahead", lambda forger: forger.good(nbf=forger.now() + 600))),
    ),
    Row("A12", "another audience", _audiences()),
    Row(
        "A13",
        "a list of audiences with ours among them is good",
        each(("first", lambda forger: forger.good(aud=[forger.audience, "https://other.example"])), expected=OK)
        + each(("last", lambda forger: forger.good(aud=["https://other.example", forger.audience])), expected=OK)
        + each(("alone", lambda forger: forger.good(aud=[forger.audience])), expected=OK),
    ),
    Row(
        "A14",
        "a token is used again",
        (
            Forgery("the same token", replay),
            Forgery("the same id", same_id),
            Forgery("an id that a forger used", not_spent),
        ),
        by_hand="Send the second one to another worker, and once after a restart.",
    ),
    Row(
        "A15",
        "jti empty, too long or no string",
        each(*((f"jti {str(jti)[:20]!r}", claims(jti=jti)) for jti in _TOKEN_IDS))
        + each(("256 characters", lambda forger: forger.good(jti=uuid.uuid4().hex.ljust(256, "j"))), expected=OK),
    ),
    Row(
        "A16",
        "the store of used tokens is full or down",
        by_hand="Stop the store: every token is refused, or accepted once with an alarm, as the operator chose.",
    ),
    Row(
        "A17",
        "a tenant of another client",
        each(
            ("another's", claims(tenant="south")),
            ("none", claims(tenant=...)),
            ("empty", claims(tenant="")),
            expected=NOT_ALLOWED,
        )
        + each(("no string", claims(tenant=7)), ("null", claims(tenant=None)), ("a list", claims(tenant=["north"]))),
    ),
    Row(
        "A18",
        "an extension that must be understood",
        each(
            ("unknown", header(crit=["urn:example:x"], **{"urn:example:x": 1})),
            ("a claim", header(crit=["exp"], exp=1)),
            ("b64", header(crit=["b64"], b64=False)),
            ("b64, not in crit", header(b64=False)),
            ("empty", header(crit=[])),
            ("null", header(crit=None)),
            ("no list", header(crit="exp")),
        ),
    ),
    Row("A19", "a weak key in the client's own set", each(("RSA 1024", header(alg="RS384", kid="weak-key")))),
    Row("A20", "the Authorization header", _A20),
    Row(
        "A21",
        "a claim twice",
        _twice("aud", lambda forger: "https://other.example")
        + _twice("iss", lambda forger: "https://other.example")
        + _twice("exp", lambda forger: forger.now() - 500)
        + _twice("tenant", lambda forger: "south")
        + _twice("jti", lambda forger: "another")
        + each(("alg twice", _alg_twice)),
    ),
    Row(
        "A22",
        "authentication switched off",
        by_hand="Start the service without clients on an address that others reach: it refuses.",
    ),
    Row(
        "A23",
        "the answer tells the reason",
        by_hand="Compare the headers and bodies of all answers with 401: they are the same, byte for byte.",
    ),
)
