"""Everything that a one-page bone-health summary of one patient shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cds_service.cards.escape import plain_line
from cds_service.cards.texts import Texts
from cds_service.clinical.patient import Patient
from cds_service.clinical.profiles import Profile
from cds_service.engine.answer import decide
from cds_service.engine.arrange import open_gaps
from cds_service.engine.services import Service
from cds_service.kernel.facts import Fact, Known
from cds_service.kernel.needs import Records
from cds_service.kernel.recall import forget
from cds_service.kernel.rules import Outcome, Verdict
from cds_service.kernel.truth import Truth
from cds_service.pictures import Picture
from cds_service.summary.draw import (
    draw_coverage,
    draw_glucocorticoids,
    draw_t_scores,
    draw_vitamin_d,
    gap_words,
)

INTENDED_USE = (
    "For health professionals. This page compares the record with published guidelines; it advises and never acts. No line means"
    " no advice, not that bone health is fine. Not a medical device as shipped by us; whoever deploys it must assess it."
)
# A page has more room than a chart: every card that the rules give, up to what a profile may ask for.
_CARDS = 10
_BY_STATUS = "status, "


@dataclass(frozen=True, slots=True)
class Advice:
    """One card, short.

    Attributes:
        summary: its summary, plain text.
        indicator: "info", "warning" or "critical".
        source: label of the guideline.
        topic: title of its topic.
    """

    summary: str
    indicator: str
    source: str
    topic: str


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing that is due, was due, or will be.

    Attributes:
        what: in words ("DXA").
        on: the day from which it is due, as far as it is known; empty: at once.
        state: "due", "not clear", "not yet due" or "done".
        rule: id of the rule that says so.
    """

    what: str
    on: str
    state: str
    rule: str


@dataclass(frozen=True, slots=True, repr=False)
class Summary:
    """The page. It names nobody: whoever shows it knows whose chart is open. Nothing of it stands in a `repr` (S8).

    Attributes:
        as_of: the day the patient is looked at.
        profile: title of the site's profile.
        rule_set: version of rules and content.
        age: in completed years, as words ("72", "61 to 62", "not known").
        sex: as recorded for clinical use, "not known" otherwise.
        in_scope: "yes", "no" or "unknown": in one of the groups the service is for (S5).
        silent: why there is no advice at all ("the patient has died"); empty when there may be some.
        t_scores: picture.
        vitamin_d: picture.
        glucocorticoids: picture.
        coverage: picture of the look-ups.
        advice: the cards in their order.
        due: what is due, then what is not clear, not yet due, and done; the earliest first.
        not_looked_at: what could not be looked at and kept a rule from answering, by reason.
        not_read: what was on record and set aside, and why.
        intended_use: the standing sentence.
    """

    as_of: dt.date
    profile: str
    rule_set: str
    age: str
    sex: str
    in_scope: str
    silent: str
    t_scores: Picture
    vitamin_d: Picture
    glucocorticoids: Picture
    coverage: Picture
    advice: tuple[Advice, ...]
    due: tuple[NextStep, ...]
    not_looked_at: tuple[str, ...]
    not_read: tuple[str, ...]
    intended_use: str = INTENDED_USE

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures in the order of the page."""
        return self.t_scores, self.vitamin_d, self.glucocorticoids, self.coverage


def summary_of(
    service: Service, records: Records, profile: Profile, as_of: dt.date, *, vitamin_d_unit: str = ""
) -> Summary:
    """Evaluate, draw, and put into words.

    Args:
        service: rules and knowledge; that of an open chart (`patient-view`).
        records: one patient's records.
        profile: the site's choices.
        as_of: the day.
        vitamin_d_unit: "ng/mL" or "nmol/L"; the unit of the site when empty.
    """
    try:
        return _summary(service, records, profile, as_of, vitamin_d_unit)
    finally:
        forget()


def _summary(service: Service, records: Records, profile: Profile, as_of: dt.date, unit: str) -> Summary:
    roomy = replace(profile, card_cap=_CARDS)
    decision = decide(service, records, as_of, roomy, f"summary/{as_of.isoformat()}")
    evaluation = decision.evaluation
    texts = service.texts(profile.language, profile.wording)
    thresholds = service.clinic.thresholds(as_of)
    p: Patient = evaluation.facts
    return Summary(
        as_of=as_of,
        profile=profile.title,
        rule_set=evaluation.rule_set,
        age=_words(p.age),
        sex=_words(p.sex),
        in_scope=evaluation.scope.truth.value,
        silent=texts.silent.get(evaluation.silent, evaluation.silent),
        t_scores=draw_t_scores(p, thresholds, texts),
        vitamin_d=draw_vitamin_d(p, thresholds, texts, unit),
        glucocorticoids=draw_glucocorticoids(p, thresholds, texts),
        coverage=draw_coverage(records, service.needs, profile.not_kept, texts),
        advice=tuple(
            Advice(
                card.summary,
                card.indicator.value,
                card.source.label,
                card.source.topic.display if card.source.topic else "",
            )
            for card in decision.cards
        ),
        due=() if evaluation.silent else _due(evaluation.outcomes, texts),
        not_looked_at=gap_words(open_gaps(evaluation.outcomes), texts),
        not_read=_not_read(evaluation.unread, texts),
    )


def _words(fact: Fact[Any]) -> str:
    if not isinstance(fact, Known):
        return "not known"
    return str(getattr(fact.value, "value", fact.value))


_STATES = {Verdict.RECOMMEND: "due", Verdict.CANNOT_TELL: "not clear", Verdict.SATISFIED: "not yet due"}
_ORDER = (*_STATES.values(), "done")


def _due(outcomes: Sequence[Outcome], texts: Texts) -> tuple[NextStep, ...]:
    """What the rules on plans computed, whatever their verdict, for people they speak about."""
    found: dict[tuple[str, str], NextStep] = {}
    for outcome in outcomes:
        what = outcome.finding.values.get("due_what")
        state = _STATES.get(outcome.verdict)
        if not isinstance(what, str) or state is None or outcome.finding.applies.truth is Truth.NO:
            continue
        on = str(outcome.finding.values.get("due_on", ""))
        if outcome.verdict is Verdict.SATISFIED and not on:
            state = "done"
        step = NextStep(texts.names.get(f"due:{what}", what), on, state, outcome.rule.id)
        found.setdefault((step.what, step.on), step)
    return tuple(sorted(found.values(), key=lambda step: (_ORDER.index(step.state), step.on, step.what)))


def _not_read(unread: Sequence[Mapping[str, str]], texts: Texts) -> tuple[str, ...]:
    """What was set aside, one line each; texts of senders on one line."""
    told = []
    for each in unread:
        name, reason = each["resource"], each["reason"]
        by_status = reason.removeprefix(_BY_STATUS)
        if by_status != reason:  # already counted: "Condition: refuted", and how many
            told.append(f"{name} ({by_status})")
        else:
            told.append(f"{name}: {texts.unread.get(reason, reason)}".removeprefix(": "))
    return tuple(dict.fromkeys(plain_line(line, 300) for line in told))
