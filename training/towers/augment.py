"""Training queries beyond those seen: mistyped, padded with words that say little, or made of a listing's own words."""

import numpy as np

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


def mistype(query: str, rng: np.random.Generator) -> str:
    """Returns `query` with one or, for longer ones, two typing errors: a letter left out, doubled, swapped with its
    neighbour or hit beside the key; a sound written as it is heard; two words joined or one split."""
    for _ in range(1 + int(len(query) > 8 and rng.random() < 0.3)):
        query = _one_error(query, rng)
    return query


def _one_error(query: str, rng: np.random.Generator) -> str:
    spaces = [i for i, character in enumerate(query) if character == " "]
    if spaces and rng.random() < 0.12:
        cut = int(rng.choice(spaces))
        return query[:cut] + query[cut + 1 :]
    words = query.split(" ")
    candidates = [i for i, word in enumerate(words) if len(word) > 3]
    if not candidates:
        return query
    chosen = int(rng.choice(candidates))
    words[chosen] = _misspell(words[chosen], rng)
    return " ".join(words)


def _misspell(word: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(1, len(word)))
    kind = rng.random()
    if kind < 0.25:
        return word[:at] + word[at + 1 :]
    if kind < 0.4:
        return word[:at] + word[at] + word[at:]
    if kind < 0.55:
        return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
    if kind < 0.75:
        near = _NEIGHBOURS.get(word[at])
        return word[:at] + str(rng.choice(list(near))) + word[at + 1 :] if near else word[:at] + word[at + 1 :]
    if kind < 0.95:
        heard = [(a, b) for a, b in _BY_EAR if a in word[1:]]
        if heard:
            a, b = heard[int(rng.integers(len(heard)))]
            return word[0] + word[1:].replace(a, b, 1)
    return word[:at] + " " + word[at:] if len(word) > 6 else word[:at] + word[at + 1 :]


def pad(query: str, fillers: list[str], rng: np.random.Generator, share: float = 0.35) -> str:
    """Returns `query`, in a `share` of the cases with one to three `fillers` before or after it."""
    if not fillers or rng.random() >= share:
        return query
    added = " ".join(str(word) for word in rng.choice(fillers, size=int(rng.integers(1, 4))))
    return f"{query} {added}" if rng.random() < 0.7 else f"{added} {query}"


def excerpt(words: list[str], rng: np.random.Generator) -> str:
    """Returns one to four of `words` in their order, as somebody looking for that listing might type them."""
    if not words:
        return ""
    kept = rng.choice(len(words), size=min(len(words), int(rng.integers(1, 5))), replace=False)
    return " ".join(words[i] for i in sorted(kept))
