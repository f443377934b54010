"""What grows in memory: what was given out does not change, and words are found as the snapshot's index finds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relevance.columns import Coded
from relevance.engine import Engine
from relevance.lexical import LexicalIndex
from relevance.live.encoder import Encoding
from relevance.live.fresh import Fresh
from relevance.live.growing import GrowingArray, GrowingCoded
from relevance.live.lexical import FreshLexical
from relevance.live.listing import LiveListing
from relevance.live.store import State

WORDS = ["oak", "table", "chair", "128gb", "chêne", "任"]
texts_of_a_catalogue = st.lists(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), max_size=25)
EMPTY = LexicalIndex.build([])


@given(st.lists(st.lists(st.integers(0, 1000), max_size=90), max_size=8))
def test_a_view_of_an_array_stays(parts: list[list[int]]) -> None:
    array, views, so_far = GrowingArray(np.int64), [], list[int]()
    for part in parts:
        array.extend(part)
        so_far += part
        views.append((array.view(), list(so_far)))
    for view, expected in views:
        assert view.tolist() == expected


def test_rows_of_an_array_have_a_shape() -> None:
    array = GrowingArray(np.float32, (3,))
    assert array.view().shape == (0, 3)
    array.extend(np.arange(300, dtype=np.float32).reshape(100, 3))
    array.extend([])
    assert array.view().shape == (100, 3)
    assert array.view().dtype == np.float32


@given(st.lists(st.lists(st.sampled_from(["", "a", "b", "a\nb", None]), max_size=6), max_size=6))
def test_a_growing_column_is_the_column(parts: list[list[str | None]]) -> None:
    column, so_far, views = GrowingCoded(), list[str | None](), []
    for part in parts:
        column.extend(part)
        so_far += part
        views.append((column.view(), list(so_far)))
    for view, rows in views:
        for wanted in (["a"], ["b"], ["a", "b"], ["c"]):
            np.testing.assert_array_equal(view.among(wanted), Coded.encode(rows).among(wanted))


@given(
    texts_of_a_catalogue, st.lists(st.sampled_from([*WORDS, "absent", "OAK"]), max_size=3).map(" ".join), st.booleans()
)
def test_words_are_found_and_scored_as_tantivy_does(texts: list[str], query: str, every: bool) -> None:
    index = FreshLexical(EMPTY, 0)
    index.extend(texts)
    expected: Any = LexicalIndex.build(texts).search(query, 100, every) if texts else (np.empty(0, np.int64), [])
    rows, scores = index.view().search(query, 100, every)
    assert (rows.dtype, scores.dtype) == (np.int64, np.float32)
    assert dict(zip(rows.tolist(), scores.tolist(), strict=True)) == pytest.approx(
        dict(zip(expected[0].tolist(), np.asarray(expected[1]).tolist(), strict=True)), rel=1e-4
    )
    assert np.all(np.diff(scores) <= 0)
    assert not every or index.view().count(query) == len(rows)
    assert index.view().search(query, 2, every)[0].tolist() == rows[:2].tolist()


@given(texts_of_a_catalogue, texts_of_a_catalogue, st.sampled_from(WORDS))
def test_a_view_of_the_words_stays(before: list[str], after: list[str], query: str) -> None:
    index = FreshLexical(EMPTY, 0)
    index.extend(before)
    view = index.view()
    rows, scores = view.search(query, 100)
    index.extend(after)
    again, scores_again = view.search(query, 100)
    assert (again.tolist(), scores_again.tolist(), view.count(query)) == (rows.tolist(), scores.tolist(), len(rows))


def test_rarity_is_counted_over_the_snapshot_too() -> None:
    """A word that the snapshot is full of is worth less, so that hits of both segments stand in one order."""
    snapshot = LexicalIndex.build(["oak table"] * 50 + ["lamp"])
    index = FreshLexical(snapshot, 51)
    index.extend(["oak", "lamp", "chair"])
    view = index.view()
    oak, lamp, chair = (float(view.search(word, 1)[1][0]) for word in ("oak", "lamp", "chair"))
    assert 0 < oak < lamp < chair
    assert lamp == pytest.approx(float(snapshot.search("lamp", 1)[1][0]), rel=0.5)


@pytest.mark.parametrize("every", [True, False])
def test_scores_are_those_that_one_index_of_all_would_give(every: bool) -> None:
    long, short = ["oak table with a drawer and four chairs"] * 40, ["oak lamp", "oak", "an oak table and a lamp"]
    whole = LexicalIndex.build([*long, *short])
    index = FreshLexical(LexicalIndex.build(long), len(long))
    index.extend(short)
    for query in ("oak", "oak lamp"):
        rows, scores = whole.search(query, 100, every)
        expected = dict(zip(rows.tolist(), scores.tolist(), strict=True))
        found, own = index.view().search(query, 100, every)
        assert dict(zip((found + len(long)).tolist(), own.tolist(), strict=True)) == pytest.approx(
            {row: score for row, score in expected.items() if row >= len(long)}, rel=1e-4
        )


# Changes over a bundle.

changes = st.lists(st.tuples(st.integers(0, 7), st.booleans()), max_size=25)
"""Which listing (the first four are the bundle's), and whether it is written or deleted."""


@pytest.fixture(scope="module")
def base(tiny_bundle: Path) -> Engine:
    return Engine(tiny_bundle)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes, st.integers(1, 6))
def test_the_catalogue_is_what_the_changes_say(base: Engine, operations: list[tuple[int, bool]], batch: int) -> None:
    bundled = {listing.listing_id: listing.title for listing in base.store.rows(range(len(base.columns))).values()}
    names = [*list(bundled)[:4], *(f"new {n}" for n in range(4))]
    titles = dict(bundled)
    fresh, states = Fresh(base), []
    for number, (at, written) in enumerate(operations, start=1):
        states.append(_state(base, number, names[at], f"flibberwock{number}q" if written else None))
        titles.pop(names[at], None)
        if written:
            titles[names[at]] = f"flibberwock{number}q"
    for start in range(0, len(states), batch):
        fresh.add(states[start : start + batch])
    catalogue = fresh.engine().catalogue
    there = np.flatnonzero(catalogue.online(np.datetime64("1970-01-01", "ms"))).tolist()
    found = catalogue.listings(there)
    assert {listing.listing_id: listing.title for listing in found.values()} == titles
    assert len(there) == len(catalogue) == len(titles) == catalogue.counts().sum()
    for name in names:
        stored = catalogue.find(name)
        assert (stored.title if stored else None) == titles.get(name)
    mask = catalogue.online(np.datetime64("1970-01-01", "ms"))
    for number, (at, written) in enumerate(operations, start=1):
        rows, _ = catalogue.lexical(f"flibberwock{number}q", 10)
        shown = [found[row].listing_id for row in rows.tolist() if mask[row]]
        assert shown == ([names[at]] if written and titles.get(names[at]) == f"flibberwock{number}q" else [])


def _state(base: Engine, change: int, listing_id: str, title: str | None) -> State:
    if title is None:
        return State(change, listing_id, None, None, None, None)
    listing = LiveListing(listing_id, title, "", None, None, None, None, None, None, "", {})
    joint, visual = (np.full(part.embeddings.shape[1], change, np.float32) for part in (base.vectors, base.visual))
    return State(
        change, listing_id, None, listing, "models", Encoding(base.ontology.ids[change % 5], "text", joint, visual)
    )
