"""Known words near a text, by letters or by ear, without a look at most of them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jellyfish import metaphone
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from relevance.scripts import romanised

CONSONANTS = 3
"""A word has to have so many in its sound to be told by it."""

_LETTERS = 32
"""Letters are counted by their code modulo this: those that fall together only let a few more words be looked at."""

_MOST = 255
"""More of one letter are not counted."""

_ROUNDING = 1e-9
"""One error in five letters is a likeness of 0.8, and none for a limit of 0.8 as it comes."""


_SAME = (("ck", "k"), ("x", "ks"), ("ph", "f"), ("qu", "kw"), ("q", "k"))
"""Letters that English writes a sound with, and others that it writes the same sound with."""


class Near(NamedTuple):
    """A known word, its errors, the share of the longer word's letters that are none, and its place among the known
    words."""

    word: str
    errors: int
    likeness: float
    place: int


class NearWords:
    """Knows `words`, and finds those near a text. Errors are those of optimal string alignment: a letter too many, one
    missing, a wrong one, two neighbours swapped."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words

    def by_letters(self, text: str, least: float) -> list[Near]:
        """Returns the words with a likeness of at least `least`, in no order."""
        longer = np.maximum(self._lengths, len(text))
        # Letters that the two do not share are errors at least.
        possible = longer - self._shared(text) <= (1 - least + _ROUNDING) * longer
        places = possible.nonzero()[0].tolist()
        words = [self._words[place] for place in places]
        near = process.extract(
            text, words, scorer=OSA.normalized_distance, score_cutoff=1 - least + _ROUNDING, limit=None
        )
        return [self._near(text, places[at]) for _, _, at in near]

    @cached_property
    def romanised(self) -> "NearWords":
        """The same words, in the same places, in Latin letters."""
        return NearWords([romanised(word) for word in self._words])

    def by_ear(self, text: str) -> list[Near]:
        """Returns the words that sound the same in English (Metaphone: Philips, 1990), in no order; none for a text of
        fewer than CONSONANTS. Other letters for the same sound count as no errors ("sox", "socks")."""
        sound = _sound(text)
        return [self._near(text, place, _respelt) for place in self._sounding.get(sound, ())] if sound else []

    def _near(self, text: str, place: int, spelt: Callable[[str], str] = str) -> Near:
        word = self._words[place]
        errors = OSA.distance(spelt(text), spelt(word))
        return Near(word, errors, 1 - errors / max(len(text), len(word), 1), place)

    def _shared(self, text: str) -> NDArray[np.int16]:
        """How many letters each word shares with the text, int16 `[words]`."""
        shared = np.zeros(len(self._words), np.int16)
        for letter, count in Counter(ord(letter) % _LETTERS for letter in text).items():
            shared += np.minimum(self._letters[letter], min(count, _MOST))
        return shared

    @cached_property
    def _lengths(self) -> NDArray[np.int16]:
        return np.array([len(word) for word in self._words], np.int16)

    @cached_property
    def _letters(self) -> NDArray[np.uint8]:
        """How often each letter stands in each word, uint8 `[letters, words]`."""
        letters = np.frombuffer("".join(self._words).encode("utf-32-le"), np.uint32) % _LETTERS
        words = np.repeat(np.arange(len(self._words)), self._lengths)
        counts = np.bincount(letters * len(self._words) + words, minlength=_LETTERS * len(self._words))
        return np.minimum(counts, _MOST).astype(np.uint8).reshape(_LETTERS, -1)

    @cached_property
    def _sounding(self) -> dict[str, list[int]]:
        sounding: dict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(self._words):
            if sound := _sound(word):
                sounding[sound].append(place)
        return dict(sounding)


def _respelt(word: str) -> str:
    """The word with one way to write a sound where there are several."""
    for letters, same in _SAME:
        word = word.replace(letters, same)
    return word


def _sound(word: str) -> str:
    """How an English word sounds, empty for words of too few consonants and in other letters."""
    sound = metaphone(word) if word.isascii() else ""
    return sound if len(sound) >= CONSONANTS else ""
