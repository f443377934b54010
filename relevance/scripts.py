"""Writing systems: those that put no space between words, and how words of any are written in Latin letters."""

import re
from bisect import bisect
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

_UNSPACED = (
    (0x0E01, 0x0E7F),  # Thai
    (0x0E80, 0x0EFF),  # Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x309F),  # Hiragana
    (0x30A0, 0x30FF),  # Katakana
    (0x3400, 0x4DBF),  # CJK extension A
    (0x4E00, 0x9FFF),  # CJK
    (0x20000, 0x323AF),  # CJK extensions B to H
)
_FIRST = [first for first, _ in _UNSPACED]
_FIRST_HAN = 6

_NO_LETTERS = re.compile("[^a-z0-9]+")


def unspaced(character: str) -> bool:
    """Says whether a character is of a script written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese)."""
    return _script(ord(character)) >= 0


def runs(words: Sequence[str]) -> list[str]:
    """Returns what stands together of one script without spaces, two characters or more, where `words` has these one by
    one: the nearest there is to their words."""
    scripts = (_script(ord(word)) if len(word) == 1 else -1 for word in words)
    pairs = zip(scripts, words, strict=True)
    together = ((script, [word for _, word in run]) for script, run in groupby(pairs, lambda pair: pair[0]))
    return ["".join(run) for script, run in together if script >= 0 and len(run) > 1]


@lru_cache(maxsize=10_000)
def romanised(word: str) -> str:
    """Returns a normalised word in the letters a to z, much as it sounds, where its script writes sounds: "шорты" is
    "shorty". One character at a time (AnyAscii), so it is no language's own romanisation."""
    if word.isascii():
        return word
    from anyascii import anyascii  # 10 ms, which only some sites need

    return _NO_LETTERS.sub("", anyascii(word).lower())


def _script(code: int) -> int:
    """The number of the script without spaces that has a character, -1 for others."""
    number = bisect(_FIRST, code) - 1
    if number < 0 or code > _UNSPACED[number][1]:
        return -1
    return min(number, _FIRST_HAN)
