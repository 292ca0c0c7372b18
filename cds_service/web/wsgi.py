"""gunicorn, started from Python: threads in a few processes, limits fit for calls a clinician waits for."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from cds_service.web.settings import Settings
from cds_service.web.worker import BoundedWorker

# Threads that turn callers away and tell how we are. A caller that is slow to send what it has begun holds one of them, and with
# eight, ten times too many callers queued behind each other's bodies.
_AT_THE_DOOR = 32
# `web.metrics` has the same name; it must not be imported before the folder is there
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def serve(settings: Settings, build: Callable[[], Flask]) -> None:
    """Serve until stopped. Calls under way are finished first.

    Args:
        settings: address, processes and threads.
        build: makes the application; called once, before the processes part, so that a fault in the content
            stops the start.
    """
    if settings.metrics_port:
        # a folder of this run: counts of an earlier one do not come back
        os.environ[METRICS_FOLDER] = tempfile.mkdtemp(prefix="bonecds-metrics-")
    _Server(settings, build).run()


def gunicorn_options(settings: Settings) -> Mapping[str, Any]:
    """What gunicorn is told."""
    host = f"[{settings.host}]" if ":" in settings.host.strip("[]") and settings.host[0] != "[" else settings.host
    metrics = [f"127.0.0.1:{settings.metrics_port}"] if settings.metrics_port else []
    return {
        "bind": [f"{host}:{settings.port}", *metrics],
        "worker_class": BoundedWorker,
        "workers": settings.workers,
        # those that work, those that wait, and those at the door
        "threads": settings.threads + settings.waiting + _AT_THE_DOOR,
        "preload_app": True,
        "post_worker_init": calm_down,
        "child_exit": forget_gauges,
        "on_exit": remove_metrics,
        # A process that hangs this long is killed. EHRs give up after a few seconds.
        "timeout": 30,
        "graceful_timeout": 10,
        "keepalive": 5,
        # Calls have short addresses; the code of a SMART launch may be a JWT. A client's JWT is the only long header.
        "limit_request_line": 8190,
        "limit_request_fields": 64,
        "limit_request_field_size": 8190,
        # No second way in: gunicorn 25 and later open a control socket in the home directory.
        "control_socket_disable": True,
        # The access log would repeat what senders write; `web.logs` has the calls.
        "accesslog": None,
        "logger_class": _NoAccessLog,
        "logconfig_dict": _LOGGING,
    }


def calm_down(_worker: object) -> None:
    """Keep the collector off the content, and let it look at a call's objects less often.

    A call of 500 resources makes some 50,000 objects that all go at its end; the default thresholds cost about 6 % of its
    time (`docs/performance.md`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    # A call that only has to be turned away waits for the one that computes; five milliseconds at a time are too many.
    sys.setswitchinterval(0.0005)


def forget_gauges(_server: object, worker: Any) -> None:
    """Calls that a process was answering when it died are no longer in flight."""
    if METRICS_FOLDER in os.environ:
        # here, since the library looks for the folder at its import
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def remove_metrics(_server: object) -> None:
    """The counts of this run end with it. Only the first process gets here."""
    if folder := os.environ.get(METRICS_FOLDER):
        shutil.rmtree(folder, ignore_errors=True)


_LOGGING: Mapping[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "cds_service.web.logs.ServerLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
        "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
    },
}


class _NoAccessLog(Logger):  # type: ignore[misc]
    """gunicorn's own lines. With `logconfig_dict` it puts a line of the access log together for every call, wanted or not."""

    def access(self, *_: object) -> None:
        """Nothing."""


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, settings: Settings, build: Callable[[], Flask]) -> None:
        self._settings, self._build = settings, build
        super().__init__()

    def load_config(self) -> None:
        for name, value in gunicorn_options(self._settings).items():
            # gunicorn 23 does not know control_socket_disable
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._build()
