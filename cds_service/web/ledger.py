"""The record of calls, written as each is answered; a call is answered all the same when it cannot be written (F5, G6)."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cds_service.cards.render import EXTENSION
from cds_service.kernel.account import Account
from cds_service.kernel.errors import StoreUnavailable
from cds_service.kernel.needs import LookupState
from cds_service.kernel.rules import Verdict
from cds_service.protocol.feedback import Feedback
from cds_service.protocol.request import HookRequest
from cds_service.protocol.response import Card
from cds_service.store.audit import Audit, AuditRecord, IssuedCard
from cds_service.store.feedback import FeedbackBox
from cds_service.web.logs import Line

_COMPLETE = LookupState.COMPLETE.value


@dataclass(frozen=True, slots=True)
class Ledger:
    """Writes what may be kept of a call.

    Attributes:
        audit: the store of records.
        versions: version of each rule, by id.
        feedback: the store of what became of cards.
        groups: whether sex and age band of the patient are kept, for reports by group.
    """

    audit: Audit
    versions: Mapping[str, str]
    feedback: FeedbackBox
    groups: bool = False

    def note(
        self, line: Line, account: Account, call: HookRequest | None, issuer: str, cards: Sequence[Card] = ()
    ) -> None:
        """Write the record of a call.

        Args:
            line: its line in the log.
            account: what it was about.
            call: the call, where its envelope could be read.
            issuer: the `iss` of the caller; "" where callers do not authenticate.
            cards: the cards it was answered with.
        """
        fired = account.rules_with(Verdict.RECOMMEND.value)
        record = AuditRecord(
            correlation_id=line.correlation_id,
            time=dt.datetime.now(dt.UTC),  # noqa: TID251 when something happened, for the record
            hook=line.hook,
            service=line.service,
            client=line.client,
            issuer=issuer or (call.fhir_server or "" if call else ""),
            patient_id=call.patient_id if call else "",
            user_id=f"{call.user_type}/{call.user_id}" if call and call.user_id else "",
            status=line.status or 0,
            ms=line.ms or 0,
            cards=line.cards or 0,
            rules=tuple((rule, self.versions.get(rule, "")) for rule in fired),
            unsure=account.rules_with(Verdict.CANNOT_TELL.value),
            rule_set=account.rule_set,
            profile=account.profile,
            role=call.user_type if call else "",
            sex=account.sex if self.groups else "",
            age_band=account.age_band if self.groups else "",
            missing={key: state for key, state in account.lookups.items() if state != _COMPLETE},
            key_states=account.key_states,
            problem=line.problem,
            issued=tuple(map(_issued, cards)),
        )
        # the store has told the operator; care goes on
        with contextlib.suppress(StoreUnavailable):
            self.audit.record(record)

    def keep(self, told: Sequence[Feedback], client: str, service: str) -> int:
        """Write what became of cards; returns how many of them are known.

        Raises:
            StoreUnavailable: not kept, so it must not be acknowledged.
        """
        now = dt.datetime.now(dt.UTC)  # noqa: TID251 when something happened, for the record
        return self.feedback.keep(told, client=client, service=service, received=now)


def _issued(card: Card) -> IssuedCard:
    rules = card.extension.get(EXTENSION, ())
    return IssuedCard(
        card.uuid,
        card.source.topic.code if card.source.topic else "",
        card.indicator.value,
        tuple((each["id"], each["version"], each["verdict"]) for each in rules),
        tuple(
            (each.uuid, str(action.resource.get("resourceType", "")))
            for each in card.suggestions
            for action in each.actions
        ),
    )
