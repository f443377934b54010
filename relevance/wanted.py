"""What the words of a query say of the attributes of what is wanted: "ladies" of the gender, "negra" of the colour.

Learned from what was chosen for queries with these words (`index.wanted`), so it holds for words that no listing has.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relevance.columns import Columns

Said = Mapping[str, Mapping[str, float]]
"""Attribute -> value -> how much it is wanted: by the probability that a word means it, and more where a word is its
name."""

LIMIT = 1.0
"""A value counts as at most so much less wanted than the most wanted: what is not wanted is not wanted."""

CLEARLY = 0.5
"""A word means a value from this probability on."""


class WantedValues:
    """Knows what words say of attributes. said: word, or two neighbouring words written together, -> what it says."""

    def __init__(self, said: Mapping[str, Said]) -> None:
        self._said = said
        values = ((word, own) for word, attributes in said.items() for own in attributes.values())
        self._clear = frozenset(word for word, own in values if max(own.values(), default=0.0) >= CLEARLY)

    @classmethod
    def read(cls, path: Path) -> "WantedValues":
        """Reads what `write_wanted` wrote."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def of(self, words: Sequence[str]) -> Said:
        """Returns what a query of these words (normalised) says, attributes of which it says nothing left out."""
        total: dict[str, dict[str, float]] = {}
        for word in said_words(words):
            # "Womens" says what "women" says.
            said = {**self._said.get(word, {}), **self._said.get(word.removesuffix("s"), {})}
            for attribute, values in said.items():
                own = total.setdefault(attribute, defaultdict(float))
                for value, much in values.items():
                    own[value] += much
        return total

    def means(self, word: str) -> bool:
        """Says whether a word (normalised) clearly means a value of an attribute."""
        return word in self._clear or word.removesuffix("s") in self._clear

    def saying(self, attribute: str, value: str) -> list[tuple[str, Mapping[str, float]]]:
        """Returns the words that mean a value of an attribute, with all they say of it."""
        found = ((word, said[attribute]) for word, said in self._said.items() if attribute in said)
        return [(word, values) for word, values in found if values.get(value, 0.0) >= CLEARLY]


def said_words(words: Sequence[str]) -> list[str]:
    """Returns the words of a query and its pairs of neighbours written together, once each."""
    return list(dict.fromkeys([*words, *(a + b for a, b in pairwise(words))]))


def meets(said: Said, columns: Columns, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Returns float32 `[n]`: how well the attributes of `rows` are what was said, 0 where they are what is most wanted,
    below that by how much less they are; the usual where a listing does not tell a value."""
    total = np.zeros(len(rows), np.float32)
    for attribute, values in said.items():
        column = columns.attributes.get(attribute)
        best = max([0.0, *values.values()])
        usual = max(-best, -LIMIT)
        if column is None:
            total += np.float32(usual)
            continue
        # A row without a value has the code -1: the last place.
        own = np.full(len(column.values) + 1, usual, np.float32)
        for value, lift in values.items():
            if value in column.numbers:
                own[column.numbers[value]] = max(lift - best, -LIMIT)
        total += own[column.codes.take(rows)]
    return total


def write_wanted(path: Path, said: Mapping[str, Said]) -> None:
    """Writes what words say of attributes."""
    path.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
