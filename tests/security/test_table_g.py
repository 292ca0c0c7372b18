"""The service as it is served, when too much is asked of it, when it is stopped and when a process dies (table G)."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from typing import Any

import requests

from bonecds_kit.faultfhir import FaultFhir
from bonecds_kit.forger import Forger
from cds_service.review.call import prefetch, request_of
from tests.support.served import Served, served

Json = dict[str, Any]
PUBLIC = "https://cds.example.org"
PATH = "/cds-services/bone-health-patient-view"
BODY = json.dumps(request_of(prefetch({"sex": "female", "age": 61, "menopause": "yes"}))).encode()
# Answers when a file appears: a call that is under way for as long as a test wants.
SLOW = """
import time
from pathlib import Path
from cds_service.cli.compose import build_app
settings = Settings({settings})

def build():
    app = build_app(settings)
    view = app.view_functions["call"]
    handlers = view.__self__
    asked = handlers.answer
    def slowly(*call):
        Path({folder!r}, f"begun-{{time.monotonic_ns()}}").touch()
        while not Path({folder!r}, "go").exists():
            time.sleep(0.01)
        return asked(*call)
    object.__setattr__(handlers, "answer", slowly)
    return app

serve(settings, build)
"""


def post(service: Served, **headers: str) -> requests.Response:
    sent = {"Content-Type": "application/json", **headers}
    return requests.post(f"{service.url}{PATH}", data=BODY, headers=sent, timeout=60)


def slow(folder: Path) -> str:
    return SLOW.replace("{folder!r}", repr(str(folder))).replace("{{", "{").replace("}}", "}")


def begun(folder: Path, number: int) -> None:
    """Wait until that many calls are under way."""
    until = time.monotonic() + 60
    while len(list(folder.glob("begun-*"))) < number:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_g1_calls_beyond_the_places_and_the_room_to_wait_are_turned_away_and_the_others_are_answered(
    tmp_path: Path,
) -> None:
    with served("threads=2, waiting=1", slow(tmp_path)) as service, ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(post, service) for _ in range(8)]
        # two have a place; one may wait for a second, and is then turned away like the other five
        refused = [each.result() for each in islice(as_completed(sent), 6)]
        assert {answer.status_code for answer in refused} == {503}
        assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
        assert {answer.json()["issue"][0]["code"] for answer in refused} == {"throttled"}
        # who only looks is answered meanwhile
        assert requests.get(f"{service.url}/healthz", timeout=60).status_code == 200
        (tmp_path / "go").touch()
        assert sorted(each.result().status_code for each in sent) == [200, 200, *[503] * 6]
        assert post(service).status_code == 200


def test_g2_when_the_caller_hangs_up_the_look_ups_end_and_no_answer_is_noted(tmp_path: Path) -> None:
    token = {
        "access_token": "let-me-in",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "x",
    }
    bare = json.dumps({**request_of({}), "fhirServer": "FHIR", "fhirAuthorization": token})
    with FaultFhir() as ehr, served(f"fhir_bases=({ehr.base!r},), fetch_ms=10_000") as service:
        ehr.fault("hang")
        body = bare.replace("FHIR", ehr.base).encode()
        with socket.create_connection(("127.0.0.1", service.port)) as caller:
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            caller.sendall(head.encode() + body)
            until = time.monotonic() + 60
            while not ehr.requests:
                assert time.monotonic() < until
                time.sleep(0.01)
        while not (noted := [line for line in service.lines() if line["event"] != "server"]):
            assert time.monotonic() < until
            time.sleep(0.05)
    (line,) = noted
    assert (line["event"], line["status"], line["problem"]) == ("refused", 499, "CallerGone")
    # the look-ups would have gone on for ten seconds
    assert line["fetch_ms"] < 9_000


def test_g3_a_process_that_is_killed_is_replaced_and_the_others_go_on() -> None:
    with served("workers=2") as service:
        assert post(service).status_code == 200
        workers = _workers(service)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        assert [_answered(service) for _ in range(5)] == [200] * 5
        until = time.monotonic() + 60
        while len(set(_workers(service)) - {workers[0]}) < 2:
            assert time.monotonic() < until
            time.sleep(0.05)


def _workers(service: Served) -> list[int]:
    first = service.process.pid
    return [int(each) for each in Path(f"/proc/{first}/task/{first}/children").read_text("ascii").split()]


def _answered(service: Served) -> int:
    """The status; a connection that the dying process had is gone, so a caller sends once more."""
    for _ in range(3):
        try:
            return post(service).status_code
        except requests.ConnectionError:
            time.sleep(0.1)
    return 0


def test_g4_a_call_under_way_is_answered_when_the_service_is_stopped(tmp_path: Path) -> None:
    with served("threads=2", slow(tmp_path)) as service, ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(post, service)
        begun(tmp_path, 1)
        service.process.send_signal(signal.SIGTERM)
        _until_nobody_listens(service)
        (tmp_path / "go").touch()
        assert under_way.result().status_code == 200
        assert service.process.wait(30) == 0


def _until_nobody_listens(service: Served) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", service.port)) != 0:
                return
        time.sleep(0.02)
    raise AssertionError("the service still takes calls")


def test_g11_the_service_starts_while_nothing_it_may_call_can_be_reached(tmp_path: Path) -> None:
    client = {
        "name": "ehr",
        "issuer": "https://ehr.example.org",
        "jwks_urls": ["https://ehr.example.org/jwks"],
        "fhir_bases": ["https://ehr.example.org/r4"],
    }
    with served(_registered(tmp_path, client)) as service:
        assert requests.get(f"{service.url}/readyz", timeout=60).json()["status"] == "ready"


def _registered(folder: Path, client: Json) -> str:
    database = f"sqlite:///{folder}/bonecds.sqlite3"
    return f"workers=2, public_url={PUBLIC!r}, database_url={database!r}, clients=({client!r},)"


def test_a14_a_token_works_once_whichever_process_it_comes_to_and_after_a_restart(tmp_path: Path) -> None:
    with Forger(f"{PUBLIC}{PATH}") as forger:
        settings = _registered(tmp_path, forger.registration()) + ", replay_store_down='refuse'"
        tokens = [forger.good() for _ in range(10)]
        with served(settings) as service, ThreadPoolExecutor(8) as pool:
            sent = [pool.submit(post, service, Authorization=f"Bearer {token}") for token in tokens * 4]
            accepted = [token for token, each in zip(tokens * 4, sent, strict=True) if each.result().status_code == 200]
            assert len(set(accepted)) == len(accepted)
            # on a machine so busy that the database was given up on for a moment, some are refused all four times
            if not [line for line in service.lines() if line["event"] == "replay-store-down"]:
                assert sorted(accepted) == sorted(tokens)
        with served(settings) as service:
            assert {post(service, Authorization=f"Bearer {token}").status_code for token in accepted} == {401}


def test_a20_one_authorization_header_and_no_token_in_the_address(tmp_path: Path) -> None:
    with Forger(f"{PUBLIC}{PATH}") as forger, served(_registered(tmp_path, forger.registration())) as service:
        token = forger.good()
        twice = _raw(service, [f"Authorization: Bearer {token}", f"Authorization: Bearer {forger.good()}"])
        assert twice.startswith("HTTP/1.1 400 ")
        assert _raw(service, [], f"?access_token={token}").startswith("HTTP/1.1 401 ")
        assert _raw(service, [f"Authorization: Bearer {token}"]).startswith("HTTP/1.1 200 ")


def _raw(service: Served, headers: list[str], query: str = "") -> str:
    lines = [
        f"POST {PATH}{query} HTTP/1.1",
        "Host: cds.example.org",
        "Content-Type: application/json",
        f"Content-Length: {len(BODY)}",
        "Connection: close",
        *headers,
    ]
    return service.send("\r\n".join(lines).encode() + b"\r\n\r\n" + BODY)
