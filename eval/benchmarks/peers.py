"""Ways to find the listings nearest to a query: each builds its files, opens them, and answers query by query.

`python -m eval.benchmarks.peers build|measure PEER FOLDER INPUTS` does one of the two in a process of its own, on one
core, and prints the figures as JSON: what one peer loads must not be counted as the memory of another.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import link_or_copy
from relevance.timing import Stopwatch

K = 10
RECALL = 0.95
"""What a peer whose search can be made more thorough is set to reach."""

_TIE = 1e-6
"""So much less than the k-th cosine still counts as equally near."""

OWN, OWN_AROUND = "relevance", "relevance, around"
"""`search` looks everywhere, whatever the query; `around`, where the query has its categories, near the query."""

SCANN = "ScaNN layer"
SCANN_DEFAULTS = "ScaNN layer, defaults"
BRUTE_FORCE = "BruteForce layer"
HNSW = "FAISS HNSW"
FROM_TEXT, FROM_VECTOR = ", from text", ", from vector"

Rows = NDArray[np.int64] | NDArray[np.int32]
Answer = Callable[[int], Rows]
"""The number of a query -> the rows found."""


@dataclass(frozen=True)
class Inputs:
    """A folder with what all peers are given."""

    root: Path

    @property
    def vectors_path(self) -> Path:
        return self.root / "vectors.npy"

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """Those of the listings, `[n, dim]`, mapped."""
        mapped: NDArray[np.float32] = np.load(self.vectors_path, mmap_mode="r")
        return mapped

    @cached_property
    def queries(self) -> NDArray[np.float32]:
        """Their vectors, `[q, dim]`."""
        vectors: NDArray[np.float32] = np.load(self.root / "queries.npy")
        return vectors

    @cached_property
    def nearest(self) -> NDArray[np.float32]:
        """The exact cosine of each query's k-th nearest listing, `[q]`."""
        cosines: NDArray[np.float32] = np.load(self.root / "nearest.npy")
        return cosines

    @cached_property
    def facts(self) -> dict[str, Any]:
        """bundle: its folder; texts: the queries."""
        facts: dict[str, Any] = json.loads((self.root / "facts.json").read_text(encoding="utf-8"))
        return facts

    def write(
        self, vectors: NDArray[np.float32], queries: NDArray[np.float32], nearest: NDArray[np.float32], **facts: Any
    ) -> None:
        """Writes all of them."""
        np.save(self.vectors_path, vectors)
        np.save(self.root / "queries.npy", queries)
        np.save(self.root / "nearest.npy", nearest)
        (self.root / "facts.json").write_text(json.dumps(facts), encoding="utf-8")

    def recall(self, found: Iterable[Rows]) -> float:
        """Returns recall@k of the rows found for each query; any row as near as the k-th is right."""
        return float(np.mean([self._right(query, rows) for query, rows in enumerate(found)]))

    def _right(self, query: int, rows: Rows) -> float:
        cosines = self.vectors[np.unique(rows[rows >= 0])] @ self.queries[query]
        return min(1.0, np.count_nonzero(cosines >= self.nearest[query] - _TIE) / K)

    def least(self, efforts: Sequence[int], search: Callable[[NDArray[np.float32], int], Rows]) -> int:
        """Returns the least effort with which `search` (vectors, effort -> rows `[q, k]`) reaches RECALL, else the
        largest."""
        return next((effort for effort in efforts if self.recall(search(self.queries, effort)) >= RECALL), efforts[-1])


@dataclass(frozen=True)
class Built:
    """seconds: of the processor; settings: in words."""

    seconds: float
    settings: str


@dataclass(frozen=True)
class Figures:
    """One way to ask a peer. Percentiles of the milliseconds that a query takes, by the clock and of the processor, and
    recall@10."""

    name: str
    p50: float
    p99: float
    processor_p50: float
    processor_p99: float
    recall: float


@dataclass(frozen=True)
class Peer:
    """build: writes the peer's files into a folder; open: reads them and returns the ways to ask, by name; libraries:
    modules that are imported before memory is counted as the index's."""

    build: Callable[[Inputs, Path], str]
    open: Callable[[Inputs, Path], dict[str, Answer]]
    libraries: tuple[str, ...]


def _build_own(inputs: Inputs, folder: Path) -> str:
    from relevance.codes import codes_path, write_codes

    vectors = folder / "vectors.npy"
    link_or_copy(inputs.vectors_path, vectors)
    write_codes(vectors)
    return "4-bit codes, the best measured exactly" if codes_path(vectors).exists() else "so few are scanned exactly"


def _open_own(inputs: Inputs, folder: Path) -> dict[str, Answer]:
    from relevance.codes import open_vectors
    from relevance.towers import Towers

    towers, index = Towers(Path(inputs.facts["bundle"])), open_vectors(folder / "vectors.npy")
    texts, queries = inputs.facts["texts"], inputs.queries
    everything, whole = np.ones(len(index), np.bool_), [(0, len(index))]
    return {
        OWN_AROUND + FROM_TEXT: lambda query: index.around(towers.query(texts[query]), K, everything, whole)[0],
        OWN_AROUND + FROM_VECTOR: lambda query: index.around(queries[query], K, everything, whole)[0],
        OWN + FROM_TEXT: lambda query: index.search(towers.query(texts[query]), K)[0],
        OWN + FROM_VECTOR: lambda query: index.search(queries[query], K)[0],
    }


def _build_scann_defaults(inputs: Inputs, folder: Path) -> str:
    from eval.benchmarks import layers

    layers.save(layers.scann(np.asarray(inputs.vectors), K), folder, inputs.facts["texts"], inputs.queries)
    return "defaults: 100 leaves, 10 searched, nothing reordered"


def _build_scann(inputs: Inputs, folder: Path) -> str:
    from eval.benchmarks import layers

    count = len(inputs.vectors)
    leaves = round(count**0.5)
    fixed = {"num_leaves": leaves, "num_reordering_candidates": min(10 * K, count)}
    layer = layers.scann(np.asarray(inputs.vectors), K, **fixed)
    efforts = sorted({max(1, round(leaves * share)) for share in (0.01, 0.02, 0.03, 0.05, 0.08, 0.13, 0.2, 0.4, 1.0)})
    searched = inputs.least(efforts, lambda queries, effort: layers.search_leaves(layer, queries, K, effort))
    layer = layers.scann(np.asarray(inputs.vectors), K, num_leaves_to_search=searched, **fixed)
    layers.save(layer, folder, inputs.facts["texts"], inputs.queries)
    return f"{leaves} leaves, {searched} searched, {fixed['num_reordering_candidates']} reordered"


def _build_brute_force(inputs: Inputs, folder: Path) -> str:
    from eval.benchmarks import layers

    layers.save(layers.brute_force(np.asarray(inputs.vectors), K), folder, inputs.facts["texts"], inputs.queries)
    return "exact"


def _open_layer(name: str) -> Callable[[Inputs, Path], dict[str, Answer]]:
    def opened(inputs: Inputs, folder: Path) -> dict[str, Answer]:
        from eval.benchmarks import layers

        saved, texts, queries = layers.Saved(folder), inputs.facts["texts"], inputs.queries
        return {
            name + FROM_TEXT: lambda query: saved.from_text(texts[query]),
            name + FROM_VECTOR: lambda query: saved.from_vector(queries[query]),
        }

    return opened


_LINKS = 32
_EFFORTS = (16, 32, 64, 128, 256, 512, 1024)


def _build_hnsw(inputs: Inputs, folder: Path) -> str:
    import faiss

    index = faiss.IndexHNSWFlat(inputs.vectors.shape[1], _LINKS, faiss.METRIC_INNER_PRODUCT)
    index.add(np.asarray(inputs.vectors))

    def search(queries: NDArray[np.float32], effort: int) -> Rows:
        index.hnsw.efSearch = effort
        found: Rows = index.search(queries, K)[1]
        return found

    index.hnsw.efSearch = inputs.least(_EFFORTS, search)
    faiss.write_index(index, str(folder / "hnsw"))
    return f"M {_LINKS}, efConstruction {index.hnsw.efConstruction}, efSearch {index.hnsw.efSearch}"


def _open_hnsw(inputs: Inputs, folder: Path) -> dict[str, Answer]:
    import faiss

    index, queries = faiss.read_index(str(folder / "hnsw")), inputs.queries
    return {HNSW + FROM_VECTOR: lambda query: index.search(queries[query][None], K)[1][0]}


_LAYERS = ("eval.benchmarks.layers",)
PEERS = {
    "relevance": Peer(_build_own, _open_own, ("relevance.codes", "relevance.towers")),
    "scann": Peer(_build_scann, _open_layer(SCANN), _LAYERS),
    "scann-defaults": Peer(_build_scann_defaults, _open_layer(SCANN_DEFAULTS), _LAYERS),
    "brute-force": Peer(_build_brute_force, _open_layer(BRUTE_FORCE), _LAYERS),
    "hnsw": Peer(_build_hnsw, _open_hnsw, ("faiss",)),
}


def build(peer: Peer, inputs: Inputs, folder: Path) -> Built:
    """Builds a peer's files. Its libraries are imported before, and not counted."""
    _import(peer)
    watch = Stopwatch()
    settings = peer.build(inputs, folder)
    return Built(round(watch.seconds.processor, 2), settings)


def measure(peer: Peer, inputs: Inputs, folder: Path) -> dict[str, Any]:
    """Opens a peer and asks it every query, one at a time, in two rounds, of which the first warms up. Returns the
    figures of each way to ask, and the bytes in memory: of the whole process, and what the index added."""
    asked = range(len(inputs.queries))
    _import(peer)
    before = resident()
    ways = peer.open(inputs, folder)
    rounds = {name: (list(map(answer, asked)), _timed(answer, asked)) for name, answer in ways.items()}
    memory = {"process": resident(), "index": resident() - before}
    figures = [_figures(name, inputs.recall(found), times) for name, (found, times) in rounds.items()]
    return {"figures": [asdict(each) for each in figures], "bytes": memory}


def _timed(answer: Answer, asked: Iterable[int]) -> NDArray[np.float64]:
    """Milliseconds by the clock and of the processor, `[q, 2]`."""
    times = []
    for query in asked:
        clock, processor = perf_counter(), process_time()
        answer(query)
        times.append((perf_counter() - clock, process_time() - processor))
    return np.array(times) * 1000


def _figures(name: str, recall: float, times: NDArray[np.float64]) -> Figures:
    (p50, p99), (processor_p50, processor_p99) = np.percentile(times, (50, 99), axis=0).T.round(4).tolist()
    return Figures(name, p50, p99, processor_p50, processor_p99, round(recall, 4))


def resident() -> int:
    """Returns the bytes of this process that are in memory, mapped files included."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _import(peer: Peer) -> None:
    for library in peer.libraries:
        importlib.import_module(library)


def main(step: str, name: str, folder: str, inputs: str) -> None:
    """Builds or measures one peer in this process."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    given = PEERS[name], Inputs(Path(inputs)), Path(folder)
    print(json.dumps(asdict(build(*given)) if step == "build" else measure(*given)))


if __name__ == "__main__":
    main(*sys.argv[1:])
