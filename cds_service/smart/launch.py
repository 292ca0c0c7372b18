"""SMART App Launch 2.2, EHR launch of a public client: authorization code with PKCE (S256), no I/O.

oauthlib makes and reads the messages; what an EHR may send us to is decided here, by its registration.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient  # type: ignore[import-untyped]

from cds_service.fhir.read import mapping, string
from cds_service.formats import strict_json
from cds_service.kernel.errors import InputError, JsonRefused
from cds_service.security.launchers import MAX_BYTES, Ehr

SECONDS = 600
_SALT = "bonecds smart launch"
_VERIFIER = 64
# a code or a launch value is opaque; longer ones do not fit into the request line that we read either
_LONGEST = 4_000


class LaunchRefused(InputError):
    """A launch that does not lead to a page.

    Args:
        reason: a code of ours, for the log.
        what: the problem, for the person who sees the page.
        next_step: what they can do.
        status: HTTP status.
    """

    def __init__(self, reason: str, what: str, next_step: str, status: int = 400) -> None:
        self.reason, self.status = reason, status
        super().__init__(what, next_step=next_step)


def not_started() -> LaunchRefused:
    """Whatever is wrong with a launch from outside, it is told the same: nobody learns who is registered."""
    return LaunchRefused(
        "smart-launch", "this page was not opened from a system that is registered here", "Open it from the chart."
    )


def out_of_order(reason: str) -> LaunchRefused:
    """An answer of an EHR to which there is no open launch in this browser."""
    return LaunchRefused(
        reason,
        "there is no open launch in this browser that this belongs to: it was used, it is older than ten minutes, or cookies are"
        " blocked",
        "Open the summary again from the chart.",
    )


def ehr_fault(reason: str) -> LaunchRefused:
    """The EHR's authorization did not do what a launch needs."""
    return LaunchRefused(
        reason,
        "the EHR did not complete the launch",
        "Open the summary again from the chart. If it fails again, tell the operator the correlation id.",
        502,
    )


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where an EHR wants the browser and the code."""

    authorize: str
    token: str


def read_configuration(ehr: Ehr, body: bytes) -> Endpoints:
    """Read `smart-configuration`.

    Raises:
        LaunchRefused: it is not one, or names an address that is not the EHR's.
    """
    try:
        told = mapping(strict_json.load(body, max_bytes=MAX_BYTES))
    except JsonRefused:
        raise ehr_fault("smart-configuration") from None
    found = Endpoints(string(told.get("authorization_endpoint")), string(told.get("token_endpoint")))
    if not (ehr.origin_of(found.authorize) and ehr.origin_of(found.token)):
        raise ehr_fault("smart-foreign-endpoint")
    methods = told.get("code_challenge_methods_supported")
    # required since SMART 2.0; an older server that does not speak of it ignores the challenge
    if methods is not None and not (isinstance(methods, list) and "S256" in methods):
        raise ehr_fault("smart-no-s256")
    return found


@dataclass(frozen=True, slots=True)
class Pending:
    """A launch that waits for the EHR's answer; it travels in a signed cookie of the browser.

    Attributes:
        iss: FHIR base as the EHR wrote it.
        token: address of the token endpoint.
        state: ties the answer to this browser.
        verifier: proves to the EHR that the code is brought by whoever asked for it.
    """

    iss: str
    token: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)


def begin(
    ehr: Ehr, to: Endpoints, *, iss: str, launch: str, redirect_uri: str, scopes: list[str]
) -> tuple[str, Pending]:
    """Where to send the browser, and what has to be remembered until it comes back."""
    client = WebApplicationClient(ehr.client.smart_client_id)
    verifier, state = client.create_code_verifier(_VERIFIER), client.state_generator()
    # oauthlib takes no http at all; that http is for this machine only was seen to when the address was read
    query = urlsplit(
        client.prepare_request_uri(
            "https://localhost/",
            redirect_uri=redirect_uri,
            scope=scopes,
            state=state,
            code_challenge=client.create_code_challenge(verifier, "S256"),
            code_challenge_method="S256",
            aud=iss,
            launch=launch,
        )
    ).query
    joint = "&" if "?" in to.authorize else "?"
    return f"{to.authorize}{joint}{query}", Pending(iss, to.token, state, verifier)


def token_request(ehr: Ehr, pending: Pending, code: str, redirect_uri: str) -> str:
    """The form that brings a code to the token endpoint."""
    client = WebApplicationClient(ehr.client.smart_client_id)
    return str(client.prepare_request_body(code=code, redirect_uri=redirect_uri, code_verifier=pending.verifier))


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """What the token endpoint gave; it stands in no `repr`."""

    token: str
    patient_id: str


def read_token(body: bytes) -> Granted:
    """Read the answer of the token endpoint.

    Raises:
        LaunchRefused: there is no bearer token in it, or no patient.
    """
    try:
        told = mapping(strict_json.load(body, max_bytes=MAX_BYTES))
        # oauthlib trips over a scope or a lifetime that is none, and neither is used here
        needed = {name: told[name] for name in ("access_token", "token_type", "error") if name in told}
        token = WebApplicationClient("").parse_request_body_response(json.dumps(needed))
    except (JsonRefused, OAuth2Error):
        # without the cause: its words are the answer's
        raise ehr_fault("smart-token") from None
    access, kind = string(token.get("access_token")), string(token.get("token_type"))
    if not access or kind.lower() != "bearer":
        raise ehr_fault("smart-token")
    patient_id = string(told.get("patient"))
    if not patient_id:
        raise LaunchRefused("smart-no-patient", "no patient was open where this was launched", "Open a chart first.")
    return Granted(access, patient_id)


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def usable(value: str) -> bool:
    """Whether a `launch`, `code` or `state` can be one."""
    return 0 < len(value) <= _LONGEST


class Tickets:
    """Signs what waits in the browser.

    Args:
        key: made once per start, before the workers part.
    """

    def __init__(self, key: bytes) -> None:
        self._signer = URLSafeTimedSerializer(key, salt=_SALT, signer_kwargs={"digest_method": hashlib.sha256})

    def write(self, pending: Pending) -> str:
        """The value of the cookie."""
        return str(self._signer.dumps(asdict(pending)))

    def read(self, cookie: str) -> Pending:
        """What was remembered.

        Raises:
            LaunchRefused: nothing, nothing of ours, or it is too old.
        """
        try:
            return Pending(**self._signer.loads(cookie, max_age=SECONDS))
        except BadData:
            raise out_of_order("smart-no-launch") from None
