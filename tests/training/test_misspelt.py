"""Frequent typing errors are no words."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from relevance.interactions import Interactions
from relevance.ontology import Ontology
from training.towers.corpus import Corpus
from training.towers.misspelt import RARER, misspelt_words

ONTOLOGY = Ontology.from_paths(["shirts", "shorts"], [("Shirts",), ("Shorts",)])


TITLES = ("blue shirts",) * (2 * RARER) + ("red shorts",) * (2 * RARER)


def _corpus(*said: tuple[str, int], repeated: tuple[str, ...] = (), titles: tuple[str, ...] = ()) -> Corpus:
    queries = [query for query, _ in said]
    ones = np.ones(len(said), np.float32)
    listing = np.array([row for _, row in said], np.int32)
    pairs = Interactions(queries, np.arange(len(said), dtype=np.int32), listing, ones, repeated)
    listings: Any = SimpleNamespace(titles=TITLES + titles)
    category = np.repeat(np.arange(2, dtype=np.int32), 2 * RARER)
    return Corpus(ONTOLOGY, listings, category, np.zeros((4 * RARER, 1), np.float32), pairs, pairs, 0)


def test_an_error_is_rare_and_leads_where_the_word_does() -> None:
    shirts, shorts = 0, 2 * RARER
    chosen = {"sherts": shirts, "skirts": shorts, "spirts": shirts, "blues": shirts, "shurts": shirts}
    twice = [(f"{first}{word}", row) for word, row in chosen.items() for first in ("", "red ") if word != "shurts"]
    corpus = _corpus(("shirts", shirts), ("shorts", shorts), ("shurts", shirts), *twice)
    # "Skirts" and "shirts" are different things, "spirts" is known to be a word, "blues" may be a plural; "shurts" was
    # said once, and is not learned anyway.
    assert misspelt_words(corpus, ["spirts"]) == {"sherts"}


def test_a_word_said_too_often_is_no_error() -> None:
    corpus = _corpus(("shirts", 0), ("sherts", 0), ("blue sherts", 0), ("red sherts", 0))
    assert misspelt_words(corpus, []) == frozenset()


def test_what_several_searches_said_in_the_same_words_is_learned_too() -> None:
    said = [("shirts", 0), ("sherts", 0)]
    assert misspelt_words(_corpus(*said), []) == frozenset()
    assert misspelt_words(_corpus(*said, repeated=("sherts",)), []) == {"sherts"}


def test_one_letter_of_five_is_one_error() -> None:
    said = ("shrts", "sirts", "bleu", "blye", "shirt")
    corpus = _corpus(*[(f"{first}{word}", 0) for word in said for first in ("", "a ")])
    # Three of four letters are too few, and a shirt is one of "shirts".
    assert misspelt_words(corpus, []) == {"shrts", "sirts"}
    titles = ("blues",) * (2 * RARER)
    corpus = _corpus(*[(f"{first}{word}", 0) for word in ("bluez", "bles") for first in ("", "a ")], titles=titles)
    assert misspelt_words(corpus, []) == {"bluez", "bles"}


def test_an_error_in_a_word_for_many_kinds_leads_to_one_of_them() -> None:
    shirts, shorts = 0, 2 * RARER
    plenty = [(f"cotton {number}", shorts if number % 10 else shirts) for number in range(4 * RARER)]
    corpus = _corpus(*plenty, ("coton", shirts), ("red coton", shirts))
    assert misspelt_words(corpus, []) == {"coton"}
