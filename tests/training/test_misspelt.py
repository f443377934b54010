"""Frequent typing errors are no words."""

from typing import Any

import numpy as np

from relevance.interactions import Interactions
from relevance.ontology import Ontology
from training.towers.corpus import Corpus
from training.towers.misspelt import RARER, misspelt_words

ONTOLOGY = Ontology.from_paths(["shirts", "shorts"], [("Shirts",), ("Shorts",)])


class _Listings:
    titles = ("blue shirts",) * RARER + ("red shorts",) * RARER


def _corpus(*said: tuple[str, int]) -> Corpus:
    queries = [query for query, _ in said]
    ones = np.ones(len(said), np.float32)
    listing = np.array([row for _, row in said], np.int32)
    pairs = Interactions(queries, np.arange(len(said), dtype=np.int32), listing, ones)
    listings: Any = _Listings()
    category = np.repeat(np.arange(2, dtype=np.int32), RARER)
    return Corpus(ONTOLOGY, listings, category, np.zeros((2 * RARER, 1), np.float32), pairs, pairs, 0)


def test_an_error_is_rare_and_leads_where_the_word_does() -> None:
    shirts, shorts = 0, RARER
    corpus = _corpus(
        ("shirts", shirts), ("shorts", shorts), ("sherts", shirts), ("skirts", shorts), ("spirts", shirts), ("blues", 0)
    )
    # "Skirts" and "shirts" are different things, "spirts" is known to be a word, "blues" may be a plural.
    assert misspelt_words(corpus, ["spirts"]) == {"sherts"}


def test_a_word_said_too_often_is_no_error() -> None:
    corpus = _corpus(("shirts", 0), ("sherts", 0), ("blue sherts", 0))
    assert misspelt_words(corpus, []) == frozenset()
