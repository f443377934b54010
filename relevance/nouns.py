"""What a query is about: of its words the one for a thing of the catalogue, and perhaps one for something else.

In English and many other languages the last of several nouns is the thing: a watch battery is no watch. A lexicon also
knows nouns of several words whose last one says another thing by itself: a fan belt is no belt to wear.
"""

import copy
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise, starmap

import numpy as np
from numpy.typing import NDArray

from relevance.category_filter import CategoryModel
from relevance.seen import SeenQueries
from relevance.spelling import Speller
from relevance.towers import Towers
from relevance.wanted import WantedValues

CLEARLY = 0.3
"""A word is for a thing of the catalogue when it is by so much nearer to a category than to nothing."""

_LONGEST = 4
"""Nouns of so many words are looked for."""

_REMEMBERED = 10_000
"""Words of which it is kept how much they are like things of the catalogue."""


class Nouns:
    """Think `words -> (thing,)` or `(thing, another)`, over one state of the catalogue. Words are normalised."""

    def __init__(
        self,
        towers: Towers,
        categories: CategoryModel,
        seen: SeenQueries,
        wanted: WantedValues,
        speller: Speller,
        modifiers: frozenset[str],
    ) -> None:
        """modifiers: words that are said of anything ("plain")."""
        self._towers, self._categories, self._seen, self._wanted = towers, categories, seen, wanted
        self._speller, self._featuriser = speller, towers.featuriser
        self._modifiers, self._joining = modifiers, categories.ontology.joining_words
        self._nothing = lru_cache(maxsize=_REMEMBERED)(self._find_nothing)

    def over(self, categories: CategoryModel, seen: SeenQueries, wanted: WantedValues, speller: Speller) -> "Nouns":
        """Returns the same over another state of the catalogue, or of what is known of queries; where words lie, which
        depends on neither, is shared."""
        nouns = copy.copy(self)
        nouns._categories, nouns._seen, nouns._wanted, nouns._speller = categories, seen, wanted, speller
        return nouns

    def nothing(self, embedding: NDArray[np.float32]) -> float:
        """Returns how much nearer a text's vector is to the place of queries without an answer than to any category."""
        return float(self._towers.nothing @ embedding) - float(self._categories.cosines(embedding).max())

    def head(self, words: Sequence[str]) -> list[str]:
        """Returns the words up to a thing of the catalogue that a word follows which says little, "a loose top" of "a
        loose top to wear over leggings", and those behind it that tell of attributes; all words where there is none, or
        the rest says no other thing."""
        for at, (word, behind) in enumerate(pairwise(words), start=1):
            if self._parts(behind) and self._tells(word) and self._nothing(word) <= -CLEARLY:
                rest = words[at:]
                told = filter(self._wanted.means, rest)
                return [*words[:at], *told] if any(map(self._tells, rest)) else list(words)
        return list(words)

    def of(self, words: Sequence[str]) -> tuple[str, ...]:
        """Returns the word most like things of the catalogue and, where the two are for something new here, the other
        one of a noun of the language ("fan belt") or the one behind; empty where no word tells of a thing."""
        near = {word: self._nothing(word) for word in words if self._tells(word)}
        if not near:
            return ()
        at = words.index(min(near, key=lambda word: near[word]))
        parts = [word for word in self._compound(words, at) if word in near and word != words[at]]
        other = max(parts, key=lambda word: near[word]) if parts else self._behind(words, at)
        return (words[at], other) if other else (words[at],)

    def second(self, nouns: Sequence[str]) -> float:
        """Returns how much less like a thing of the catalogue the second of two nouns is than the first, in cosines; 0
        for fewer."""
        return max(0.0, self._nothing(nouns[1]) - self._nothing(nouns[0])) if len(nouns) == 2 else 0.0

    def shortened(self, words: Sequence[str], nouns: Sequence[str]) -> Iterator[list[str]]:
        """Yields `words` without those behind the thing, from the first on that says little ("trainers for a nurse"),
        but for what they tell of attributes, and then without what tells of these, too; nothing for words that are
        about no thing, or may be about something else. nouns: those of `words`."""
        if len(nouns) != 1 or self._nothing(nouns[0]) >= 0:
            return
        behind = range(words.index(nouns[0]) + 1, len(words))
        cut = next((at for at in behind if self._says_little(words[at])), len(words))
        told = [*words[:cut], *filter(self._wanted.means, words[cut:])]
        for left in (told, [word for word in told if not self._wanted.means(word)]):
            if len(left) < len(words):
                words = left
                yield left

    def _compound(self, words: Sequence[str], at: int) -> Sequence[str]:
        """The words around `at` that together are a noun for nothing here, by a lexicon; empty where none are, or
        training knows them together."""
        for size in range(_LONGEST, 1, -1):
            for first in range(max(0, at + 1 - size), min(at, len(words) - size) + 1):
                told = words[first : first + size]
                if self._featuriser.is_noun(" ".join(told)) and not all(starmap(self._said_together, pairwise(told))):
                    return told
        return ()

    def _behind(self, words: Sequence[str], at: int) -> str | None:
        """The word behind `at` that tells of a thing, where it is new there."""
        behind = words[at + 1] if at + 1 < len(words) else ""
        if not self._tells(behind) or self._was_said(behind) or self._said_together(words[at], behind):
            return None
        return behind if self._may_be_noun(behind) else None

    def _may_be_noun(self, word: str) -> bool:
        """Whether a lexicon has a word as a noun, or training knows it: "shoes bristol" are shoes. Without a lexicon
        nobody knows."""
        return not self._featuriser.others or self._featuriser.knows(word) or self._featuriser.is_noun(word)

    def _said_together(self, word: str, behind: str) -> bool:
        return self._featuriser.knows(word + behind)

    def _tells(self, word: str) -> bool:
        """Whether a word may say what a thing is: characters of a script without spaces alone do not."""
        return not (self._says_little(word) or len(word) < 2 or word[0].isdigit() or self._wanted.means(word))

    def _parts(self, word: str) -> bool:
        """Whether what stands behind the word is another thing than what stands before it."""
        return self._says_little(word) and word not in self._joining

    def _says_little(self, word: str) -> bool:
        return self._featuriser.says_little(word) or (len(word) < 2 and word.isascii())

    def _was_said(self, word: str) -> bool:
        """Whether the word is said of anything, or of things that are here, or people who said it have chosen
        something: training knows it, and from no listing."""
        if word in self._modifiers or word in self._featuriser.names:
            return True
        return self._seen.knows(word) or (self._featuriser.knows(word) and not self._speller.occurs(word))

    def _find_nothing(self, word: str) -> float:
        return self.nothing(self._towers.query(word))
