"""Every error this project raises on purpose.

    BoneCdsError
    ├── InputError               what came from outside cannot be used
    │   ├── JsonRefused          the bytes are not the strict JSON we accept           -> 400
    │   ├── RequestRefused       JSON, but not a usable CDS Hooks request              -> 400
    │   ├── PayloadTooLarge      more bytes than the limit                             -> 413
    │   ├── NotAuthenticated     no valid, unused token of a registered client         -> 401
    │   ├── NotAllowed           a known client asks for what is not its own           -> 403
    │   ├── PatientMismatch      data of another patient than the call is about        -> 412
    │   └── Unassessable         not even membership of the population can be told     -> 412
    ├── ContentError             a guideline, profile, value set or text file is wrong (ours or a site's)
    └── StoreUnavailable         the database cannot be reached or takes no more; each caller has a policy for it

Each message says what is wrong, where, and what to do next; none repeats a value from the record (S8).
"""

from __future__ import annotations

from typing import Literal, get_args

from cds_service.kernel.account import Account

# why a caller is not let in: codes for the log and the metrics
Reason = Literal[
    "algorithm", "bad-jti", "bad-signature", "bad-time", "crit", "expired", "foreign-jku", "keys-unavailable",
    "lives-too-long", "malformed", "no-token", "not-yet-valid", "other-audience", "replay-memory-full",
    "replay-store-down", "replayed", "too-long", "typ", "unknown-issuer", "unknown-key",
]  # fmt: skip
REASONS: frozenset[str] = frozenset(get_args(Reason))


class BoneCdsError(Exception):
    """Base of all errors raised on purpose."""


class InputError(BoneCdsError):
    """Something from outside cannot be used.

    Args:
        what: the problem, in one sentence, without values from the record.
        where: the place: a JSON path, a prefetch key or a file name.
        next_step: what the sender can do about it.
    """

    def __init__(self, what: str, where: str = "", next_step: str = "") -> None:
        self.what, self.where, self.next_step = what, where, next_step
        place = f" (at {where})" if where else ""
        step = f" {next_step}" if next_step else ""
        super().__init__(f"{what}{place}.{step}")


class JsonRefused(InputError):
    """The bytes are not the strict JSON we accept."""


class PayloadTooLarge(InputError):
    """The body has more bytes or nodes than the limit."""


class RequestRefused(InputError):
    """The JSON is not a usable CDS Hooks request."""


class NotAuthenticated(InputError):
    """The call carries no valid, unused token of a registered client.

    The message is the same whatever was wrong, so that a forger learns nothing from it (`safety.md` A23).

    Attributes:
        reason: a fixed code ("bad-signature"), for our own log only.
    """

    def __init__(self, reason: Reason) -> None:
        self.reason: Reason = reason
        super().__init__(
            "the caller is not authenticated",
            "Authorization",
            "Send one valid and unused JWT of a registered client, as a bearer token.",
        )


class NotAllowed(InputError):
    """A registered client asks for what is not its own."""


class PatientMismatch(InputError):
    """The call carries data of another patient than the one it is about (S4)."""


class Unassessable(InputError):
    """What was supplied does not even tell whether the patient is in scope (S5); `account` tells the operator the rest."""

    def __init__(self, what: str, where: str = "", next_step: str = "", account: Account | None = None) -> None:
        super().__init__(what, where, next_step)
        self.account = account or Account()


class ContentError(BoneCdsError):
    """A content file (guideline, profile, value set, text) is wrong; the message names file and key."""

    def __init__(self, file: str, key: str, problem: str, fix: str = "") -> None:
        self.file, self.key, self.problem, self.fix = file, key, problem, fix
        super().__init__(f"{file}: {key}: " + (f"{problem.removesuffix('.')}. {fix}" if fix else problem))


class StoreUnavailable(BoneCdsError):
    """What must be remembered cannot be: the database is out of reach or takes no more."""
