"""Nearest neighbours among millions: 4-bit codes of vectors, in lists, and the best by their codes measured exactly.

Coded is what a vector has beyond the centre of its list (product quantisation, FAISS "fast scan"), in 2 bits a
dimension: a sixteenth of its bytes. Where half of the directions hold nearly all of the vectors' length, each of these
has a code of its own, else two share one. Where all rows near a query pass, the lists nearest to it are scanned; where
a filter takes many of them away, all lists: no recall is lost to it.
"""

import math
from functools import lru_cache
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
"""Times k: how many of the best by their codes are measured."""

_LEAST_MEASURED = 200
_ERRORS = 2.0
"""By how many standard deviations of a code's error the k-th best has to be above the last one that was measured. Else
more are measured, in the end all: where a filter takes the near rows away, the others lie too close together."""

_NEAR = 2
_LEAST_NEAR = 100
_NEAR_ERRORS = 1.0
"""The same three for lists near the query: the further ones have other rows anyway that are as good as the last."""

_LISTS = 10
_NEIGHBOURS_A_LIST = 16
_LEAST_LISTS = 16
"""Scanned are so many lists, and one more for each so many of the k, and at least so many: as many whatever the number
of lists, which grows with the root of that of the rows."""

_MORE_LISTS = 4
_MORE_NEAR = 3
"""Times as many lists, and rows measured, where those were not enough or the query is of no certain category."""

_NEARLY_ALL = 0.9
_SOME = 0.3
"""Of the rows near the query that a mask has to let through for few lists to do, and for more of them."""

_NEARLY_ALL_LENGTH = 0.95
_SAMPLE = 65_536
_CHUNK = 100_000
_MOST_PASS = 0.5
"""From this share of passing rows on, all are scanned and those that do not pass dropped."""


class CodedIndex(VectorIndex):
    """Unit vectors float32 `[rows, dim]` and their codes, as `write_codes` makes them."""

    def __init__(self, embeddings: NDArray[np.float32], codes: Any) -> None:
        super().__init__(embeddings)
        faiss = _faiss()
        self._turn = _matrix(faiss.downcast_VectorTransform(codes.chain.at(0)))
        self._codes = faiss.downcast_index(codes.index)
        self._held = codes  # it owns the part of it
        self._codes.implem = 11  # for one query at a time the fastest of FAISS's ways
        self._everything = faiss.SearchParametersIVF(nprobe=self._codes.nlist)
        self._nearest_lists = lru_cache(lambda lists: faiss.SearchParametersIVF(nprobe=lists))

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        mask: NDArray[np.bool_] | None = None,
        slices: Slices | None = None,
    ) -> tuple[Rows, Scores]:
        """As `VectorIndex.search`; never fewer than k rows where k pass, nearly always the k nearest."""
        if slices is None:
            measured = self._near(query, k, mask)
            return self._everywhere(query, k, mask) if measured is None else _first(k, *measured)
        if sum(end - first for first, end in slices) <= EXACT_ROWS:
            return super().search(query, k, mask, slices)
        inside = _inside(slices, len(self))
        return self._everywhere(query, k, inside if mask is None else mask & inside)

    def around(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_], slices: Slices
    ) -> tuple[Rows, Scores]:
        """As `VectorIndex.around`, in one scan where that finds enough within the slices: not always all of the `k`
        nearest."""
        # What is near a query of no certain category is spread over the lists, and often as near as much else.
        measured = self._near(query, k, mask, further=not slices)
        if measured is None:
            rows, cosines = self._everywhere(query, k, mask)
        else:
            rows, cosines = measured
        if not slices:
            return _first(k, rows, cosines)
        inside = within(rows, slices)
        near = cosines >= _kth(cosines, k)
        own = np.count_nonzero(inside)
        if own == len(rows):
            return rows[near], cosines[near]
        if own >= k:
            near |= inside & (cosines >= _kth(cosines[inside], k))
            return rows[near], cosines[near]
        found, scores = self.search(query, k, mask, slices)
        near &= ~inside
        return np.concatenate([rows[near], found]), np.concatenate([cosines[near], scores])

    def _near(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_] | None, further: bool = False
    ) -> tuple[Rows, Scores] | None:
        """The best rows by their codes in the lists nearest to the query, those in the mask, and their cosines; None
        where that are too few, or not surely the best k among them. further: more lists at once, and not only where
        few did not do."""
        few = max(_LISTS + k // _NEIGHBOURS_A_LIST, _LEAST_LISTS), max(_NEAR * k, _LEAST_NEAR)
        more = few[0] * _MORE_LISTS, few[1] * _MORE_NEAR
        for lists, wanted in (more,) if further else (few, more):
            if lists >= self._codes.nlist or wanted >= len(self):
                return None
            rows, coded = self._scanned(query, wanted, self._nearest_lists(lists))
            cut, share = len(rows) == wanted, 1.0
            if mask is not None:
                kept = mask.take(rows)
                share = np.count_nonzero(kept) / max(len(rows), 1)
                if share < _SOME:
                    return None
                if share < 1:
                    rows, coded = rows[kept], coded[kept]
            if len(rows) < k or (share < _NEARLY_ALL and lists == few[0]):
                continue
            cosines = self.cosines(query, rows)
            if not cut or _clearly(cosines, coded, k, _NEAR_ERRORS if share >= _NEARLY_ALL else _ERRORS):
                return rows, cosines
        return None

    def _everywhere(self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_] | None) -> tuple[Rows, Scores]:
        """The `k` nearest of all lists, best first."""
        measured = self._of_all(query, k, mask)
        return super().search(query, k, mask) if measured is None else _first(k, *measured)

    def _of_all(self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_] | None) -> tuple[Rows, Scores] | None:
        """The best rows by their codes, at least k, and their cosines; more where the k-th is not clearly above the
        last one; None where all that pass are better measured."""
        wanted = max(_MEASURED * k, _LEAST_MEASURED)
        passing = len(self) if mask is None else int(np.count_nonzero(mask))
        mask = None if passing == len(self) else mask
        while passing > EXACT_ROWS and wanted <= passing // 4:
            rows, coded = self._passing(query, wanted, mask, passing)
            if len(rows) >= k:
                cosines = self.cosines(query, rows)
                if _clearly(cosines, coded, k, _ERRORS):
                    return rows, cosines
            wanted *= 4
        return None

    def _passing(
        self, query: NDArray[np.float32], wanted: int, mask: NDArray[np.bool_] | None, passing: int
    ) -> tuple[Rows, Scores]:
        """The `wanted` best rows by their codes, among those in the mask, or a few less, and their coded cosines."""
        faiss, selected = _faiss(), self._everything
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
        # Not `@`: see CategoryModel.cosines.
        turned = np.vecdot(self._turn, query)
        _faiss()
        coded, rows = self._codes.search(turned[None], wanted, params=parameters)
        if rows[0, -1] >= 0:
            return rows[0], coded[0]
        found = rows[0] >= 0  # the lists scanned, or the mask, hold fewer
        return rows[0][found], coded[0][found]


def _clearly(cosines: Scores, coded: Scores, k: int, errors: float) -> bool:
    """Whether the k-th cosine is so many standard deviations of the codes' errors above the last code."""
    off = cosines - coded
    error = math.sqrt(max(float(off @ off) / len(off) - (float(off.sum()) / len(off)) ** 2, 0.0))
    return _kth(cosines, k) >= float(coded[-1]) + errors * error


def _kth(cosines: Scores, k: int) -> float:
    """The k-th highest; of a few hundred sorting is faster than partitioning."""
    return float(np.sort(cosines)[-k]) if len(cosines) >= k else -np.inf


def _first(k: int, rows: Rows, cosines: Scores) -> tuple[Rows, Scores]:
    best = np.argsort(-cosines, kind="stable")[:k]
    return rows[best], cosines[best]


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
    rng = np.random.default_rng(0)
    sample = np.ascontiguousarray(embeddings[np.sort(rng.choice(rows, min(rows, _SAMPLE), replace=False))])
    directions = _telling(sample, rng)
    turn = faiss.LinearTransform(dim, len(directions), False)
    faiss.copy_array_to_vector(directions.ravel(), turn.A)
    turn.is_trained = True
    lists = max(1, round(math.sqrt(rows)))
    codes = faiss.index_factory(len(directions), f"IVF{lists},PQ{dim // 2}x4fs", faiss.METRIC_INNER_PRODUCT)
    codes.by_residual = True
    codes.cp.min_points_per_centroid = 1  # a sample of more says no more, whatever the warning wants
    index = faiss.IndexPreTransform(turn, codes)
    index.train(sample)
    for start in range(0, rows, _CHUNK):
        index.add(np.ascontiguousarray(embeddings[start : start + _CHUNK]))
    faiss.write_index(index, str(codes_path(vectors)))


def _telling(sample: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Orthonormal directions, float32 `[kept, dim]`: those in which the vectors of `sample` (`[n, dim]`) are longest,
    half of them where these hold _NEARLY_ALL_LENGTH of the squared length, else all. They are mixed at random: each has
    as many bits of a code and so should say as much."""
    dim = sample.shape[1]
    squares, directions = np.linalg.eigh(sample.T.astype(np.float64) @ sample)
    half = squares[dim // 2 :].sum() >= _NEARLY_ALL_LENGTH * squares.sum()
    kept = dim // 2 if half else dim
    mixed, _ = np.linalg.qr(rng.normal(size=(kept, kept)))
    return np.ascontiguousarray(mixed @ directions[:, dim - kept :].T, np.float32)


def _matrix(turn: Any) -> NDArray[np.float32]:
    """Of a FAISS linear transform, float32 `[d_out, d_in]`."""
    matrix: NDArray[np.float32] = _faiss().vector_to_array(turn.A).reshape(turn.d_out, turn.d_in)
    return matrix


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
