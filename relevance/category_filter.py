"""From a query's vector to the categories it is about, at the level where that can be told.

Leaf probabilities are a temperature-scaled softmax over the category embeddings. A level's set holds the categories
that have at most that level's threshold of probability before them; thresholds are conformal quantiles (adaptive
prediction sets: Romano, Sesia and Candès, NeurIPS 2020, scored by the mass before the label and not with it, so that a
sure and right first guess asks for no second), so that the set holds what people go on to choose with probability
≥ 1 - alpha.
"""

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
Members = list[tuple[int, float]]
"""A set of categories: position and probability, the likeliest first."""


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
        levels = reversed(range(len(calibration.thresholds)))
        ancestors = [(level, ontology.ancestor_at(level + 1)) for level in levels]
        self._levels = [(level, own, np.count_nonzero(np.bincount(own[~self.empty]))) for level, own in ancestors]

    def cosines(self, query: Floats) -> Floats:
        """Returns float32 `[categories]`: the cosine of the query vector (float32 `[dim]`) with each category."""
        # Not `@`: for so small a product BLAS would wake its threads, which on a busy machine costs more than it saves.
        return np.asarray(np.vecdot(self._embeddings, query))

    def probabilities(self, cosines: Floats) -> Floats:
        """Returns float32 `[categories]`: the probability that what is searched lies on each category itself (0 for
        those without listings), summing to 1."""
        logits = cosines + self._closed
        logits -= logits.max()
        logits /= np.float32(self.calibration.temperature)
        exponents = np.exp(logits, out=logits)
        exponents /= exponents.sum()
        return np.asarray(exponents, np.float32)

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
        sets: list[Members] = []
        modes: tuple[tuple[int, Mode], ...] = ((FILTER_SIZE, "filter"), (BOOST_SIZE, "boost"))
        for limit, mode in modes:
            for number, (level, ancestors, open_nodes) in enumerate(self._levels):
                if number == len(sets):  # mostly the deepest level's set decides
                    sets.append(self._likeliest(probabilities, level, ancestors, BOOST_SIZE))
                if len(sets[number]) <= limit and len(sets[number]) < open_nodes:
                    categories = tuple(self._score(node, score) for node, score in sets[number])
                    return CategoryFilter(mode, categories, self.calibration.coverage)
        return self.no_filter

    def sets(self, probabilities: Floats) -> list[list[int]]:
        """Returns the conformal set of each level from 1 on: positions, most probable first, however many there are.
        probabilities: float32 `[categories]`."""
        everything = len(probabilities)
        found = [self._likeliest(probabilities, level, ancestors, everything) for level, ancestors, _ in self._levels]
        return [[node for node, _ in members] for members in reversed(found)]

    def _likeliest(self, probabilities: Floats, level: int, ancestors: NDArray[np.int32], limit: int) -> Members:
        at_level = np.bincount(ancestors, probabilities, len(probabilities))
        return likeliest(np.asarray(at_level, np.float64), self.calibration.thresholds[level], limit)

    def _score(self, node: int, probability: float) -> CategoryScore:
        return CategoryScore(self.ontology.ids[node], self.ontology.path_text(node), round(probability, 4))


def likeliest(probabilities: Doubles, threshold: float, limit: int) -> Members:
    """Returns those that have at most `threshold` of probability before them, the likeliest first: at least one, and at
    most one more than `limit`. probabilities: float64 `[n]`; they are used up."""
    members: Members = []
    before = 0.0
    # No sort: nearly always a few are enough.
    while before <= threshold + 1e-9 and len(members) <= min(limit, len(probabilities) - 1):
        best = int(probabilities.argmax())
        members.append((best, float(probabilities[best])))
        before += members[-1][1]
        probabilities[best] = -1.0
    return members
