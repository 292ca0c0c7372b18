"""A card plan and the words make a card: summary that stands alone, fixed blocks, basis, gaps by name."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from jinja2 import Template

from cds_service.cards.escape import cut, unescaped
from cds_service.cards.figures import lines_of
from cds_service.cards.plan import GAPS, CardPlan
from cds_service.cards.suggest import Order, Subject, suggestion, without_covered
from cds_service.cards.texts import Texts
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.facts import Evidence
from cds_service.kernel.rules import Outcome, Rule, Status, Verdict
from cds_service.kernel.thresholds import Source
from cds_service.kernel.truth import Truth
from cds_service.protocol.response import MAX_SUMMARY, Card, OverrideReason, Topic
from cds_service.protocol.response import Source as CardSource

TOPIC_SYSTEM = "https://bonecds.org/CodeSystem/card-topic"
OVERRIDE_SYSTEM = "https://bonecds.org/CodeSystem/override-reason"
EXTENSION = "org.bonecds.rules"
_MAX_LINES = 3
# what a recommendation is called in the list of a card on several of them
_LISTED = "due_what"
_BACKGROUND = frozenset({"age", "sex"})


def cards_of(
    plans: Iterable[CardPlan],
    texts: Texts,
    orders: Mapping[str, Order],
    source_of: Callable[[Rule], Source],
    subject: Subject,
    seed: str,
) -> tuple[Card, ...]:
    """Write the cards.

    Args:
        plans: what to say, most urgent first.
        texts: the words.
        orders: what can be offered.
        source_of: the document a rule rests on.
        subject: for whom the drafts are.
        seed: makes the uuids, the same for the same call (S6).
    """
    return tuple(_card(plan, texts, orders, source_of, subject, seed) for plan in plans)


def ident_of(plan: CardPlan, seed: str) -> str:
    """The uuid of a card, the same for the same call (S6); one that is held back has another than the one shown beside it."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(filter(None, (seed, plan.topic, plan.held)))))


def _card(
    plan: CardPlan,
    texts: Texts,
    orders: Mapping[str, Order],
    source_of: Callable[[Rule], Source],
    subject: Subject,
    seed: str,
) -> Card:
    ident = ident_of(plan, seed)
    topic = texts.topics[plan.topic]
    lead = _lead(plan)
    source = source_of(lead.rule) if lead else Source("", texts.blocks["product"], "", "", 0)
    withheld = {proposal for proposal, _ in plan.withheld}
    proposed = (each for outcome in plan.outcomes for each in outcome.finding.propose if each not in withheld)
    proposals = without_covered(proposed, orders)
    return Card(
        uuid=ident,
        summary=cut(_as_sentence(_summary(plan, lead, texts)), MAX_SUMMARY),
        indicator=plan.level,
        source=CardSource(source.label, source.url, topic=Topic(topic.code, TOPIC_SYSTEM, topic.title)),
        detail=_detail(plan, texts, orders, source_of),
        suggestions=tuple(made for each in proposals if (made := suggestion(each, orders, subject, ident))),
        override_reasons=tuple(
            OverrideReason(each.code, OVERRIDE_SYSTEM, each.display) for each in texts.reasons_to_dismiss(plan.topic)
        ),
        extension={EXTENSION: rules_of(plan)},
    )


def _lead(plan: CardPlan) -> Outcome | None:
    """The rule that speaks in the summary: the most urgent, the first among equals."""
    return max(plan.outcomes, key=lambda outcome: outcome.finding.level.rank, default=None)


def _as_sentence(text: str) -> str:
    """A summary that begins with a reason begins with a capital, too."""
    return text[:1].upper() + text[1:]


def _summary(plan: CardPlan, lead: Outcome | None, texts: Texts) -> str:
    if lead is None:
        return _gap_summary(plan, texts)
    listed = [outcome for outcome in plan.outcomes if _LISTED in outcome.finding.values]
    several = texts.topics[plan.topic].several
    if several and len(listed) > 1 and lead in listed:
        return _several(several, listed, texts)
    template, values = texts.rules[lead.rule.id].summary, _values(plan, lead)
    shown, sentences = _shown(lead, texts), _sentences(lead, texts)
    # as many reasons as fit; where not even one does, the criterion's own short sentence
    told = [shown[:2], shown[:1], sentences[:1]] if shown else [sentences[:1]]
    fitting = (" ".join(template.render(values | {"shown": reasons}).split()) for reasons in told)
    words = list(fitting)
    return next((each for each in words if len(each) <= MAX_SUMMARY), words[-1])


def _several(template: Template, outcomes: list[Outcome], texts: Texts) -> str:
    """As many of several recommendations as fit; the others are only counted here, and stand in the options."""
    told = {"all": [dict(outcome.finding.values) for outcome in outcomes], "names": texts.names}
    words = [" ".join(template.render(told | {"n": n}).split()) for n in range(len(outcomes), 0, -1)]
    return next((each for each in words if len(each) <= MAX_SUMMARY), words[-1])


def _gap_summary(plan: CardPlan, texts: Texts) -> str:
    names = list(dict.fromkeys(texts.names.get(gap.what, gap.what) for gap in plan.gaps))
    pattern = texts.blocks["gap-summary"]
    while len(names) > 1 and len(pattern.format(names=", ".join(names))) > MAX_SUMMARY:
        names = [*names[:-2], texts.blocks["and-more-names"]] if len(names) > 2 else names[:1]
    return pattern.format(names=", ".join(names))


def _sentences(lead: Outcome, texts: Texts) -> list[str]:
    told = (
        leaf for leaf in lead.finding.applies.reasons() if leaf.truth is Truth.YES and leaf.key not in texts.population
    )
    return [texts.of_criterion(leaf) for leaf in told]


def _shown(lead: Outcome, texts: Texts) -> list[str]:
    """The reasons of the leading rule, without dates, in plain text, for a summary that stands alone."""
    undated = f"({texts.blocks['undated']})"
    found: dict[str, None] = {}
    for leaf in lead.finding.applies.reasons():
        if leaf.truth is Truth.YES and leaf.key not in texts.population:
            for evidence in leaf.evidence[:1]:
                line = texts.of_evidence(replace(evidence, on=None)).replace(undated, "")
                found[unescaped(line).strip()] = None
    return list(found)


def _values(plan: CardPlan, own: Outcome) -> dict[str, object]:
    """What templates may use: the values of every rule on the card, the own ones first."""
    values: dict[str, object] = {}
    for outcome in (*plan.holding, *plan.outcomes, own):
        values.update(outcome.finding.values)
    return {"v": values, "rules": {outcome.rule.id for outcome in (*plan.outcomes, *plan.holding)}}


def _detail(plan: CardPlan, texts: Texts, orders: Mapping[str, Order], source_of: Callable[[Rule], Source]) -> str:
    # told in short: who answered it knows the reasons and the options
    full = plan.answered is None
    blocks = (
        ("answered", _answered(plan, texts)),
        ("why-now", _few(why_now(plan.outcomes, texts)) if full else []),
        ("options", [*_options(plan, texts), *_not_offered(plan, texts, orders)] if full else []),
        ("not-known", texts.of_gaps(plan.gaps)),
        ("basis", list(_basis(plan, texts, source_of))),
        ("figures", [line for each in plan.figures for line in lines_of(each, texts)]),
    )
    written = [
        f"**{texts.blocks[name]}**\n\n" + "\n".join(f"- {line}" for line in lines) for name, lines in blocks if lines
    ]
    if plan.also:
        titles = ", ".join(texts.topics[topic].title for topic in plan.also)
        written.append(texts.blocks["also"].format(titles=titles))
    return "\n\n".join(written)


def _answered(plan: CardPlan, texts: Texts) -> list[str]:
    """When and how the card was answered before; a reason that is not one of ours is not repeated."""
    if plan.answered is None:
        return []
    known = {each.code: each.display for each in texts.override}
    reasons = [known[code] for code in plan.answered.reasons if code in known]
    how = texts.blocks["answered-accepted" if plan.answered.accepted else "answered-dismissed"]
    return [how.format(on=plan.answered.on, reasons=f" ({'; '.join(reasons)})" if reasons else "")]


def why_now(outcomes: Iterable[Outcome], texts: Texts) -> list[str]:
    """The evidence behind the recommendations: one line for each kind, age and sex only where nothing else speaks."""
    by_kind: dict[str, dict[str, None]] = {}
    for outcome in outcomes:
        for shown in _reasons(outcome):
            by_kind.setdefault(shown.kind, {})[texts.of_evidence(shown)] = None
    kinds = [kind for kind in by_kind if kind not in _BACKGROUND] or list(by_kind)
    return [_joined(list(by_kind[kind]), texts) for kind in kinds]


def _reasons(outcome: Outcome) -> Iterator[Evidence]:
    for leaf in outcome.finding.applies.reasons():
        if leaf.truth is Truth.YES:
            yield from leaf.evidence


def _joined(lines: list[str], texts: Texts) -> str:
    """Several pieces of one kind on one line: the first two, and how many more."""
    more = [texts.blocks["more-lines"].format(n=len(lines) - 2)] if len(lines) > 2 else []
    return "; ".join([*lines[:2], *more])


def _few(lines: list[str]) -> list[str]:
    """At most three lines; what is over joins the last one, so nothing is hidden."""
    return [*lines[: _MAX_LINES - 1], "; ".join(lines[_MAX_LINES - 1 :])] if len(lines) > _MAX_LINES else lines


def _options(plan: CardPlan, texts: Texts) -> Iterator[str]:
    """What the rules offer and then what definitions add, each line once."""
    told = (line for outcome in (*plan.outcomes, *plan.holding) for line in _lines(outcome, plan, texts))
    yield from dict.fromkeys(told)


def _not_offered(plan: CardPlan, texts: Texts, orders: Mapping[str, Order]) -> Iterator[str]:
    """Which drafts are not offered and why, drafts with the same reason on one line."""
    by_reason: dict[str, list[str]] = {}
    for proposal, against in plan.withheld:
        by_reason.setdefault(_reasons_against(against, texts), []).append(orders[proposal.order].text)
    for reason, drafts in by_reason.items():
        yield texts.blocks["withheld"].format(drafts=", ".join(drafts), reason=reason)


def _reasons_against(against: Criterion, texts: Texts) -> str:
    if against.truth is Truth.YES:
        return ", ".join(dict.fromkeys(texts.of_criterion(leaf) for leaf in against.reasons()))
    names = dict.fromkeys(texts.names.get(gap.what, gap.what) for gap in against.open_gaps())
    return texts.blocks["withheld-not-known"].format(names=", ".join(names))


def _lines(outcome: Outcome, plan: CardPlan, texts: Texts) -> list[str]:
    ident = outcome.rule.id
    templates = texts.rules[ident].options if outcome.verdict is Verdict.RECOMMEND else texts.lines.get(ident, ())
    lines = (" ".join(each.render(_values(plan, outcome)).split()) for each in templates)
    return [line for line in lines if line]


def _basis(plan: CardPlan, texts: Texts, source_of: Callable[[Rule], Source]) -> Iterator[str]:
    speaking = (outcome for outcome in plan.holding if _lines(outcome, plan, texts))
    for outcome in (*plan.outcomes, *speaking):
        rule = outcome.rule
        source = source_of(rule)
        notes = [texts.check[rule.check]] if rule.check in texts.check else []
        if rule.status is Status.PREVIEW:
            notes.append(texts.blocks["preview"])
        note = f" ({'; '.join(notes)})" if notes else ""
        yield f"{source.label}: {texts.strength[rule.strength]}, rule {rule.id}@{rule.version}{note}"
    if plan.topic == GAPS:
        yield texts.blocks["gap-basis"]


def rules_of(plan: CardPlan) -> list[dict[str, str]]:
    """Id, version and verdict of every rule behind a card."""
    named = [_reference(outcome) for outcome in (*plan.outcomes, *plan.holding)]
    return named or [{"id": "S5", "version": "1", "verdict": Verdict.CANNOT_TELL.value}]


def _reference(outcome: Outcome) -> dict[str, str]:
    rule = outcome.rule
    return {"id": rule.id, "version": rule.version, "verdict": outcome.verdict.value}
