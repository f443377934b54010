"""Queries for things the catalogue has not: foreign words, alone and between words that people say of anything."""

import warnings
import zlib
from collections.abc import Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

from relevance.absent import AbsentWords, made_up_words
from relevance.errors import DataWarning
from relevance.text import has_digits, tokens
from relevance.word_pieces import CONTINUED
from training.towers.corpus import Corpus, known_words
from training.towers.fillers import Fillers
from training.towers.lexical_names import NO_NAMES, LexicalNames
from training.towers.prior import TextPrior, unit_rows

FOREIGN = 0.5
"""Of the words that neither catalogue nor behaviour has, the share that lies farthest from all its categories."""

MADE_UP = 2000
"""Made-up words to train on, and as many to calibrate on."""

FEWEST_CATEGORIES = 5
"""Categories among whose listings or searches a word stands, to be said of anything ("black", "for women")."""


def absent_words(
    corpus: Corpus, prior: TextPrior, fillers: Fillers, lexical: LexicalNames = NO_NAMES
) -> tuple[AbsentWords, AbsentWords]:
    """Returns the words to train on and others to calibrate on: of the words of the prior that the catalogue's people
    never use and that may stand for things, the half least like its categories, and of the lexicon's nouns for things
    like none of it those in words that the prior knows. Made-up words without a prior, and, with a DataWarning, where
    it has no such words or knows no word of a category."""
    if not prior.pieces:
        return _made_up(corpus)
    categories = _category_vectors(corpus, prior)
    named = {word for noun in lexical.names for word in noun.split()}
    known = known_words(corpus)
    words = _least_like(categories, prior, known | fillers.no_things | named) if len(categories) else []
    if words:
        words = sorted({*words, *_things(lexical.absent, prior, known, fillers)})
    else:
        lack = "has no words for what is absent" if len(categories) else "knows none of the category words"
        warnings.warn(
            f"the prior {lack}: what the catalogue has not is learned from made-up words", DataWarning, stacklevel=2
        )
        return _made_up(corpus)
    modifiers = tuple(_modifiers(corpus))
    halves = ([word for word in words if zlib.crc32(word.encode()) % 2 == half] for half in (0, 1))
    first, second = (AbsentWords(tuple(half), modifiers) for half in halves)
    return first, second


def _category_vectors(corpus: Corpus, prior: TextPrior) -> NDArray[np.float32]:
    """Returns the unit vectors of the categories of whose path the prior knows a word, float32 `[known, dim]`."""
    numbers = {piece: i for i, piece in enumerate(prior.pieces)}
    rows = [[numbers[w] for name in path for w in tokens(name) if w in numbers] for path in corpus.ontology.paths]
    sums = [prior.vectors[own].sum(axis=0) for own in rows if own]
    return unit_rows(np.asarray(sums, np.float32).reshape(-1, prior.dim))


def _least_like(categories: NDArray[np.float32], prior: TextPrior, known: frozenset[str]) -> list[str]:
    """Returns the words of the prior, none of `known`, that lie farthest from all categories."""
    at = [i for i, piece in enumerate(prior.pieces) if _is_foreign(piece, known)]
    nearest = (unit_rows(prior.vectors[at]) @ categories.T).max(axis=1)
    order = np.argsort(nearest, kind="stable")[: int(len(at) * FOREIGN)]
    return sorted(prior.pieces[at[i]] for i in order)


def _things(nouns: Sequence[str], prior: TextPrior, known: frozenset[str], fillers: Fillers) -> list[str]:
    """The nouns of words that the prior knows, not all of them known here, and none of them said of anything."""
    pieces = frozenset(prior.pieces) - fillers.no_things
    return [noun for noun in nouns if pieces.issuperset(own := noun.split()) and not known.issuperset(own)]


def _made_up(corpus: Corpus) -> tuple[AbsentWords, AbsentWords]:
    texts = (*corpus.listings.titles, *corpus.train.queries)
    known = sorted({word for text in texts for word in tokens(text) if len(word) > 2 and not has_digits(word)})
    words, modifiers = made_up_words(known, 2 * MADE_UP, Random(0)), tuple(_modifiers(corpus))
    return AbsentWords(tuple(words[::2]), modifiers), AbsentWords(tuple(words[1::2]), modifiers)


def _is_foreign(piece: str, known: frozenset[str]) -> bool:
    return (
        piece.isascii()
        and piece.isalpha()
        and len(piece) > 3
        and piece not in known
        and not piece.startswith(CONTINUED)
    )


def _modifiers(corpus: Corpus) -> list[str]:
    """Returns the words that stand in titles of, or searches for, listings of many categories."""
    spread: dict[str, set[int]] = {}
    for title, category in zip(corpus.listings.titles, corpus.category.tolist(), strict=True):
        for word in tokens(title):
            spread.setdefault(word, set()).add(category)
    for query, listing in zip(corpus.train.query.tolist(), corpus.train.listing.tolist(), strict=True):
        for word in tokens(corpus.train.queries[query]):
            spread.setdefault(word, set()).add(int(corpus.category[listing]))
    names = corpus.ontology.name_words
    return sorted(word for word, found in spread.items() if len(found) >= FEWEST_CATEGORIES and word not in names)
