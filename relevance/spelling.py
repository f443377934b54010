"""What a query's unknown words may have meant: the nearest known word by optimal string alignment distance."""

import copy
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from relevance.featuriser import Featuriser
from relevance.near_words import NearWords
from relevance.scripts import romanised
from relevance.text import has_digits, tokens

LEAST_SIMILARITY = 0.6
"""Words no more alike than this are not taken for each other."""

CORRECTION_SIMILARITY = 0.7
"""From here on a correction is offered; below, the likeness only counts as familiarity."""

ONE_ERROR = 0.8
"""One wrong letter of five. For so much likeness a known word that is two written as one is taken apart."""

SOUNDS_ALIKE = 0.79
"""How much alike words are at least that sound the same, a little less than by one wrong letter, where they share
_RHYMING of their letters."""

_RHYMING = 0.45

OF_PLURAL, SHORTEST_PLURAL = 0.5, 4
"""What it counts as an error that a word is known in the singular alone, in words of more letters than this."""

_REMEMBERED = 10_000
"""Words of which it is kept what they are like."""

_NEAREST = 10
"""So many known words are looked at for one that leads somewhere."""

MOST_UNKNOWN = 12
"""Unknown words that are looked up for one query: a text of more unknown words than this is no query."""


class Reading(NamedTuple):
    """words: the query's words; familiar: 0 to 1, the mean over them of 1 for a known one and the likeness of the
    nearest known one otherwise; corrected: the query with its unknown words replaced, None where there was nothing to
    replace; foreign: the share of words that are well spelt, as the text prior knows them, and yet unknown here."""

    words: list[str]
    familiar: float
    corrected: str | None
    foreign: float = 0.0

    @property
    def understood(self) -> list[str]:
        """The words, those of the correction where there is one."""
        return self.corrected.split() if self.corrected else self.words


class Speller:
    """Reads queries against the words that training knows and, for corrections, those that lead somewhere."""

    def __init__(self, featuriser: Featuriser, occurs: Callable[[str], bool]) -> None:
        self._featuriser = featuriser
        self.words = [word for word in featuriser.words if len(word) > 2 and not has_digits(word)]
        self.occurs = occurs
        self._known = NearWords(self.words)
        self._near = lru_cache(maxsize=_REMEMBERED)(self._find_near)
        self._near_whole = lru_cache(maxsize=_REMEMBERED)(self._find_near_whole)

    def over(self, occurs: Callable[[str], bool]) -> "Speller":
        """Returns the same speller over other listings; what was looked up is shared."""
        speller = copy.copy(self)
        speller.occurs = occurs
        return speller

    def read(self, query: str) -> Reading:
        """Returns how familiar `query` is and its correction."""
        words = tokens(query)
        if not words:
            return Reading(words, 0.0, None)
        likeness = 0.0
        lookups = MOST_UNKNOWN
        foreign = 0
        corrected = []
        for word in words:
            if self._featuriser.knows(word):
                likeness += 1.0
                corrected.append(word)
                continue
            if self._featuriser.is_piece(word):
                # No error, and not to be taken for one: "taxi" is no "maxi".
                foreign += 1
                corrected.append(word)
                continue
            nearest, similarity = self._nearest(word) if lookups > 0 else (word, 0.0)
            lookups -= 1
            likeness += similarity
            # "Racket" is no "jacket".
            taken = similarity >= CORRECTION_SIMILARITY and not self._featuriser.is_other(word)
            corrected.append(nearest if taken else word)
        if len(words) <= MOST_UNKNOWN:
            corrected = self._rejoined(words, corrected)
        rewritten = " ".join(corrected) if corrected != words else None
        return Reading(words, likeness / len(words), rewritten, foreign / len(words))

    def _rejoined(self, words: list[str], corrected: list[str]) -> list[str]:
        """What the words are corrected to, and one word in place of two that are it, written apart with an error."""
        rejoined: list[str] = []
        at = 0
        while at < len(words):
            whole = self._whole(*words[at : at + 2]) if at + 1 < len(words) else None
            rejoined.append(whole or corrected[at])
            at += 2 if whole else 1
        return rejoined

    def _whole(self, first: str, second: str) -> str | None:
        """The word that two are with an error ("hand beg"), unless both are known, or one says little or is a letter or
        a number ("shirt l" are no shirts)."""
        pair = (first, second)
        if all(map(self._featuriser.knows, pair)) or any(map(self._featuriser.says_little, pair)):
            return None
        if min(map(len, pair)) < 2 or has_digits(first + second):
            return None
        return next(filter(self.occurs, self._near_whole(first + second)), None)

    def _nearest(self, word: str) -> tuple[str, float]:
        """The known word that leads somewhere and is most like `word` (the most frequent of equally like ones), or two
        known words written as one where more than one letter is wrong otherwise ("suncream" is no "scream"), and the
        likeness: 0 if there is none."""
        if len(word) < 3 or has_digits(word):
            return word, 0.0
        near = self._near(word)
        found = next(filter(None, (self._leading(*one) for one in near)), (word, 0.0))
        if " " in found[0]:  # two that are known as one: a word that is as near comes before them
            words = (one for one in near if one[1] >= found[1] and self.occurs(one[0]))
            found = next(words, found)
        if found[1] >= SOUNDS_ALIKE:
            return found
        parts = self._parted(word, self._featuriser.knows)
        return (parts, 1.0) if parts else found

    def _leading(self, near: str, likeness: float) -> tuple[str, float] | None:
        """A known word that leads somewhere, apart where it is two of them ("flipflops"); None for another one."""
        if self.occurs(near):
            return near, likeness
        parts = self._parted(near, self.occurs) if likeness >= ONE_ERROR else None
        return (parts, likeness) if parts else None

    def _parted(self, word: str, known: Callable[[str], bool]) -> str | None:
        """Two known words that are written as one."""
        cuts = (cut for cut in range(3, len(word) - 2) if known(word[:cut]) and known(word[cut:]))
        return next((f"{word[:cut]} {word[cut:]}" for cut in cuts), None)

    def _find_near_whole(self, text: str) -> tuple[str, ...]:
        """The known words that are `text` with one error of five letters or more, the most frequent first."""
        found = sorted(self._known.by_letters(text, ONE_ERROR), key=lambda near: (near.errors, near.place))
        return tuple(near.word for near in found if near.errors <= 1)

    def _find_near(self, word: str) -> tuple[tuple[str, float], ...]:
        """The ten known words most like `word`, and their likeness: first those that may be offered, by their errors (a
        missing letter is as bad as a wrong one) and how frequent they are. A word in other letters is looked for in
        Latin ones as well, "шорты" among "shorts": there the sound says more than how it happens to be written. And so
        is what may be the plural of another, "pantys" among "panty"."""
        ranked = _ranked(self._known, word, 1.0)
        if word.endswith("s") and len(word) > SHORTEST_PLURAL:
            ranked += [
                (strange, errors if strange else errors + OF_PLURAL, place, likeness)
                for strange, errors, place, likeness in _ranked(self._known, word[:-1], 1.0)
            ]
        if not word.isascii():
            ranked += _ranked(self._known.romanised, romanised(word), 0.0)
        near: dict[str, float] = {}
        for *_, place, likeness in sorted(ranked):
            if likeness > LEAST_SIMILARITY:
                near.setdefault(self.words[place], likeness)
        return tuple(near.items())[:_NEAREST]


def _ranked(known: NearWords, word: str, by_sound: float) -> list[tuple[bool, float, int, float]]:
    """The known words like `word`, as what to sort them by, their place and their likeness. by_sound: the errors of one
    that sounds the same, and a little more for each letter."""
    heard = {near.place: near for near in known.by_ear(word) if near.likeness >= _RHYMING}
    ranked = []
    for near in (heard | {near.place: near for near in known.by_letters(word, LEAST_SIMILARITY)}).values():
        likeness, errors = near.likeness, float(near.errors)
        if near.place in heard:
            likeness, errors = max(likeness, SOUNDS_ALIKE), min(errors, by_sound + errors / 100)
        offered = likeness >= CORRECTION_SIMILARITY
        ranked.append((not offered, errors if offered else -likeness, near.place, likeness))
    return ranked
