"""From a query's vector to the categories it is about, at the level where that can be told.

Leaf probabilities are a temperature-scaled softmax over the category embeddings. A level's set holds the categories
that have at most that level's threshold of probability before them; thresholds are conformal quantiles (adaptive
prediction sets: Romano, Sesia and Candès, NeurIPS 2020, scored by the mass before the label and not with it, so that a
sure and right first guess asks for no second), so that the set holds what people go on to choose with probability
≥ 1 - alpha.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relevance.ontology import Ontology
from relevance.results import CategoryFilter, CategoryScore, Mode

FILTER_SIZE = 3
"""The largest set that is a filter."""

BOOST_SIZE = 8
"""The largest set that is a boost."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class CategoryCalibration:
    """temperature of the softmax; thresholds: for each level from 1 on, the probability that may lie before a member of
    a set; coverage: 1 - alpha, what the thresholds were chosen for; least_cosine: a query whose nearest category is
    farther than this is like none of those seen, and gets no filter."""

    temperature: float
    least_cosine: float
    thresholds: tuple[float, ...]
    coverage: float


class CategoryModel:
    """Category probabilities and filters of a query vector, over the categories that have listings."""

    def __init__(
        self,
        ontology: Ontology,
        embeddings: Floats,
        counts: NDArray[np.int64],
        calibration: CategoryCalibration,
    ) -> None:
        """embeddings: float32 `[categories, dim]`; counts: int64 `[categories]`, listings on each category itself."""
        self.ontology = ontology
        self.calibration = calibration
        self._embeddings = embeddings
        self.empty = counts == 0
        self._closed = np.where(self.empty, -np.inf, 0.0).astype(np.float32)
        self._ancestors = [ontology.ancestor_at(level + 1) for level in range(len(calibration.thresholds))]
        self._open = [len(np.unique(ancestors[counts > 0])) for ancestors in self._ancestors]

    def cosines(self, query: Floats) -> Floats:
        """Returns float32 `[categories]`: the cosine of the query vector (float32 `[dim]`) with each category."""
        # Not `@`: for so small a product BLAS would wake its threads, which on a busy machine costs more than it saves.
        return np.asarray(np.einsum("nd,d->n", self._embeddings, query), np.float32)

    def probabilities(self, cosines: Floats) -> Floats:
        """Returns float32 `[categories]`: the probability that what is searched lies on each category itself (0 for
        those without listings), summing to 1."""
        logits = cosines / np.float32(self.calibration.temperature) + self._closed
        exponents = np.exp(logits - logits.max())
        return np.asarray(exponents / exponents.sum(), np.float32)

    @property
    def no_filter(self) -> CategoryFilter:
        """The answer for a query that does not tell its categories."""
        return CategoryFilter("none", (), self.calibration.coverage)

    def filter(self, cosines: Floats, probabilities: Floats | None = None, seen: bool = False) -> CategoryFilter:
        """Returns the deepest level's set that is small enough to filter by, else to boost by, else none. A set of all
        that has listings says nothing, however small it is. probabilities: float32 `[categories]`, those of the cosines
        when None; seen: the query is known from behaviour, however far it lies from the categories."""
        if not seen and float((cosines + self._closed).max()) < self.calibration.least_cosine:
            return self.no_filter
        if probabilities is None:
            probabilities = self.probabilities(cosines)
        sets = [self._level_set(probabilities, level) for level in reversed(range(len(self._ancestors)))]
        modes: tuple[tuple[int, Mode], ...] = ((FILTER_SIZE, "filter"), (BOOST_SIZE, "boost"))
        for limit, mode in modes:
            for (nodes, scores), open_nodes in zip(sets, reversed(self._open), strict=True):
                if 0 < len(nodes) <= limit and len(nodes) < open_nodes:
                    categories = tuple(self._score(n, s) for n, s in zip(nodes, scores, strict=True))
                    return CategoryFilter(mode, categories, self.calibration.coverage)
        return self.no_filter

    def sets(self, probabilities: Floats) -> list[Sequence[int]]:
        """Returns the conformal set of each level from 1 on: positions, most probable first, however many there are.
        probabilities: float32 `[categories]`."""
        return [self._level_set(probabilities, level)[0] for level in range(len(self._ancestors))]

    def _level_set(self, probabilities: Floats, level: int) -> tuple[Sequence[int], Sequence[float]]:
        at_level = np.asarray(np.bincount(self._ancestors[level], probabilities, len(probabilities)), np.float64)
        order = np.argsort(-at_level, kind="stable")
        size = set_size(at_level[order], self.calibration.thresholds[level])
        return order[:size].tolist(), at_level[order[:size]].tolist()

    def _score(self, node: int, probability: float) -> CategoryScore:
        return CategoryScore(self.ontology.ids[node], self.ontology.path_text(node), round(probability, 4))


def set_size(descending: Doubles, threshold: float) -> int:
    """Returns how many of the descending probabilities have at most `threshold` before them: at least the first."""
    before = np.cumsum(descending) - descending
    return int(np.count_nonzero(before <= threshold + 1e-9))
