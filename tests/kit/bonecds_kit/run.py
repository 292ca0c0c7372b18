"""Both tables against one service: which rows it withstands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bonecds_kit import forge, inbound
from bonecds_kit.forger import Forger
from bonecds_kit.inbound import Call, Entry, InboundRow
from bonecds_kit.steps import COOL_DOWN, Forgery, Row, Step
from bonecds_kit.wire import CLOSED, Answer, CannotRun, Target

State = Literal["ok", "wrong", "not run", "by hand"]
GOOD = "good"
ROW_IDS = (*(row.id for row in forge.TABLE), *(row.id for row in inbound.TABLE))
_JSON = (("Content-Type", "application/json"),)
_NO_TOKENS = "callers are not authenticated: without a token the answer was {}"
_NOT_LET_IN = (
    "{id}: a good token is answered {answer}. Register the client (--print-registration), and check --audience,"
    " --issuer and --keys-port."
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer that is wrong: to what, what came, what would be right."""

    call: str
    came: str
    right: str


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of one service and one row.

    Attributes:
        service: id of the service.
        row: id of the row, or `GOOD` for the request the others are made from.
        title: of the row.
        state: of the row.
        calls: how many were made.
        problems: what came and should not.
        why: it was not run.
        by_hand: what is left to look at.
        key_reads: how often the service read the client's key set meanwhile, where that matters.
    """

    service: str
    row: str
    title: str
    state: State
    calls: int = 0
    problems: tuple[Problem, ...] = ()
    why: str = ""
    by_hand: str = ""
    key_reads: int | None = None


class Run:
    """Sends the rows to services at one address.

    Args:
        target: where they are.
        forger: the client whose registration the services know.
        audience: the address under which they know themselves.
        only: rows to run; empty: all.
        wait: lets seconds pass.
        say: shows progress.
    """

    def __init__(
        self,
        target: Target,
        forger: Forger,
        *,
        audience: str,
        only: Sequence[str],
        wait: Callable[[float], object],
        say: Callable[[str], object],
    ) -> None:
        self._target, self._forger, self._audience = target, forger, audience.rstrip("/")
        self._only, self._wait, self._say = frozenset(only or ROW_IDS), wait, say

    def service(self, entry: Entry) -> Iterator[Result]:
        """Every row, in the order of the tables.

        Raises:
            CannotRun: the service does not let the client in, or does not answer.
        """
        yield from _Service(entry, self._target, self._forger, self._audience, self._wait, self._say).rows(self._only)


class _Service:
    def __init__(
        self,
        entry: Entry,
        target: Target,
        forger: Forger,
        audience: str,
        wait: Callable[[float], object],
        say: Callable[[str], object],
    ) -> None:
        self._entry, self._target, self._forger, self._wait, self._say = entry, target, forger, wait, say
        self._path = f"/cds-services/{entry.id}"
        forger.audience = audience + self._path
        stranger = self._post(())
        self._no_tokens = "" if stranger.status == 401 else _NO_TOKENS.format(stranger)
        self._base = self._good() if not self._no_tokens else stranger
        if self._base.status == 401:
            # it may have looked at the keys of an earlier run a moment ago
            self._pause(GOOD, "a good token", COOL_DOWN)
            self._base = self._good()
        if self._base.status == 401:
            raise CannotRun(_NOT_LET_IN.format(id=entry.id, answer=self._base))

    def rows(self, only: frozenset[str]) -> Iterator[Result]:
        yield self._good_row()
        for row in forge.TABLE:
            if row.id in only:
                yield self._tokens(row)
        for spoilt in inbound.TABLE:
            if spoilt.id in only:
                yield self._requests(spoilt)

    # --- the request the others are made from

    def _good_row(self) -> Result:
        state: State = "not run"
        why, problems = "", tuple[Problem, ...]()
        if self._base.status == 200:
            state = "ok"
        elif not 200 < self._base.status < 500:
            state, problems = "wrong", (Problem("the good request", str(self._base), "200"),)
        else:
            why = f"it was answered {self._base}; rows to which that would be right, too, are not run"
        return Result(self._entry.id, GOOD, "the request that the others are made from", state, 1, problems, why)

    # --- tokens

    def _tokens(self, row: Row) -> Result:
        about = (self._entry.id, row.id, row.title)
        if not row.forgeries:
            return Result(*about, "by hand", by_hand=row.by_hand)
        if self._no_tokens:
            return Result(*about, "not run", why=self._no_tokens)
        reads, calls = self._forger.jwks.hits, 0
        problems: list[Problem] = []
        for forgery in row.forgeries:
            made, wrong = self._forgery(row.id, forgery)
            calls += made
            problems += wrong
        state: State = "wrong" if problems else "ok"
        read = self._forger.jwks.hits - reads if row.key_reads else None
        return Result(*about, state, calls, tuple(problems), by_hand=row.by_hand, key_reads=read)

    def _forgery(self, row: str, forgery: Forgery) -> tuple[int, list[Problem]]:
        strangers, number = self._forger.evil.hits, 0
        problems = []
        for number, step in enumerate(forgery.steps(self._forger), start=1):
            if step.wait:
                self._pause(row, forgery.name, step.wait)
            expected = self._let_in(step)
            answer = self._post(step.authorization, step.query)
            if answer.status not in expected:
                problems.append(Problem(f"{forgery.name}, call {number}", str(answer), _in_words(expected)))
        self._forger.jwks.fault = ""
        if called := self._forger.evil.hits - strangers:
            problems.append(Problem(forgery.name, f"{called} calls of the attacker's key server", "none"))
        return number, problems

    def _let_in(self, step: Step) -> frozenset[int]:
        """Who is let in gets what the good request got."""
        return step.expected - {200} | {self._base.status} if 200 in step.expected else step.expected

    # --- requests

    def _requests(self, row: InboundRow) -> Result:
        about = (self._entry.id, row.id, row.title)
        calls = row.calls(self._entry)
        if not calls:
            return Result(*about, "not run", why=row.none)
        told = all(self._base.status not in call.expected for call in calls) and not row.needs_an_answer
        if self._base.status != 200 and not told:
            return Result(*about, "not run", why=f"the good request was answered {self._base}, too")
        problems = [problem for call in calls for problem in self._request(call)]
        state: State = "wrong" if problems else "ok"
        return Result(*about, state, len(calls), tuple(problems))

    def _request(self, call: Call) -> Iterator[Problem]:
        headers = (*call.headers, *self._token())
        answer = self._target.post(self._path, headers, call.body, chunked=call.chunked)
        if answer.status not in call.expected:
            yield Problem(call.name, str(answer), _in_words(call.expected))
        if call.secret and call.secret in answer.body:
            yield Problem(call.name, "an answer that repeats what was sent", "one that does not")
        if answer.status == CLOSED and (after := self._good()).status != self._base.status:
            yield Problem(f"the good request after {call.name}", str(after), str(self._base))

    # --- calls

    def _good(self) -> Answer:
        return self._post(tuple(value for _, value in self._token()))

    def _token(self) -> tuple[tuple[str, str], ...]:
        return () if self._no_tokens else (("Authorization", f"Bearer {self._forger.good()}"),)

    def _post(self, authorization: Sequence[str], query: str = "") -> Answer:
        headers = (*_JSON, *(("Authorization", value) for value in authorization))
        return self._target.post(self._path + query, headers, json.dumps(inbound.good(self._entry)).encode())

    def _pause(self, row: str, name: str, seconds: float) -> None:
        self._say(f"{self._entry.id} {row}, {name}: waiting {seconds:.0f} s until the service may look for new keys")
        self._wait(seconds)


def _in_words(expected: frozenset[int]) -> str:
    return " or ".join(
        "the connection closed" if status == CLOSED else str(status) for status in sorted(expected, reverse=True)
    )
