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


def test_named_queries_go_to_the_categories_of_a_name() -> None:
    deep = Ontology.from_paths(["home", "chairs", "tables"], [("Home",), ("Home", "Chairs"), ("Home", "Tables")])
    listings: Any = _Listings()
    nobody: Any = np.empty(0, np.int32)
    pairs = Interactions([], nobody, nobody, np.empty(0, np.float32))
    category = np.array([1] * 4 + [2] * 4 + [-1] * 8, np.int32)
    own = Corpus(deep, listings, category, np.zeros((16, 1), np.float32), pairs, pairs, 0)
    names = {"perch": {1: 0.75, 2: 0.25}, "furniture": {0: 1.0}}
    made = Composer(own, []).named(names, 200, Random(0))
    assert len(made) == 400
    assert all(any(name in query for name in names) for query, _ in made)
    perches = [row for query, row in made if "perch" in query]
    assert set(perches) == set(range(8))
    assert 0.65 < np.mean([row < 4 for row in perches]) < 0.85
    # A listing lies in each category above its own; one without a category in none.
    assert {row for query, row in made if "furniture" in query} == set(range(8))
    assert any("black" in query for query, row in made if row % 4 == 0)
    assert not any("black" in query for query, row in made if row % 4)
    nowhere = Ontology.from_paths(["home", "gone"], [("Home",), ("Gone",)])
    other = Corpus(nowhere, listings, np.zeros(16, np.int32), np.zeros((16, 1), np.float32), pairs, pairs, 0)
    assert Composer(other, []).named({"pony": {1: 1.0}}, 5, Random(0)) == []
