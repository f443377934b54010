"""Training queries beyond those seen: padded with words that say little, or made of a listing's own words."""

from collections.abc import Sequence
from random import Random


def pad(query: str, fillers: Sequence[str], dice: Random, share: float = 0.35) -> str:
    """Returns `query`, in a `share` of the cases with one to three `fillers` before or after it."""
    if not fillers or dice.random() >= share:
        return query
    added = " ".join(dice.choices(fillers, k=dice.randrange(1, 4)))
    return f"{query} {added}" if dice.random() < 0.7 else f"{added} {query}"


def excerpt(words: list[str], dice: Random) -> str:
    """Returns one to four of `words` in their order, as somebody looking for that listing might type them."""
    if not words:
        return ""
    kept = dice.sample(range(len(words)), min(len(words), dice.randrange(1, 5)))
    return " ".join(words[i] for i in sorted(kept))
