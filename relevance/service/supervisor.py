"""Several workers that share one port, and what becomes of them where they cannot start."""

import logging
import os
import shutil
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.synchronize import Event
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from relevance.errors import RelevanceError
from relevance.request_heads import BoundedHeads
from relevance.service.app import create_app
from relevance.service.logs import LOGGER
from relevance.service.settings import GRACE, Settings

CANNOT_START = 3
"""Exit code of a worker that cannot start, where none has started yet."""

START_SECONDS = 120
"""A worker that does not start within them is started again; large bundles and busy machines take a while to open."""

SILENT_SECONDS = 30
"""A worker that runs and says nothing for so long is started again."""

END_SECONDS = GRACE + 5
"""A worker that has not ended so long after SIGTERM is killed."""

METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder of the workers' counts."""


@dataclass
class _Sign:
    """When a worker was last heard of, whether it has started by then, and whether it is asked for the next sign."""

    at: float
    started: bool = False
    asked: bool = False


class Supervisor(Multiprocess):
    """uvicorn's, which starts a dead worker again, but it ends where the first workers cannot start.

    A later one that cannot is tried again and again: the others may well go on answering from what they have opened.
    options: uvicorn's.
    """

    def __init__(self, settings: Settings, workers: int, listener: socket.socket, options: dict[str, Any]) -> None:
        started = get_context("spawn").Event()
        # A callable, not a name: it carries the settings to the workers.
        app = partial(_worker_app, settings, started)
        config = uvicorn.Config(app, factory=True, workers=workers, http=BoundedHeads, **options)
        super().__init__(config, sockets=[listener])
        self._signs: dict[Process, _Sign] = {}

    def run(self) -> None:
        """Returns after SIGTERM or SIGINT; raises RelevanceError where the workers cannot start."""
        super().run()
        if self._cannot_start:
            raise RelevanceError("the workers cannot start; the log says why")

    def keep_subprocess_alive(self) -> None:
        """Called every half second. uvicorn's waits for each worker's sign of life, and heeds no signal meanwhile."""
        if self.should_exit.is_set():
            return
        self._signs = {process: self._signs.get(process) or _Sign(time.monotonic()) for process in self.processes}
        for at, process in enumerate(self.processes):
            if _lives(process, self._signs[process]):
                continue
            process.kill()
            process.join()
            if self._cannot_start:
                self.should_exit.set()
                return
            logging.getLogger(LOGGER).warning("worker %s is gone; another one starts", process.pid)
            self.processes[at] = Process(self.config, self.sockets)
            self.processes[at].start()

    def join_all(self) -> None:
        """Waits for the workers, which have been told to end."""
        until = time.monotonic() + END_SECONDS
        for process in self.processes:
            process.process.join(max(0.0, until - time.monotonic()))
            process.process.kill()
        super().join_all()

    @property
    def _cannot_start(self) -> bool:
        return any(process.process.exitcode == CANNOT_START for process in self.processes)


def _lives(process: Process, sign: _Sign) -> bool:
    """Whether a worker runs and has been heard of lately; asks for the next sign."""
    if not process.process.is_alive():
        return False
    try:
        while process.parent_conn.poll():
            sign.started, sign.at, sign.asked = process.parent_conn.recv(), time.monotonic(), False
        if not sign.asked:
            process.parent_conn.send(b"ping")
            sign.asked = True
    except (OSError, EOFError):
        return False
    return time.monotonic() - sign.at < (SILENT_SECONDS if sign.started else START_SECONDS)


def _worker_app(settings: Settings, started: Event) -> FastAPI:
    """A worker's app; where there can be none, the worker ends with a line in the log."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        app = create_app(settings)
    except Exception as error:
        trace = None if isinstance(error, RelevanceError) else error
        logging.getLogger(LOGGER).error("this worker cannot start: %s", error, exc_info=trace)
        sys.exit(1 if started.is_set() else CANNOT_START)
    started.set()
    return app


def _end_with_parent() -> None:
    """Ends this worker where its supervisor was killed: it would keep the port, and nobody would start it again."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    shutil.rmtree(os.environ[METRICS], ignore_errors=True)
    os.kill(os.getpid(), signal.SIGTERM)
