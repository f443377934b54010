"""Runs the app, in this process or in several that share one port."""

import logging.config
import os
import signal
import tempfile
from functools import partial

import uvicorn
from uvicorn.supervisors import Multiprocess

from relevance.bundle import open_manifest
from relevance.deployment import bundle_at
from relevance.service import logs
from relevance.service.app import create_app
from relevance.service.settings import GRACE, Settings

START_SECONDS = 120
"""A worker that says nothing for so long is started again; large bundles and busy machines take a while to open."""


def serve(settings: Settings, host: str, port: int, workers: int = 1) -> None:
    """Answers until SIGTERM or SIGINT; returns when the running requests are answered.

    Each worker opens the bundle, whose arrays are mapped into memory and so are there once for all of them. A worker
    that dies is started again. Raises BundleError, before anything listens, for a bundle that cannot be opened.
    """
    options = {
        "host": host,
        "port": port,
        "access_log": False,
        "log_config": logs.CONFIG,
        "timeout_graceful_shutdown": GRACE,
        "server_header": False,
        "timeout_worker_healthcheck": START_SECONDS,
    }
    # uvicorn raises the signal once more when it has stopped: without this it would end the process as if it failed.
    signal.signal(signal.SIGTERM, lambda *_: None)
    if workers == 1:
        logging.config.dictConfig(logs.CONFIG)
        uvicorn.Server(uvicorn.Config(create_app(settings), **options)).run()
        return
    open_manifest(bundle_at(settings.bundle))
    with tempfile.TemporaryDirectory(prefix="relevance-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        # A callable, not a name: it carries the settings to the workers.
        config = uvicorn.Config(partial(create_app, settings), factory=True, workers=workers, **options)
        Multiprocess(config, sockets=[config.bind_socket()]).run()
