"""`python -m eval bench vectors`: from a query to its nearest listings, beside what others would use for it.

The towers and the runtime's index against the ScaNN and BruteForce layers of TensorFlow Recommenders, called as
SavedModels, and a FAISS HNSW graph, the usual index around sentence embeddings: the same vectors, one query at a time,
one core, each in processes of its own. A bundle has no query tower that TensorFlow runs, so the layers look a query's
vector up by its text, which costs less than any model that reads it; what a sentence encoder costs before its index is
not measured. Processor time is to be trusted more than the clock where the machine does other work too.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from tqdm import tqdm

from eval.benchmarks.made_up import made_up
from eval.benchmarks.peers import (
    BRUTE_FORCE,
    FROM_TEXT,
    OWN,
    OWN_AROUND,
    PEERS,
    RECALL,
    SCANN,
    Built,
    Figures,
    Inputs,
    K,
)
from eval.figures_file import FiguresFile
from eval.inputs import read_queries
from eval.stages import run_stage
from eval.textable import text_table
from relevance.artifacts import write_text_atomic
from relevance.bundle import BundleLayout, open_manifest
from relevance.errors import DataError
from relevance.towers import Towers

MARKS = {SCANN: 1 / 3, BRUTE_FORCE: 1 / 15}
"""From text to listings in so much of the time of these layers."""

_CHUNK = 50_000
_ONE_THREAD = {
    "CUDA_VISIBLE_DEVICES": "",
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}


def command(
    bundle: Annotated[Path, typer.Option(help="Bundle made by `python -m index build`.")],
    listings: Annotated[int, typer.Option(min=200, help="Vectors, made up from the bundle's.")] = 200_000,
    queries: Annotated[
        Path | None, typer.Option(help="Column query (.csv, .tsv, .jsonl); else those that the bundle remembers.")
    ] = None,
    count: Annotated[int, typer.Option(min=10, help="Different queries that are timed, at most.")] = 1000,
    leave_out: Annotated[
        list[str] | None, typer.Option("--without", help=f"A peer to leave out: {', '.join(PEERS)}. Repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    out: FiguresFile = None,
) -> None:
    """Time the way from a query to its nearest listings, beside other libraries."""
    unknown = [name for name in leave_out or () if name not in PEERS]
    if unknown:
        raise DataError(f"--without {unknown[0]}: no such peer; there are {', '.join(PEERS)}")
    open_manifest(bundle)
    rng = np.random.default_rng(seed)
    real: NDArray[np.float32] = np.load(BundleLayout(bundle).vectors)
    vectors = made_up(real, listings, rng)
    texts = _texts(bundle, queries, count, rng)
    with tempfile.TemporaryDirectory() as folder:
        inputs = write_inputs(Path(folder), bundle, vectors, texts)
        del vectors
        names = [name for name in PEERS if name not in (leave_out or ())]
        results = [run_peer(name, inputs) for name in tqdm(names, "peers")]
    facts = {"listings": listings, "real": len(real), "dim": real.shape[1], "queries": len(texts)}
    if out is not None:
        write_text_atomic(out, json.dumps({"kind": "vectors benchmark", **facts, "peers": results}, indent=1) + "\n")
    typer.echo(report(results, facts))


def write_inputs(folder: Path, bundle: Path, vectors: NDArray[np.float32], texts: Sequence[str]) -> Inputs:
    """Writes into a folder what peers are given: vectors (`[n, dim]`) and queries, which the bundle's towers read."""
    inputs, asked = Inputs(folder), Towers(bundle).queries(texts)
    inputs.write(vectors, asked, kth_cosine(asked, vectors), bundle=str(bundle.resolve()), texts=list(texts))
    return inputs


def kth_cosine(queries: NDArray[np.float32], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the cosine of the K-th nearest of `vectors` to each query, float32 `[q]`."""
    best = np.full((len(queries), K), -np.inf, np.float32)
    for start in tqdm(range(0, len(vectors), _CHUNK), "exact"):
        scores = np.concatenate([best, queries @ vectors[start : start + _CHUNK].T], axis=1)
        best = np.partition(scores, -K, axis=1)[:, -K:]
    nearest: NDArray[np.float32] = best.min(axis=1)
    return nearest


def _texts(bundle: Path, path: Path | None, count: int, rng: np.random.Generator) -> list[str]:
    """Different queries, drawn at random."""
    if path is not None:
        texts = list(read_queries(path))
    else:
        texts = sorted(json.loads(BundleLayout(bundle).seen.read_text(encoding="utf-8"))["queries"])
    if not texts:
        raise DataError(f"{bundle}: remembers no queries; give a file of them by --queries")
    return [texts[at] for at in rng.permutation(len(texts))[:count].tolist()]


def run_peer(name: str, inputs: Inputs) -> dict[str, Any]:
    """Builds and asks one of PEERS in processes of its own, on one core, and returns what `peers` measured."""
    with tempfile.TemporaryDirectory(dir=inputs.root) as folder:
        steps = [
            run_stage("eval.benchmarks.peers", step, name, folder, str(inputs.root), environment=_ONE_THREAD)
            for step in ("build", "measure")
        ]
    built, measured = (json.loads(said.splitlines()[-1]) for said in steps)
    return {"peer": name, "built": built, **measured}


def report(results: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> str:
    """Returns the figures as a table, and how the time from text to listings stands to the marks."""
    rows, figures = [], {}
    for result in results:
        built = Built(**result["built"])
        memory = [f"{result['bytes'][part] / 2**20:.0f}" for part in ("index", "process")]
        for own in (Figures(**each) for each in result["figures"]):
            figures[own.name] = own
            times = [f"{each:.3f}" for each in (own.p50, own.p99, own.processor_p50, own.processor_p99)]
            rows.append([own.name, *times, f"{own.recall:.3f}", *memory, f"{built.seconds:.0f}", built.settings])
    header = ["ms", "p50", "p99", "cpu p50", "p99", f"recall@{K}", "index MiB", "process", "build cpu s", "settings"]
    return "\n".join(
        [
            text_table(header, rows),
            f"{facts['listings']:,} vectors of {facts['dim']} dimensions, made up from {facts['real']:,} real ones "
            f"(repeated with noise); {facts['queries']:,} queries, one at a time, one core",
            "from text: the layers only look its vector up",
            *(line for own in (OWN_AROUND, OWN) for name in MARKS for line in _against(figures, own, name)),
        ]
    )


def _against(figures: Mapping[str, Figures], name: str, layer: str) -> list[str]:
    """How the runtime's way of that name stands to a layer; nothing where one of them was left out."""
    own, peer = figures.get(name + FROM_TEXT), figures.get(layer + FROM_TEXT)
    if own is None or peer is None:
        return []
    ratio = own.processor_p50 / peer.processor_p50
    verdict = "within" if ratio <= MARKS[layer] and own.recall >= RECALL else "misses"
    return [
        f"{own.name}: {ratio:.3f} of the {layer}'s processor time, {own.p50 / peer.p50:.3f} by the clock "
        f"({verdict} the mark, {MARKS[layer]:.3f} at recall {RECALL})"
    ]
