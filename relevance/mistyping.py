"""Typing errors as people make them, to train and to calibrate on: of other code than the simulator's."""

from random import Random

_NEIGHBOURS = {
    "a": "qwsz", "b": "vghn", "c": "xdfv", "d": "serfcx", "e": "wsdr", "f": "drtgvc", "g": "ftyhbv", "h": "gyujnb",
    "i": "ujko", "j": "huikmn", "k": "jiolm", "l": "kop", "m": "njk", "n": "bhjm", "o": "iklp", "p": "ol",
    "q": "wa", "r": "edft", "s": "awedxz", "t": "rfgy", "u": "yhji", "v": "cfgb", "w": "qase", "x": "zsdc",
    "y": "tghu", "z": "asx",
}  # fmt: skip
_BY_EAR = (
    ("ph", "f"), ("ck", "k"), ("ee", "i"), ("ea", "ee"), ("ie", "ei"), ("ou", "u"), ("c", "k"), ("s", "z"),
    ("x", "ks"), ("y", "i"), ("qu", "kw"), ("er", "ar"), ("tion", "shun"), ("oo", "u"), ("a", "e"), ("o", "a"),
)  # fmt: skip


def mistype(query: str, dice: Random) -> str:
    """Returns `query` with one or, for longer ones, two typing errors: a letter left out, doubled, swapped with its
    neighbour or hit beside the key; a sound written as it is heard; two words joined or one split."""
    for _ in range(1 + int(len(query) > 8 and dice.random() < 0.3)):
        query = _one_error(query, dice)
    return query


def _one_error(query: str, dice: Random) -> str:
    spaces = [i for i, character in enumerate(query) if character == " "]
    if spaces and dice.random() < 0.12:
        cut = dice.choice(spaces)
        return query[:cut] + query[cut + 1 :]
    words = query.split(" ")
    candidates = [i for i, word in enumerate(words) if len(word) > 3]
    if not candidates:
        return query
    chosen = dice.choice(candidates)
    words[chosen] = _misspell(words[chosen], dice)
    return " ".join(words)


def _misspell(word: str, dice: Random) -> str:
    at = dice.randrange(1, len(word))
    kind = dice.random()
    if kind < 0.25:
        return word[:at] + word[at + 1 :]
    if kind < 0.4:
        return word[:at] + word[at] + word[at:]
    if kind < 0.55:
        return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
    if kind < 0.75:
        near = _NEIGHBOURS.get(word[at])
        return word[:at] + dice.choice(near) + word[at + 1 :] if near else word[:at] + word[at + 1 :]
    if kind < 0.95:
        heard = [(a, b) for a, b in _BY_EAR if a in word[1:]]
        if heard:
            a, b = dice.choice(heard)
            return word[0] + word[1:].replace(a, b, 1)
    return word[:at] + " " + word[at:] if len(word) > 6 else word[:at] + word[at + 1 :]
