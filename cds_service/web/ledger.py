"""The record of calls, written as each is answered; a call is answered all the same when it cannot be written (F5, G6)."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cds_service.kernel.account import Account
from cds_service.kernel.errors import StoreUnavailable
from cds_service.kernel.needs import LookupState
from cds_service.kernel.past import IssuedCard, PastAnswer
from cds_service.kernel.rules import Verdict
from cds_service.protocol.feedback import Feedback
from cds_service.protocol.request import HookRequest
from cds_service.security.tokens import Caller
from cds_service.store.audit import Audit, AuditRecord
from cds_service.store.feedback import FeedbackBox
from cds_service.store.past import Past
from cds_service.web.logs import Line

_COMPLETE = LookupState.COMPLETE.value


@dataclass(frozen=True, slots=True)
class Ledger:
    """Writes what may be kept of a call.

    Attributes:
        audit: the store of records.
        versions: version of each rule, by id.
        feedback: the store of what became of cards.
        past: reads how earlier cards were answered.
    """

    audit: Audit
    versions: Mapping[str, str]
    feedback: FeedbackBox
    past: Past

    def note(
        self, line: Line, account: Account, call: HookRequest | None, issuer: str, issued: Sequence[IssuedCard] = ()
    ) -> None:
        """Write the record of a call.

        Args:
            line: its line in the log.
            account: what it was about.
            call: the call, where its envelope could be read.
            issuer: the `iss` of the caller; "" where callers do not authenticate.
            issued: what may be kept of its cards.
        """
        fired = account.rules_with(Verdict.RECOMMEND.value)
        record = AuditRecord(
            correlation_id=line.correlation_id,
            time=dt.datetime.now(dt.UTC),  # noqa: TID251 when something happened, for the record
            hook=line.hook,
            service=line.service,
            client=line.client,
            issuer=whose(call, issuer) if call else issuer,
            patient_id=call.patient_id if call else "",
            user_id=user_of(call) if call else "",
            status=line.status or 0,
            ms=line.ms or 0,
            cards=line.cards or 0,
            rules=tuple((rule, self.versions.get(rule, "")) for rule in fired),
            unsure=account.rules_with(Verdict.CANNOT_TELL.value),
            rule_set=account.rule_set,
            profile=account.profile,
            role=call.user_type if call else "",
            sex=account.sex,
            age_band=account.age_band,
            missing={key: state for key, state in account.lookups.items() if state != _COMPLETE},
            key_states=account.key_states,
            problem=line.problem,
            issued=tuple(issued),
        )
        # the store has told the operator; care goes on
        with contextlib.suppress(StoreUnavailable):
            self.audit.record(record)

    def answers(self, call: HookRequest, caller: Caller | None) -> Sequence[PastAnswer]:
        """How earlier cards about the patient of a call were answered; none while the store is away: then everything is said."""
        try:
            return self.past.answers(
                client=caller.client.name if caller else "",
                issuer=whose(call, caller.client.issuer if caller else ""),
                patient_id=call.patient_id,
                user_id=user_of(call),
            )
        except StoreUnavailable:
            return ()

    def keep(self, told: Sequence[Feedback], client: str, service: str) -> int:
        """Write what became of cards; returns how many of them are known.

        Raises:
            StoreUnavailable: not kept, so it must not be acknowledged.
        """
        now = dt.datetime.now(dt.UTC)  # noqa: TID251 when something happened, for the record
        return self.feedback.keep(told, client=client, service=service, received=now)


def whose(call: HookRequest, issuer: str) -> str:
    """Whose ids stand in a call: the `iss` of its caller, or its FHIR address where callers do not authenticate."""
    return issuer or call.fhir_server or ""


def user_of(call: HookRequest) -> str:
    """The user as `userId` has it; empty where nobody is named."""
    return f"{call.user_type}/{call.user_id}" if call.user_id else ""
