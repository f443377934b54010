"""Typing errors as people make them: beside the key, by ear, by omission, doubling and transposition."""

from eval.simulate.dice import Dice

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_EAR = (
    ("ght", "t"), ("ph", "f"), ("ch", "sh"), ("ck", "k"), ("ee", "ea"), ("ea", "e"), ("ei", "ie"), ("ie", "ei"),
    ("ou", "o"), ("oo", "u"), ("qu", "kw"), ("ll", "l"), ("tt", "t"), ("ss", "s"), ("mm", "m"), ("rr", "r"),
    ("er", "or"), ("or", "er"), ("ai", "a"), ("ay", "ai"), ("c", "s"), ("c", "k"), ("k", "c"), ("z", "s"),
    ("s", "z"), ("y", "i"), ("i", "e"), ("e", "i"), ("a", "e"), ("o", "u"), ("j", "g"), ("v", "w"),
)  # fmt: skip


def misspell(text: str, dice: Dice) -> str:
    """Returns `text` with one error in one of its words of four letters or more; as it is where there is none."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if len(word) >= 4 and word.isalpha()]
    if not places:
        return text
    place = dice.pick(places)
    error = dice.weighted((beside, by_ear, omit, double, transpose), (0.22, 0.28, 0.24, 0.12, 0.14))
    words[place] = error(words[place], dice)
    return " ".join(words)


def beside(word: str, dice: Dice) -> str:
    """Hits a key beside the right one."""
    at = 1 + dice.below(len(word) - 1)
    letter = word[at].lower()
    row = next((row for row in _ROWS if letter in row), None)
    if row is None:
        return word
    column = row.index(letter)
    near = [row[i] for i in (column - 1, column + 1) if 0 <= i < len(row)]
    return word[:at] + dice.pick(near) + word[at + 1 :]


def by_ear(word: str, dice: Dice) -> str:
    """Writes one sound as it might be heard; leaves a letter out where no rule applies."""
    rules = [(a, b) for a, b in _EAR if a in word[1:].lower()]
    if not rules:
        return omit(word, dice)
    heard, written = dice.pick(rules)
    at = word.lower().index(heard, 1)
    return word[:at] + written + word[at + len(heard) :]


def omit(word: str, dice: Dice) -> str:
    """Leaves a letter out, never the first."""
    at = 1 + dice.below(len(word) - 1)
    return word[:at] + word[at + 1 :]


def double(word: str, dice: Dice) -> str:
    """Types a letter twice."""
    at = dice.below(len(word))
    return word[:at] + word[at] + word[at:]


def transpose(word: str, dice: Dice) -> str:
    """Swaps two neighbouring letters, never the first."""
    at = 1 + dice.below(max(1, len(word) - 2))
    return word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
