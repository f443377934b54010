"""How well the towers answer what they were not trained on."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import pytest

from training.towers import metrics


def ranked(queries: list[list[float]], listings: list[list[float]], chosen: list[int]) -> tuple[list[float], list]:
    ranks, top = metrics._ranks(*(np.array(x, np.float32) for x in (queries, listings)), np.array(chosen, np.int32))
    return ranks.tolist(), [set(row) for row in top.tolist()]


@pytest.mark.parametrize("scores", [1, 36, 2**24])
def test_ranks_by_hand(scores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many queries are looked at together."""
    monkeypatch.setattr(metrics, "SCORES", scores)
    listings = [[i, -i] for i in range(12)]
    assert ranked([[1, 0], [0, 1], [1, 0]], listings, [9, 2, 0]) == (
        [2, 2, 11],
        [set(range(2, 12)), set(range(10)), set(range(2, 12))],
    )


def test_a_chosen_listing_stands_in_the_middle_of_those_equally_near() -> None:
    # Two of 21 are nearer, the other 19 lie in one place: the chosen one has 2 + 18 / 2 before it.
    ranks, _ = ranked([[1.0]], [[2.0]] * 2 + [[1.0]] * 19, [5])
    assert ranks == [11]
    # Collapsed towers find nothing: of a thousand listings in one place, any is as good as another.
    ranks, _ = ranked([[1.0]], [[1.0]] * 1001, [0])
    assert ranks == [500]


def test_few_listings_are_all_among_the_nearest() -> None:
    assert ranked([[1.0]], [[1.0], [3.0], [2.0]], [2]) == ([1], [{0, 1, 2}])


def test_no_more_scores_are_held_than_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    monkeypatch.setattr(metrics, "SCORES", 20_000)
    queries, listings = np.ones((500, 2), np.float32), np.ones((10_000, 2), np.float32)
    tracemalloc.start()
    metrics._ranks(queries, listings, np.zeros(500, np.int32))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * 20_000  # at once they would be 500 times 10,000, of 4 bytes each
