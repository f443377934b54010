"""Queries made of what people call things, and of the listings' attributes."""

from random import Random
from typing import Any

import numpy as np

from relevance.interactions import Interactions
from relevance.ontology import Ontology
from training.towers.compose import Composer, value_words
from training.towers.corpus import Corpus

NAMES = ("Chairs", "Tables", "Lamps", "Beds")
ONTOLOGY = Ontology.from_paths([name.lower() for name in NAMES], [(name,) for name in NAMES])
COLOURS = ("Black", "White", "Red", "Green")


class _Listings:
    """Of each category one listing in each colour: row 4 * category + colour."""

    def __init__(self) -> None:
        self.attributes = [{"colour": colour} for _ in NAMES for colour in COLOURS]
        self.titles = [f"{colour} {name}, Acme" for name in NAMES for colour in COLOURS]


def corpus(*said: tuple[str, int]) -> Corpus:
    queries = list(dict.fromkeys(query for query, _ in said))
    pairs = Interactions(
        queries,
        np.array([queries.index(query) for query, _ in said], np.int32),
        np.array([row for _, row in said], np.int32),
        np.full(len(said), 2.0, np.float32),
    )
    listings: Any = _Listings()
    category = np.array([ONTOLOGY.position(name.lower()) for name in NAMES for _ in COLOURS], np.int32)
    return Corpus(ONTOLOGY, listings, category, np.zeros((16, 1), np.float32), pairs, pairs, 0)


SAID = (
    *(("silla negra", 0), ("mesa negra", 4), ("negra", 8)),
    *(("silla", 1), ("silla", 2), ("silla", 3), ("mesa", 5), ("mesa", 6)),
)


def test_a_word_said_of_many_kinds_of_black_things_means_black() -> None:
    assert value_words(corpus(*SAID), frozenset()) == {("colour", "Black"): ["negra"]}
    assert value_words(corpus(*SAID), {"negra"}) == {}


def test_composed_queries_name_the_thing_and_how_it_is() -> None:
    queries = Composer(corpus(*SAID), []).queries(40, Random(0))
    of_row = {row: {query for query, own in queries if own == row} for row in (0, 1, 8)}
    assert {"silla", "chairs", "silla black", "negra silla", "chairs negra"} <= of_row[0]
    assert not any("negra" in query or "black" in query for query in of_row[1])
    # Nobody has called a lamp anything but what the site calls it.
    assert all("lamps" in query for query in of_row[8])
    assert queries == Composer(corpus(*SAID), []).queries(40, Random(0))
