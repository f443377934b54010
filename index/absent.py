"""Made-up words: queries for things no catalogue has, spelt as the catalogue's language spells its words."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

_ORDER = 2
"""Letters that decide the next one."""


def absent_queries(words: Sequence[str], n: int, rng: np.random.Generator) -> list[str]:
    """Returns `n` queries of one to three made-up words, drawn from a Markov chain over the letters of `words`; none
    of them is one of `words`."""
    known = set(words)
    follow: dict[str, list[str]] = defaultdict(list)
    for word in words:
        if word.isalpha() and len(word) > 3:
            marked = "^" * _ORDER + word + "$"
            for i in range(_ORDER, len(marked)):
                follow[marked[i - _ORDER : i]].append(marked[i])
    if not follow:
        return []
    return [" ".join(_word(follow, known, rng) for _ in range(int(rng.integers(1, 4)))) for _ in range(n)]


def _word(follow: dict[str, list[str]], known: set[str], rng: np.random.Generator) -> str:
    for _ in range(100):
        word, state = "", "^" * _ORDER
        while (letter := str(rng.choice(follow[state]))) != "$" and len(word) < 20:
            word += letter
            state = (state + letter)[-_ORDER:]
        if 4 <= len(word) <= 14 and word not in known:
            return word
    # A vocabulary so small that its letters spell nothing else.
    return word[::-1] + "q"
