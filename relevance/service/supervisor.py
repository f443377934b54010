"""Several workers that share one port, and what becomes of them where they cannot start."""

import logging
import socket
import sys
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from relevance.errors import RelevanceError
from relevance.service.app import create_app
from relevance.service.logs import LOGGER
from relevance.service.settings import Settings

CANNOT_START = 3
"""Exit code of a worker that cannot start, where none has started yet."""


class Supervisor(Multiprocess):
    """uvicorn's, which starts a dead worker again, but it ends where the first workers cannot start.

    A later one that cannot is tried again and again: the others may well go on answering from what they have opened.
    options: uvicorn's.
    """

    def __init__(self, settings: Settings, workers: int, listener: socket.socket, options: dict[str, Any]) -> None:
        started = get_context("spawn").Event()
        # A callable, not a name: it carries the settings to the workers.
        app = partial(_worker_app, settings, started)
        super().__init__(uvicorn.Config(app, factory=True, workers=workers, **options), sockets=[listener])

    def run(self) -> None:
        """Returns after SIGTERM or SIGINT; raises RelevanceError where the workers cannot start."""
        super().run()
        if self._cannot_start:
            raise RelevanceError("the workers cannot start; the log says why")

    def keep_subprocess_alive(self) -> None:
        """Called every half second."""
        if self._cannot_start:
            self.should_exit.set()
            return
        for process in self.processes:
            # Were it open here too, a worker that dies while it is asked for a sign of life would be waited for.
            process.child_conn.close()
        super().keep_subprocess_alive()

    @property
    def _cannot_start(self) -> bool:
        return any(process.process.exitcode == CANNOT_START for process in self.processes)


def _worker_app(settings: Settings, started: Event) -> FastAPI:
    """A worker's app; where there can be none, the worker ends with a line in the log."""
    try:
        app = create_app(settings)
    except Exception as error:
        trace = None if isinstance(error, RelevanceError) else error
        logging.getLogger(LOGGER).error("this worker cannot start: %s", error, exc_info=trace)
        sys.exit(1 if started.is_set() else CANNOT_START)
    started.set()
    return app
