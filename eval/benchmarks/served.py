"""The service as processes of its own, for whoever measures it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from relevance.errors import DataError

TOKEN = "benchmark"
_START_SECONDS = 120
_CHECKOUT = Path(__file__).resolve().parents[2]


class Served(NamedTuple):
    """A running service that can be written to with TOKEN. deployment: the folder whose bundle it follows; process:
    the id of the process that its workers are children of, or of the only one."""

    port: int
    process: int
    deployment: Path
    live: Path

    def processor_seconds(self) -> float:
        """User and system time of all its processes so far (Linux: fields 14 and 15 of /proc/PID/stat)."""
        total = 0.0
        children = Path(f"/proc/{self.process}/task/{self.process}/children").read_text().split()
        for each in (str(self.process), *children):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return total


@contextmanager
def served(bundle: Path, workers: int, folder: Path) -> Iterator[Served]:
    """Puts `bundle` in use in a deployment in the new folder `folder`; yields the service over it once it answers."""
    at, live = folder / "serving", folder / "live"
    if promotion(bundle, at, live).wait():
        raise DataError(f"{bundle}: could not be put in use; try `python -m index promote` on it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "from relevance.cli import main; main()"
    options = ["--port", str(port), "--workers", str(workers), "--live", str(live)]
    command = [sys.executable, "-c", code, "serve", str(at), *options]
    environment = os.environ | {"RELEVANCE_TOKEN": TOKEN}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            _wait(port, process)
            yield Served(port, process.pid, at, live)
        finally:
            process.send_signal(signal.SIGTERM)


def promotion(bundle: Path, at: Path, live: Path) -> "subprocess.Popen[bytes]":
    """Starts `python -m index promote`, with the lowest priority, as an operator does beside what answers."""
    command = [sys.executable, "-m", "index", "promote", str(bundle), "--at", str(at), "--live", str(live)]
    silent = subprocess.DEVNULL
    return subprocess.Popen(["nice", "-n", "19", *command], cwd=_CHECKOUT, stdout=silent, stderr=silent)


def _wait(port: int, service: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5):
                return
        except OSError:
            if service.poll() is not None or time.monotonic() > deadline:
                raise DataError("the service did not start; try `relevance serve` on this bundle") from None
            time.sleep(0.1)
