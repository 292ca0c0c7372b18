"""The services that `run.py` compares, on the same gunicorn settings: one worker, the default threads.

real   the product: rules, facts, cards.
null   the product's Flask application with an `answer` that ignores the prefetch and gives one constant card: the same
       reading of the body, the same strict JSON, the same check of the envelope, the same log line.
plain  a Flask application of a few lines that parses the body with orjson alone and gives the same constant card: what the
       strictness of the envelope costs can be read off against it.
kept   the whole product with a SQLite file on this disk: each call and its cards are recorded, and earlier answers read.
loose  the same without a database.

Started as `python -m bench.services NAME PORT HOOK`; listens on loopback only.
"""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import orjson
from flask import Flask, Response, request

from bench.bodies import AS_OF, service_id
from cds_service.cli.compose import build_app
from cds_service.engine.answer import answer
from cds_service.engine.services import Service, installed
from cds_service.kernel.rules import Level
from cds_service.protocol.response import Card, HookResponse, Source
from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from cds_service.web.wsgi import serve

CONSTANT = HookResponse(
    (
        Card(
            uuid="6d6f2c3e-3f0c-4e0b-8f0e-2f6a2d1c9b01",
            summary="A constant card",
            indicator=Level.INFO,
            source=Source("bench"),
            detail="Nothing was read to write this.",
        ),
    )
)


def service_of(hook: str) -> Service:
    """The product's service for a hook."""
    return next(each for each in installed() if each.hook == hook)


def real(settings: Settings, hook: str = "patient-view") -> Flask:
    """The product."""
    service = service_of(hook)
    profile = service.clinic.profile(settings.profile)
    return create_app(settings, (service,), lambda _, call, __: answer(service, call, as_of=AS_OF, profile=profile))


def null(settings: Settings, hook: str = "patient-view") -> Flask:
    """The product's web layer around a constant card."""
    return create_app(settings, (service_of(hook),), lambda *_: CONSTANT)


def plain(settings: Settings, hook: str = "patient-view") -> Flask:
    """Flask and orjson around a constant card."""
    app = Flask(__name__, static_folder=None)

    @app.post(f"/cds-services/{service_id(hook)}")
    def call() -> Response:
        orjson.loads(request.get_data(cache=False))
        return Response(orjson.dumps(CONSTANT.to_json()), content_type="application/json")

    return app


def kept(settings: Settings, _hook: str) -> Flask:
    """The product as it is composed for a site, with a database."""
    # on this disk, and not in a folder that may be in memory
    build = Path.cwd() / "build"
    build.mkdir(exist_ok=True)
    folder = tempfile.mkdtemp(prefix="bonecds-bench-", dir=build)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return build_app(replace(settings, as_of=AS_OF, database_url=f"sqlite:///{folder}/bonecds.sqlite3"))


def loose(settings: Settings, _hook: str) -> Flask:
    """The same without one."""
    return build_app(replace(settings, as_of=AS_OF))


SERVICES: Mapping[str, Callable[[Settings, str], Flask]] = MappingProxyType(
    {"real": real, "null": null, "plain": plain, "kept": kept, "loose": loose}
)


def main(name: str, port: str, hook: str = "patient-view") -> None:
    settings = Settings(port=int(port), workers=1)
    serve(settings, partial(SERVICES[name], settings, hook))


if __name__ == "__main__":
    main(*sys.argv[1:])
