"""The Bruno collection in docs/bruno, written from the invented patients.

    python -m tests.support.bruno --write

One request for each address an EHR calls. The format is that of `.bru` files: blocks of keys and values, and a body that is
indented by two spaces.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.golden import FOLDER, Json, Scenario

COLLECTION = FOLDER.parent.parent / "docs" / "bruno"
ADDRESS = "http://127.0.0.1:8080"
# Which invented patient is sent to which service; the third signs what the second chose.
_VIEW, _SELECT = Scenario(FOLDER / "gc-assessment-due"), Scenario(FOLDER / "order-denosumab-low-calcium")


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        name: as it stands in the list, and the name of its file.
        path: behind the base address.
        body: what is posted; `None`: a GET.
        says: for whoever reads it.
    """

    name: str
    path: str
    body: Json | None
    says: str


def requests() -> Iterator[Request]:
    """Those of the collection, in their order."""
    view, select = _VIEW.json("request.json"), _SELECT.json("request.json")
    yield Request("Discovery", "/cds-services", None, "The services, and the prefetch templates of each.")
    yield Request("Patient view", "/cds-services/bone-health-patient-view", view, "A chart is opened.")
    yield Request("Order select", "/cds-services/bone-health-order-select", select, "An order is being written.")
    yield Request("Order sign", "/cds-services/bone-health-order-sign", _signed(select), "The same order is signed.")
    yield Request(
        "Feedback",
        "/cds-services/bone-health-patient-view/feedback",
        _dismissed(_VIEW.json("cards.json")["cards"][0]),
        "The card of Patient view was dismissed with a reason. 404 where the service has no database.",
    )
    yield Request("Health", "/healthz", None, "The process answers.")
    yield Request("Ready", "/readyz", None, "The service can answer calls.")


def _signed(select: Json) -> Json:
    """The order of order-select, signed: the context has no selections."""
    context = {key: value for key, value in select["context"].items() if key != "selections"}
    return {**select, "hook": "order-sign", "context": context}


def _dismissed(card: Json) -> Json:
    reason = {key: card["overrideReasons"][0][key] for key in ("code", "system")}
    told = {"card": card["uuid"], "outcome": "overridden", "overrideReason": {"reason": reason}}
    return {"feedback": [told | {"outcomeTimestamp": "2026-06-15T09:30:00Z"}]}


def files() -> dict[str, str]:
    """Path in the collection to content."""
    about = {"version": "1", "name": "Bone Health CDS", "type": "collection", "ignore": ["node_modules", ".git"]}
    made = {
        "bruno.json": json.dumps(about, indent=2) + "\n",
        "environments/local.bru": _block("vars", {"baseUrl": ADDRESS}),
    }
    return made | {f"{request.name}.bru": _written(request, at) for at, request in enumerate(requests(), 1)}


def _written(request: Request, at: int) -> str:
    body = "none" if request.body is None else "json"
    blocks = [
        _block("meta", {"name": request.name, "type": "http", "seq": str(at)}),
        _block(
            "get" if request.body is None else "post",
            {"url": f"{{{{baseUrl}}}}{request.path}", "body": body, "auth": "none"},
        ),
    ]
    if request.body is not None:
        blocks.append(_block("headers", {"Content-Type": "application/json"}))
        blocks.append(_text("body:json", json.dumps(request.body, indent=2, ensure_ascii=False)))
    return "\n".join([*blocks, _block("assert", {"res.status": "eq 200"}), _text("docs", request.says)])


def _block(name: str, pairs: Mapping[str, str]) -> str:
    return _text(name, "\n".join(f"{key}: {value}" for key, value in pairs.items()))


def _text(name: str, text: str) -> str:
    lines = "\n".join(f"  {line}" for line in text.splitlines())
    return f"{name} {{\n{lines}\n}}\n"


def write() -> None:
    """Write the collection anew."""
    for name, text in files().items():
        path = COLLECTION / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def written() -> dict[str, str]:
    """What is in the folder now."""
    return {_name(path): path.read_text("utf-8") for path in COLLECTION.rglob("*") if path.suffix in {".bru", ".json"}}


def _name(path: Path) -> str:
    return path.relative_to(COLLECTION).as_posix()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write docs/bruno anew.")
    parser.add_argument("--write", action="store_true", required=True, help="write the files")
    parser.parse_args()
    write()
