"""Queries for things the catalogue has not, to learn and to calibrate what that looks like."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from rapidfuzz import process
from rapidfuzz.distance import OSA

from relevance.text import has_digits

_ORDER = 2
"""Letters that decide the next one of a made-up word."""

_ALIKE = 0.7
"""A made-up word this much like a known one may be taken for a typing error of it."""


@dataclass(frozen=True)
class AbsentWords:
    """words: for things that the catalogue has not; modifiers: what people say of anything, whether it tells things
    apart ("black") or says little ("for", "cheap")."""

    words: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()

    def queries(self, n: int, dice: Random) -> list[str]:
        """Returns `n` queries of one or two words, most of them between one to three modifiers; none without words."""
        return [self._query(dice) for _ in range(n if self.words else 0)]

    def _query(self, dice: Random) -> str:
        found = dice.choices(self.words, k=1 + int(dice.random() < 0.4))
        if self.modifiers and dice.random() < 0.6:
            added = dice.choices(self.modifiers, k=dice.randrange(1, 4))
            cut = dice.randrange(len(added) + 1)
            found = [*added[:cut], *found, *added[cut:]]
        return " ".join(found)

    def write(self, path: Path) -> None:
        """Writes the words as JSON."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "AbsentWords":
        """Reads what `write` wrote."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        return cls(tuple(fields["words"]), tuple(fields["modifiers"]))


def made_up_words(words: Sequence[str], n: int, dice: Random) -> list[str]:
    """Returns at most `n` words that nobody knows, spelt as `words` are: drawn from a Markov chain over their letters,
    and not much like any of them."""
    known = set(words)
    follow: dict[str, list[str]] = defaultdict(list)
    for word in words:
        if len(word) > 3 and not has_digits(word):
            marked = "^" * _ORDER + word + "$"
            for i in range(_ORDER, len(marked)):
                follow[marked[i - _ORDER : i]].append(marked[i])
    drawn = {_word(follow, dice) for _ in range(3 * n)} if follow else set()
    new = sorted(word for word in drawn - known if 4 <= len(word) <= 14)
    strange = (
        word
        for word in new
        if not process.extractOne(word, words, scorer=OSA.normalized_similarity, score_cutoff=_ALIKE)
    )
    kept = list(strange)
    dice.shuffle(kept)
    return kept[:n]


def _word(follow: dict[str, list[str]], dice: Random) -> str:
    word, state = "", "^" * _ORDER
    while (letter := dice.choice(follow[state])) != "$" and len(word) < 20:
        word += letter
        state = (state + letter)[-_ORDER:]
    return word
