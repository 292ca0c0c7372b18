"""Load the invented patients of fixtures/scenarios into a FHIR server, to try the service against one.

The patient of a scenario becomes `Patient/<scenario>` and its other resources `<scenario>-<id>`: every scenario has a
`condition-1` of its own, and two share a patient's id. Each scenario is one transaction of PUTs, so loading twice changes nothing.
Never point it at a server with real patients: it writes. Needs nothing but Python.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TYPE = "application/fhir+json"
# seconds for one answer; a server that has just started is slow with its first transaction
PATIENCE = 60


def transaction(scenario: str, bundle: Mapping[str, Any], base: str) -> dict[str, Any]:
    """The bundle of a scenario as a transaction under ids of its own.

    What is referred to and not in the bundle (the prescriber) is put as an empty resource, since servers refuse references
    that lead nowhere.

    Args:
        scenario: name of its folder.
        bundle: the record.
        base: address of the server, for `fullUrl`.
    """
    resources = [entry["resource"] for entry in bundle["entry"]]
    names = {_name(each): f"{each['resourceType']}/{_new_id(scenario, each)}" for each in resources}
    outside = sorted({found for found in _references(resources) if "/" in found and found not in names})
    missing = [dict(zip(("resourceType", "id"), name.split("/"), strict=True)) for name in outside]
    renamed = [_renamed(each, names) | {"id": _new_id(scenario, each)} for each in resources]
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"{base}/{_name(each)}",
                "resource": each,
                "request": {"method": "PUT", "url": _name(each)},
            }
            for each in (*missing, *renamed)
        ],
    }


def _name(resource: Mapping[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _new_id(scenario: str, resource: Mapping[str, Any]) -> str:
    return scenario if resource["resourceType"] == "Patient" else f"{scenario}-{resource['id']}"


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _references(each)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: names.get(each, each) if key == "reference" and isinstance(each, str) else _renamed(each, names)
        for key, each in value.items()
    }


def wait_for(base: str, seconds: float) -> bool:
    """Ask for the CapabilityStatement until it comes.

    Returns:
        Whether it came in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            _ask(f"{base}/metadata")
        except (OSError, http.client.HTTPException):
            if time.monotonic() > deadline:
                return False
            time.sleep(min(2, seconds / 20))
        else:
            return True


def load(base: str, folder: Path) -> dict[str, str]:
    """Load every scenario; one that fails does not keep the others out.

    Returns:
        What the server said against it, by scenario; empty if all were taken.
    """
    refused = {}
    for path in sorted(folder.glob("*/bundle.json")):
        scenario = path.parent.name
        body = transaction(scenario, json.loads(path.read_text("utf-8")), base)
        try:
            _ask(base, json.dumps(body).encode())
        except urllib.error.HTTPError as answer:
            refused[scenario] = f"{answer.code} {answer.read(2000).decode('utf-8', 'replace')}"
        except (OSError, http.client.HTTPException) as problem:
            refused[scenario] = f"no answer: {problem}"
        else:
            _say(f"loaded {scenario}: {base}/Patient/{scenario}")
    return refused


def _ask(address: str, body: bytes | None = None) -> None:
    """GET, or POST what is given; no proxy, since the server is a neighbour."""
    headers = {"Accept": TYPE} | ({"Content-Type": TYPE} if body else {})
    request = urllib.request.Request(address, body, headers)  # noqa: S310 the address is the operator's
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE) as answer:
        answer.read()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main(arguments: list[str]) -> int:
    """Wait, load, tell.

    Returns:
        The exit status: 0 if everything was loaded.
    """
    parser = argparse.ArgumentParser(
        description="Load the invented patients into a FHIR server. It writes to that server."
    )
    parser.add_argument("base", help="address of the FHIR server, such as http://127.0.0.1:8081/fhir")
    parser.add_argument("folder", type=Path, help="fixtures/scenarios of the checkout")
    parser.add_argument(
        "--wait", type=float, default=0, metavar="SECONDS", help="how long the server may take to start"
    )
    given = parser.parse_args(arguments)
    base = given.base.rstrip("/")
    if not any(given.folder.glob("*/bundle.json")):
        _say(f"{given.folder} holds no scenario (a folder with a bundle.json): nothing was loaded.")
        return 2
    if not wait_for(base, given.wait):
        _say(f"{base}/metadata did not answer within {given.wait:g} seconds: nothing was loaded.")
        return 1
    refused = load(base, given.folder)
    for scenario, why in refused.items():
        _say(f"NOT LOADED {scenario}: {why}")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
