"""The explanation as text: cards first, then every rule as a tree of yes, no and not known."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.cards.escape import unescaped
from cds_service.cards.texts import Texts
from cds_service.engine.answer import Decision
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.rules import Outcome, Verdict

_ORDER = (Verdict.RECOMMEND, Verdict.CANNOT_TELL, Verdict.SATISFIED, Verdict.NOT_APPLICABLE)


def as_text(decision: Decision, texts: Texts) -> str:
    """The whole explanation."""
    return "\n".join(_lines(decision, texts))


def _lines(decision: Decision, texts: Texts) -> Iterator[str]:
    evaluation, words = decision.evaluation, texts.explain
    yield words["title"].format(
        as_of=evaluation.as_of.isoformat(), profile=evaluation.profile.id, rule_set=evaluation.rule_set
    )
    scope = "scope-order" if evaluation.orders else "scope"
    yield words[scope].format(truth=texts.truth(evaluation.scope.truth))
    yield ""
    if decision.cards:
        yield f"# {words['cards']}"
        for card in decision.cards:
            yield ""
            yield f"[{card.indicator.value}] {card.summary}"
            yield ""
            yield from (f"    {unescaped(line)}" for line in card.detail.splitlines())
    else:
        yield f"# {words['why-no-card']}"
        yield ""
        if evaluation.silent:
            yield words["silent"].format(reason=texts.silent[evaluation.silent])
        yield words["no-advice"]
    yield ""
    yield f"# {words['rules']}"
    for verdict in _ORDER:
        for outcome in evaluation.outcomes:
            if outcome.verdict is verdict:
                yield ""
                yield from _rule(outcome, texts)
    if evaluation.unread:
        yield ""
        yield f"# {words['unread']}"
        yield ""
        for each in evaluation.unread:
            yield f"- {each['resource']}: {texts.unread.get(each['reason'], each['reason'])}"


def _rule(outcome: Outcome, texts: Texts) -> Iterator[str]:
    rule = outcome.rule
    yield f"{rule.id} {rule.name.replace('_', ' ')}: {outcome.verdict.value}"
    yield from _tree(outcome.finding.applies, texts, 1)
    if outcome.finding.satisfied_by and outcome.verdict is not Verdict.NOT_APPLICABLE:
        yield "  satisfied by"
        yield from _tree(outcome.finding.satisfied_by, texts, 2)
    for name, value in outcome.finding.values.items():
        yield f"  {name} = {value}"
    for gap in outcome.missing:
        yield f"  {texts.explain['missing']}: {unescaped(texts.of_gap(gap))}, {texts.gaps[gap.kind.value].lower()}"


def _tree(criterion: Criterion, texts: Texts, depth: int) -> Iterator[str]:
    pad = "  " * depth
    found = f" [{criterion.found}]" if criterion.found else ""
    source = ""
    if criterion.threshold:
        source = f" ({criterion.threshold.source.label}, {criterion.threshold.where})"
    yield f"{pad}{texts.truth(criterion.truth):9} {texts.of_criterion(criterion)}{found}{source}"
    for shown in criterion.evidence[:5]:
        where = f"  <{shown.resource}>" if shown.resource else ""
        yield f"{pad}          {unescaped(texts.of_evidence(shown))}{where}"
    for part in criterion.parts:
        yield from _tree(part, texts, depth + 1)
