"""What behaviour tells of words."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from index.words import _embed, _texts, _words, names_of_things, said_in_vain
from relevance.columns import Coded
from relevance.interactions import Interactions
from relevance.store import ListingStore, StoredListing


def test_words_that_chosen_listings_do_not_have() -> None:
    numbers = {"black": 1, "for": 2, "rare": 3}
    words = np.zeros((40, 4), np.int32)
    words[:36, 0] = 1  # nine in ten say "black"
    words[:2, 1] = 2  # one in twenty says "for"
    engine: Any = SimpleNamespace(
        reader=SimpleNamespace(qualifying=lambda said: tuple(numbers[word] for word in said if word in numbers)),
        catalogue=SimpleNamespace(snapshot=SimpleNamespace(words=words)),
    )
    queries = ["black bag for him", "rare bag"]
    query = np.array([0] * 40 + [1], np.int32)
    listing = np.array([*range(40), 5], np.int32)
    pairs = Interactions(queries, query, listing, np.ones(41, np.float32))
    # Of "rare" a single choice says nothing yet.
    assert said_in_vain(engine, pairs) == [2]


def test_what_was_learned_of_a_text_and_what_the_prior_says_are_told_apart() -> None:
    vectors = np.array([[0.48, 0.64, 0.36, 0.48], [0.0, 1.0, 0.0, 0.0]], np.float32)  # the prior has no second word
    towers: Any = SimpleNamespace(nothing=np.array([1.0, 0.0, 0.0, 0.0], np.float32), queries=lambda texts: vectors)
    learned, said = _embed(towers, ["", ""])
    assert (learned.shape, said.shape) == ((2, 1), (2, 3))
    towers.nothing = np.array([0.6, 0.8, 0.0, 0.0], np.float32)
    learned, said = _embed(towers, ["", ""])
    np.testing.assert_allclose(learned, [[0.6, 0.8], [0.0, 1.0]], rtol=1e-6)
    np.testing.assert_allclose(said, [[0.6, 0.8], [0.0, 0.0]], rtol=1e-6)
    towers.nothing = np.array([0.5, 0.5, 0.5, 0.5], np.float32)  # without a prior
    (learned,) = _embed(towers, ["", ""])
    np.testing.assert_allclose(learned, vectors, rtol=1e-6)


def test_of_a_listings_words_those_are_kept_that_queries_and_values_have(tmp_path: Path) -> None:
    columns: Any = SimpleNamespace(attributes={"size": Coded.encode(["Extra Large", "-"])})
    words = _words(["Navy blue hat"], columns)
    assert words == {"navy", "blue", "hat", "navyblue", "bluehat", "extra", "large", "extralarge", ""}
    path = tmp_path / "listings.sqlite"
    titles = ("A navyblue hat", "Nothing of it")
    ListingStore.build(
        path,
        [StoredListing(i, str(i), title, "large", None, "seller", None, None, "{}") for i, title in enumerate(titles)],
    )
    assert _texts(ListingStore(path), [0, 1], words) == {0: {"navyblue", "hat", "large"}, 1: {"large"}}


def test_a_name_is_what_a_query_is_about() -> None:
    """Listing 0 is a belt, 1 shoes, 2 trousers, 3 capris; 4 to 10 are other things."""
    chosen = [("belt", 0), ("leather belt", 0), ("shoes", 1), ("sneakers", 1), ("acme sneakers", 1), ("pants", 2)]
    chosen += [("capri pants", 3), ("acme belt", 0), ("strange thing", 9)]
    chosen += [
        (f"black {name}", i) for i, name in enumerate(("hat", "ring", "sock", "tie", "scarf", "bag", "cap"), 4)
    ]  # said of many kinds of things
    queries = [query for query, _ in chosen]
    listing = np.array([row for _, row in chosen], np.int32)
    pairs = Interactions(queries, np.arange(len(chosen), dtype=np.int32), listing, np.ones(len(chosen), np.float32))
    names = names_of_things(pairs, np.arange(11, dtype=np.int32))
    assert {"belt", "shoes", "sneakers", "pants", "capri", "hat"} <= set(names)
    # Without "leather" it is still a belt; of "strange thing" neither word is known to be said without the other.
    assert not {"leather", "acme", "black", "strange"} & set(names)
