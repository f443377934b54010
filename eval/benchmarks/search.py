"""`python -m eval bench search`: how long the parts of a search take in this process, one thread, and what a bundle
costs to open.

The queries are those of a file, each asked in every round; the first round warms up and is not counted. Where the
machine does other work too, the lowest tenth says more than the median.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import typer

from eval.inputs import read_queries
from eval.textable import text_table
from relevance.artifacts import write_text_atomic
from relevance.engine import Engine

_OPENING = """
import resource, sys, time
start = time.perf_counter()
import relevance
engine = relevance.open(sys.argv[1])
opened = time.perf_counter() - start
engine.search(sys.argv[2])
print(opened, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""

Figures = dict[str, dict[str, float]]


def command(
    bundle: Annotated[Path, typer.Option(help="Bundle made by `python -m index build`.")],
    queries: Annotated[Path, typer.Option(help="Column query (.csv, .tsv, .jsonl).")],
    rounds: Annotated[int, typer.Option(min=1, help="How often each query is asked.")] = 10,
    k: Annotated[int, typer.Option(min=1, max=1000, help="Hits asked for.")] = 20,
    out: Annotated[Path | None, typer.Option(help="JSON file for the figures.")] = None,
) -> None:
    """Time a search and its parts, and the opening of a bundle."""
    texts = list(read_queries(queries))
    figures = measure(Engine(bundle), texts, rounds, k)
    seconds, resident = opening(bundle, texts[0])
    if out is not None:
        write_text_atomic(out, json.dumps({"ms": figures, "open_seconds": seconds, "resident_bytes": resident}) + "\n")
    typer.echo(report(figures, len(texts), rounds))
    typer.echo(f"import and open: {seconds:.2f} s; resident after a search: {resident / 2**20:.0f} MiB")


def measure(engine: Engine, queries: Sequence[str], rounds: int, k: int) -> Figures:
    """Returns for each part the 10th, 50th and 99th percentile in milliseconds."""
    asked = {query: engine.read(query) for query in queries}
    everything = np.ones(len(engine.columns), np.bool_)
    parts: dict[str, Callable[[str], Any]] = {
        "search": lambda query: engine.search(query, k),
        "category_filter": engine.category_filter,
        "query to vector": engine.towers.query,
        "nearest listings": lambda query: engine.catalogue.nearest(asked[query].embedding, k, everything),
        "lexical search alone": lambda query: engine.lexical_search(query, k),
    }
    return {name: _percentiles(part, queries, rounds) for name, part in parts.items()}


def _percentiles(part: Callable[[str], Any], queries: Sequence[str], rounds: int) -> dict[str, float]:
    times = []
    for number in range(rounds + 1):
        for query in queries:
            start = perf_counter()
            part(query)
            times += [perf_counter() - start] if number else []
    return {f"p{q}": round(float(np.percentile(times, q)) * 1000, 4) for q in (10, 50, 99)}


def opening(bundle: Path, query: str) -> tuple[float, int]:
    """Returns the seconds that importing the runtime and opening the bundle take in a new process, and its resident
    bytes after one search."""
    ran = subprocess.run(
        [sys.executable, "-c", _OPENING, str(bundle), query], capture_output=True, text=True, check=True
    )
    seconds, resident = ran.stdout.split()
    return float(seconds), int(resident)


def report(figures: Figures, queries: int, rounds: int) -> str:
    """Returns the figures as a table."""
    rows = [[name, *(f"{own[f'p{q}']:.3f}" for q in (10, 50, 99))] for name, own in figures.items()]
    table = text_table(["milliseconds", "p10", "p50", "p99"], rows)
    return f"{table}\n{queries} queries, {rounds} rounds, one thread"
