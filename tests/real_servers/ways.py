"""The ways to the outcomes of one patient: what was sent, what a server has, and the whole record in a file."""

from __future__ import annotations

import json
import re
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from cds_service.cli.explain import explain
from cds_service.engine.answer import decide
from cds_service.engine.explanation import as_json
from cds_service.engine.fetch import Fetcher
from cds_service.engine.gather import gather
from cds_service.formats import strict_json
from cds_service.protocol.request import HookRequest, parse
from hooks.patient_view import SERVICE
from tests.real_servers.loading import as_bytes, stored
from tests.real_servers.patients import Json, Person
from tests.support.golden import split

LOOK_UPS = "look-ups"
_PROFILE = SERVICE.clinic.profile("us")
_UUID = re.compile(r'"uuid": "[0-9a-f-]{36}"')


def by_prefetch(person: Person) -> Json:
    """What comes of a call that carries the whole prefetch."""
    resources = stored(person.bundle)
    values = split({"entry": [{"resource": each} for each in resources]})
    # Our templates ask for no drug by reference; an EHR that orders by reference has to send the drugs along.
    drugs = {f"Medication/{r['id']}": r for r in resources if r["resourceType"] == "Medication"}
    for key in ("medicationRequests", "medicationDispenses", "medicationAdministrations", "medicationStatements"):
        entries = values[key]["entry"]
        wanted = {each["resource"].get("medicationReference", {}).get("reference") for each in entries}
        named = [drug for name, drug in drugs.items() if any(ref and ref.endswith(name) for ref in wanted)]
        entries += [{"resource": drug, "search": {"mode": "include"}} for drug in named]
    return _said(person, _call(person, prefetch=values), None)


def by_fetching(person: Person, fetcher: Fetcher, base: str, token: str) -> Json:
    """What comes of a call that carries nothing but where the record is and a token for it."""
    authorization = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "system/*.rs",
        "subject": "bone-health",
        "patient": person.id,
    }
    return _said(person, _call(person, fhirServer=base, fhirAuthorization=authorization), fetcher)


def by_explain(person: Person) -> Json:
    """What `bonecds explain` says about the file of the record."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "record.json"
        file.write_bytes(as_bytes(person.bundle))
        command = [str(file), "--as-of", person.as_of.isoformat(), "--format", "json"]
        result = CliRunner().invoke(explain, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return _compared(json.loads(result.output))


def _call(person: Person, **fields: Any) -> HookRequest:
    body = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_URL, person.name)),
        "context": {"userId": "Practitioner/example", "patientId": person.id},
        **fields,
    }
    return parse(strict_json.load(as_bytes(body), max_bytes=200_000_000, max_nodes=20_000_000), hook="patient-view")


def _said(person: Person, call: HookRequest, fetcher: Fetcher | None) -> Json:
    records = gather(call, SERVICE.needs, fetcher)
    decision = decide(SERVICE, records, person.as_of, _PROFILE, call.hook_instance)
    texts = SERVICE.texts(_PROFILE.language, _PROFILE.wording)
    said = _compared(json.loads(json.dumps(as_json(decision, texts), default=float)))
    return {
        **said,
        LOOK_UPS: {key: each.state.value for key, each in records.lookups.items()},
        "problems": list(records.problems),
    }


def _compared(answer: Mapping[str, Any]) -> Json:
    """Outcomes by rule, and the cards but for their uuids, which follow from the call."""
    cards = json.loads(_UUID.sub('"uuid": "-"', json.dumps(answer["cards"])))
    return {"outcomes": {each["rule"]: each for each in answer["outcomes"]}, "cards": cards}
