"""Pairs of query and listing from a log written out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from relevance.events import Behaviour
from relevance.interactions import FEWEST_LOOKS, HEAVIEST, interactions, position_weights

START = np.datetime64("2026-03-01T10:00", "ms")
ROWS = {"L0": 0, "L1": 1, "L2": 2}

Query = tuple[str, str, float]
"""Session, text, minutes after the start."""

Event = tuple[int, str, str]
"""Query, action, listing."""


def behaviour(queries: list[Query], events: list[Event]) -> Behaviour:
    def times(minutes: list[float]) -> np.ndarray:
        return START + (np.array(minutes) * 60_000).astype("timedelta64[ms]")

    return Behaviour(
        query_ids=[f"q{i}" for i in range(len(queries))],
        queries=[text for _, text, _ in queries],
        client_ids=[session for session, _, _ in queries],
        query_sessions=[session for session, _, _ in queries],
        query_times=times([minutes for _, _, minutes in queries]),
        hit_ids=[[] for _ in queries],
        actions=[action for _, action, _ in events],
        event_query=np.array([query for query, _, _ in events], np.int32),
        event_listing=[listing for _, _, listing in events],
        event_times=times([0.0] * len(events)),
        event_positions=np.full(len(events), -1, np.int32),
        dropped_unknown_listings=0,
    )


def _pairs(
    queries: list[Query], events: list[Event], selected: list[bool] | None = None, rewrites: bool = True
) -> dict[tuple[str, int], float]:
    chosen = np.array(selected if selected is not None else [True] * len(queries))
    found = interactions(behaviour(queries, events), chosen, ROWS, rewrites=rewrites)
    assert (found.query.dtype, found.listing.dtype, found.weight.dtype) == (np.int32, np.int32, np.float32)
    assert len(found) == len(found.query) == len(found.listing) == len(found.weight)
    assert len(set(found.queries)) == len(found.queries)
    columns = (found.query.tolist(), found.listing.tolist(), found.weight.tolist())
    pairs = {(found.queries[query], row): weight for query, row, weight in zip(*columns, strict=True)}
    assert len(pairs) == len(found)
    return pairs


def test_a_message_weighs_three_clicks_and_the_rest_nothing() -> None:
    events = [
        (0, "impression", "L0"),
        (0, "impression", "L1"),
        (0, "click", "L1"),
        (0, "contact_seller", "L1"),
        (0, "click", "L2"),
        (0, "share", "L0"),
    ]
    assert _pairs([("s", "sofa", 0)], events) == {("sofa", 1): 4.0, ("sofa", 2): 1.0}


def test_equal_texts_add_up_over_sessions() -> None:
    queries = [("s", "sofa", 0), ("t", "sofa", 5), ("t", "Sofa", 6)]
    events = [(0, "click", "L0"), (1, "click", "L0"), (2, "click", "L0")]
    assert _pairs(queries, events) == {("sofa", 0): 2.0, ("Sofa", 0): 1.0}


def test_repeated_is_what_several_searches_led_to_a_choice_for() -> None:
    queries = [("s", "sofa", 0), ("t", "sofa", 5), ("t", "lamp", 6), ("u", "soffa", 0), ("u", "sofa", 1)]
    queries += [("v", "soffa", 0), ("v", "sofa", 1), ("w", "chair", 0), ("x", "chair", 0)]
    events = [(row, "click", "L0") for row in (0, 1, 2, 2, 4, 6, 7)]
    found = interactions(behaviour(queries, events), np.ones(len(queries), bool), ROWS)
    # Two have borrowed for "soffa"; of the two that wanted a chair one found none, and "lamp" is one search.
    assert set(found.repeated) == {"sofa", "soffa"}


def test_clicks_are_counted_wherever_they_were_and_a_message_as_three() -> None:
    queries = [("s", "sofa", 0), ("t", "sofa", 5), ("u", "lamp", 6), ("v", "lampp", 0), ("v", "lamp", 1)]
    events = [(0, "click", "L0"), (1, "contact_seller", "L0"), (2, "contact_seller", "L1"), (4, "click", "L2")]
    found = interactions(behaviour(queries, events), np.ones(len(queries), bool), ROWS)
    assert dict(zip(found.queries, found.choices.tolist(), strict=True)) == {"sofa": 4.0, "lamp": 4.0, "lampp": 0.5}


def test_a_query_without_words_means_nothing_and_neither_lends_nor_borrows() -> None:
    queries = [("s", "sopha", 0), ("s", "", 1), ("s", "🔥", 2), ("s", "sofa", 3)]
    events = [(1, "click", "L1"), (3, "click", "L0")]
    assert _pairs(queries, events) == {("sopha", 0): 0.5, ("sofa", 0): 1.0}


def test_events_that_lead_nowhere_are_left_out() -> None:
    events = [(-1, "click", "L0"), (0, "click", "gone"), (1, "click", "L1")]
    assert _pairs([("s", "sofa", 0), ("t", "couch", 0)], events) == {("couch", 1): 1.0}


def test_only_selected_queries_count_and_lend() -> None:
    queries = [("s", "sofaa", 0), ("s", "sofa", 1), ("t", "couch", 2)]
    events = [(1, "click", "L0"), (2, "click", "L1")]
    assert _pairs(queries, events, [True, False, True]) == {("couch", 1): 1.0}
    assert _pairs(queries, events, [False, True, False]) == {("sofa", 0): 1.0}
    assert _pairs(queries, events, [False, False, False]) == {}


def test_a_fruitless_query_borrows_from_its_rewrite() -> None:
    queries = [("s", "sopha", 0), ("s", "sofa", 2)]
    events = [(0, "impression", "L2"), (1, "click", "L0"), (1, "contact_seller", "L1")]
    own = {("sofa", 0): 1.0, ("sofa", 1): 3.0}
    assert _pairs(queries, events) == own | {("sopha", 0): 0.5, ("sopha", 1): 1.5}
    assert _pairs(queries, events, rewrites=False) == own


def test_every_fruitless_try_borrows_from_the_next_fruitful_one() -> None:
    queries = [("s", "a", 0), ("s", "b", 1), ("s", "c", 2), ("s", "d", 3), ("s", "e", 4)]
    events = [(2, "click", "L0"), (4, "click", "L1")]
    expected = {("a", 0): 0.5, ("b", 0): 0.5, ("c", 0): 1.0, ("d", 1): 0.5, ("e", 1): 1.0}
    assert _pairs(queries, events) == expected


def test_a_fruitful_query_borrows_nothing() -> None:
    queries = [("s", "sofa", 0), ("s", "lamp", 1)]
    assert _pairs(queries, [(0, "click", "L0"), (1, "click", "L1")]) == {("sofa", 0): 1.0, ("lamp", 1): 1.0}


def test_nothing_is_borrowed_from_before_or_from_others() -> None:
    queries = [("s", "sofa", 0), ("t", "sopha", 1), ("s", "soffa", 2)]
    assert _pairs(queries, [(0, "click", "L0")]) == {("sofa", 0): 1.0}


@pytest.mark.parametrize(("minutes", "borrows"), [(10, True), (10.001, False), (60, False)])
def test_a_rewrite_comes_within_ten_minutes(minutes: float, borrows: bool) -> None:
    pairs = _pairs([("s", "sopha", 0), ("s", "sofa", minutes)], [(1, "click", "L0")])
    assert (("sopha", 0) in pairs) is borrows


def test_no_behaviour() -> None:
    pairs = interactions(behaviour([], []), np.empty(0, bool), ROWS)
    assert len(pairs) == 0
    assert pairs.queries == []


def test_a_choice_where_few_look_weighs_more() -> None:
    """A hundred pages of four hits: all look at the first, 80 at the second, half at the third; too few to tell at the
    fourth."""
    looks = {1: 100, 2: 80, 3: FEWEST_LOOKS, 4: FEWEST_LOOKS - 1}
    at = [position for position, n in looks.items() for _ in range(n)]
    queries = [("s", f"query {i}", float(i)) for i in range(100)]
    log = behaviour(queries, [(0, "impression", "L0")] * len(at) + [(0, "click", "L1"), (1, "click", "L1")])
    log = replace(log, hit_ids=[["a", "b", "c", "d"]] * 100, event_positions=np.array([*at, 2, -1], np.int32))
    weights = position_weights(log, np.ones(100, bool))
    assert weights[:5] == pytest.approx([1.0, 1.0, 100 / 80, 100 / FEWEST_LOOKS, 1.0])
    assert max(weights) <= HEAVIEST
    found = interactions(log, np.ones(100, bool), ROWS)
    assert found.weight.tolist() == pytest.approx([1.25, 1.0])
    alike = interactions(log, np.ones(100, bool), ROWS, by_position=False)
    assert alike.weight.tolist() == [1.0, 1.0]


def test_looks_at_pages_that_are_held_out_do_not_count() -> None:
    """On the first hundred pages all look at both hits, on the last hundred nobody at the second."""
    queries = [("s", f"query {i}", float(i)) for i in range(200)]
    looks = [(query, 1) for query in range(200)] + [(query, 2) for query in range(100)]
    log = behaviour(queries, [(query, "impression", "L0") for query, _ in looks])
    positions = np.array([position for _, position in looks], np.int32)
    log = replace(log, hit_ids=[["a", "b"]] * 200, event_positions=positions)
    assert position_weights(log, np.arange(200) < 100)[2] == 1.0
    assert position_weights(log, np.arange(200) >= 0)[2] == pytest.approx(2.0)
