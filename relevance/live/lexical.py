"""The lexical index of the fresh segment: a few thousand texts in memory, searched as the snapshot's are.

tantivy makes a commit visible in 4 to 40 ms, in every process; here a text costs tens of microseconds.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from relevance.lexical import LexicalIndex
from relevance.text import tokens
from relevance.vectors import Rows, Scores

_K1, _B = 1.2, 0.75
"""BM25's parameters, as tantivy has them."""


Having = tuple[NDArray[np.uint32], NDArray[np.uint32]]
"""The rows that have a word, ascending, and how often each has it."""


class _Postings:
    """The rows that have a word, ascending, and how often each has it."""

    __slots__ = ("counts", "rows")

    def __init__(self) -> None:
        self.rows, self.counts = array("I"), array("I")


class FreshLexical:
    """Texts numbered from 0, in memory; `view` gives out the state of now, which does not change."""

    def __init__(self, snapshot: LexicalIndex, snapshot_rows: int) -> None:
        self.snapshot, self.snapshot_rows = snapshot, snapshot_rows
        self.postings: dict[str, _Postings] = {}
        self.lengths, self._words = array("I"), 0

    def extend(self, texts: Sequence[str]) -> None:
        """Adds texts, a row each."""
        for text in texts:
            words = Counter(tokens(text, limit=None))
            for word, count in words.items():
                postings = self.postings.setdefault(word, _Postings())
                postings.rows.append(len(self.lengths))
                postings.counts.append(count)
            self.lengths.append(words.total())
            self._words += words.total()

    def view(self) -> "FreshWords":
        """Returns the index of now."""
        return FreshWords(self, len(self.lengths), self._words)


class FreshWords:
    """The first `length` texts of a growing index, of `total` words; think `words -> rows, best first`."""

    def __init__(self, index: FreshLexical, length: int, total: int) -> None:
        self._index, self._length, self._total = index, length, total

    def search(self, query: str, k: int, every: bool = True) -> tuple[Rows, Scores]:
        """Returns the rows (int64 `[m]`, m ≤ k) whose text has every word of `query`, or at least one of them, and
        their BM25 scores (float32 `[m]`), best first. How rare a word is, and how long a text usually, is counted over
        snapshot and fresh segment together, so that scores of both can be compared."""
        words = list(dict.fromkeys(tokens(query)))
        found = [self._postings(word) for word in words]
        rows, counts = _matching(found) if every else _touching(found)
        if not len(rows) or k <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        lengths = np.frombuffer(self._index.lengths[: self._length], np.uint32)[rows]
        norm = _K1 * (1 - _B + _B * lengths / self._mean_length(words))
        rarity = (self._rarity(word, len(own)) for word, (own, _) in zip(words, found, strict=True))
        scores = sum(rare * (_K1 + 1) * c / (c + norm) for rare, c in zip(rarity, counts, strict=True))
        best = np.argsort(-np.asarray(scores), kind="stable")[:k]
        return rows[best].astype(np.int64), np.asarray(scores, np.float32)[best]

    def count(self, query: str) -> int:
        """Returns how many rows have every word of `query`."""
        return len(_matching([self._postings(word) for word in dict.fromkeys(tokens(query))])[0])

    def _postings(self, word: str) -> Having:
        """Copies: the arrays may be growing."""
        postings = self._index.postings.get(word)
        if postings is None:
            return np.empty(0, np.uint32), np.empty(0, np.uint32)
        size = bisect_left(postings.rows, self._length)
        return np.frombuffer(postings.rows[:size], np.uint32), np.frombuffer(postings.counts[:size], np.uint32)

    def _mean_length(self, words: Sequence[str]) -> float:
        """Of the texts of both, where the snapshot has one of the words; else there is nothing to compare with."""
        of_snapshot = self._index.snapshot.mean_length(words)
        rows = self._index.snapshot_rows if of_snapshot else 0
        return ((of_snapshot or 0.0) * rows + self._total) / (rows + self._length)

    def _rarity(self, word: str, fresh: int) -> float:
        """BM25's inverse document frequency. fresh: how many of these texts have the word."""
        having = self._index.snapshot.count(word) + fresh
        rows = self._index.snapshot_rows + self._length
        return float(np.log1p((rows - having + 0.5) / (having + 0.5)))


def _matching(found: Sequence[Having]) -> tuple[NDArray[np.uint32], list[NDArray[np.uint32]]]:
    """The rows that have all words, and for each word how often each of them has it."""
    if not found:
        return np.empty(0, np.uint32), []
    rows = min((own for own, _ in found), key=len)
    for own, _ in found:
        rows = rows[_among(rows, own)]
    return rows, [counts[np.searchsorted(own, rows)] for own, counts in found]


def _touching(found: Sequence[Having]) -> tuple[NDArray[np.uint32], list[NDArray[np.uint32]]]:
    """The rows that have at least one of the words, and for each word how often each of them has it."""
    if not found:
        return np.empty(0, np.uint32), []
    rows = np.unique(np.concatenate([own for own, _ in found]))
    counts = [np.zeros(len(rows), np.uint32) for _ in found]
    for of_word, (own, how_often) in zip(counts, found, strict=True):
        of_word[np.searchsorted(rows, own)] = how_often
    return rows, counts


def _among(rows: NDArray[np.uint32], ascending: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which of `rows` are in `ascending`, bool `[n]`."""
    if not len(ascending):
        return np.zeros(len(rows), np.bool_)
    return np.asarray(ascending[np.minimum(np.searchsorted(ascending, rows), len(ascending) - 1)] == rows)
