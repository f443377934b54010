"""How a service of one process runs: until it is told to end."""

import signal
import socket
from typing import Any

import uvicorn
from fastapi import FastAPI

from relevance.request_heads import BoundedHeads


def serve_until_signal(app: FastAPI, listener: socket.socket | None = None, **options: Any) -> None:
    """Answers on `listener`, None: on the options' `host` and `port`. Returns after SIGTERM, when the running requests
    are answered.

    options: of `uvicorn.Config`.
    """
    server = uvicorn.Server(uvicorn.Config(app, http=BoundedHeads, **options))
    # uvicorn listens to signals once it runs, and raises them once more when it has stopped, which would end the
    # process as if it failed. Before this line a signal ends the process, after it the server; no signal gets lost.
    signal.signal(signal.SIGTERM, server.handle_exit)
    server.run(None if listener is None else [listener])
