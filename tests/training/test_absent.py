"""Where the words for things that are not there come from."""

import warnings
from typing import Any

import numpy as np
import pytest

from relevance.errors import DataWarning
from relevance.interactions import Interactions
from relevance.ontology import Ontology
from training.towers.absent import absent_words
from training.towers.corpus import Corpus
from training.towers.fillers import NO_FILLERS
from training.towers.lexical_names import LexicalNames
from training.towers.prior import NO_PRIOR, TextPrior

ABSENT = ("piano", "violin", "cello", "flute", "banjo", "guitar", "organ", "tuba")


class _Listings:
    titles = ("диван угловой", "велосипед горный", "кресло садовое", "самокат детский")


def _corpus(*names: str) -> Corpus:
    """Four listings without behaviour, two in each of the categories named."""
    nobody: Any = np.empty(0, np.int32)
    pairs = Interactions([], nobody, nobody, np.empty(0, np.float32))
    listings: Any = _Listings()
    ontology = Ontology.from_paths(list(names), [(name,) for name in names])
    category = np.array([0, 1, 0, 1], np.int32)
    return Corpus(ontology, listings, category, np.zeros((4, 1), np.float32), pairs, pairs, 0)


def _prior(*known: str) -> TextPrior:
    """The words known lie one way; half of those for what is absent as well, the other half across."""
    ways = [[1.0, 0.0]] * (len(known) + 4) + [[0.0, 1.0]] * 4
    return TextPrior((*known, *ABSENT), np.array(ways, np.float32))


def test_absent_are_the_words_least_like_the_categories() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learned, left = absent_words(_corpus("sofas", "bikes"), _prior("sofas"), NO_FILLERS)
    assert sorted((*learned.words, *left.words)) == sorted(ABSENT[4:])


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        (("furniture",), "knows none of the category words"),  # an English prior for a Russian catalogue
        (("ДИВАНЫ", "ВЕЛОСИПЕДЫ"), "knows none of the category words"),  # words are read in small letters
    ],
)
def test_a_prior_that_knows_no_category_leaves_it_to_made_up_words(pieces: tuple[str, ...], told: str) -> None:
    corpus = _corpus("Диваны", "Велосипеды")
    with pytest.warns(DataWarning, match=told) as noted:
        found = absent_words(corpus, _prior(*pieces), NO_FILLERS)
    assert len(noted) == 1
    assert found == absent_words(corpus, NO_PRIOR, NO_FILLERS)
    assert found[0].words


def test_a_prior_without_words_for_what_is_absent_leaves_it_to_made_up_words() -> None:
    corpus = _corpus("Диваны", "Велосипеды")
    prior = TextPrior(("диваны", "рояль"), np.eye(2, dtype=np.float32))
    with pytest.warns(DataWarning, match="has no words for what is absent"):
        assert absent_words(corpus, prior, NO_FILLERS) == absent_words(corpus, NO_PRIOR, NO_FILLERS)


def test_a_lexicon_tells_more_words_for_what_is_absent_and_fewer() -> None:
    absent = ("piano", "piano violin", "sofas piano", "sofas", "harp")
    lexical = LexicalNames({"pony cello": {0: 1.0}}, absent, frozenset())
    learned, left = absent_words(_corpus("sofas", "bikes"), _prior("sofas"), NO_FILLERS, lexical)
    words = {*learned.words, *left.words}
    # A word of a name for what is here is not absent, however far from the categories it lies.
    assert words >= {"piano", "piano violin", "sofas piano"}
    # Neither a word that the catalogue has, nor one that the prior does not know.
    assert not words & {"cello", "sofas", "harp"}
