"""The scenarios of `fixtures/scenarios/`: what is sent, what has to come back, and how both are written anew.

    python -m tests.support.golden --write

writes `request.json` from `bundle.json` and, at an order, `orders.json` (a prefetch key that holds an OperationOutcome keeps
it: that look-up is meant to fail), and then `cards.json` or, for a refused call, `error.json` from what the service answers
today, the card in the README, docs/openapi.json and the pictures. Read the difference before committing it: these are the
cards that clinicians see.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import textwrap
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from cds_service.cli.serve import build_app
from cds_service.web.settings import Settings
from tests.support import pictures

Json: TypeAlias = dict[str, Any]

FOLDER = Path(__file__).parent.parent.parent / "fixtures" / "scenarios"
AS_OF = dt.date(2026, 6, 15)
SERVICE = "bone-health-patient-view"
PATH = f"/cds-services/{SERVICE}"
_ORDER_HOOK = re.compile(r'"hook"\s*:\s*"(order-select|order-sign)"')
BASE = "https://ehr.example.org/fhir"
README = FOLDER.parent.parent / "README.md"
OPENAPI = FOLDER.parent.parent / "docs" / "openapi.json"
# The scenario whose first card the README shows.
IN_README = "gc-assessment-due"
# Stands in `error.json` for the id that every refusal gets anew.
CORRELATION_ID = "CORRELATION-ID"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One invented patient; `path` is the folder."""

    path: Path

    def __str__(self) -> str:
        return self.path.name

    def text(self, file: str) -> str:
        """A file of the scenario as text."""
        return (self.path / file).read_text("utf-8")

    def json(self, file: str) -> Json:
        """A file of the scenario."""
        return dict(json.loads(self.text(file)))

    @property
    def orders(self) -> Json | None:
        """The orders being written, where the scenario is about some."""
        return self.json("orders.json") if (self.path / "orders.json").exists() else None

    @property
    def refused(self) -> bool:
        """Whether the call is to be refused; then there is `error.json` and neither bundle nor cards."""
        return (self.path / "error.json").exists()

    @property
    def failed_keys(self) -> frozenset[str]:
        """Prefetch keys whose look-up is meant to have failed."""
        prefetch = self.json("request.json")["prefetch"]
        return frozenset(key for key, value in prefetch.items() if _is_outcome(value))


@lru_cache(maxsize=1)
def scenarios() -> tuple[Scenario, ...]:
    """All of them, by name."""
    return tuple(Scenario(path) for path in sorted(FOLDER.iterdir()) if path.is_dir())


@lru_cache(maxsize=1)
def app() -> Flask:
    """The service on its default settings, on the day of the scenarios."""
    return build_app(Settings(as_of=AS_OF))


def post(text: str | bytes) -> TestResponse:
    """Call the service of the hook that the call names: JSON text in."""
    order = _ORDER_HOOK.search(text) if isinstance(text, str) else None
    path = f"/cds-services/bone-health-{order[1]}" if order else PATH
    return app().test_client().post(path, data=text, content_type="application/json")


def masked(answer: TestResponse) -> Json:
    """A refusal with its correlation id masked."""
    return dict(json.loads(answer.text.replace(answer.headers["X-Correlation-Id"], CORRELATION_ID)))


def openapi_document() -> str:
    """What `GET /openapi.json` answers, indented."""
    document = app().test_client().get("/openapi.json").get_json()
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


# --- from a bundle to a call -----------------------------------------------------------------------------------------
def templates() -> Mapping[str, str]:
    """The prefetch templates as the discovery document gives them."""
    document = app().test_client().get("/cds-services").get_json()
    return {key: str(value) for key, value in document["services"][0]["prefetch"].items()}


def split(bundle: Json) -> Json:
    """The record as an EHR's FHIR server would find it under each prefetch key."""
    resources = [entry["resource"] for entry in bundle["entry"]]
    patient_id = next(each["id"] for each in resources if each["resourceType"] == "Patient")
    return {key: _found(template, patient_id, resources) for key, template in templates().items()}


def request_of(name: str, patient_id: str, prefetch: Mapping[str, Any], orders: Json | None = None) -> Json:
    """A call; with orders, of order-select. `hookInstance` follows from the name, so that the cards' uuids never change."""
    context: Json = {"userId": "Practitioner/example", "patientId": patient_id}
    if orders:
        drafts = [entry["resource"] for entry in orders["entry"]]
        context |= {"selections": [f"{each['resourceType']}/{each['id']}" for each in drafts], "draftOrders": orders}
    return {
        "hook": "order-select" if orders else "patient-view",
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{BASE}/scenarios/{name}")),
        "fhirServer": BASE,
        "context": context,
        "prefetch": dict(prefetch),
    }


def _found(template: str, patient_id: str, resources: Iterable[Json]) -> Json | None:
    """Answer one template: a read, or a search by type and top-level code as FHIR defines `code`."""
    query = template.replace("{{context.patientId}}", patient_id)
    resource_type, _, by_id = urlsplit(query).path.partition("/")
    of_type = [each for each in resources if each["resourceType"] == resource_type]
    if by_id:
        return next((each for each in of_type if each["id"] == by_id), None)
    wanted = set(",".join(parse_qs(urlsplit(query).query).get("code", [])).split(",")) - {""}
    matches = [each for each in of_type if not wanted or wanted & _tokens(each)]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(matches),
        "link": [{"relation": "self", "url": f"{BASE}/{resource_type}?patient={patient_id}"}],
        "entry": [
            {"fullUrl": f"{BASE}/{resource_type}/{each['id']}", "resource": each, "search": {"mode": "match"}}
            for each in matches
        ],
    }


def _tokens(resource: Json) -> set[str]:
    return {f"{coding['system']}|{coding['code']}" for coding in resource.get("code", {}).get("coding", ())}


def _is_outcome(value: object) -> bool:
    return isinstance(value, dict) and value.get("resourceType") == "OperationOutcome"


# --- the card in the README ------------------------------------------------------------------------------------------
_CARD_BLOCK = re.compile(r"(?<=<!-- card:begin -->\n).*?(?=<!-- card:end -->)", re.DOTALL)


def as_seen(card: Json) -> str:
    """A card as a clinician sees it: rendered, in plain text, with its buttons."""
    detail = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", card["detail"])
    detail = re.sub(r"^\*\*(.+)\*\*\n", r"\1", detail, flags=re.MULTILINE)
    buttons = [f"[ {suggestion['label']} ]" for suggestion in card.get("suggestions", ())]
    dismiss = f"Dismiss because: {' · '.join(reason['display'] for reason in card['overrideReasons'])}"
    source = f"{card['indicator'].upper()} · {card['source']['label']} · {card['source']['topic']['display']}"
    parts = [source, card["summary"], detail, *buttons, dismiss]
    return "\n\n".join("\n".join(_wrapped(line) for line in part.splitlines()) for part in parts)


def _wrapped(line: str) -> str:
    indent = "  " if line.startswith("- ") else ""
    return textwrap.fill(line, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def card_in_readme() -> str:
    """The card that the README shows."""
    block = _CARD_BLOCK.search(README.read_text("utf-8"))
    return block[0].removeprefix("```text\n").removesuffix("\n```\n") if block else ""


def write_readme() -> None:
    """Put today's card into the README."""
    card = as_seen(Scenario(FOLDER / IN_README).json("cards.json")["cards"][0])
    text = _CARD_BLOCK.sub(lambda _: f"```text\n{card}\n```\n", README.read_text("utf-8"))
    README.write_text(text, "utf-8")


# --- writing ---------------------------------------------------------------------------------------------------------
def write(scenario: Scenario) -> None:
    """Write the call and the answer anew."""
    if (scenario.path / "bundle.json").exists():
        bundle = scenario.json("bundle.json")
        patient_id = next(e["resource"]["id"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient")
        kept = scenario.json("request.json")["prefetch"] if (scenario.path / "request.json").exists() else {}
        failed = {key: value for key, value in kept.items() if _is_outcome(value)}
        _save(scenario, "request.json", request_of(str(scenario), patient_id, split(bundle) | failed, scenario.orders))
    answer = post(scenario.text("request.json"))
    if answer.status_code == 200:
        _save(scenario, "cards.json", answer.get_json())
    else:
        _save(scenario, "error.json", masked(answer))


def _save(scenario: Scenario, file: str, content: Json) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (scenario.path / file).write_text(f"{text}\n", "utf-8")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Write the golden answers of fixtures/scenarios anew.")
    parser.add_argument("--write", action="store_true", required=True, help="write the files")
    parser.add_argument("names", nargs="*", help="only these scenarios")
    asked = parser.parse_args()
    for scenario in scenarios():
        if not asked.names or str(scenario) in asked.names:
            write(scenario)
            print(f"{scenario}: {'refused' if scenario.refused else len(scenario.json('cards.json')['cards'])}")
    write_readme()
    OPENAPI.write_text(openapi_document(), "utf-8")
    pictures.write()


if __name__ == "__main__":
    main()
