"""`python -m eval bench search`: how long a search takes in this process on one thread, where the time goes, what its
parts cost alone (the floors: no search is faster than they are together), and what a bundle costs to open.

Milliseconds are the machine's: the same search has taken 0.37 on one and 0.95 on another. So TensorFlow Recommenders'
ScaNN layer over the bundle's own vectors is asked the same queries in the same run, on one core in a process of its
own, as `python -m eval bench vectors` does it. It only looks a query's vector up and finds ten rows, where a search
reads, corrects, filters, judges and shows: how many times as long a search takes is to be compared between machines,
not with one. Left out are queries of the kind `none`: what is nearest to them lies anywhere, so the layer would be set
to search all its leaves for them.

The queries are those of a file, each asked in every round, as if it had not been searched lately: the engine's memory
of queries it has read is emptied before. Apart count the first round, in which words are read, corrected and shown for
the first time, and rounds of queries whose reading is remembered. Where the machine does other work too, processor time
and the lowest tenth say more than the median.

What was tried, on 37,347 listings with 192 dimensions (microseconds of processor time at the median, on a busy machine,
so for comparison with each other only):

- One scan for the nearest of all and of the query's own categories, cosines taken from it: 292 -> 106; codes in lists,
  an eighth of them scanned: 71. Scanning less also leaves the processor's cache to the rest: every other stage takes a
  fifth to a half longer right after a scan of 1.8 MB than alone.
- As few lists for queries that tell no category: one of 600 lost its answer. These scan four times as many.
- Codes of all rows after a rotation (OPQ): many minutes to train. Half of the principal axes, mixed at random: seconds,
  and half the error.
- Comparing two pairs of `datetime64`: 6, of integers 0.3. Every search asks so whether the mask still holds.
- Rows from tantivy's column 9 to 14 for a hundred hits, and 45 more with a million rows; from the documents' numbers 6.
- `numpy.unique` and `isin` for a few hundred rows, 20 and 27 each: sorting and `searchsorted` 3 and 1. Indexing through
  a `numpy.memmap` and not the plain array over it, 2 to 3 more each. Over the categories `einsum` 5, `vecdot` 3.
- What a hit shows from SQLite: 55 for 20 whole rows, 35 for the five columns shown, 4 where they are kept at hand.
  Mapping the file instead of reading it saves 3, one statement a row costs 24 more.
- A category set by sorting every level: 31; by taking the likeliest until the set is full, deepest level first: 8.
- Cosines of rows where they lie, and not of a copy: 17 -> 10 for 250 rows, a search 757 -> 725 on another machine.
- Left as they are: tantivy asked once for every and for any word (scores would lose digits), FAISS called past its
  Python wrapper (5).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter, thread_time
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from eval.benchmarks.peers import FROM_TEXT, RECALL, SCANN, K
from eval.benchmarks.vectors import run_peer, write_inputs
from eval.figures_file import FiguresFile
from eval.inputs import NO_ANSWER, read_queries
from eval.textable import text_table
from relevance.artifacts import write_text_atomic
from relevance.bundle import BundleLayout
from relevance.candidates import POOL
from relevance.engine import Engine, utc_now

_OPENING = """
import json, sys, time
start = time.perf_counter()
import relevance
engine = relevance.open(sys.argv[1])
opened = time.perf_counter() - start
for query in json.load(sys.stdin):
    engine.search(query)
lines = (line.split() for line in open("/proc/self/smaps_rollup", encoding="ascii"))
kilobytes = {name: int(size) for name, size, *unit in lines if unit == ["kB"]}
print(opened, kilobytes["Rss:"] * 1024, kilobytes["Anonymous:"] * 1024)
"""

Figures = dict[str, dict[str, float]]
Times = list[tuple[float, float]]
"""Seconds by the clock and of the processor."""


def command(
    bundle: Annotated[Path, typer.Option(help="Bundle made by `python -m index build`.")],
    queries: Annotated[Path, typer.Option(help="Columns query and, optionally, kind (.csv, .tsv, .jsonl).")],
    rounds: Annotated[int, typer.Option(min=1, help="How often each query is asked.")] = 10,
    k: Annotated[int, typer.Option(min=1, max=1000, help="Hits asked for.")] = 20,
    without_peer: Annotated[bool, typer.Option("--without-peer", help="Leave the ScaNN layer out.")] = False,
    out: FiguresFile = None,
) -> None:
    """Time a search and its parts, and the opening of a bundle."""
    kinds = read_queries(queries)
    texts = list(kinds)
    figures = measure(Engine(bundle), texts, rounds, k)
    opened = opening(bundle, texts)
    peer = None if without_peer else yardstick(bundle, [text for text in texts if kinds[text] != NO_ANSWER] or texts)
    if out is not None:
        write_text_atomic(out, json.dumps({"ms": figures, "opened": opened._asdict(), "peer": peer}) + "\n")
    typer.echo(report(figures, len(texts), rounds, peer))
    typer.echo(
        f"import and open: {opened.seconds:.2f} s; resident after all queries: {opened.resident / 2**20:.0f} MiB, of "
        f"these {opened.own / 2**20:.0f} the process's own, the others of files that processes share"
    )


def measure(engine: Engine, queries: Sequence[str], rounds: int, k: int) -> Figures:
    """Returns for each part the 10th, 50th and 99th percentile in milliseconds, and the median of the processor's."""
    engine.search(queries[0], k)
    first, _ = _asked(engine, queries, 1, k)
    again, stages = _asked(engine, queries, rounds, k)
    asked = {query: engine.read(query) for query in queries}
    remembered = _timed(lambda query: engine.search(query, k), queries, rounds)
    online = engine.catalogue.online(utc_now())

    def vectors(query: str) -> None:
        engine.catalogue.around(asked[query].embedding, POOL, online, asked[query].ranges)

    def words(query: str) -> None:
        for every in (True, False):
            engine.catalogue.lexical(query, POOL, every)

    parts: dict[str, Callable[[str], Any]] = {
        "alone: query encoder": engine.towers.query,
        "alone: lexical index, every word and any": words,
        "alone: vectors": vectors,
        "lexical_search": lambda query: engine.lexical_search(query, k),
    }
    return {
        "search": _percentiles(again),
        **{f"of it: {stage}": _percentiles(times) for stage, times in stages.items()},
        "search, asked for the first time": _percentiles(first),
        "search, the query's reading remembered": _percentiles(remembered),
        "category_filter": _percentiles(_timed(engine.category_filter, queries, rounds, partial(_forget, engine))),
        **{name: _percentiles(_timed(part, queries, rounds)) for name, part in parts.items()},
    }


def _asked(engine: Engine, queries: Sequence[str], rounds: int, k: int) -> tuple[Times, dict[str, Times]]:
    """The times of whole searches and of their stages."""
    stages: dict[str, Times] = {}

    def search(query: str) -> None:
        for stage, milliseconds in engine.search(query, k).timings.items():
            stages.setdefault(stage, []).append((milliseconds / 1000, np.nan))

    return _timed(search, queries, rounds, partial(_forget, engine)), stages


def _forget(engine: Engine) -> None:
    """Empties the memory of queries: the same reader over the same catalogue begins with none."""
    engine.reader = engine.reader.over(engine.categories, engine.catalogue)


def _timed(
    part: Callable[[str], Any], queries: Sequence[str], rounds: int, before: Callable[[], None] = lambda: None
) -> Times:
    times = []
    for _ in range(rounds):
        for query in queries:
            before()
            start, processor = perf_counter(), thread_time()
            part(query)
            times.append((perf_counter() - start, thread_time() - processor))
    return times


def _percentiles(times: Times) -> dict[str, float]:
    wall, processor = np.array(times).T * 1000
    figures = {f"p{q}": round(float(np.percentile(wall, q)), 4) for q in (10, 50, 99)}
    return figures if np.isnan(processor).any() else figures | {"processor": round(float(np.median(processor)), 4)}


class Opened(NamedTuple):
    """seconds: to import the runtime and open the bundle; resident: bytes after all queries were asked; own: those of
    them that are no file's, and so not shared with other processes."""

    seconds: float
    resident: int
    own: int


def opening(bundle: Path, queries: Sequence[str]) -> Opened:
    """Returns what opening the bundle and asking each query once takes, in a new process."""
    command = [sys.executable, "-c", _OPENING, str(bundle)]
    ran = subprocess.run(command, input=json.dumps(list(queries)), capture_output=True, text=True, check=True)
    seconds, resident, own = ran.stdout.split()
    return Opened(float(seconds), int(resident), int(own))


def yardstick(bundle: Path, queries: Sequence[str]) -> dict[str, Any]:
    """Returns what the ScaNN layer over the bundle's vectors is built with and takes (see `eval.benchmarks.peers`)."""
    vectors: NDArray[np.float32] = np.load(BundleLayout(bundle).vectors, mmap_mode="r")
    with tempfile.TemporaryDirectory() as folder:
        return run_peer("scann", write_inputs(Path(folder), bundle, vectors, queries))


def report(figures: Figures, queries: int, rounds: int, peer: Mapping[str, Any] | None = None) -> str:
    """Returns the figures as a table, and how a search stands to the peer."""
    columns = ("p10", "p50", "p99", "processor")
    lines = [f"{queries} queries, {rounds} rounds, one thread"]
    if peer is not None:
        layer = next(each for each in peer["figures"] if each["name"] == SCANN + FROM_TEXT)
        times = {"p50": layer["p50"], "p99": layer["p99"], "processor": layer["processor_p50"]}
        clock, processor = (f"{figures['search'][column] / times[column]:.2f}" for column in ("p50", "processor"))
        figures = figures | {f"beside: {layer['name']}": times}
        short = "" if layer["recall"] >= RECALL else f": {RECALL} is not reached, whatever it searches"
        lines += [
            f"{SCANN}: {peer['built']['settings']}; recall@{K} {layer['recall']:.3f}{short}",
            f"a whole search takes {clock} of the time of the {SCANN} alone (p50), {processor} by the processor",
        ]
    rows = [[name, *(f"{own[c]:.3f}" if c in own else "" for c in columns)] for name, own in figures.items()]
    return "\n".join([text_table(["milliseconds", "p10", "p50", "p99", "processor, p50"], rows), *lines])
