"""The photo service as a real process, and a client that can send half a request."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.colours import write_attributes, write_classifier, write_dataset

COMMAND = [sys.executable, "-c", "from relevance.cli import main; main()", "photos", "serve"]


def write_model(root: Path) -> Path:
    """The folder of a container's model: the classifier of colours, and attributes for what is cold."""
    dataset = write_dataset(root / "dataset", [("1", "a", "red", "")])
    classifier = write_classifier(root / "model" / "classifier", dataset)
    write_attributes(root / "model" / "attributes-cold", classifier, under="path:cold")
    return root / "model"


class Server:
    """A running service."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port
        self.url = f"http://127.0.0.1:{port}"

    def post(self, path: str = "/invocations", **request: object) -> httpx.Response:
        return httpx.post(self.url + path, timeout=60, **request)  # type: ignore[arg-type]

    def metrics(self) -> dict[str, int]:
        lines = (line.split() for line in httpx.get(f"{self.url}/metrics", timeout=10).text.splitlines())
        return {name.removeprefix("relevance_photos_").removesuffix("_total"): int(value) for name, value in lines}

    def memory(self, name: str) -> int:
        """VmRSS (now) or VmHWM (peak), in bytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

    def half(self, body: bytes, declared: int | None = None) -> HalfRequest:
        return HalfRequest(self.port, body, len(body) if declared is None else declared)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def ended(self) -> tuple[int, str]:
        """Exit code and what was written to stderr, once the process has ended by itself."""
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors


class HalfRequest:
    """A POST to /invocations of which all but the last byte is sent, so that it runs until `finish`."""

    def __init__(self, port: int, body: bytes, declared: int) -> None:
        self._last = body[-1:]
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: {declared}\r\n\r\n"
        self._socket.sendall(head.encode() + body[:-1])

    def finish(self) -> tuple[int, str]:
        """Sends the rest; returns status and the whole answer."""
        self._socket.sendall(self._last)
        return self.answer()

    def answer(self) -> tuple[int, str]:
        text = b""
        while part := self._socket.recv(65536):
            text += part
            if b"\r\n\r\n" in text and text.endswith(b"}"):
                break
        self._socket.close()
        return int(text.split()[1]), text.decode()

    def abandon(self) -> None:
        self._socket.close()


@contextmanager
def running(model: Path, *options: str) -> Iterator[Server]:
    """Starts the service on a free port and waits until it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*COMMAND, "--model", str(model), "--port", str(port), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    server = Server(process, port)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{server.url}/ping", timeout=2).raise_for_status()
            return
        except httpx.TransportError:
            assert server.process.poll() is None, server.process.communicate()[1]
            assert time.monotonic() < deadline, "the service did not start within a minute"
            time.sleep(0.05)
