"""Runs the app, in this process or in several that share one port."""

import logging.config
import os
import socket
import tempfile
from typing import Any

from relevance.listening import address, listening
from relevance.service import logs
from relevance.service.app import create_app
from relevance.service.settings import GRACE, Settings
from relevance.service.state import check
from relevance.service.supervisor import METRICS, START_SECONDS, Supervisor
from relevance.serving import serve_until_signal


def serve(settings: Settings, host: str, port: int, workers: int = 1) -> None:
    """Answers until SIGTERM or SIGINT; returns when the running requests are answered. While the bundle is opened, what
    is set for a signal goes on to hold.

    Each worker opens the bundle, whose arrays are mapped into memory and so are there once for all of them. A worker
    that dies is started again. Raises, before anything listens, BundleError for a bundle that cannot be opened and
    DataError for a folder that cannot be used or a port that cannot be had; RelevanceError where workers cannot start.
    """
    options: dict[str, Any] = {
        "access_log": False,
        "log_config": logs.CONFIG,
        "timeout_graceful_shutdown": GRACE,
        "server_header": False,
        "timeout_worker_healthcheck": START_SECONDS,
    }
    logging.config.dictConfig(logs.CONFIG)
    if workers == 1:
        app = create_app(settings)
        with _listening(host, port) as listener:
            serve_until_signal(app, listener, **options)
        return
    check(settings)
    with _listening(host, port) as listener, tempfile.TemporaryDirectory(prefix="relevance-metrics-") as folder:
        os.environ[METRICS] = folder
        Supervisor(settings, workers, listener, options).run()


def _listening(host: str, port: int) -> socket.socket:
    listener = listening(host, port)
    logging.getLogger(logs.LOGGER).info("listening on %s", address(listener))
    return listener
