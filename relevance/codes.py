"""Nearest neighbours among millions: a scan over 4-bit codes of all vectors, and the best of it measured exactly.

A code is 16 bytes for 64 dimensions (product quantisation, two dimensions a code; FAISS "fast scan"), so a scan reads a
sixteenth of what an exact one does. A code is of what a vector has beyond the centre of its list. `search` scans all
lists, so a filter costs no recall; `around`, for a query that has its categories and no filters, only
those near the query.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.vectors import Rows, Scores, Slices, VectorIndex, within

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

_AROUND = 3
_AROUND_ERRORS = 1.0
"""The same two for `around`, whose last rows nobody sees: recall@100 is then 0.97 (fashion)."""

_PROBED = 8
"""Of so many lists `around` scans one, where at least _NEARLY_ALL of the rows pass."""

_NEARLY_ALL = 0.9

_SAMPLE = 65_536
_CHUNK = 100_000
_MOST_PASS = 0.5
"""From this share of passing rows on, all are scanned and those that do not pass dropped."""


class CodedIndex(VectorIndex):
    """Unit vectors float32 `[rows, dim]` and their codes."""

    def __init__(self, embeddings: NDArray[np.float32], codes: Any) -> None:
        super().__init__(embeddings)
        self._codes = codes
        self._codes.nprobe = codes.nlist
        self._few = _faiss().SearchParametersIVF(nprobe=max(1, codes.nlist // _PROBED))

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        mask: NDArray[np.bool_] | None = None,
        slices: Slices | None = None,
    ) -> tuple[Rows, Scores]:
        """As `VectorIndex.search`; never fewer than k rows where k pass, nearly always the k nearest."""
        if slices is not None:
            if sum(end - first for first, end in slices) <= EXACT_ROWS:
                return super().search(query, k, mask, slices)
            mask = _inside(slices, len(self)) if mask is None else mask & _inside(slices, len(self))
        measured = self._measured(query, k, mask, max(_MEASURED * k, _LEAST_MEASURED), _ERRORS)
        if measured is None:
            return super().search(query, k, mask)
        rows, cosines = measured
        best = np.argsort(-cosines, kind="stable")[:k]
        return rows[best], cosines[best]

    def around(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_], slices: Slices
    ) -> tuple[Rows, Scores]:
        """As `VectorIndex.around`, in one scan where that finds enough within the slices: not always all of the `k`
        nearest."""
        if not slices:
            # What is near a query of no certain category is spread over the lists, and often as near as much else.
            return self.search(query, k, mask)
        measured = self._measured(query, k, mask, max(_AROUND * k, _LEAST_MEASURED), _AROUND_ERRORS, few=True)
        if measured is None:
            return super().around(query, k, mask, slices)
        rows, cosines = measured
        near = cosines >= np.partition(cosines, -k)[-k]
        inside = within(rows, slices)
        own = np.count_nonzero(inside)
        if own >= k:
            near |= inside & (cosines >= np.partition(cosines[inside], -k)[-k])
            return rows[near], cosines[near]
        found, scores = self.search(query, k, mask, slices)
        near &= ~inside
        return np.concatenate([rows[near], found]), np.concatenate([cosines[near], scores])

    def _measured(
        self,
        query: NDArray[np.float32],
        k: int,
        mask: NDArray[np.bool_] | None,
        wanted: int,
        errors: float,
        few: bool = False,
    ) -> tuple[Rows, Scores] | None:
        """The `wanted` best rows by their codes, at least k, and their cosines; more where the k-th is not clearly
        above the last one; None where all that pass are better measured. few: lists are scanned, if those can do."""
        passing = len(self) if mask is None else int(np.count_nonzero(mask))
        mask = None if passing == len(self) else mask
        few = few and passing >= _NEARLY_ALL * len(self)
        while passing > EXACT_ROWS and wanted <= passing // 4:
            rows, coded = self._scan(query, wanted, mask, passing, few)
            if len(rows) >= k:
                cosines = self.cosines(query, rows)
                off = cosines - coded
                error = math.sqrt(max(float(off @ off) / len(off) - (float(off.sum()) / len(off)) ** 2, 0.0))
                if np.count_nonzero(cosines >= coded[-1] + errors * error) >= k:
                    return rows, cosines
            wanted, few = wanted if few else 4 * wanted, False
        return None

    def _scan(
        self, query: NDArray[np.float32], wanted: int, mask: NDArray[np.bool_] | None, passing: int, few: bool
    ) -> tuple[Rows, Scores]:
        """The `wanted` best rows by their codes, among those in the mask, or a few less, and their coded cosines."""
        faiss = _faiss()
        selected = self._few if few else None
        if mask is not None and passing >= _MOST_PASS * len(self):
            rows, coded = self._scanned(query, wanted * len(self) // passing, selected)
            kept = mask[rows]
            if np.count_nonzero(kept) >= wanted // 2:
                return rows[kept], coded[kept]
        if mask is not None:
            bits = np.packbits(mask, bitorder="little")  # the selector keeps no copy
            selected = faiss.SearchParametersIVF(sel=faiss.IDSelectorBitmap(bits), nprobe=self._codes.nlist)
        return self._scanned(query, wanted, selected)

    def _scanned(self, query: NDArray[np.float32], wanted: int, parameters: Any) -> tuple[Rows, Scores]:
        coded, rows = self._codes.search(query[None], wanted, params=parameters)
        found = rows[0] >= 0  # the lists scanned, or the mask, may hold fewer
        return rows[0][found], coded[0][found]


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
    lists = max(1, round(math.sqrt(rows) / 3))  # few: to find the near ones costs as much as to scan as many rows
    codes = faiss.index_factory(dim, f"IVF{lists},PQ{dim // 2}x4fs", faiss.METRIC_INNER_PRODUCT)
    codes.by_residual = True
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


def _inside(slices: Slices, rows: int) -> NDArray[np.bool_]:
    inside = np.zeros(rows, np.bool_)
    for first, end in slices:
        inside[first:end] = True
    return inside
