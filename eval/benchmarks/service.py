"""`python -m eval bench service`: the HTTP service under a steady load, on the same cores as who sends it.

Where the machine does other work too, the processor time a request is to be trusted more than the clock.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np
import typer

from eval.benchmarks.load import Outcome, Request, send
from eval.textable import text_table
from relevance.artifacts import write_text_atomic
from relevance.dataset import Dataset
from relevance.errors import DataError
from relevance.events import read_behaviour
from relevance.splits import time_split

TOKEN = "benchmark"
_START_SECONDS = 120


@dataclass(frozen=True)
class Row:
    """p50, p99, worst: milliseconds from when a request was due to the end of its answer; processor_ms: of all the
    service's processes a request, what else was sent at the time included; failed: answers that were no 200."""

    name: str
    requests: int
    p50: float
    p99: float
    worst: float
    processor_ms: float
    failed: int


def command(
    bundle: Annotated[Path, typer.Option(help="The bundle that is served.")],
    dataset: Annotated[Path, typer.Option(help="Its dataset: the queries held out for evaluation are asked.")],
    rate: Annotated[float, typer.Option(min=1.0, help="Searches a second.")] = 300.0,
    seconds: Annotated[float, typer.Option(min=1.0, help="How long each load lasts.")] = 20.0,
    upserts: Annotated[float, typer.Option(min=0.0, help="Listings written a second, in the last load.")] = 50.0,
    workers: Annotated[int, typer.Option(min=1, help="Processes of the service.")] = 1,
    out: Annotated[Path | None, typer.Option(help="A JSON file for the figures.")] = None,
) -> None:
    """Time the service at a fixed rate: an empty request, searches, searches while listings are written."""
    behaviour = read_behaviour(Dataset.open(dataset).root)
    held_out = [behaviour.queries[row] for row in np.flatnonzero(time_split(behaviour.query_times) == 2).tolist()]
    if not held_out:
        raise DataError(f"{dataset}: no queries are held out for evaluation")
    count = int(rate * seconds)
    searches = [Request("GET", f"/search?q={quote(query)}") for query in islice(cycle(held_out), count)]
    with _served(bundle, workers) as (port, process):
        asyncio.run(send(port, searches[:200], 100.0))  # the first ones find nothing in any cache
        rows = [
            _timed("nothing (/health/live)", port, process, [Request("GET", "/health/live")] * count, rate),
            _timed("searches", port, process, searches, rate),
        ]
        if upserts:
            writes = [_write(number) for number in range(int(upserts * seconds))]
            rows.append(_timed(f"searches, {upserts:g} upserts/s", port, process, searches, rate, writes, upserts))
    if out:
        write_text_atomic(out, json.dumps({"rate": rate, "loads": [asdict(row) for row in rows]}, indent=1) + "\n")
    typer.echo(report(rows, rate))


def report(rows: list[Row], rate: float) -> str:
    """Returns the figures as a table."""
    header = ("load", "requests", "p50 ms", "p99 ms", "worst ms", "processor ms", "failed")
    cells = [
        (
            r.name,
            str(r.requests),
            f"{r.p50:.2f}",
            f"{r.p99:.2f}",
            f"{r.worst:.1f}",
            f"{r.processor_ms:.2f}",
            str(r.failed),
        )
        for r in rows
    ]
    return f"{rate:g} requests a second\n" + text_table(header, cells)


def _timed(
    name: str,
    port: int,
    process: int,
    requests: list[Request],
    rate: float,
    writes: list[Request] | None = None,
    write_rate: float = 1.0,
) -> Row:
    async def loads() -> tuple[Outcome, Outcome]:
        return await asyncio.gather(send(port, requests, rate), send(port, writes or [], write_rate, 8))

    before = _processor_seconds(process)
    asked, written = asyncio.run(loads())
    used = _processor_seconds(process) - before
    if not asked.milliseconds:
        raise DataError(f"{name}: the service answered nothing")
    p50, p99 = np.percentile(asked.milliseconds, [50, 99]).tolist()
    failed = asked.failed + written.failed
    return Row(name, len(requests), p50, p99, max(asked.milliseconds), 1000 * used / len(requests), failed)


def _write(number: int) -> Request:
    listing = {"listing_id": f"bench-{number}", "title": f"used bicycle number {number}", "price": 50 + number}
    return Request("POST", "/upsert", json.dumps({"listings": [listing]}).encode(), TOKEN)


@contextmanager
def _served(bundle: Path, workers: int) -> Iterator[tuple[int, int]]:
    """Yields the port and the process id of a running service that can be written to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "from relevance.cli import main; main()"
    with tempfile.TemporaryDirectory(prefix="relevance-bench-") as live:
        options = ["--port", str(port), "--workers", str(workers), "--live", live]
        command = [sys.executable, "-c", code, "serve", str(bundle), *options]
        environment = os.environ | {"RELEVANCE_TOKEN": TOKEN}
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        ) as service:
            try:
                _wait(port, service)
                yield port, service.pid
            finally:
                service.send_signal(signal.SIGTERM)


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


def _processor_seconds(process: int) -> float:
    """User and system time of a process and its children so far (Linux: fields 14 and 15 of /proc/PID/stat)."""
    total = 0.0
    for each in (process, *_children(process)):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
