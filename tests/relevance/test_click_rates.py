"""How often a category is clicked for a query, once it is looked at."""

import numpy as np
import pytest

from relevance.click_rates import FEWEST_LOOKS, click_rates
from relevance.interactions import interactions
from tests.relevance.test_interactions import START, Event, behaviour

ROWS = {"trousers": 0, "more trousers": 1, "track pants": 2, "socks": 3}
CATEGORY = np.array([7, 7, 8, -1], np.int32)
QUERIES = [("s", "pants", 0.0), ("t", "trousers", 1.0), ("u", "pants", 2.0)]


def looked(query: int, listing: str, looks: int, clicks: int) -> list[Event]:
    return [(query, "impression", listing)] * looks + [(query, "click", listing)] * clicks


EVENTS = [
    *looked(0, "track pants", 80, 3),
    *looked(2, "track pants", 20, 1),
    *looked(1, "trousers", 50, 30),
    *looked(1, "more trousers", 30, 36),
    *looked(0, "socks", 1, 0),
    (0, "click", "unknown"),
    (-1, "click", "trousers"),
]
"""70 clicks of 181 looks."""


def test_a_rate_is_the_clicks_over_those_expected() -> None:
    log = behaviour(QUERIES, EVENTS)
    rates = click_rates(log, np.ones(3, np.bool_), ROWS, CATEGORY)
    usual = 70 / 181
    assert rates == {
        ("pants", 8): pytest.approx((4 + 1) / (100 * usual + 1)),
        ("trousers", 7): 1.0,
        ("pants", -1): pytest.approx(1 / (usual + 1)),
    }
    # Of the first query alone: what it shows is as usual.
    assert click_rates(log, np.array([True, False, False]), ROWS, CATEGORY)["pants", 8] == 1.0


def test_a_log_without_looks_tells_no_rate() -> None:
    few = [*looked(0, "track pants", FEWEST_LOOKS - 1, 1), *looked(1, "trousers", 0, 9)]
    assert click_rates(behaviour(QUERIES, few), np.ones(3, np.bool_), ROWS, CATEGORY) == {}


def test_what_is_seldom_clicked_weighs_less_and_what_is_borrowed_does_not() -> None:
    # The third searcher finds nothing and goes on to "trousers".
    queries = [*QUERIES, ("w", "pants", 3.0), ("w", "trousers", 4.0)]
    events = [*EVENTS, *looked(4, "trousers", 1, 1)]
    log = behaviour(queries, events)
    assert log.query_times[0] == START

    def weights(category: np.ndarray | None) -> dict[tuple[str, int], float]:
        found = interactions(log, np.ones(5, np.bool_), ROWS, category)
        columns = (found.query.tolist(), found.listing.tolist(), found.weight.tolist())
        return {(found.queries[query], row): weight for query, row, weight in zip(*columns, strict=True)}

    alike, by_rate = weights(None), weights(CATEGORY)
    assert alike["pants", 2] == pytest.approx(4)
    assert by_rate["pants", 2] == pytest.approx(4 * (4 + 1) / (100 * 71 / 182 + 1))
    assert by_rate["pants", 0] == alike["pants", 0] == pytest.approx(0.5)
    assert by_rate["trousers", 1] == alike["trousers", 1] == pytest.approx(36)
