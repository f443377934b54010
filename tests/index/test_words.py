"""What behaviour tells of words."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from index.words import said_in_vain
from relevance.interactions import Interactions


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
