"""A rule as PlanDefinition (what is asked, why, on what authority) and Library (what is read to answer it)."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping

from fhir.resources.R4B.library import Library
from fhir.resources.R4B.plandefinition import PlanDefinition

from cds_service.fhir.knowledge.artifacts import LICENCE, Json, built, canonical, coding, computer_name, head
from cds_service.fhir.knowledge.content import Grade, RuleContent, page
from cds_service.kernel.quantities import plain
from cds_service.kernel.rules import Kind, Status
from cds_service.kernel.thresholds import Source, Threshold

THO = "http://terminology.hl7.org/CodeSystem"
UCUM = "http://unitsofmeasure.org"
STRENGTH = "http://hl7.org/fhir/StructureDefinition/cqf-strengthOfRecommendation"
CERTAINTY = "http://hl7.org/fhir/StructureDefinition/cqf-qualityOfEvidence"
DIRECTION = "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-directionOfRecommendation"
DIRECTIONS = "http://hl7.org/fhir/uv/cpg/CodeSystem/cpg-recommendation-direction-cs"
DEFAULT_VALUE = "http://hl7.org/fhir/StructureDefinition/cqf-defaultValue"
# The document that stands for decisions of this project: not a citation.
POLICY = "project"
_PYTHON = "text/x-python"
_CODE_PATHS = {"FamilyMemberHistory": "condition.code"}


def plan_definition(told: RuleContent, order_titles: Mapping[str, str]) -> Json:
    """The rule as an event-condition-action rule.

    Args:
        told: the rule.
        order_titles: what each order is called.
    """
    rule, doc = told.rule, page(told.rule.doc)
    content = _head("PlanDefinition", told)
    content |= {
        "name": computer_name(rule.name),
        "type": coding(f"{THO}/plan-definition-type", "eca-rule", "ECA Rule"),
        "description": _sentence(doc.get("What it looks for") or doc[""]),
        "purpose": _sentence(doc.get("Why it matters", "")),
        "usage": _usage(told, doc),
        "relatedArtifact": _citations((*told.sources, *(number.source for number in told.numbers))),
        "library": [f"{canonical('Library', rule.id)}|{rule.version}"],
        "action": [_action(told, doc, order_titles)],
    }
    return built(PlanDefinition, _filled(content))


def library(told: RuleContent) -> Json:
    """What the rule reads: look-ups as data requirements, numbers as parameters, and its page."""
    rule = told.rule
    content = _head("Library", told)
    content |= {
        "title": f"{content['title']} (what it reads)",
        "name": computer_name(f"{rule.name} inputs"),
        "type": coding(f"{THO}/library-type", "logic-library", "Logic Library"),
        "description": f"What rule {rule.id} reads, and its page. The logic itself is Python and runs in the service.",
        "relatedArtifact": _citations(number.source for number in told.numbers),
        "parameter": [_parameter(number) for number in told.numbers],
        "dataRequirement": [_data_requirement(kind, concept) for kind, concept in told.look_ups],
        "content": [
            {
                "contentType": "text/markdown",
                "language": "en",
                "data": base64.b64encode(rule.doc.encode()).decode(),
                "title": f"Page of rule {rule.id}",
            }
        ],
    }
    return built(Library, _filled(content))


def _head(kind: str, told: RuleContent) -> Json:
    stable = told.signed is not None and told.rule.status is Status.STABLE
    content = head(kind, told.rule.id, told.rule.version, f"{told.rule.id}: {told.title}", signed=stable)
    content["copyright"] = LICENCE
    if told.signed:
        content["approvalDate"] = told.signed.approved.isoformat()
        content["lastReviewDate"] = told.signed.reviewed.isoformat()
    if told.numbers:
        # in force once the last of its numbers is
        content["effectivePeriod"] = {"start": max(number.since for number in told.numbers).isoformat()}
    return content


def _usage(told: RuleContent, doc: Mapping[str, str]) -> str:
    rule = told.rule
    silent = doc.get("When it stays silent", "")
    preview = " Preview: off unless a site switches it on." if rule.status is Status.PREVIEW else ""
    lines = (
        f"Stays silent: {silent}" if silent else "",
        f"Guideline sets that switch it on: {', '.join(rule.sets)}.{preview}",
        f"Its answer depends on how the site reads: {', '.join(rule.switches)}." if rule.switches else "",
        f"A card may be critical: {rule.critical_because}" if rule.critical_because else "",
        f"Verification: {rule.check}, {told.check}.",
        "For health professionals. That the rule gives no advice says nothing about the patient's bones.",
    )
    return "\n\n".join(line for line in lines if line)


def _citations(sources: Iterable[Source]) -> list[Json]:
    """Documents, each once; a decision of this project is a justification, no citation."""
    return [
        _filled(
            {
                "type": "justification" if source.id == POLICY else "citation",
                "label": source.label,
                "citation": source.title,
                "url": source.url,
            }
        )
        for source in dict.fromkeys(sources)
    ]


def _action(told: RuleContent, doc: Mapping[str, str], order_titles: Mapping[str, str]) -> Json:
    rule = told.rule
    content = {
        "extension": list(_grade(told)),
        "title": told.title,
        "description": _sentence(doc.get("Why it matters", "")),
        "documentation": _documentation(told, doc),
        "trigger": [{"type": "named-event", "name": hook} for hook in told.hooks],
        "condition": [
            {
                "kind": "applicability",
                "expression": {
                    "description": _sentence(doc.get("What it looks for") or doc[""]),
                    # no CQL: an engine that cannot run it has to say so, and may not take the action as applicable
                    "language": _PYTHON,
                    "expression": f"{rule.decide.__module__}.{rule.name}",
                },
            }
        ],
        "selectionBehavior": "any" if told.orders else "",
        "action": [
            {
                "title": order_titles[order],
                "description": "Offered where the record calls for it; nothing is ticked in advance.",
                "precheckBehavior": "no",
                "definitionCanonical": canonical("ActivityDefinition", order),
            }
            for order in told.orders
        ],
    }
    return _filled(content)


def _documentation(told: RuleContent, doc: Mapping[str, str]) -> list[Json]:
    """The place in the source, as the rule's page has it, and the documents that cards name."""
    said = _sentence(doc.get("Sources", ""))
    return [*([{"type": "documentation", "display": said}] if said else []), *_citations(told.sources)]


def _grade(told: RuleContent) -> Iterator[Json]:
    """Strength, certainty and direction (CPG on FHIR), the guideline's own words as text."""
    grade = told.grade or Grade()
    if told.grade or told.rule.kind is Kind.ACTION:
        code = (
            coding(f"{THO}/recommendation-strength", grade.strength, grade.strength.title()) if grade.strength else {}
        )
        yield {"url": STRENGTH, "valueCodeableConcept": {**code, "text": told.strength}}
    if grade.certainty:
        yield {"url": CERTAINTY, "valueCodeableConcept": {"text": grade.certainty}}
    if grade.direction:
        direction = coding(DIRECTIONS, grade.direction, grade.direction.title())
        yield {"url": DIRECTION, "valueCodeableConcept": direction}


def _parameter(number: Threshold) -> Json:
    """A threshold, with the value in force as its default."""
    value: Json = {"value": number.value, "unit": number.unit, "system": UCUM, "code": number.unit}
    where = f"{number.source.label}, {number.where}; in force since {number.since.isoformat()}; check {number.check}"
    return {
        "extension": [{"url": DEFAULT_VALUE, "valueQuantity": value}],
        "name": number.key,
        "use": "in",
        "min": 0,
        "max": "1",
        "documentation": f"{number.label}: {plain(number.value)} {number.unit} ({where})",
        "type": "Quantity",
    }


def _data_requirement(kind: str, concept: str) -> Json:
    if not concept:
        return {"type": kind}
    path = "medication" if kind.startswith("Medication") else _CODE_PATHS.get(kind, "code")
    return {"type": kind, "codeFilter": [{"path": path, "valueSet": canonical("ValueSet", concept)}]}


def _sentence(text: str) -> str:
    """Parts of a page go on from their heading, in lower case."""
    return text[:1].upper() + text[1:]


def _filled(content: Mapping[str, object]) -> Json:
    """Without what is empty: FHIR knows no empty string and no empty list."""
    return {key: value for key, value in content.items() if value not in ("", [])}
