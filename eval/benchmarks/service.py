"""`python -m eval bench service`: the HTTP service under a steady load, on the same cores as who sends it.

Searches alone, then while listings are written, then while also another version of the bundle is put in use. Whether an
answer mixes versions is seen by `eval.benchmarks.versions`. Where the machine does other work too, the processor time a
request is to be trusted more than the clock.
"""

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import numpy as np
import typer

from eval.benchmarks.load import Outcome, Request, send
from eval.benchmarks.served import TOKEN, Served, promotion, served
from eval.benchmarks.versions import versions_in, write_next
from eval.figures_file import FiguresFile
from eval.textable import text_table
from relevance.artifacts import write_text_atomic
from relevance.dataset import Dataset
from relevance.errors import DataError
from relevance.events import read_behaviour
from relevance.splits import time_split

_LIVE = "bench-"
_BEFORE_SWAP = 0.1
"""The share of the last load after which the promotion begins: it writes a whole bundle before it switches."""


@dataclass(frozen=True)
class Row:
    """p50, p99, worst: milliseconds from when a search was due to the end of its answer; processor_ms: of all the
    service's processes a search, what else was sent at the time included; failed: answers that were no 200; dropped:
    requests without an answer; mixed: answers with parts of both versions; lost: listings written and not found."""

    workers: int
    name: str
    requests: int
    p50: float
    p99: float
    worst: float
    processor_ms: float
    failed: int = 0
    dropped: int = 0
    mixed: int = 0
    lost: int = 0

    @property
    def wrong(self) -> int:
        """All that must never happen."""
        return self.failed + self.dropped + self.mixed + self.lost


@dataclass(frozen=True)
class Load:
    """searches, at `rate` a second, and beside them `upserts` listings a second."""

    searches: Sequence[Request]
    rate: float
    upserts: float

    def writes(self, first: int) -> list[Request]:
        """The listings to write in one load, numbered from `first`."""
        count = int(self.upserts * len(self.searches) / self.rate)
        return [_write(number) for number in range(first, first + count)]


def command(
    bundle: Annotated[Path, typer.Option(help="The bundle that is served.")],
    dataset: Annotated[Path, typer.Option(help="Its dataset: the queries held out for evaluation are asked.")],
    rate: Annotated[float, typer.Option(min=1.0, help="Searches a second.")] = 300.0,
    seconds: Annotated[float, typer.Option(min=1.0, help="How long each load lasts.")] = 30.0,
    upserts: Annotated[float, typer.Option(min=1.0, help="Listings written a second, in the later loads.")] = 50.0,
    workers: Annotated[
        list[int] | None, typer.Option(min=1, help="Processes of the service; may be repeated. Default: 1 and 2.")
    ] = None,
    out: FiguresFile = None,
) -> None:
    """Time the service at a fixed rate, also while listings are written and while another bundle is put in use."""
    behaviour = read_behaviour(Dataset.open(dataset).root)
    held_out = [behaviour.queries[row] for row in np.flatnonzero(time_split(behaviour.query_times) == 2).tolist()]
    if not held_out:
        raise DataError(f"{dataset}: no queries are held out for evaluation")
    searches = [Request("GET", f"/search?q={quote(query)}") for query in islice(cycle(held_out), int(rate * seconds))]
    rows = []
    with tempfile.TemporaryDirectory(prefix="relevance-bench-") as folder:
        following = Path(folder) / "next"
        fingerprint = write_next(bundle, following)
        for number in workers or (1, 2):
            with served(bundle, number, Path(folder) / f"workers-{number}") as service:
                rows += _loads(service, number, Load(searches, rate, upserts), following, fingerprint)
    if out:
        write_text_atomic(out, json.dumps({"rate": rate, "loads": [asdict(row) for row in rows]}, indent=1) + "\n")
    typer.echo(report(rows, rate))
    wrong = sum(row.wrong for row in rows)
    if wrong:
        raise DataError(f"{wrong} requests failed, were dropped, mixed versions or were lost; see the table")


def report(rows: list[Row], rate: float) -> str:
    """Returns the figures as a table."""
    header = ("workers", "load", "p50 ms", "p99 ms", "worst ms", "processor ms", "failed", "dropped", "mixed", "lost")
    cells = [
        (
            *(str(r.workers), r.name, f"{r.p50:.2f}", f"{r.p99:.2f}", f"{r.worst:.1f}", f"{r.processor_ms:.2f}"),
            *map(str, (r.failed, r.dropped, r.mixed, r.lost)),
        )
        for r in rows
    ]
    return f"{rate:g} searches a second\n" + text_table(header, cells)


def _loads(service: Served, workers: int, load: Load, following: Path, fingerprint: str) -> list[Row]:
    asyncio.run(send(service.port, load.searches[:200], 100.0))  # the first ones find nothing in any cache
    nothing = [Request("GET", "/health/live")] * len(load.searches)
    first, second = load.writes(0), load.writes(len(load.writes(0)))
    name = f"searches, {load.upserts:g} upserts/s"
    rows = [
        _timed(service, workers, "nothing (/health/live)", load, nothing)[0],
        _timed(service, workers, "searches", load, load.searches)[0],
        _timed(service, workers, name, load, load.searches, first)[0],
    ]
    row, bodies = _timed(service, workers, f"{name}, hot swap", load, load.searches, second, following)
    seen = Counter(tuple(sorted(versions_in(json.loads(body), fingerprint, _is_live))) for body in bodies)
    if not {("first",), ("next",)} <= seen.keys():
        raise DataError("the other version was not put in use during the load; give it more --seconds")
    lost = _lost(service.port, [*first, *second])
    return [*rows, Row(**asdict(row) | {"mixed": seen["first", "next"], "lost": lost})]


def _timed(
    service: Served,
    workers: int,
    name: str,
    load: Load,
    requests: Sequence[Request],
    writes: Sequence[Request] = (),
    following: Path | None = None,
) -> tuple[Row, list[bytes]]:
    """The figures of one load, and the answers where a bundle was put in use meanwhile."""

    async def sent() -> tuple[Outcome, Outcome, None]:
        return await asyncio.gather(
            send(service.port, requests, load.rate, keep_bodies=following is not None),
            send(service.port, writes, load.upserts, 8),
            _swapped(service, following, _BEFORE_SWAP * len(requests) / load.rate),
        )

    before = service.processor_seconds()
    asked, written, _ = asyncio.run(sent())
    used = service.processor_seconds() - before
    if not asked.milliseconds:
        raise DataError(f"{name}: the service answered nothing")
    p50, p99 = np.percentile(asked.milliseconds, [50, 99]).tolist()
    failed, dropped = asked.failed + written.failed, asked.dropped + written.dropped
    figures = (p50, p99, max(asked.milliseconds), 1000 * used / len(requests))
    return Row(workers, name, len(requests), *figures, failed, dropped), asked.bodies


async def _swapped(service: Served, following: Path | None, after: float) -> None:
    if following is None:
        return
    await asyncio.sleep(after)
    running = promotion(following, service.deployment, service.live)
    while running.poll() is None:
        await asyncio.sleep(0.1)
    if running.returncode:
        raise DataError("the other version could not be put in use; try `python -m index promote` on this bundle")


def _lost(port: int, written: Sequence[Request]) -> int:
    ids = [json.loads(request.body)["listings"][0]["listing_id"] for request in written]
    found = asyncio.run(send(port, [Request("GET", f"/listings/{listing_id}") for listing_id in ids], 200.0))
    return found.failed + found.dropped


def _write(number: int) -> Request:
    listing = {"listing_id": f"{_LIVE}{number}", "title": f"used bicycle number {number}", "price": 50 + number}
    return Request("POST", "/upsert", json.dumps({"listings": [listing]}).encode(), TOKEN)


def _is_live(listing_id: str) -> bool:
    return listing_id.startswith(_LIVE)
