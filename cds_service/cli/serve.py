"""`bonecds serve`: the service on its settings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import Flask

from cds_service.cli.help_option import HELP
from cds_service.cli.site import chosen_profile
from cds_service.clinical import attributes
from cds_service.engine.answer import answer
from cds_service.engine.services import Profile, Service, installed
from cds_service.kernel.errors import BoneCdsError
from cds_service.protocol.request import HookRequest
from cds_service.protocol.response import HookResponse
from cds_service.web import settings as web_settings
from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from cds_service.web.wsgi import serve as serve_wsgi

if TYPE_CHECKING:
    from cds_service.web.metrics import Metrics


def build_app(settings: Settings) -> Flask:
    """The application with every installed service; content is read and checked here, before the first call."""
    services = installed()
    _read_content(settings, services)
    # read once: a site file that changes takes effect at the next start, in all workers alike (D23)
    sites = {each.id: chosen_profile(each.clinic, settings.profile, settings.site_file) for each in services}
    return create_app(
        settings,
        services,
        partial(_respond, settings, sites, as_card=False),
        self_check=partial(_problems, settings, services),
        unassessable_card=partial(_respond, settings, sites, as_card=True),
        attributes=partial(attributes.document, tuple({rule.id: rule for s in services for rule in s.rules}.values())),
        metrics=metrics_of(services, next(iter(sites.values())).language) if settings.metrics_port else None,
    )


def metrics_of(services: Sequence[Service], language: str) -> Metrics:
    """Metrics with labels for what these services ask and answer; `language` is any that has texts."""
    # here, since the library looks at its import whether processes share their counts (`web.wsgi.serve`)
    from cds_service.web.metrics import Metrics, Names

    needs = [need for each in services for need in each.needs]
    return Metrics(
        Names(
            services={each.id: each.hook for each in services},
            needs=frozenset(need.key for need in needs),
            rules=frozenset(rule.id for each in services for rule in each.rules),
            types=frozenset(need.resource_type for need in needs),
            unread=frozenset(reason for each in services for reason in each.texts(language).unread),
        )
    )


def _read_content(settings: Settings, services: Sequence[Service]) -> None:
    for service in services:
        profile = chosen_profile(service.clinic, settings.profile, settings.site_file)
        service.texts(profile.language, profile.wording)
        service.clinic.thresholds(settings.day())


def _problems(settings: Settings, services: Sequence[Service]) -> tuple[str, ...]:
    """For `/readyz`: thresholds are in force from a date on, so what was fine yesterday is checked for today."""
    try:
        _read_content(settings, services)
    except BoneCdsError as error:
        return (str(error),)
    return ()


def _respond(
    settings: Settings, sites: Mapping[str, Profile], service: Service, call: HookRequest, *, as_card: bool
) -> HookResponse:
    profile = sites[service.id]
    return answer(service, call, as_of=settings.day(), profile=profile, unassessable_as_card=as_card)


@click.command(context_settings=HELP)
@click.option("--settings", "path", type=click.Path(path_type=Path), help="TOML file; every key also as BONECDS_<KEY>.")
@click.option("--host", help="Address to listen on. Loopback only in this version.")
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
