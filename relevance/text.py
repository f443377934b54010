"""Text to features: one implementation, used by training, by index building and by serving.

Think of it as three steps: `normalise` (one spelling for what is the same), `tokens` (words, or single characters
in scripts that put no space between words) and `Featuriser` (words, word pairs and character n-grams, the known ones
by id and the rest hashed into buckets, after Nigam et al., "Semantic Product Search", KDD 2019).
"""

import json
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.errors import ArtifactError

MAX_CHARACTERS = 1000
"""Longer texts are cut here before anything else happens to them, unless told otherwise."""

_DIACRITICS = re.compile("[\u0300-\u036f]")
_APOSTROPHES = re.compile("['\u2019\u2018\u02bc\u0060\u00b4]")
_INCHES = re.compile(r"(\d)\s*(?:\"|\u201d|(?:inches|inch)\b)")
# Before NFKC, which makes a space of the first and two single primes of the second.
_QUOTES = str.maketrans({"\u00b4": "'", "\u2033": '"'})
_UNITS = re.compile(
    r"\b(\d+(?:[.,]\d+)?)\s+(gb|tb|mb|kb|ghz|mhz|hz|mah|kwh|kw|w|v|mm|cm|m|km|kg|g|mg|ml|cl|l|ltr|inch|mp|mb/s)\b"
)
_DECIMAL = re.compile(r"(?<=\d)[.,](?=\d)")
_ASCII_WORD = re.compile("[a-z0-9]+")


def normalise(text: str, limit: int | None = MAX_CHARACTERS) -> str:
    """Returns `text` in one spelling: NFKC, lower case, Latin, Greek and Cyrillic diacritics and apostrophes
    removed, a number written together with its unit (`128 GB` and `128gb` become `128gb`; `43"` becomes `43in`).
    Doing it again changes nothing. limit: characters read of the text, None for all."""
    text = text[:limit]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_QUOTES)).casefold()
        text = _DIACRITICS.sub("", unicodedata.normalize("NFD", text))
        text = unicodedata.normalize("NFC", text)
    else:
        text = text.lower()
    text = _APOSTROPHES.sub("", text.replace("''", '"'))
    if any(c.isdigit() for c in text):
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
        if is_word and not _unspaced(character):
            current += character
            continue
        words += [current] if current else []
        words += [character] if is_word else []
        current = ""
    return [*words, current] if current else words


_UNSPACED = (
    (0x0E01, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3400, 0x4DBF),  # CJK extension A
    (0x4E00, 0x9FFF),  # CJK
    (0x20000, 0x323AF),  # CJK extensions B to H
)


def _unspaced(character: str) -> bool:
    code = ord(character)
    return code >= 0x0E01 and any(low <= code <= high for low, high in _UNSPACED)


class Bag(NamedTuple):
    """A weighted bag of features."""

    ids: list[int]
    weights: list[float]


@dataclass(frozen=True)
class Featuriser:
    """Turns text into a weighted bag of feature ids: 0 is padding, then the known words, word pairs and n-grams,
    then `buckets` hash buckets shared by all unknown ones.

    Each kind of feature (words, pairs, n-grams) has weights 1/sqrt(number of that kind in the text), so that the sum
    of their embeddings has a length that does not depend on how long the text is.
    """

    words: tuple[str, ...]
    pairs: tuple[str, ...]
    ngrams: tuple[str, ...]
    buckets: int = 20_000
    sizes: tuple[int, ...] = (3, 4)

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],
        spellings: Iterable[str] = (),
        *,
        min_count: int = 2,
        max_words: int = 50_000,
        max_pairs: int = 20_000,
        max_ngrams: int = 30_000,
        buckets: int = 20_000,
    ) -> "Featuriser":
        """Returns a featuriser that knows the most frequent features of `texts`, those seen `min_count` times, and
        also the n-grams of `spellings` (mistyped texts, whose words must stay unknown)."""
        words: Counter[str] = Counter()
        pairs: Counter[str] = Counter()
        ngrams: Counter[str] = Counter()
        for text in texts:
            found = tokens(text)
            words.update(found)
            pairs.update(_pairs(found))
            for word in found:
                ngrams.update(_ngrams(word, cls.sizes))
        for text in spellings:
            for word in tokens(text):
                ngrams.update(_ngrams(word, cls.sizes))

        def keep(counts: Counter[str], limit: int) -> tuple[str, ...]:
            ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            return tuple(feature for feature, count in ordered[:limit] if count >= min_count)

        return cls(keep(words, max_words), keep(pairs, max_pairs), keep(ngrams, max_ngrams), buckets)

    @property
    def size(self) -> int:
        """Rows of the embedding table that the ids index."""
        return 1 + len(self.words) + len(self.pairs) + len(self.ngrams) + self.buckets

    @property
    def first_ngram(self) -> int:
        """The first id that is not of a known word or pair."""
        return 1 + len(self.words) + len(self.pairs)

    def bag(self, text: str, limit: int) -> Bag:
        """Returns the features of `text`, at most `limit` of them: words first, then pairs, then n-grams."""
        found = tokens(text)
        kinds = (
            [self._id(self._word_ids, word, "w") for word in found],
            [self._id(self._pair_ids, pair, "p") for pair in _pairs(found)],
            [self._id(self._ngram_ids, g, "g") for word in found for g in _ngrams(word, self.sizes)],
        )
        ids: list[int] = []
        weights: list[float] = []
        for kind in kinds:
            kept = kind[: limit - len(ids)]
            ids += kept
            weights += [1.0 / float(np.sqrt(len(kept)))] * len(kept) if kept else []
        return Bag(ids, weights)

    def batch(self, texts: Sequence[str], limit: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Returns ids int32 and weights float32, both `[len(texts), limit]`, padded with zeros."""
        ids = np.zeros((len(texts), limit), np.int32)
        weights = np.zeros((len(texts), limit), np.float32)
        for row, text in enumerate(texts):
            bag = self.bag(text, limit)
            ids[row, : len(bag.ids)] = bag.ids
            weights[row, : len(bag.ids)] = bag.weights
        return ids, weights

    def knows(self, word: str) -> bool:
        """Says whether training has seen this word (normalised, as `tokens` gives it)."""
        return word in self._word_ids

    def write(self, path: Path) -> None:
        """Writes the featuriser as JSON."""
        fields = {"format": 1, "buckets": self.buckets, "sizes": self.sizes}
        lists = {"words": self.words, "pairs": self.pairs, "ngrams": self.ngrams}
        path.write_text(json.dumps(fields | lists, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Featuriser":
        """Reads what `write` wrote; raises ArtifactError for another format."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields.get("format") != 1:
            raise ArtifactError(f"{path}: text model format {fields.get('format')!r}, this version reads 1")
        words, pairs, ngrams = (tuple(fields[name]) for name in ("words", "pairs", "ngrams"))
        return cls(words, pairs, ngrams, fields["buckets"], tuple(fields["sizes"]))

    def _id(self, known: dict[str, int], feature: str, kind: str) -> int:
        found = known.get(feature)
        if found is not None:
            return found
        return self._first_bucket + zlib.crc32((kind + feature).encode()) % self.buckets

    @cached_property
    def _first_bucket(self) -> int:
        return self.size - self.buckets

    @cached_property
    def _word_ids(self) -> dict[str, int]:
        return {word: 1 + i for i, word in enumerate(self.words)}

    @cached_property
    def _pair_ids(self) -> dict[str, int]:
        return {pair: 1 + len(self.words) + i for i, pair in enumerate(self.pairs)}

    @cached_property
    def _ngram_ids(self) -> dict[str, int]:
        return {ngram: self.first_ngram + i for i, ngram in enumerate(self.ngrams)}


def _pairs(words: list[str]) -> list[str]:
    return [f"{a} {b}" for a, b in pairwise(words)]


def _ngrams(word: str, sizes: Sequence[int]) -> list[str]:
    marked = f"<{word}>"
    return [marked[i : i + size] for size in sizes for i in range(len(marked) - size + 1)]
