"""Which photos count as chosen together, and how much: by hand."""

import numpy as np
import pytest

from relevance.interactions import Interactions
from training.classifier.co_clicks import CoClicks, co_clicks

SHOES, BOOTS, LAMPS = 3, 4, 7


def pairs(*chosen: tuple[str, int, float]) -> Interactions:
    """(query, row, weight) as they come from a log."""
    numbers: dict[str, int] = {}
    query = [numbers.setdefault(text, len(numbers)) for text, _, _ in chosen]
    rows, weights = [row for _, row, _ in chosen], [weight for _, _, weight in chosen]
    return Interactions(list(numbers), *(np.array(x, np.int32) for x in (query, rows)), np.array(weights, np.float32))


def of_shoes(*chosen: tuple[str, int, float], n: int, titles: list[str] | None = None) -> CoClicks:
    return co_clicks(pairs(*chosen), np.full(n, SHOES, np.int32), titles or [f"title {i}" for i in range(n)])


def test_spellings_of_a_query_are_one_and_messages_weigh_more() -> None:
    found = of_shoes(
        ("red shoe", 0, 1), ("Red  Shoe", 0, 1), ("red shoe", 1, 3), ("red shoe", 2, 1), ("boot", 2, 5), n=4
    )
    assert found.queries == 1  # nothing else was chosen for "boot"
    assert found.photos == 3
    np.testing.assert_allclose(found.strength.toarray()[:, 0], np.log([3, 4, 2, 1]))
    two, three, four = np.log([2, 3, 4])
    expected = [
        [-1, four / (four + two), two / (four + two), 0],
        [three / (three + two), -1, two / (three + two), 0],
        [three / (three + four), four / (three + four), -1, 0],
        [0, 0, 0, -1],
    ]
    np.testing.assert_allclose(found.relation(np.arange(4), np.arange(4)), expected, rtol=1e-6)


def test_a_pair_of_a_query_with_many_choices_counts_less() -> None:
    """Photo 0 was chosen with photo 1 alone for one query, and with 10 others for another: each of these counts a
    tenth of it."""
    found = of_shoes(("narrow", 0, 1), ("narrow", 1, 1), *(("broad", row, 1.0) for row in (0, *range(2, 12))), n=12)
    relation = found.relation(np.arange(12), np.arange(12))[0]
    np.testing.assert_allclose(relation[1:], [1 / 2] + [1 / 20] * 10, rtol=1e-6)


def test_a_query_weighs_as_its_choices_not_as_its_pairs() -> None:
    """100 photos of one query are 4,950 pairs; 50 queries of two photos are 50. Each are half of what is drawn."""
    hub = [("hub", row, 1.0) for row in range(100)]
    narrow = [(f"query {row // 2}", row, 1.0) for row in range(100, 200)]
    found = of_shoes(*hub, *narrow, n=200)
    assert found.share[:100].sum() == pytest.approx(0.5)
    np.testing.assert_allclose(found.share, 1 / 200)
    drawn = found.draw(2000, np.random.default_rng(0)).reshape(-1, 2)
    assert (drawn[:, 0] != drawn[:, 1]).all()
    assert 0.45 < (drawn[:, 0] < 100).mean() < 0.55
    late = drawn[drawn[:, 0] >= 100]
    np.testing.assert_array_equal(late[:, 0] // 2, late[:, 1] // 2)  # both of one query


def test_the_share_is_what_is_drawn() -> None:
    found = of_shoes(
        *(("a", row, weight) for row, weight in ((0, 500), (1, 1), (2, 3), (3, 1))), ("b", 1, 1), ("b", 4, 8), n=6
    )
    assert found.share.sum() == pytest.approx(1)
    assert found.share[5] == 0
    drawn = found.draw(20_000, np.random.default_rng(1))
    np.testing.assert_allclose(np.bincount(drawn, minlength=6) / len(drawn), found.share, atol=0.01)
    # The first is clicked 500 times as often as the second, and drawn not even four times as often.
    assert 1.5 < found.share[0] / found.share[3] < 4.0


def test_the_same_draws_for_a_seed() -> None:
    found = of_shoes(*(("a", row, 1.0) for row in range(9)), n=9)
    one, two, other = (found.draw(20, np.random.default_rng(seed)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


def test_a_query_without_a_word_joins_nothing() -> None:
    assert of_shoes(("!", 0, 1), ("?", 1, 1), n=2).queries == 0


def test_stray_clicks_and_queries_that_lead_everywhere_are_left_out() -> None:
    categories = np.array([SHOES] * 8 + [BOOTS] * 2 + [LAMPS] + list(range(10, 20)), np.int32)
    titles = [f"title {i}" for i in range(len(categories))]
    chosen = [("shoe", row, 1.0) for row in range(11)] + [("cheap", row, 1.0) for row in range(11, 21)]
    found = co_clicks(pairs(*chosen), categories, titles)
    # Shoes are 8 of 11 choices, boots 2, lamps 1: under a fifth. "cheap" has a tenth in each category.
    assert found.queries == 1
    assert np.flatnonzero(found.share).tolist() == list(range(8))
    firmer = co_clicks(pairs(*chosen, ("shoe", 8, 1.0)), categories, titles)
    assert np.flatnonzero(firmer.share).tolist() == list(range(10))  # boots: 3 of 12


def test_listings_of_one_title_are_neither_alike_nor_different() -> None:
    titles = ["Blue shoe", "blue SHOE", "red shoe", "old boot"]
    found = of_shoes(("shoe", 0, 1), ("shoe", 1, 1), ("shoe", 2, 1), n=4, titles=titles)
    relation = found.relation(np.arange(4), np.arange(4))
    assert relation[0].tolist() == [-1, -1, 1, 0]
    assert relation[1].tolist() == [-1, -1, 1, 0]
    assert relation[2].tolist() == [0.5, 0.5, -1, 0]


def test_a_photo_twice_in_a_batch() -> None:
    found = of_shoes(("shoe", 0, 1), ("shoe", 1, 1), n=3)
    relation = found.relation(np.array([0, 1, 2]), np.array([0, 0, 1, 2]))
    assert relation.tolist() == [[-1, -1, 1, 0], [0.5, 0.5, -1, 0], [0, 0, 0, -1]]
