"""Words that say little of what is wanted."""

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from relevance.interactions import Interactions
from relevance.ontology import Ontology
from training.towers.corpus import Corpus
from training.towers.fillers import FEWEST, NO_FILLERS, Fillers, find_fillers, said_fillers
from training.towers.prior import TextPrior

THINGS = [f"thing{chr(97 + i)}" for i in range(FEWEST)]
ONTOLOGY = Ontology.from_paths(THINGS, [(thing,) for thing in THINGS])
SAID = tuple(f"say{chr(97 + i)}" for i in range(FEWEST))


class _Listings:
    """One listing a category, every second one red; the brand stands in all titles."""

    def __init__(self) -> None:
        self.titles = [f"acme {thing}" for thing in THINGS]
        self.attributes = [{"colour": ("red", "blue")[i % 2]} for i in range(len(THINGS))]


def _corpus(words: Sequence[str]) -> Corpus:
    """Each of the words was said with every thing."""
    queries = [f"{word} {thing}" for word in words for thing in THINGS]
    listing = np.tile(np.arange(len(THINGS), dtype=np.int32), len(words))
    pairs = Interactions(queries, np.arange(len(queries), dtype=np.int32), listing, np.ones(len(queries), np.float32))
    listings: Any = _Listings()
    category = np.array([ONTOLOGY.position(thing) for thing in THINGS], np.int32)
    return Corpus(ONTOLOGY, listings, category, np.zeros((len(THINGS), 1), np.float32), pairs, pairs, 0)


def _prior() -> TextPrior:
    """Words for things lie one way, what says little the other: "hello" with it, "piano" with the things."""
    noise = np.random.default_rng(0).normal(0, 0.1, (2 * FEWEST + 3, 4)).astype(np.float32)
    pieces = (*THINGS, *SAID, "piano", "hello", "##hello")
    noise[:, 0] += [1.0] * FEWEST + [-1.0] * FEWEST + [1.0, -1.0, -1.0]
    return TextPrior(pieces, noise)


def test_fillers_are_said_of_many_things_and_written_of_none() -> None:
    # What stands in all titles may be a brand.
    assert said_fillers(_corpus(["cheap", "acme", "red", "thinga"])) == (["cheap"], ["acme"])
    # Characters of a script without spaces are parts of words.
    assert said_fillers(_corpus(["สวย", "a", "安い"])) == (["a"], [])


def test_of_words_in_titles_the_prior_tells_fillers_from_brands() -> None:
    corpus = _corpus([*SAID, "acme", "with"])
    corpus.listings.titles[:] = [f"{title} with bag" for title in corpus.listings.titles]
    assert said_fillers(corpus)[1] == ["acme", "with"]
    prior = _prior()
    pieces = (*prior.pieces, "acme", "with")
    told = TextPrior(pieces, np.concatenate([prior.vectors, [prior.vectors[0], prior.vectors[FEWEST]]]))
    assert find_fillers(corpus, told).said == (*SAID, "with")
    # A prior that does not know them tells nothing.
    assert find_fillers(corpus, prior).said == SAID


def test_words_that_nobody_said_are_known_by_the_prior() -> None:
    found = find_fillers(_corpus(SAID), _prior())
    assert found.said == SAID
    assert found.like_them == ("hello",)  # no part of a word, and no word that is used already
    assert "piano" not in found.no_things
    assert {"hello", *SAID} <= found.no_things
    assert not found.no_things & set(THINGS)


def test_without_enough_to_learn_from_only_what_was_said_counts() -> None:
    few = find_fillers(_corpus(["cheap"]), _prior())
    assert few == Fillers(("cheap",))


def test_both_kinds_are_drawn() -> None:
    drawn = Fillers(("cheap",), ("hello", "next")).draw(100, Random(0))
    assert set(drawn) == {"cheap", "hello", "next"}
    assert 30 < drawn.count("cheap") < 70
    assert NO_FILLERS.draw(3, Random(0)) == []
