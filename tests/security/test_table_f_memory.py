"""F8: calls do not mix, and nothing of a call is kept when it is over."""

from __future__ import annotations

import gc
import json
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from cds_service.cli import compose
from cds_service.formats import strict_json
from cds_service.web import routes
from tests.support import canary, golden
from tests.support.golden import Json, scenarios
from tests.support.served import served

# The one answer that repeats words of the record: it offers the sender's own draft order back, changed.
_SHOWN = "order-alendronate-daily-by-mistake"
_PATH = "/cds-services/bone-health-order-select"
CALLS = 200


def call(mark: str) -> str:
    """The same record with its own word behind every name of a drug."""
    request = canary.planted(next(each.json("request.json") for each in scenarios() if str(each) == _SHOWN))
    return json.dumps(request).replace(canary.of("drug"), mark).replace(canary.of("word"), mark)


def test_f8_two_hundred_calls_at_once_for_two_patients_never_mix() -> None:
    """Byte for byte the answer that each gets alone, from eight threads in two processes; the words show whose it is."""
    bodies = {"zqaaa": call("zqaaa"), "zqbbb": call("zqbbb")}
    with served("workers=2, threads=4") as service:

        def ask(mark: str) -> tuple[str, str]:
            answer = requests.post(
                f"{service.url}{_PATH}",
                data=bodies[mark],
                headers={"Content-Type": "application/json", "Connection": "close"},
                timeout=120,
            )
            assert answer.status_code == 200
            return mark, answer.text

        alone = dict(map(ask, bodies))
        with ThreadPoolExecutor(16) as many:
            answers = list(many.map(ask, ["zqaaa", "zqbbb"] * (CALLS // 2)))

    assert [mark in alone[mark] for mark in bodies] == [True, True]
    assert "zqbbb" not in alone["zqaaa"]
    assert "zqaaa" not in alone["zqbbb"]
    assert len(answers) == CALLS
    assert [mark for mark, text in answers if text != alone[mark]] == []


class _Body(dict[str, Any]):
    """An object of a body; a plain dict cannot be watched."""

    __slots__ = ("__weakref__",)


@pytest.mark.parametrize("outcome", ["answered", "refused", "failed"])
def test_f8_no_object_of_a_body_survives_its_call(monkeypatch: pytest.MonkeyPatch, outcome: str) -> None:
    """Whatever became of the call: closures, caches, `g`, thread locals and tracebacks let go of all of it."""
    objects: list[weakref.ref[_Body]] = []

    def load(raw: bytes, *, max_bytes: int) -> Any:
        return _watched(strict_json.load(raw, max_bytes=max_bytes), objects)

    def fails(_service: object, call: Any, **_rest: object) -> None:
        raise RuntimeError(call.prefetch)

    status = _ask(monkeypatch, load, fails, outcome)
    gc.collect()

    assert status == {"answered": 200, "refused": 412, "failed": 500}[outcome]
    assert len(objects) > 50
    assert [each for each in objects if each() is not None] == []


def _ask(monkeypatch: pytest.MonkeyPatch, load: Any, fails: Any, outcome: str) -> int:
    app = golden.app()
    body = call("zqccc")
    if outcome == "refused":
        body = body.replace('"resourceType": "Patient", "id": "', '"resourceType": "Patient", "id": "x')
    with monkeypatch.context() as patch:
        # a module of its own for `routes` alone: the product's reader stays as it is
        patch.setattr(routes, "strict_json", type("Reader", (), {"load": staticmethod(load)}))
        if outcome == "failed":
            patch.setattr(compose, "answer", fails)
        return app.test_client().post(_PATH, data=body, content_type="application/json").status_code


def _watched(node: Any, objects: list[weakref.ref[_Body]]) -> Any:
    if isinstance(node, dict):
        body = _Body({key: _watched(value, objects) for key, value in node.items()})
        objects.append(weakref.ref(body))
        return body
    return [_watched(each, objects) for each in node] if isinstance(node, list) else node


def test_f8_no_text_of_a_record_survives_its_call() -> None:
    """Caches of readers keep what they were asked, and they are asked about text of the record: doses in words, names of drugs."""
    mark = "zq" + "ddd"
    golden.post(json.dumps(_with_text_everywhere(mark)))
    gc.collect()

    # a marked text is looked for in every object that Python knows of, and in what those hold
    assert _holders(mark) == []


def test_the_search_finds_a_text_that_is_kept() -> None:
    kept = {"x": ["zq" + "eee"]}

    assert len(_holders("zq" + "eee")) == len(kept)


def _with_text_everywhere(mark: str) -> Json:
    request = next(each.json("request.json") for each in scenarios() if str(each) == "gc-very-high-risk-untreated")
    for holder, key, path in list(canary.strings(request["prefetch"])):
        if key in ("text", "display", "system", "unit"):
            holder[key] += mark if key == "system" else f" {mark}{len(path)}"
    return request


def _holders(mark: str) -> list[str]:
    """The types of what holds a text with the mark."""
    found = []
    seen: set[int] = set()
    waiting: list[Any] = gc.get_objects()
    seen.update(map(id, waiting))
    own = {id(waiting), id(seen), id(found)}
    while waiting:
        each = waiting.pop()
        if id(each) in own:
            continue
        for part in gc.get_referents(each):
            if isinstance(part, str):
                # the mark alone is the search itself
                if (mark in part and part != mark) or (part == mark and isinstance(each, list | dict)):
                    found.append(type(each).__name__)
            elif not gc.is_tracked(part) and id(part) not in seen and isinstance(part, dict | tuple | list):
                seen.add(id(part))
                waiting.append(part)
    return found
