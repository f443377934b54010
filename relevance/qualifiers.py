"""How many of a query's qualifiers a listing lacks: the words that stand with things of many kinds ("black", "women",
"leather", a brand). The kind of thing is for the towers to tell; among listings of the right kind these decide. Words
that say little ("cheap", "for") stand with many kinds too, and are taken out by behaviour (`index.words`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.featuriser import Featuriser
from relevance.text import tokens

TELLS_APART = 0.5
"""At most so many of a category's listings say a word that tells them apart, as a brand does."""

WORDS = 32
"""Words kept of a listing."""

QUALIFIES = 6.0
"""A word qualifies things when its listings spread over so many categories."""

_CHUNK = 100_000


def word_rows(featuriser: Featuriser, texts: Sequence[str]) -> NDArray[np.integer[Any]]:
    """Returns integers `[n, WORDS]`: the numbers of the known words of each text, once each, padded with zeros; uint16
    where that holds them, else int32."""
    rows = np.zeros((len(texts), WORDS), np.uint16 if featuriser.first_ngram <= 2**16 else np.int32)
    for row, text in enumerate(texts):
        numbers = (featuriser.number(word) for word in dict.fromkeys(tokens(text)))
        known = [number for number in numbers if number is not None][:WORDS]
        rows[row, : len(known)] = known
    return rows


def qualifiers(
    featuriser: Featuriser, rows: NDArray[np.integer[Any]], category: NDArray[np.int32], names: Sequence[str]
) -> NDArray[np.bool_]:
    """Returns bool `[words + 1]`, by the number of a word: whether its listings (words `[n, WORDS]`, category
    int32 `[n]`) spread over at least QUALIFIES categories, by the exponential of their entropy, or are but some of each
    category's and no category's name has the word. names: of the categories."""
    size, categories = featuriser.first_ngram, int(category.max(initial=0)) + 1
    keys = np.concatenate([_keys(rows[i : i + _CHUNK], category[i : i + _CHUNK], categories) for i in _starts(rows)])
    pairs, counts = np.unique(keys, return_counts=True)
    word = pairs // categories
    total = np.bincount(word, counts, size)
    share = counts / total[word]
    spread = np.exp(np.bincount(word, -share * np.log(share), size))
    named = np.zeros(size, np.bool_)
    named[[number for name in names for word in tokens(name) if (number := featuriser.number(word)) is not None]] = True
    of_category = counts / np.bincount(category, minlength=categories)[pairs % categories]
    most = np.zeros(size)
    np.maximum.at(most, word, of_category)
    return np.asarray((spread >= QUALIFIES) | ((most > 0) & (most <= TELLS_APART) & ~named))


def _starts(rows: NDArray[np.integer[Any]]) -> range:
    return range(0, max(len(rows), 1), _CHUNK)


def _keys(rows: NDArray[np.integer[Any]], category: NDArray[np.int32], categories: int) -> NDArray[np.int64]:
    row, column = np.nonzero(rows)
    return rows[row, column].astype(np.int64) * categories + category[row]


def missing(numbers: Sequence[int], rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Returns float32 `[n]`: how many of the words of these numbers do not stand in each listing, for its words
    `[n, WORDS]`."""
    unsaid = np.full(len(rows), len(numbers), np.float32)
    for number in numbers:
        unsaid[np.flatnonzero(rows == number) // rows.shape[1]] -= 1  # no word stands twice in a row
    return unsaid
