"""An order that cards may offer, as ActivityDefinition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fhir.resources.R4B.activitydefinition import ActivityDefinition

from cds_service.fhir.knowledge.artifacts import LICENCE, Json, built, computer_name, head


def activity_definition(
    key: str,
    label: str,
    description: str,
    text: str,
    codings: Sequence[Mapping[str, str]],
    terms: str,
    version: str,
    *,
    drug: bool = False,
) -> Json:
    """A proposal for a service or a drug.

    Args:
        key: its key in `orders.toml`.
        label: what it is called.
        description: what it proposes.
        text: the service, for people.
        codings: parallel codings of it.
        terms: those of the code systems.
        version: that of the rule set.
        drug: whether it is a drug.
    """
    content = head("ActivityDefinition", key, version, label)
    content |= {
        "name": computer_name(key),
        "description": description,
        "copyright": "\n\n".join((LICENCE, terms)).strip(),
        "kind": "MedicationRequest" if drug else "ServiceRequest",
        "intent": "proposal",
        "productCodeableConcept" if drug else "code": {"coding": [dict(each) for each in codings], "text": text},
    }
    return built(ActivityDefinition, content)
