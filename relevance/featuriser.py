"""Words to features: words, word pairs and character n-grams, the known ones by id and the rest hashed into buckets.

After Nigam et al., "Semantic Product Search", KDD 2019. One implementation, used by training, by index building and by
serving.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.errors import ArtifactError
from relevance.scripts import romanised, runs, unspaced
from relevance.text import tokens
from relevance.word_pieces import WordPieces

_REMEMBERED = 100_000
"""Words whose features are kept at hand."""

_SHORTEST_WORD = 4
"""Shorter pieces of a text prior are often parts of words, or abbreviations."""

_COMMON = 60
"""So many of a language's most frequent words tell nothing of a thing."""

_TOLD = ("fillers", "others", "names")


class Widths(NamedTuple):
    """How a text is read: at most so many word pieces of the prior, and so many other features. The n-grams are those
    of all words, since a query's may be misspelt, or, where `spelt`, only of words that are not known."""

    pieces: int
    features: int
    spelt: bool = False

    @property
    def columns(self) -> int:
        return self.pieces + self.features


class _Word(NamedTuple):
    """What a word brings into a bag; most words come again."""

    text: str
    id: int
    ngrams: tuple[int, ...]
    pieces: tuple[int, ...]


class Bag(NamedTuple):
    """The features of a text by kind: numbers of words, of word pairs, of character n-grams, and of the word pieces by
    which a text prior knows the same text. A feature weighs 1/sqrt(number of its kind in the text), so that the sum of
    the embeddings has a length that does not depend on how long the text is."""

    words: list[int]
    pairs: list[int]
    ngrams: list[int]
    pieces: list[int]


@dataclass(frozen=True)
class Featuriser:
    """Turns text into bags of feature ids: 0 is padding, then the known words, then the known n-grams, then
    `buckets` hash buckets shared by all unknown ones. Two neighbouring words also count as one word, so that `flip
    flop` and `flipflop` share a feature.

    pieces: the vocabulary of a text prior; its ids are numbers of their own, from 1 on; fillers: words that say little
    of what is wanted, left out of a query that has others; others: nouns of the language, by a lexicon, that are for
    nothing here as far as is known; names: words by which a lexicon alone names things that are here; romanises:
    whether words in other letters have n-grams in Latin ones, too, and so have characters of scripts without spaces
    that stand together.
    """

    words: tuple[str, ...]
    ngrams: tuple[str, ...]
    buckets: int = 20_000
    sizes: tuple[int, ...] = (3, 4)
    pieces: tuple[str, ...] = ()
    fillers: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    romanises: bool = True

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],
        spellings: Iterable[str] = (),
        *,
        without: Set[str] = frozenset(),
        pieces: Sequence[str] = (),
        fillers: Iterable[str] = (),
        others: Iterable[str] = (),
        names: Iterable[str] = (),
        sizes: Sequence[int] = (3, 4),
        min_count: int = 2,
        max_words: int = 70_000,
        max_ngrams: int = 60_000,
        buckets: int = 20_000,
    ) -> "Featuriser":
        """Returns a featuriser that knows the most frequent features of `texts`, those seen `min_count` times, and
        also the n-grams of `spellings` (mistyped texts, whose words must stay unknown). without: words that must stay
        unknown, too; sizes: of the n-grams, in characters."""
        words: Counter[str] = Counter()
        ngrams: Counter[str] = Counter()
        spelt: Counter[str] = Counter()
        together: Counter[str] = Counter()
        for text in texts:
            found = tokens(text)
            spelt.update(found)
            words.update(_pairs(found))
            together.update(runs(found))
        words.update(spelt)
        spelt.update(together)
        for word in without:
            del words[word]
        for text in spellings:
            found = tokens(text)
            spelt.update([*found, *runs(found)])
        for word, count in spelt.items():
            for spelling in _written(word):
                for ngram in _ngrams(spelling, sizes):
                    ngrams[ngram] += count

        def keep(counts: Counter[str], limit: int) -> tuple[str, ...]:
            ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            return tuple(feature for feature, count in ordered[:limit] if count >= min_count)

        kept = (keep(words, max_words), keep(ngrams, max_ngrams))
        told = (frozenset(fillers), frozenset(others), frozenset(names))
        return cls(*kept, buckets, tuple(sizes), tuple(pieces), *told)

    @property
    def size(self) -> int:
        """Rows of the embedding table that the ids index."""
        return 1 + len(self.words) + len(self.ngrams) + self.buckets

    @property
    def first_ngram(self) -> int:
        """The first id that is not of a known word."""
        return 1 + len(self.words)

    def bag(self, text: str, widths: Widths) -> Bag:
        """Returns the features of `text`, at most `widths` of them: words first, then pairs, then n-grams."""
        told = tokens(text)
        found = [self._features(word) for word in (told if widths.spelt else self.telling(told))]
        known, bucket = self._word_ids, self._bucket
        words = [word.id for word in found[: widths.features]]
        left = widths.features - len(words)
        joined = [a.text + b.text for a, b in pairwise(found)][:left]
        pairs = [known.get(pair) or bucket(pair) for pair in joined]
        left -= len(pairs)
        doubtful = found if not widths.spelt else [word for word in found if word.id >= self.first_ngram]
        if self.romanises and not text.isascii():
            doubtful = [*doubtful, *map(self._features, runs([word.text for word in found]))]
        ngrams = [ngram for word in doubtful for ngram in word.ngrams][:left]
        return Bag(words, pairs, ngrams, [piece for word in found for piece in word.pieces][: widths.pieces])

    def _features(self, word: str) -> "_Word":
        features = self._seen.get(word)
        if features is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            spellings = _written(word) if self.romanises else (word,)
            grams = (ngram for spelling in spellings for ngram in _ngrams(spelling, self.sizes))
            ngrams = tuple(self._ngram_ids.get(ngram) or self._bucket(ngram) for ngram in grams)
            number = self._word_ids.get(word) or self._bucket(word)
            features = self._seen[word] = _Word(word, number, ngrams, self._word_pieces.split(word))
        return features

    def batch(self, texts: Sequence[str], widths: Widths) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Returns ids int32 and weights float32, both `[len(texts), pieces + features]`, padded with zeros: in the
        first columns the pieces, in the others the features, each by numbers of their own."""
        ids = np.zeros((len(texts), widths.columns), np.int32)
        weights = np.zeros((len(texts), widths.columns), np.float32)
        for row, text in enumerate(texts):
            words, pairs, ngrams, pieces = self.bag(text, widths)
            if features := words + pairs + ngrams:
                end = widths.pieces + len(features)
                ids[row, widths.pieces : end] = features
                weights[row, widths.pieces : end] = _weights(words) + _weights(pairs) + _weights(ngrams)
            if pieces:
                ids[row, : len(pieces)] = pieces
                weights[row, : len(pieces)] = len(pieces) ** -0.5
        return ids, weights

    def telling(self, words: list[str]) -> list[str]:
        """Returns those of `words` that are no fillers, all of them where there are no others."""
        return [word for word in words if word not in self.fillers] or words

    def says_little(self, word: str) -> bool:
        """Says whether a word (normalised) is a filler or one of the most frequent words of the prior's language."""
        return word in self.fillers or word in self.common

    def number(self, word: str) -> int | None:
        """Returns the id of a word (normalised, as `tokens` gives it), None for one that training has not seen."""
        return self._word_ids.get(word)

    def knows(self, word: str) -> bool:
        """Says whether training has seen this word (normalised, as `tokens` gives it)."""
        return word in self._word_ids

    def is_piece(self, word: str) -> bool:
        """Says whether the text prior knows `word` as a whole, as it does the usual words of its language."""
        return len(word) >= _SHORTEST_WORD and word in self._word_pieces

    def is_noun(self, words: str) -> bool:
        """Says whether a lexicon has `words` (normalised, one or several), or their singular, as a noun for nothing
        here."""
        return not self.others.isdisjoint(_singulars(words))

    def is_other(self, word: str) -> bool:
        """Says whether `word` is surely such a noun, and no typing error."""
        return len(word) >= _SHORTEST_WORD and self.is_noun(word)

    def write(self, path: Path) -> None:
        """Writes the featuriser as JSON."""
        fields = {"format": 3, "buckets": self.buckets, "sizes": self.sizes}
        lists = {"words": self.words, "ngrams": self.ngrams, "pieces": self.pieces}
        lists |= {name: tuple(sorted(getattr(self, name))) for name in _TOLD}
        path.write_text(json.dumps(fields | lists, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Featuriser":
        """Reads what `write` wrote; raises ArtifactError for another format."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        version = fields.get("format")
        if version not in (2, 3):
            raise ArtifactError(f"{path}: text model format {version!r}, this version reads 2 and 3")
        words, ngrams, pieces = (tuple(fields[name]) for name in ("words", "ngrams", "pieces"))
        # Earlier releases know none of these, nor did they romanise.
        told = {name: frozenset(fields.get(name, ())) for name in _TOLD}
        return cls(words, ngrams, fields["buckets"], tuple(fields["sizes"]), pieces, **told, romanises=version > 2)

    def _bucket(self, feature: str) -> int:
        return self._first_bucket + zlib.crc32(feature.encode()) % self.buckets

    @cached_property
    def common(self) -> frozenset[str]:
        """The words that the prior's language has most often ("the", "with"): a prior has its words in that order."""
        words = (piece for piece in self.pieces if piece.isalpha() and len(piece) > 1)
        return frozenset(islice(words, _COMMON))

    @cached_property
    def _seen(self) -> dict[str, "_Word"]:
        return {}

    @cached_property
    def _first_bucket(self) -> int:
        return self.size - self.buckets

    @cached_property
    def _word_ids(self) -> dict[str, int]:
        return {word: 1 + i for i, word in enumerate(self.words)}

    @cached_property
    def _ngram_ids(self) -> dict[str, int]:
        return {ngram: self.first_ngram + i for i, ngram in enumerate(self.ngrams)}

    @cached_property
    def _word_pieces(self) -> WordPieces:
        return WordPieces(self.pieces)


def _singulars(words: str) -> tuple[str, ...]:
    """A noun and what it may be the plural of: "battery" of "batteries"."""
    y = f"{words[:-3]}y" if words.endswith("ies") else words
    return words, words.removesuffix("s"), words.removesuffix("es"), y


def _weights(kind: list[int]) -> list[float]:
    return [len(kind) ** -0.5] * len(kind) if kind else []


def _pairs(words: list[str]) -> list[str]:
    return [a + b for a, b in pairwise(words)]


def _written(word: str) -> tuple[str, ...]:
    """A word as it is and, where it has other letters, in Latin ones: so what sounds alike shares n-grams across
    scripts. A character alone says too little for that."""
    return (word,) if word.isascii() or (len(word) == 1 and unspaced(word)) else (word, romanised(word))


def _ngrams(word: str, sizes: Sequence[int]) -> list[str]:
    marked = f"<{word}>"
    return [marked[i : i + size] for size in sizes for i in range(len(marked) - size + 1)]
