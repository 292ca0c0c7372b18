"""The lines a risk model's answer makes on a card: the numbers, everything they rest on, and the licence's own words."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.cards.texts import Texts
from cds_service.kernel.facts import Evidence
from cds_service.kernel.figures import Counted, Figure, NotCalculable, Result, Supporting
from cds_service.kernel.quantities import plain


def lines_of(told: Supporting, texts: Texts) -> tuple[str, ...]:
    """The lines of one model; a model's own words come from its distribution, never from the record."""
    match told.said:
        case Figure() as figure:
            return tuple(_figure(told, figure, texts))
        case NotCalculable(reasons, gaps):
            why = "; ".join((*reasons, *texts.of_gaps(gaps)))
            return (texts.blocks["figure-none"].format(model=told.model, reasons=why),)


def _figure(told: Supporting, figure: Figure, texts: Texts) -> Iterator[str]:
    blocks = texts.blocks
    yield blocks["figure"].format(model=told.model, results="; ".join(_result(each, texts) for each in figure.results))
    for key, terms in (
        ("figure-counted", [_counted(each, texts) for each in figure.counted]),
        ("figure-absent", figure.assumed_absent),
        ("figure-not-looked-for", figure.not_looked_for),
    ):
        if terms:
            yield blocks[key].format(terms="; ".join(terms))
    yield from figure.remarks
    if told.licence_note:
        yield told.licence_note


def _result(result: Result, texts: Texts) -> str:
    value = str(result.value)
    if result.value.low is not None and result.value.high is None:
        value = texts.blocks["figure-at-least"].format(value=plain(result.value.low))
    return texts.blocks["figure-result"].format(name=result.name, value=value, unit=result.unit)


def _counted(term: Counted, texts: Texts) -> str:
    shown = _shown(term.shown_by, texts)
    if not term.name or not shown:
        return term.name or shown
    return texts.blocks["figure-counted-term"].format(name=term.name, evidence=shown)


def _shown(evidence: tuple[Evidence, ...], texts: Texts) -> str:
    """The first piece of evidence, and how many more."""
    lines = list(dict.fromkeys(texts.of_evidence(each) for each in evidence))
    more = [texts.blocks["more-lines"].format(n=len(lines) - 1)] if len(lines) > 1 else []
    return " ".join([*lines[:1], *more])
