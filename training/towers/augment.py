"""Training queries beyond those seen: padded with words that say little, or made of a listing's own words."""

from collections.abc import Iterable
from random import Random

from training.towers.fillers import Fillers


def pad(query: str, fillers: Fillers, dice: Random, share: float = 0.35) -> str:
    """Returns `query`, in a `share` of the cases with one to six `fillers` before and after it."""
    if dice.random() >= share:
        return query
    added = fillers.draw(dice.randrange(1, 7), dice)
    cut = dice.randrange(len(added) + 1)
    return " ".join([*added[:cut], query, *added[cut:]])


def whole_words(words: Iterable[str]) -> list[str]:
    """Returns `words`, a single Latin letter with the word behind it: who looks for a t-shirt asks for no shirt."""
    whole: list[str] = []
    for word in words:
        if whole and len(whole[-1]) == 1 and "a" <= whole[-1] <= "z":
            whole[-1] += f" {word}"
        else:
            whole.append(word)
    return whole


def excerpt(words: list[str], dice: Random) -> str:
    """Returns one to four of `words` in their order, as somebody looking for that listing might type them."""
    if not words:
        return ""
    kept = dice.sample(range(len(words)), min(len(words), dice.randrange(1, 5)))
    return " ".join(words[i] for i in sorted(kept))
