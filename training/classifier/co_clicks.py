"""Photos chosen for the same query: what people take for alike, of one category and within it.

A query of n chosen photos has n (n - 1) / 2 pairs, and each counts 1 / (n - 1) (Newman, "Scientific collaboration
networks II", PRE 2001): a query that leads to a thousand photos weighs as a thousand choices, not as half a million
pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from relevance.interactions import Interactions
from relevance.text import normalise, tokens
from training.classifier.examples import Rows

STRAY = 0.2
"""Choices in a category that has less than this share of a query's are stray clicks, or the query leads everywhere."""


@dataclass(frozen=True)
class CoClicks:
    """strength: sparse float64 `[n, queries]`, how much each photo was chosen for each query: log(1 + weight), so that
    what stands first on a page, and is clicked most, does not drown the rest. Each query has two photos at least.
    title: int64 `[n]`, the number of each listing's title."""

    strength: Any
    title: NDArray[np.int64]

    @property
    def queries(self) -> int:
        return int(self.strength.shape[1])

    @cached_property
    def photos(self) -> int:
        """How many photos are in a pair."""
        return int((np.diff(self.strength.tocsr().indptr) > 0).sum())

    @cached_property
    def _chosen(self) -> "_Chosen":
        return _Chosen(self.strength.tocsc())

    @cached_property
    def _weighted(self) -> tuple[Any, Any]:
        """`strength` by photo, and the same over n - 1 by query."""
        by_photo = self.strength.tocsr()
        return by_photo, by_photo @ sparse.diags_array(1 / (np.diff(self.strength.tocsc().indptr) - 1))

    @property
    def share(self) -> NDArray[np.float64]:
        """How often each photo is drawn, `[n]`, sum 1."""
        return self._chosen.share(len(self.title))

    def draw(self, pairs: int, rng: np.random.Generator) -> Rows:
        """Returns int64 `[2 * pairs]`: one pair after the other."""
        return self._chosen.draw(pairs, rng)

    def relation(self, anchors: Rows, others: Rows) -> NDArray[np.float32]:
        """Returns float32 `[a, b]` for the photos at `anchors` and at `others`. Positive where two were chosen for the
        same query: which share of the anchor's co-clicks that is, so that these sum to 1; 0 where nothing is known to
        join them; -1 for a photo and itself, and for two listings of one title, which are neither."""
        by_photo, weighted = self._weighted
        relation = (weighted[anchors] @ by_photo[others].T).toarray()
        same = self.title[anchors][:, None] == self.title[others]
        relation[same] = 0.0
        sums = relation.sum(axis=1, keepdims=True)
        relation /= np.where(sums > 0, sums, 1.0)
        relation[same] = -1.0
        return np.asarray(relation, np.float32)


class _Chosen:
    """Queries with the photos chosen for each, to draw pairs from."""

    def __init__(self, by_query: Any) -> None:
        sizes = np.diff(by_query.indptr)
        totals = np.add.reduceat(by_query.data, by_query.indptr[:-1])
        self._first, self._rows = by_query.indptr, by_query.indices.astype(np.int64)
        self._of_query = sizes / sizes.sum()
        self._within = by_query.data / np.repeat(totals, sizes)
        self._query = np.repeat(np.arange(len(sizes)), sizes)

    def share(self, n: int) -> NDArray[np.float64]:
        p = self._within
        odds = p / (
            1 - p
        )  # another of the query comes first, then this one: the sum over the others of p' p / (1 - p')
        others = np.bincount(self._query, odds)[self._query] - odds
        drawn = self._of_query[self._query] * p * (1 + others) / 2
        return np.bincount(self._rows, drawn, minlength=n).astype(np.float64)

    def draw(self, pairs: int, rng: np.random.Generator) -> Rows:
        out = np.empty(2 * pairs, np.int64)
        for i, query in enumerate(rng.choice(len(self._of_query), pairs, p=self._of_query)):
            own = slice(self._first[query], self._first[query + 1])
            out[2 * i : 2 * i + 2] = rng.choice(self._rows[own], 2, replace=False, p=self._within[own])
        return out


def co_clicks(pairs: Interactions, categories: NDArray[np.int32], titles: Sequence[str]) -> CoClicks:
    """Queries of the same words are one. categories: int32 `[n]`, ontology positions; titles: `[n]`."""
    texts, query = np.unique([" ".join(tokens(text)) for text in pairs.queries], return_inverse=True)
    shape = (len(titles), len(texts))
    row, column = pairs.listing.astype(np.int64), query[pairs.query]
    weight = _without_stray(row, column, pairs.weight.astype(np.float64), categories)
    weight[np.array(texts)[column] == ""] = 0.0  # no word: not one query but any
    strength = sparse.coo_array((weight, (row, column)), shape).tocsc()  # adds up the spellings of one query
    strength.data = np.log1p(strength.data)
    strength.eliminate_zeros()
    strength = strength[:, np.diff(strength.indptr) > 1]
    spelt = [normalise(title) for title in titles]
    return CoClicks(strength, np.unique(spelt, return_inverse=True)[1].astype(np.int64))


def _without_stray(
    row: Rows, query: NDArray[np.int64], weight: NDArray[np.float64], categories: NDArray[np.int32]
) -> NDArray[np.float64]:
    """The weights, 0 for choices in a category that has less than STRAY of its query's."""
    key = query * (int(categories.max(initial=0)) + 1) + categories[row]
    _, place = np.unique(key, return_inverse=True)
    of_category = np.bincount(place, weight)[place]
    of_query = np.bincount(query, weight)[query]
    return np.where(of_category >= STRAY * of_query, weight, 0.0)
