"""The twelve CDS Hooks invariants of HL7, which a JSON Schema says badly or not at all.

Source: HL7/cds-hooks `input/fsh/invariants/`, one FHIRPath expression each. A function takes the whole
document and gives the paths at which its invariant does not hold; a document of the wrong shape holds
vacuously, since finding wrong shapes is the schema's work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Element: TypeAlias = Mapping[str, Any]
Invariant: TypeAlias = Callable[[Element], Iterator[str]]


def cds_r_1(request: Element) -> Iterator[str]:
    """Where there is `fhirAuthorization`, there is `fhirServer`."""
    if request.get("fhirAuthorization") and not request.get("fhirServer"):
        yield "fhirServer"


def cds_r_2(request: Element) -> Iterator[str]:
    """Where a scope starts with `patient/`, `fhirAuthorization.patient` names the patient.

    HL7's expression looks for `Patient/` with a capital, which no SMART scope has; this follows its words.
    They say SHOULD and the public sandbox does not do it, so `request.parse` never refuses a call for it.
    """
    authorization = _object(request.get("fhirAuthorization"))
    scope = authorization.get("scope")
    if isinstance(scope, str) and "patient/" in scope and not authorization.get("patient"):
        yield "fhirAuthorization.patient"


def cds_resp_1(response: Element) -> Iterator[str]:
    """With `at-most-one`, at most one suggestion is recommended."""
    for path, card in _objects(response, "cards"):
        recommended = [s for _, s in _objects(card, "suggestions") if s.get("isRecommended") is True]
        if card.get("selectionBehavior") == "at-most-one" and len(recommended) > 1:
            yield f"{path}.suggestions"


def cds_resp_2(response: Element) -> Iterator[str]:
    """A `delete` has a `resourceId` and no `resource`."""
    for path, action in _actions(response):
        if action.get("type") == "delete" and ("resource" in action or not action.get("resourceId")):
            yield f"{path}.resourceId"


def cds_resp_3(response: Element) -> Iterator[str]:
    """`appContext` stands only on links to SMART apps."""
    for path, card in _objects(response, "cards"):
        for place, link in _objects(card, "links"):
            if link.get("type") != "smart" and "appContext" in link:
                yield f"{path}.{place}.appContext"


def cds_resp_4(response: Element) -> Iterator[str]:
    """Every override reason has words."""
    for path, card in _objects(response, "cards"):
        for place, reason in _objects(card, "overrideReasons"):
            if not reason.get("display"):
                yield f"{path}.{place}.display"


def cds_resp_5(response: Element) -> Iterator[str]:
    """Every action of a suggestion has a description."""
    for path, suggestion in _suggestions(response):
        for place, action in _objects(suggestion, "actions"):
            if not action.get("description"):
                yield f"{path}.{place}.description"


def cds_resp_6(response: Element) -> Iterator[str]:
    """Where there are suggestions, there is `selectionBehavior`."""
    for path, card in _objects(response, "cards"):
        if card.get("suggestions") and not card.get("selectionBehavior"):
            yield f"{path}.selectionBehavior"


def cds_resp_7(response: Element) -> Iterator[str]:
    """`actionSelectionBehavior` (3.0 draft) is all, any or at-most-one."""
    for path, suggestion in _suggestions(response):
        if suggestion.get("actionSelectionBehavior", "all") not in ("all", "any", "at-most-one"):
            yield f"{path}.actionSelectionBehavior"


def cds_fb_1(feedback: Element) -> Iterator[str]:
    """The outcome is `accepted` or `overridden`."""
    for path, entry in _objects(feedback, "feedback"):
        if entry.get("outcome") not in ("accepted", "overridden"):
            yield f"{path}.outcome"


def cds_fb_2(feedback: Element) -> Iterator[str]:
    """An `accepted` outcome names the accepted suggestions."""
    for path, entry in _objects(feedback, "feedback"):
        if entry.get("outcome") == "accepted" and not entry.get("acceptedSuggestions"):
            yield f"{path}.acceptedSuggestions"


def cds_fb_3(feedback: Element) -> Iterator[str]:
    """An override reason has a reason, a comment or both."""
    for path, entry in _objects(feedback, "feedback"):
        reason = entry.get("overrideReason")
        if isinstance(reason, dict) and not (reason.get("reason") or reason.get("userComment")):
            yield f"{path}.overrideReason"


OF_REQUEST: Sequence[Invariant] = (cds_r_1, cds_r_2)
OF_RESPONSE: Sequence[Invariant] = (
    cds_resp_1,
    cds_resp_2,
    cds_resp_3,
    cds_resp_4,
    cds_resp_5,
    cds_resp_6,
    cds_resp_7,
)
OF_FEEDBACK: Sequence[Invariant] = (cds_fb_1, cds_fb_2, cds_fb_3)


def name(invariant: Invariant) -> str:
    """HL7's id: `cds-resp-1`."""
    return invariant.__name__.replace("_", "-")


def words(invariant: Invariant) -> str:
    """What it asks, in one sentence."""
    return (invariant.__doc__ or "").partition("\n")[0].rstrip(".")


def _object(value: object) -> Element:
    return value if isinstance(value, dict) else {}


def _objects(parent: Element, key: str) -> Iterator[tuple[str, Element]]:
    listed = parent.get(key)
    for at, element in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(element, dict):
            yield f"{key}[{at}]", element


def _suggestions(response: Element) -> Iterator[tuple[str, Element]]:
    for path, card in _objects(response, "cards"):
        for place, suggestion in _objects(card, "suggestions"):
            yield f"{path}.{place}", suggestion


def _actions(response: Element) -> Iterator[tuple[str, Element]]:
    for path, suggestion in _suggestions(response):
        for place, action in _objects(suggestion, "actions"):
            yield f"{path}.{place}", action
    yield from _objects(response, "systemActions")
