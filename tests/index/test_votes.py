"""What was chosen for each query, by hand."""

import numpy as np
import pytest

from index.votes import Votes
from relevance.interactions import Interactions


def test_votes_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    # Listings 0 and 1 lie in category 2, listing 2 in category 5.
    pairs = Interactions(
        ["sofa", "lamp", "nobody"],
        np.array([1, 0, 0, 0], np.int32),
        np.array([2, 1, 0, 2], np.int32),
        np.array([4.0, 3.0, 3.0, 1.0], np.float32),
        choices=np.array([3.0, 1.0, 0.0], np.float32),
    )
    votes = Votes.tally(pairs, np.array([2, 2, 5], np.int32), categories=7)
    sofa, lamp, nobody = map(votes.of, range(3))
    assert (sofa.category.tolist(), sofa.weight.tolist()) == ([2, 5], [6.0, 1.0])
    assert (lamp.category.tolist(), lamp.weight.tolist()) == ([5], [4.0])
    assert nobody.category.tolist() == []
    assert votes.total.tolist() == [7.0, 4.0, 0.0]
    # A seventh of the choices is less than a fifth of them.
    assert votes.chosen(0).tolist() == [2]
    # One click may be a stray one, whatever it weighs: the lamp has not meant anything for sure.
    monkeypatch.setattr("index.votes.FEWEST_CERTAIN", 1)
    assert votes.meant().of(1).category.tolist() == []
    assert votes.meant().of(0).category.tolist() == [2]
    # But where there are hardly any others, it has to do.
    monkeypatch.setattr("index.votes.FEWEST_CERTAIN", 2)
    assert votes.meant().of(1).category.tolist() == [5]
    assert votes.meant().of(0).category.tolist() == [2]
    assert votes.listings(0) == {1: 3.0, 0: 3.0, 2: 1.0}


def test_some_of_the_votes_are_those_of_whole_queries() -> None:
    query = np.repeat(np.arange(50, dtype=np.int32), 4)
    listing = np.tile(np.arange(4, dtype=np.int32), 50)
    pairs = Interactions([f"q{i}" for i in range(50)], query, listing, np.ones(200, np.float32))
    votes = Votes.tally(pairs, np.arange(4, dtype=np.int32), categories=4)
    some = votes.some(100)
    assert len(some.query) == 100
    assert set(np.bincount(some.query, minlength=50).tolist()) == {0, 4}
    assert votes.some(200) is votes
