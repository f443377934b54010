"""Listings that may answer a query, and how well each does."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.catalogue import Catalogue
from relevance.filters import Mask
from relevance.qualifiers import missing
from relevance.query import Query
from relevance.relevance_model import Features, RelevanceModel, pair_features
from relevance.vectors import Rows, Scores

POOL = 100
"""Nearest listings looked at for a query; more where more hits are asked for."""

PARTIAL = 30
"""Listings with some of the words looked at, likewise: the fewer, the sooner those of little weight are passed over."""


class Candidates(NamedTuple):
    """Listings with one row each. features: float32 `[n, features]`, as the relevance model reads them; lexical: bool
    `[n]`, every word of the query occurs; corrected: bool `[n]`, every word of the corrected query does; relevance:
    float32 `[n]`, a probability; utility: float32 `[n]`, by which they are put in order;
    matching: some listing has every word of the query, whether it passes the mask or not."""

    rows: Rows
    features: Features
    lexical: NDArray[np.bool_]
    corrected: NDArray[np.bool_]
    relevance: NDArray[np.float32]
    utility: NDArray[np.float32]
    matching: bool

    def best(self, k: int, shown: NDArray[np.bool_]) -> "Candidates":
        """Returns the first `k` in order of those that are `shown`, bool `[n]`."""
        order = shown.nonzero()[0]
        order = order[(-self.utility[order]).argsort(kind="stable")[:k]]
        return Candidates(
            self.rows[order],
            self.features[order],
            self.lexical[order],
            self.corrected[order],
            self.relevance[order],
            self.utility[order],
            self.matching,
        )


class _Worded(NamedTuple):
    """What the words find: rows with every word, as_typed or of the correction, and rows with some; BM25 scores of
    both; matching: as `Candidates` has it."""

    rows: Rows
    scores: Scores
    as_typed: bool
    partial: Rows
    partial_scores: Scores
    matching: bool


def gather(catalogue: Catalogue, model: RelevanceModel, asked: Query, k: int, mask: Mask) -> Candidates:
    """Returns lexical, corrected-lexical and semantic candidates, once each, unordered; where the words match fewer
    than `k`, those with some of the words as well. mask: bool `[rows]`."""
    found = _by_words(catalogue, asked, k, mask)
    near, cosines = _by_meaning(catalogue, asked, max(POOL, k), mask)
    rows = _distinct(np.concatenate([near, found.rows, found.partial]))
    cosine = np.full(len(rows), np.nan, np.float32)
    cosine[rows.searchsorted(near)] = cosines
    unmeasured = np.isnan(cosine).nonzero()[0]
    cosine[unmeasured] = catalogue.cosines(asked.embedding, rows[unmeasured])
    bm25, matched = np.zeros(len(rows), np.float32), np.zeros(len(rows), np.bool_)
    bm25[rows.searchsorted(found.partial)] = found.partial_scores
    places = rows.searchsorted(found.rows)
    bm25[places] = found.scores
    matched[places] = True
    features = features_of(catalogue, asked, rows, cosine, matched, bm25)
    none = np.zeros(len(rows), np.bool_)
    lexical, corrected = (matched, none) if found.as_typed else (none, matched)
    return Candidates(rows, features, lexical, corrected, *model.judge(features), found.matching)


def _by_words(catalogue: Catalogue, asked: Query, k: int, mask: Mask) -> _Worded:
    said, words = asked.text, asked.reading.words
    rows, scores, matching = with_every_word(catalogue, said, k, mask)
    as_typed = len(rows) > 0
    if asked.reading.corrected and not as_typed:
        said = asked.reading.corrected
        words = said.split()
        rows, scores, _ = with_every_word(catalogue, said, k, mask)
    if len(rows) >= k or len(words) == 1:  # who has any of one word has every word
        return _Worded(rows, scores, as_typed, rows[:0], scores[:0], matching)
    partial, lesser = catalogue.lexical(said, max(PARTIAL, k), every=False)
    passing = mask[partial]
    return _Worded(rows, scores, as_typed, partial[passing], lesser[passing], matching)


def _by_meaning(catalogue: Catalogue, asked: Query, k: int, mask: Mask) -> tuple[Rows, Scores]:
    """The nearest, and the nearest of its own categories: a strange word may have drawn the query away from them. Of
    these also the nearest whose attributes are what the words say; not once each."""
    near, cosines = catalogue.around(asked.embedding, k, mask, asked.ranges)
    if not (asked.wanted and asked.ranges):
        return near, cosines
    inside, own = catalogue.fitting(asked.embedding, k, asked.wanted, asked.ranges, mask)
    return np.concatenate([near, inside]), np.concatenate([cosines, own])


def _distinct(rows: Rows) -> Rows:
    """The rows in ascending order, once each (`np.unique` takes ten times as long for a few hundred)."""
    rows = np.sort(rows)
    new = np.empty(len(rows), np.bool_)
    new[:1] = True
    np.not_equal(rows[1:], rows[:-1], out=new[1:])
    return rows[new]


def with_every_word(catalogue: Catalogue, query: str, k: int, mask: Mask) -> tuple[Rows, Scores, bool]:
    """Returns rows with every word of `query`, best first, and their BM25 scores: at least `k` in `mask` (bool
    `[rows]`) where there are that many; and whether there are any, in the mask or not."""
    limit = max(k, POOL)
    while True:
        rows, scores = catalogue.lexical(query, limit)
        passing = mask.take(rows)
        own = np.count_nonzero(passing)
        if own == len(rows):
            return rows, scores, len(rows) > 0
        if len(rows) < limit or own >= k:
            return rows[passing], scores[passing], True
        limit *= 4


def features_of(
    catalogue: Catalogue,
    asked: Query,
    rows: Rows,
    cosine: NDArray[np.float32],
    matched: NDArray[np.bool_],
    bm25: NDArray[np.float32],
) -> Features:
    """Returns what the relevance model reads of the query with each of `rows`, float32 `[n, features]`.

    matched: bool `[n]`, every word of the query, or of its correction, occurs; bm25: float32 `[n]`, 0 where no word
    does."""
    category = catalogue.category(rows).astype(np.intp)  # as all that counts and gathers by it would make it
    unsaid = missing(asked.qualifiers, catalogue.words(rows)) if asked.qualifiers else 0.0
    return pair_features(
        cosine,
        category,
        asked.categories[category],
        asked.shares[category],
        matched,
        bm25,
        unsaid,
        catalogue.meets(asked.wanted, rows) if asked.wanted else 0.0,
        asked.reading.familiar,
        asked.reading.foreign,
        asked.nothing,
        asked.second_noun,
    )
