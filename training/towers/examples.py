"""One epoch's examples as arrays of row numbers; nothing here touches a string once the epochs run."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from relevance.errors import DataError
from relevance.featuriser import Featuriser
from relevance.mistyping import mistype
from relevance.text import tokens
from relevance.towers import PATH_WIDTHS, QUERY_WIDTHS, TEXT_WIDTHS, leaf_first, price_array, tower_text
from training.towers.augment import excerpt, pad, whole_words
from training.towers.bags import Bags
from training.towers.compose import Composer
from training.towers.corpus import Corpus, asked_texts
from training.towers.fillers import NO_FILLERS, Fillers
from training.towers.lexical_names import LexicalNames
from training.towers.misspelt import misspelt_words
from training.towers.options import Options
from training.towers.retrieval import Features

VARIANTS = 4
"""Mistyped and padded spellings prepared for each query (one for a made one); half of an epoch's examples use the query
as it was."""

MADE_WEIGHT = 0.4
"""Weight of a query that was made for a listing, against 1 for a click."""

LEXICAL = 20
"""Queries made of each name that the lexicon adds."""

SENTENCES = 5
"""Chosen titles that stand beside a query in what FastText reads."""


@dataclass(frozen=True)
class Examples:
    """Pairs of (spellings of a query, listing): variants int32 `[n, 1 + VARIANTS]` rows of `queries`, the first as
    typed; listing int32 `[n]`; weight float32 `[n]`; probability float64 `[listings]`, how often each is a positive;
    absent: int32 `[m]`, rows of `queries` that nothing answers."""

    queries: list[str]
    variants: NDArray[np.int32]
    listing: NDArray[np.int32]
    weight: NDArray[np.float32]
    probability: NDArray[np.float64]
    absent: NDArray[np.int32]

    def epoch(self, rng: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
        """Returns the epoch's query rows, listing rows and weights, shuffled."""
        order = rng.permutation(len(self.listing))
        typo = rng.random(len(order)) < 0.5
        variant = np.where(typo, rng.integers(1, 1 + VARIANTS, len(order)), 0)
        return self.variants[order, variant], self.listing[order], self.weight[order]


def make_examples(
    corpus: Corpus,
    options: Options,
    fillers: Fillers,
    composer: Composer,
    lexical: LexicalNames,
    absent: Sequence[str],
    dice: Random,
) -> Examples:
    """Returns the behaviour's pairs and, for every listing, `options.excerpts` queries made of its own words and
    `options.composed` ones of what people call such things and the listing's attributes; and LEXICAL of each name that
    the lexicon adds. Raises DataError where that makes no pair."""
    numbers: dict[str, int] = {}
    padding = fillers if options.padding else NO_FILLERS

    def number(query: str) -> int:
        return numbers.setdefault(query, len(numbers))

    def vary(query: str) -> str:
        padded = pad(query, padding, dice)
        return mistype(padded, dice) if options.typing_errors else padded

    def spellings(query: str, variants: int) -> list[int]:
        wrong = [number(vary(query)) for _ in range(variants)]
        return [number(query), *wrong * (VARIANTS // variants)]

    pairs = corpus.train
    by_query = np.array([spellings(query, VARIANTS) for query in pairs.queries], np.int32).reshape(-1, 1 + VARIANTS)
    made = [
        (excerpt(words, dice), row) for row, words in enumerate(_own_words(corpus)) for _ in range(options.excerpts)
    ]
    made += composer.queries(options.composed, dice)
    made += composer.named(lexical.names, LEXICAL, dice)
    made = [(query, row) for query, row in made if query]
    if not (len(pairs) or made):
        raise DataError(
            "nothing to learn from: no click or message follows a query of the first 70 % in time, and none is made of "
            f"the listings' words (--excerpts {options.excerpts}, --composed {options.composed}); add events or titles "
            "in words, or raise --excerpts"
        )
    by_excerpt = np.array([spellings(query, 1) for query, _ in made], np.int32).reshape(-1, 1 + VARIANTS)
    listing = np.concatenate([pairs.listing, np.array([row for _, row in made], np.int32)])
    counts = np.bincount(listing, minlength=len(corpus.listings.ids)) + 1.0
    # Messages and repeated clicks count, but one pair never outweighs a hundred.
    weight = np.concatenate([np.sqrt(pairs.weight), np.full(len(made), MADE_WEIGHT)])
    nothing = np.array([number(query) for query in absent], np.int32)
    return Examples(
        queries=list(numbers),
        variants=np.concatenate([by_query[pairs.query], by_excerpt]),
        listing=listing.astype(np.int32),
        weight=weight.astype(np.float32),
        probability=counts / counts.sum(),
        absent=nothing,
    )


def _own_words(corpus: Corpus) -> list[list[str]]:
    """The words of each listing's title, attributes and category name, as `whole_words` has them."""
    names = [tokens(corpus.ontology.name(i)) for i in range(len(corpus.ontology))]
    texts = zip(corpus.listings.titles, corpus.listings.attributes, corpus.category.tolist(), strict=True)
    said = (
        tokens(tower_text(title, values)) + (names[category] if category >= 0 else [])
        for title, values, category in texts
    )
    return [list(dict.fromkeys(whole_words(words))) for words in said]


def fit_featuriser(
    corpus: Corpus,
    fillers: Fillers,
    lexical: LexicalNames,
    spellings: list[str],
    pieces: Sequence[str],
    ngram_sizes: Sequence[int],
) -> Featuriser:
    """Returns a featuriser that knows the frequent words of titles, categories and training queries but for those
    misspelt, the fillers, the lexicon's names, and the n-grams of the spellings made from them."""
    listings = corpus.listings
    titles = (tower_text(t, a) for t, a in zip(listings.titles, listings.attributes, strict=True))
    paths = [corpus.ontology.path_text(i) for i in range(len(corpus.ontology))]
    # Twice: each category's words are known, however rare, and each filler and name of the lexicon.
    known = [*paths, *fillers.like_them, *lexical.names]
    texts = [*titles, *known, *known, *asked_texts(corpus)]
    misspelt = misspelt_words(corpus, pieces)
    return Featuriser.fit(
        texts,
        spellings,
        without=misspelt,
        pieces=pieces,
        fillers=(*fillers.said, *fillers.like_them),
        others=lexical.others,
        names={word for name in lexical.names for word in name.split()},
        sizes=ngram_sizes,
    )


def make_features(corpus: Corpus, examples: Examples, featuriser: Featuriser) -> Features:
    """Returns the features of every query, listing and category, indexed by row."""
    listings = corpus.listings
    texts = [tower_text(t, a) for t, a in zip(listings.titles, listings.attributes, strict=True)]
    paths = [leaf_first(corpus.ontology.path_text(i)) for i in range(len(corpus.ontology))]
    return Features(
        Bags(featuriser, examples.queries, QUERY_WIDTHS),
        Bags(featuriser, texts, TEXT_WIDTHS),
        Bags(featuriser, paths, PATH_WIDTHS),
        {
            "listing_category": corpus.category,
            "visual": corpus.visual,
            "price": price_array(listings.price),
        },
    )


def session_sentences(corpus: Corpus) -> list[str]:
    """Returns titles with their category, and for each chosen pair the query with the chosen title: the sentences
    FastText learns from."""
    listings = corpus.listings
    titles = [
        f"{tower_text(title, values)} {corpus.ontology.path_text(category) if category >= 0 else ''}"
        for title, values, category in zip(listings.titles, listings.attributes, corpus.category.tolist(), strict=True)
    ]
    pairs = pd.DataFrame({"query": corpus.train.query, "listing": corpus.train.listing})
    few = pairs.groupby("query").head(SENTENCES).itertuples(index=False)
    return titles + [f"{corpus.train.queries[query]} {listings.titles[listing]}" for query, listing in few]
