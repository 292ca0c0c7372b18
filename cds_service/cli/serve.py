"""`bonecds serve`: the service on its settings."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import click

from cds_service.cli.compose import build_app
from cds_service.cli.help_option import HELP
from cds_service.web import settings as web_settings
from cds_service.web.wsgi import serve as serve_wsgi


@click.command(context_settings=HELP)
@click.option("--settings", "path", type=click.Path(path_type=Path), help="TOML file; every key also as BONECDS_<KEY>.")
@click.option("--host", help="Address to listen on; other than loopback only with registered clients.")
@click.option("--port", type=int, help="TCP port.")
def serve(path: Path | None, host: str | None, port: int | None) -> None:
    """Serve CDS Hooks on 127.0.0.1:8080 unless the settings say otherwise."""
    environ = dict(os.environ)
    if host:
        environ["BONECDS_HOST"] = host
    if port:
        environ["BONECDS_PORT"] = str(port)
    settings = web_settings.load(path, environ)
    click.echo(f"Bone Health CDS on http://{settings.host}:{settings.port}/cds-services (Ctrl-C stops it)", err=True)
    serve_wsgi(settings, partial(build_app, settings))
