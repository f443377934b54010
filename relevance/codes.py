"""Nearest neighbours among millions: a scan over 4-bit codes of all vectors, and the best of it measured exactly.

A code is 16 bytes for 64 dimensions (product quantisation, two dimensions a code; FAISS "fast scan"), so a scan reads a
sixteenth of what an exact one does. No graph and no clusters: every row is looked at, so a filter costs no recall.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.vectors import Rows, Scores, VectorIndex

CODED_FROM = 20_000
"""From this many rows on an index has codes: below, an exact scan takes a fraction of a millisecond."""

EXACT_ROWS = 8_000
"""So few rows, in slices or left by a mask, are scanned exactly."""

_MEASURED = 10
"""Times k: how many of the best by their codes are measured. Recall@10 and @100 are then above 0.99."""

_LEAST_MEASURED = 200
_ERRORS = 2.0
"""By how many standard deviations of a code's error the k-th best has to be above the last one that was measured. Else
more are measured, in the end all: where a filter takes the near rows away, the others lie too close together."""

_SAMPLE = 65_536
_CHUNK = 100_000
_MOST_PASS = 0.5
"""From this share of passing rows on, all are scanned and those that do not pass dropped."""


class CodedIndex(VectorIndex):
    """Unit vectors float32 `[rows, dim]` and their codes."""

    def __init__(self, embeddings: NDArray[np.float32], codes: Any) -> None:
        super().__init__(embeddings)
        self._codes = codes

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        mask: NDArray[np.bool_] | None = None,
        slices: Sequence[tuple[int, int]] | None = None,
    ) -> tuple[Rows, Scores]:
        """As `VectorIndex.search`; never fewer than k rows where k pass, nearly always the k nearest."""
        if slices is not None:
            if sum(end - first for first, end in slices) <= EXACT_ROWS:
                return super().search(query, k, mask, slices)
            mask = _inside(slices, len(self)) if mask is None else mask & _inside(slices, len(self))
        passing = len(self) if mask is None else int(np.count_nonzero(mask))
        wanted = max(_MEASURED * k, _LEAST_MEASURED)
        while passing > EXACT_ROWS and wanted <= passing // 4:
            found, coded = self._scan(query, wanted, mask, passing)
            cosines = np.einsum("nd,d->n", self.embeddings[found], query)
            best = np.argsort(-cosines, kind="stable")[:k]
            if cosines[best[-1]] >= coded.min() + _ERRORS * (cosines - coded).std():
                return found[best], cosines[best]
            wanted *= 4
        return super().search(query, k, mask)

    def _scan(
        self, query: NDArray[np.float32], wanted: int, mask: NDArray[np.bool_] | None, passing: int
    ) -> tuple[Rows, Scores]:
        """The `wanted` best rows by their codes, among those in the mask, or a few less, and their coded cosines."""
        faiss = _faiss()
        selected = None
        if mask is not None and passing >= _MOST_PASS * len(self):
            coded, rows = self._codes.search(query[None], wanted * len(self) // passing)
            kept = mask[rows[0]]
            if np.count_nonzero(kept) >= wanted // 2:
                return rows[0][kept], coded[0][kept]
        if mask is not None:
            bits = np.packbits(mask, bitorder="little")  # the selector keeps no copy
            selected = faiss.SearchParametersIVF(sel=faiss.IDSelectorBitmap(bits))
        coded, rows = self._codes.search(query[None], wanted, params=selected)
        return rows[0][rows[0] >= 0], coded[0][rows[0] >= 0]


def open_vectors(path: Path) -> VectorIndex:
    """Opens the vectors of a .npy file, with their codes where `write_codes` made them."""
    index = VectorIndex.open(path)
    codes = codes_path(path)
    return CodedIndex(index.embeddings, _faiss().read_index(str(codes))) if codes.exists() else index


def codes_path(vectors: Path) -> Path:
    """Where the codes of a .npy file lie."""
    return vectors.with_suffix(".codes")


def write_codes(vectors: Path, least: int = CODED_FROM) -> None:
    """Writes the codes of the vectors in a .npy file beside it, where there are at least `least` rows, of an even
    number of dimensions."""
    embeddings = np.load(vectors, mmap_mode="r")
    rows, dim = embeddings.shape
    if rows < least or dim % 2:
        return
    faiss = _faiss()
    # One list: the selector that a filter needs is in FAISS's inverted lists alone.
    codes = faiss.index_factory(dim, f"IVF1,PQ{dim // 2}x4fs", faiss.METRIC_INNER_PRODUCT)
    codes.by_residual = False
    sample = np.sort(np.random.default_rng(0).choice(rows, min(rows, _SAMPLE), replace=False))
    codes.train(np.ascontiguousarray(embeddings[sample]))
    for start in range(0, rows, _CHUNK):
        codes.add(np.ascontiguousarray(embeddings[start : start + _CHUNK]))
    faiss.write_index(codes, str(codes_path(vectors)))


def _faiss() -> Any:
    """FAISS, for one thread; its type stubs lack half of what is used of it here."""
    import faiss

    faiss.omp_set_num_threads(1)
    return faiss


def _inside(slices: Sequence[tuple[int, int]], rows: int) -> NDArray[np.bool_]:
    inside = np.zeros(rows, np.bool_)
    for first, end in slices:
        inside[first:end] = True
    return inside
