"""What the operator learns of a call: one line of the log, and the metrics where they are on.

The parts of a call that know something leave it in `flask.g`: `service`, `client` and `issuer` of an authenticated caller or
the `reason` why there is none, `admitted`, `call`, `hook_instance`, `fetch_ms`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from flask import current_app, g, has_app_context

from cds_service.kernel.account import Account
from cds_service.kernel.errors import Unassessable
from cds_service.kernel.past import SHOWN, IssuedCard
from cds_service.protocol.feedback import Feedback
from cds_service.protocol.response import Card, HookResponse
from cds_service.web import logs
from cds_service.web.ledger import Ledger
from cds_service.web.logs import Alarm

if TYPE_CHECKING:
    # imported by whoever switches them on: see `wsgi.serve`
    from cds_service.web.metrics import Metrics

EXTENSION = "bonecds-metrics"
LEDGER = "bonecds-ledger"
# names under which `store.database` tells of a failure, and what the operator calls it
_STORES = {
    "audit": ("audit", Alarm.AUDIT_FAILING),
    "used_tokens": ("replay", Alarm.REPLAY_STORE_DOWN),
    "past": ("cards", Alarm.AUDIT_FAILING),
}
_NOTHING = Account()


def metrics() -> Metrics | None:
    """The metrics of the application that is answering, where they are on."""
    return cast("Metrics | None", current_app.extensions.get(EXTENSION)) if has_app_context() else None


def begins() -> None:
    """A call came in."""
    g.began = time.monotonic()
    if counted := metrics():
        counted.enters()
        g.entered = True


def ends(_problem: BaseException | None = None) -> None:
    """Its answer is made, or it failed: called once for every call, whatever became of it."""
    if g.pop("entered", False) and (counted := metrics()):
        counted.leaves()


def answered(found: HookResponse) -> None:
    """Note a call that was answered with cards, or with none."""
    _note("call", 200, account=found.account, cards=found.cards, issued=found.issued)


def refused(status: int, problem: Exception) -> None:
    """Note a call that was refused for what it is or brings."""
    account = problem.account if isinstance(problem, Unassessable) else _NOTHING
    _note("refused", status, problem=type(problem).__name__, account=account)


def fault(problem: Exception, place: str) -> None:
    """Note a mistake of ours; only its class and its place (F2)."""
    _note("fault", 500, problem=type(problem).__name__, place=place)


def feedback(told: Sequence[Feedback], known: int) -> None:
    """Note what became of cards: how many outcomes of each kind, and of how many cards nothing is known. No word of a clinician."""
    _note("feedback", 200)
    if counted := metrics():
        counted.feedback((each.outcome.value for each in told), len({each.card for each in told}) - known)


def fetched(outcomes: Iterable[str], seconds: float) -> None:
    """Note how long the look-ups at a FHIR server took, and how each went (a `LookupState`)."""
    g.fetch_ms = round(seconds * 1000)
    if counted := metrics():
        for outcome in outcomes:
            counted.fetched(outcome, seconds)


def store_failed(what: str, problem: str) -> None:
    """Note that the database could not be used; called by `store.database` with words of its own."""
    store, told = _STORES.get(what, ("audit", Alarm.AUDIT_FAILING))
    alarm(told, problem)
    if counted := metrics():
        counted.store_failed(store)


def shed() -> None:
    """Count a call that was turned away because too many were waiting."""
    if counted := metrics():
        counted.shed()


def alarm(what: Alarm, problem: str = "", *, service: str = "", client: str = "") -> None:
    """Tell the operator at once; may be called outside of a call too, where it is logged and not counted.

    Args:
        what: the alarm.
        problem: a code.
        service: which service it is about; the one that is called unless it is given.
        client: likewise which client.
    """
    logs.alarm(
        what,
        correlation_id=g.get("correlation_id", "") if has_app_context() else "",
        client=client or (g.get("client", "") if has_app_context() else ""),
        service=service or (_service()[0] if has_app_context() else ""),
        problem=problem,
    )
    if counted := metrics():
        counted.alarm(what)


def _service() -> tuple[str, str]:
    found = g.get("service")
    return (found.id, found.hook) if found else ("", "")


def _note(
    event: str,
    status: int,
    *,
    problem: str = "",
    place: str = "",
    account: Account = _NOTHING,
    cards: tuple[Card, ...] | None = None,
    issued: Sequence[IssuedCard] = (),
) -> None:
    seconds = time.monotonic() - g.began
    service, hook = _service()
    line = logs.Line(
        event,
        correlation_id=g.correlation_id,
        hook_instance=logs.if_uuid(g.get("hook_instance", "")),
        client=g.get("client", ""),
        service=service,
        hook=hook,
        status=status,
        ms=round(seconds * 1000),
        fetch_ms=g.get("fetch_ms"),
        cards=None if cards is None else len(cards),
        gaps=sum(account.gaps.values()) if account.rule_set else None,
        key_states=account.key_states,
        rule_set=account.rule_set,
        reason=g.get("reason", ""),
        problem=problem,
        place=place,
    )
    logs.write(line, "error" if event == "fault" else "info")
    if counted := metrics():
        counted.call(line, seconds)
        counted.told(account, tuple(card.indicator.value for card in cards or ()))
        counted.held(each.display for each in issued if each.display != SHOWN)
    ledger = cast("Ledger | None", current_app.extensions.get(LEDGER))
    # only of callers who were let in: whoever is turned away must not be able to fill a disk. Feedback is kept by itself
    if ledger and g.get("admitted") and event != "feedback":
        ledger.note(line, account, g.get("call"), g.get("issuer", ""), issued)
