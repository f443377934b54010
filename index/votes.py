"""What was chosen for each query, by category."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.interactions import Interactions

MEANT = 0.2
"""Share of the weight of a query's choices from which on a category counts as what it meant."""

CERTAIN = 1.5
"""Clicks, a message counting as three, from which on a query is taken to have an answer: a single click, wherever on
the page it was, may be a stray one."""

FEWEST_CERTAIN = 30
"""With fewer such queries single clicks have to do: a small site would calibrate on nothing."""


class Votes(NamedTuple):
    """Which categories were chosen for which query: query int64 `[n]` rows of `queries`, ascending; category int64
    `[n]` positions; weight float64 `[n]`, of the clicks and messages; total, choices: float64 `[queries]`, the weight
    of those of each query, and how many clicks they are; rows: for each query the chosen listings' rows and weights."""

    queries: list[str]
    query: NDArray[np.int64]
    category: NDArray[np.int64]
    weight: NDArray[np.float64]
    total: NDArray[np.float64]
    choices: NDArray[np.float64]
    rows: dict[int, dict[int, float]]

    @classmethod
    def tally(cls, pairs: Interactions, listing_category: NDArray[np.int32], categories: int) -> "Votes":
        """Sums the pairs' weights by query and category."""
        keys = pairs.query.astype(np.int64) * categories + listing_category[pairs.listing]
        distinct, place = np.unique(keys, return_inverse=True)
        weight = np.zeros(len(distinct))
        np.add.at(weight, place, pairs.weight)
        query = distinct // categories
        total = np.zeros(len(pairs.queries))
        np.add.at(total, query, weight)
        rows: dict[int, dict[int, float]] = {}
        for number, listing, share in zip(
            pairs.query.tolist(), pairs.listing.tolist(), pairs.weight.tolist(), strict=True
        ):
            rows.setdefault(number, {})[listing] = share
        choices = pairs.choices.astype(np.float64)
        return cls(pairs.queries, query, distinct % categories, weight, total, choices, rows)

    def meant(self) -> "Votes":
        """Returns the votes less the stray ones: of queries that are CERTAIN, where those are enough, for categories
        that got a fifth or more of them. A site's own categories are wrong for some listings, and people click beside
        what they want: a set made to hold that as well would be of no use."""
        certain = self.choices[self.query] >= CERTAIN
        if len(np.unique(self.query[certain])) < FEWEST_CERTAIN:
            certain[:] = True
        kept = certain & (self.weight >= MEANT * self.total[self.query])
        return self._replace(query=self.query[kept], category=self.category[kept], weight=self.weight[kept])

    def some(self, n: int, seed: int = 0) -> "Votes":
        """Returns the votes of as many queries, drawn at random, as have about `n` of them; all where there are no
        more."""
        if len(self.query) <= n:
            return self
        queries = np.unique(self.query)
        drawn = np.random.default_rng(seed).permutation(queries)[: max(1, n * len(queries) // len(self.query))]
        kept = np.isin(self.query, drawn)
        return self._replace(query=self.query[kept], category=self.category[kept], weight=self.weight[kept])

    def of(self, query: int) -> "Votes":
        """Returns the votes of one query."""
        own = slice(*np.searchsorted(self.query, (query, query + 1)))
        return self._replace(query=self.query[own], category=self.category[own], weight=self.weight[own])

    def listings(self, query: int) -> Mapping[int, float]:
        """Returns the rows that were chosen for a query, with their weight."""
        return self.rows.get(query, {})

    def chosen(self, query: int) -> NDArray[np.int64]:
        """Returns the categories that got a fifth or more of a query's choices: one stray click counts little."""
        own = self.of(query)
        return np.asarray(own.category[own.weight >= MEANT * self.total[query]])
