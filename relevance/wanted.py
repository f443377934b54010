"""What the words of a query say of the attributes of what is wanted: "ladies" of the gender, "negra" of the colour.

Learned from what was chosen for queries with these words (`index.wanted`), so it holds for words that no listing has.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
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
            # "Womens" says what "women" says; a word's own meaning comes first: "shorts" are not what is short.
            said = {**self._said.get(singular(word), {}), **self._said.get(word, {})}
            for attribute, values in said.items():
                own = total.setdefault(attribute, defaultdict(float))
                for value, much in values.items():
                    own[value] += much
        return total

    def means(self, word: str) -> bool:
        """Says whether a word (normalised) clearly means a value of an attribute."""
        return word in self._clear or singular(word) in self._clear

    def saying(self, attribute: str, value: str) -> Sequence[tuple[str, Mapping[str, float]]]:
        """Returns the words that mean a value of an attribute, with all they say of it."""
        return self._saying.get((attribute, value), ())

    @cached_property
    def _saying(self) -> dict[tuple[str, str], list[tuple[str, Mapping[str, float]]]]:
        """Of each attribute's values the words that mean it."""
        saying = defaultdict(list)
        for word, said in self._said.items():
            for attribute, values in said.items():
                for value, much in values.items():
                    if much >= CLEARLY:
                        saying[attribute, value].append((word, values))
        return dict(saying)


def singular(word: str) -> str:
    """Returns what a word that may be a plural is the plural of; "s" is a size."""
    return word[:-1] if len(word) > 1 and word.endswith("s") else word


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
