"""Text to words: one implementation, used by training, by index building and by serving.

`normalise` gives one spelling to what is the same; `tokens` cuts it into words, or into single characters in scripts
that put no space between words.
"""

import re
import unicodedata

from relevance.scripts import unspaced

MAX_CHARACTERS = 1000
"""Longer texts are cut here before anything else happens to them, unless told otherwise."""

_DIACRITICS = re.compile("[\u0300-\u036f]")
# Unicode's Default_Ignorable_Code_Point: soft hyphens, joiners, marks of direction, variation selectors. They neither
# are words (the selector after an emoji) nor separate any, and Unicode's NFKC_Casefold takes them away, too. With them
# go the marks drawn around a symbol: a keycap's digit stays.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\u20dd-\u20e4]"
)
_APOSTROPHES = re.compile("['\u2019\u2018\u02bc\u0060\u00b4]")
_INCHES = re.compile(r"(\d)\s*(?:\"|\u201d|(?:inches|inch)\b)")
# Before NFKC, which makes a space of the first and two single primes of the second.
_QUOTES = str.maketrans({"\u00b4": "'", "\u2033": '"'})
_UNITS = re.compile(
    r"\b(\d+(?:[.,]\d+)?)\s+(gb|tb|mb|kb|ghz|mhz|hz|mah|kwh|kw|w|v|mm|cm|m|km|kg|g|mg|ml|cl|l|ltr|inch|mp|mb/s)\b"
)
_DIGIT = re.compile(r"\d")
_DECIMAL = re.compile(r"(?<=\d)[.,](?=\d)")
_POINT = re.compile(r"(?<=\d)p(?=\d)")
_ASCII_WORD = re.compile("[a-z0-9]+")


def normalise(text: str, limit: int | None = MAX_CHARACTERS) -> str:
    """Returns `text` in one spelling: NFKC, lower case, Latin, Greek and Cyrillic diacritics, apostrophes and what
    nobody sees (soft hyphens, joiners, variation selectors) removed, a number written together with its unit (`128 GB`
    and `128gb` become `128gb`; `43"` becomes `43in`). Doing it again changes nothing. limit: characters read of the
    text, None for all."""
    text = text[:limit]
    if not text.isascii():
        text = _UNSEEN.sub("", text).translate(_QUOTES)
        text = unicodedata.normalize("NFKC", text).casefold()
        text = _DIACRITICS.sub("", unicodedata.normalize("NFD", text))
        text = unicodedata.normalize("NFC", text)
    else:
        text = text.lower()
    text = _APOSTROPHES.sub("", text.replace("''", '"'))
    if _DIGIT.search(text):
        text = _UNITS.sub(r"\1\2", _INCHES.sub(r"\1in ", text))
        text = _DECIMAL.sub("p", text)
    return text


def tokens(text: str, limit: int | None = MAX_CHARACTERS) -> list[str]:
    """Returns the words of `text` in order, normalised; characters of scripts written without spaces (Chinese,
    Japanese, Thai, Lao, Khmer, Burmese) stand alone. Punctuation, symbols and control characters separate words."""
    text = normalise(text, limit)
    if text.isascii():
        return _ASCII_WORD.findall(text)
    words: list[str] = []
    current = ""
    for character in text:
        is_word = unicodedata.category(character)[0] in "LNM"
        if is_word and not unspaced(character):
            current += character
            continue
        words += [current] if current else []
        words += [character] if is_word else []
        current = ""
    return [*words, current] if current else words


def legible(words: str) -> str:
    """Returns normalised words as people read them: `27.5 inch` for `27p5 inch`, which mean the same to `tokens`."""
    return _POINT.sub(".", words)


def has_digits(word: str) -> bool:
    """Says whether a word (as `tokens` gives it) has digits or other numbers among its letters. (`str.isalpha` would
    also say no to the vowels of Hindi, which are marks.)"""
    return not word.isalpha() and any(unicodedata.category(character)[0] == "N" for character in word)
