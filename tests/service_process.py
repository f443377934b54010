"""The service as a real process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

COMMAND = [sys.executable, "-c", "from relevance.cli import main; main()", "serve"]


class NotStartedError(AssertionError):
    """The service ended before it was ready; errors: what it said on stderr."""

    def __init__(self, code: int, errors: str) -> None:
        super().__init__(errors)
        self.code, self.errors = code, errors


class Service:
    """A running service; `log` holds the lines of its log once it has ended."""

    def __init__(self, process: subprocess.Popen[str], port: int, log: Path) -> None:
        self.process, self.url, self.log_path = process, f"http://127.0.0.1:{port}", log

    def get(self, path: str, **request: Any) -> httpx.Response:
        return httpx.get(self.url + path, timeout=30, **request)

    def post(self, path: str, **request: Any) -> httpx.Response:
        return httpx.post(self.url + path, timeout=30, **request)

    def stop(self) -> int:
        """Asks it to end and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=40)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]


@contextmanager
def serving(bundle: Path, log: Path, *options: str, token: str = "") -> Iterator[Service]:
    """Starts the service on a free port and waits until it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"RELEVANCE_TOKEN": token, "OMP_NUM_THREADS": "1"}
    errors = log.with_suffix(".errors")
    with open(log, "w") as out, open(errors, "w") as err:
        command = [*COMMAND, str(bundle), "--port", str(port), *options]
        process = subprocess.Popen(command, stdout=out, stderr=err, text=True, env=environment)
    service = Service(process, port, log)
    try:
        _wait_until_ready(service, errors)
        yield service
    finally:
        if process.poll() is None:
            service.stop()


def _wait_until_ready(service: Service, errors: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            service.get("/health/ready").raise_for_status()
            return
        except httpx.TransportError:
            if (code := service.process.poll()) is not None:
                raise NotStartedError(code, errors.read_text()) from None
            assert time.monotonic() < deadline, "the service did not start within two minutes"
            time.sleep(0.05)
