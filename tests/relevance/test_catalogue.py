"""A snapshot, fresh rows and removed ones, searched as one: against brute force, whatever the filters leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from relevance.catalogue import Catalogue, Segment
from relevance.columns import Coded, Columns
from relevance.errors import DataError
from relevance.filters import Filters
from relevance.lexical import LexicalIndex
from relevance.live.lexical import FreshLexical
from relevance.ontology import Ontology
from relevance.store import Card, StoredListing
from relevance.vectors import VectorIndex

DIM, LEAVES = 16, 40
SNAPSHOT, FRESH, REMOVED = 5000, 400, 300
ROWS = SNAPSHOT + FRESH
NOW = np.datetime64("2026-03-01T12:00:00", "ms")
DAY = np.timedelta64(1, "D").astype("timedelta64[ms]")
WORDS = ["oak", "table", "lamp", "red", "chair"]
ONTOLOGY = Ontology.from_paths(
    [f"c{n}" for n in range(LEAVES)], [(f"root {n // 8}", f"leaf {n:02}") for n in range(LEAVES)]
)
LEAF_POSITIONS = np.flatnonzero(ONTOLOGY.is_leaf)


class Stored:
    """A listing for every row; ids are row numbers."""

    def rows(self, rows: Sequence[int]) -> dict[int, StoredListing]:
        return {row: StoredListing(row, str(row), "", "", None, "none", None, None, "{}") for row in rows}

    def cards(self, rows: Sequence[int]) -> dict[int, Card]:
        return {row: listing.card for row, listing in self.rows(rows).items()}

    def find(self, listing_id: str) -> StoredListing | None:
        return self.rows([int(listing_id)])[int(listing_id)] if int(listing_id) < SNAPSHOT else None


def _unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _columns(rng: np.random.Generator, category: NDArray[Any]) -> Columns:
    n = len(category)
    return Columns(
        category=category.astype(np.int32),
        price=np.where(rng.random(n) < 0.1, np.nan, rng.uniform(0, 100, n)),
        latitude=rng.uniform(-90, 90, n),
        longitude=rng.uniform(-180, 180, n),
        created_at=NOW - rng.integers(0, 40, n) * DAY,
        expires_at=np.where(rng.random(n) < 0.5, np.datetime64("NaT", "ms"), NOW + rng.integers(-3, 9, n) * DAY),
        locale=Coded.encode(rng.choice(["", "en", "nl"], n).tolist()),
        attributes={"colour": Coded.encode(rng.choice(["", "red", "blue"], n).tolist())},
    )


def _segment(
    rng: np.random.Generator, category: NDArray[Any], snapshot: LexicalIndex | None
) -> tuple[Segment, list[str]]:
    """Listings around a centre for each category."""
    centres = _unit(np.random.default_rng(1).normal(size=(len(ONTOLOGY), DIM)))
    vectors, looks = (_unit(centres[category] + 0.3 * _unit(rng.normal(size=(len(category), DIM)))) for _ in range(2))
    texts = [" ".join(rng.choice(WORDS, size=rng.integers(0, 5)).tolist()) for _ in category]
    lexical: Any = LexicalIndex.build(texts) if snapshot is None else FreshLexical(snapshot, SNAPSHOT)
    if snapshot is not None:
        lexical.extend(texts)
        lexical = lexical.view()
    words = rng.integers(0, 50, (len(category), 4)).astype(np.int32)
    return Segment(_columns(rng, category), words, VectorIndex(vectors), VectorIndex(looks), lexical, Stored()), texts


class Whole:
    """A catalogue and the same rows as plain arrays."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        snapshot, texts = _segment(rng, np.sort(rng.choice(LEAF_POSITIONS, SNAPSHOT)), None)
        fresh, more = _segment(rng, rng.choice(LEAF_POSITIONS, FRESH), snapshot.lexical)
        removed = rng.choice(ROWS, REMOVED, replace=False)
        self.catalogue = Catalogue(ONTOLOGY, snapshot, Stored()).after(fresh, removed, {"x": None, "y": SNAPSHOT + 3})
        self.texts = texts + more
        self.there = ~np.isin(np.arange(ROWS), removed)
        self.segments = (snapshot, fresh)

    def column(self, name: str) -> NDArray[Any]:
        return np.concatenate([getattr(segment.columns, name) for segment in self.segments])

    @property
    def vectors(self) -> NDArray[np.float64]:
        return np.concatenate([segment.vectors.embeddings for segment in self.segments]).astype(np.float64)

    def nearest(self, query: NDArray[np.float32], k: int, passing: NDArray[np.bool_]) -> list[int]:
        scores = self.vectors @ query.astype(np.float64)
        return sorted(np.flatnonzero(passing).tolist(), key=lambda row: -scores[row])[:k]


@pytest.fixture(scope="module")
def whole() -> Whole:
    return Whole()


# Filtered vector search keeps its recall.


@pytest.mark.parametrize("percent", [0.1, 1, 10, 50, 100])
@pytest.mark.parametrize("related", ["unrelated", "nearest pass", "nearest do not"])
@pytest.mark.parametrize("k", [1, 20, 300])
def test_filtered_search_is_exact(whole: Whole, percent: float, related: str, k: int) -> None:
    rng = np.random.default_rng(2)
    passing = max(1, round(ROWS * percent / 100))
    for query in _unit(rng.normal(size=(4, DIM))):
        order = rng.permutation(ROWS) if related == "unrelated" else np.argsort(-(whole.vectors @ query))
        mask = np.zeros(ROWS, np.bool_)
        mask[order[-passing:] if related == "nearest do not" else order[:passing]] = True
        mask &= whole.there
        rows, scores = whole.catalogue.nearest(query, k, mask)
        assert rows.tolist() == whole.nearest(query, k, mask)
        assert len(rows) == min(k, mask.sum())
        np.testing.assert_allclose(scores, whole.vectors[rows] @ query, atol=1e-5)


@pytest.mark.parametrize("percent", [0.1, 1, 10, 50, 100])
@pytest.mark.parametrize("own", [True, False], ids=["of the query", "of others"])
def test_search_within_categories_and_filters_is_exact(whole: Whole, percent: float, own: bool) -> None:
    rng = np.random.default_rng(3)
    for _ in range(6):
        row = int(rng.integers(ROWS))
        query = whole.vectors[row].astype(np.float32)
        roots = rng.choice(np.flatnonzero(ONTOLOGY.parent < 0), 2, replace=False).tolist()
        first = int(whole.column("category")[row])
        ranges = [(first, int(ONTOLOGY.end[first]))] if own else [(p, int(ONTOLOGY.end[p])) for p in roots]
        mask = (rng.random(ROWS) < percent / 100) & whole.there
        category = whole.column("category")
        inside = np.any([(category >= a) & (category < b) for a, b in ranges], axis=0)
        rows, _ = whole.catalogue.nearest(query, 50, mask, ranges)
        assert rows.tolist() == whole.nearest(query, 50, mask & inside)
    assert len(whole.catalogue.nearest(query, 50, mask, [])[0]) == 0


@pytest.mark.parametrize("percent", [1, 10, 100])
def test_around_has_the_nearest_of_all_and_of_the_categories(whole: Whole, percent: float) -> None:
    rng = np.random.default_rng(6)
    category = whole.column("category")
    for _ in range(6):
        row = int(rng.integers(ROWS))
        query = whole.vectors[row].astype(np.float32)
        ranges = [(int(category[row]), int(category[row]) + 1), (LEAVES - 2, LEAVES + 1)]
        mask = (rng.random(ROWS) < percent / 100) & whole.there
        inside = np.any([(category >= a) & (category < b) for a, b in ranges], axis=0)
        rows, scores = whole.catalogue.around(query, 50, mask, ranges)
        assert len(set(rows.tolist())) == len(rows)
        assert mask[rows].all()
        assert set(rows.tolist()) >= {*whole.nearest(query, 50, mask), *whole.nearest(query, 50, mask & inside)}
        np.testing.assert_allclose(scores, whole.vectors[rows] @ query, atol=1e-5)


def test_what_fits_best_is_found_within_the_categories(whole: Whole) -> None:
    said = {"colour": {"red": 2.0, "blue": -1.0}}
    red = np.concatenate(
        [
            [*s.columns.attributes["colour"].values, None].index("red") == s.columns.attributes["colour"].codes
            for s in whole.segments
        ]
    )
    category = whole.column("category")
    rng = np.random.default_rng(7)
    for leaf in rng.choice(LEAF_POSITIONS, 6, replace=False).tolist():
        query = _unit(rng.normal(size=(1, DIM)))[0]
        mask = (rng.random(ROWS) < 0.7) & whole.there
        rows, scores = whole.catalogue.fitting(query, 20, said, [(leaf, leaf + 1)], mask)
        assert rows.tolist() == whole.nearest(query, 20, mask & red & (category == leaf))
        np.testing.assert_allclose(scores, whole.vectors[rows] @ query, atol=1e-5)


def test_where_many_fit_none_are_looked_for(whole: Whole) -> None:
    root = int(np.flatnonzero(ONTOLOGY.parent < 0)[0])
    query = whole.vectors[0].astype(np.float32)
    everything = [(root, len(ONTOLOGY))]
    assert len(whole.catalogue.fitting(query, 20, {"colour": {"red": 2.0}}, everything, whole.there)[0]) == 0
    nothing = np.zeros(ROWS, np.bool_)
    assert len(whole.catalogue.fitting(query, 20, {"colour": {"red": 2.0}}, everything, nothing)[0]) == 0


# Masks.


@pytest.mark.parametrize("hours", [0, 1, 25, -30, 24 * 400])
def test_without_filters_what_is_there_and_has_not_expired_passes(whole: Whole, hours: int) -> None:
    for now in (NOW, NOW + np.timedelta64(hours, "h"), NOW):
        mask = whole.catalogue.mask(Filters(), now)
        np.testing.assert_array_equal(mask, whole.there & ~(whole.column("expires_at") <= now))
        assert not mask.flags.writeable


def test_the_mask_without_filters_is_made_once_until_a_listing_expires(whole: Whole) -> None:
    online, soon = whole.catalogue.mask(Filters(), NOW), NOW + DAY - np.timedelta64(1, "ms")
    assert whole.catalogue.mask(Filters(), soon) is online
    assert whole.catalogue.mask(Filters(), NOW + DAY) is not online


def test_filters_hold_in_both_segments(whole: Whole) -> None:
    live = whole.there & ~(whole.column("expires_at") <= NOW)
    colour = np.concatenate([segment.columns.attributes["colour"].among(["red"]) for segment in whole.segments])
    category = whole.column("category")
    root = ONTOLOGY.position("c0") - 1
    expected = {
        Filters(price=(10, 60)).price: (
            Filters(price=(10, 60)),
            (whole.column("price") >= 10) & (whole.column("price") <= 60),
        ),
        "colour": (Filters(attributes={"colour": "red"}), colour),
        "category": (Filters(category=ONTOLOGY.ids[root]), (category >= root) & (category < ONTOLOGY.end[root])),
        "age": (Filters(max_age_days=10), whole.column("created_at") >= NOW - 10 * DAY),
    }
    for filters, passing in expected.values():
        mask = whole.catalogue.mask(filters, NOW)
        np.testing.assert_array_equal(mask, passing & live)
        assert mask[:SNAPSHOT].any()
        assert mask[SNAPSHOT:].any()
    with pytest.raises(DataError, match="no attribute 'size'"):
        whole.catalogue.mask(Filters(attributes={"size": 1}), NOW)


# Rows, ids, words, counts.


def test_rows_are_gathered_from_either_segment(whole: Whole) -> None:
    rng = np.random.default_rng(4)
    for rows in (rng.integers(0, ROWS, 50), np.arange(5), np.arange(SNAPSHOT, ROWS), np.empty(0, np.int64)):
        np.testing.assert_array_equal(whole.catalogue.category(rows), whole.column("category")[rows])
        np.testing.assert_allclose(whole.catalogue.embeddings(rows), whole.vectors[rows], atol=1e-7)
        assert whole.catalogue.listings(rows.tolist()).keys() == set(rows.tolist())


def test_ids(whole: Whole) -> None:
    found = whole.catalogue.find("17")
    assert found is not None
    assert found.row == 17
    assert whole.catalogue.find("x") is None
    found = whole.catalogue.find("y")
    assert found is not None
    assert found.row == SNAPSHOT + 3


def test_counts_are_of_what_is_there(whole: Whole) -> None:
    expected = np.bincount(whole.column("category")[whole.there], minlength=len(ONTOLOGY))
    np.testing.assert_array_equal(whole.catalogue.counts(), expected)
    assert len(whole.catalogue) == ROWS - REMOVED == expected.sum()


def test_words_are_found_in_both_segments_in_one_order(whole: Whole) -> None:
    for query in ("oak", "red lamp", "chair chair table", "absent", ""):
        words = set(query.split())
        expected = {row for row, text in enumerate(whole.texts) if words and words <= set(text.split())}
        rows, scores = whole.catalogue.lexical(query, ROWS)
        assert set(rows.tolist()) == expected
        assert len(rows) == len(expected) == whole.catalogue.count(query)
        assert np.all(np.diff(scores) <= 0)
        assert whole.catalogue.lexical(query, 7)[0].tolist() == rows[:7].tolist()


def test_look_alikes_are_exact(whole: Whole) -> None:
    looks = np.concatenate([segment.visual.embeddings for segment in whole.segments]).astype(np.float64)
    query = _unit(np.random.default_rng(5).normal(size=(1, DIM)))[0]
    rows, scores = whole.catalogue.look_alikes(query, 25, whole.there)
    expected = np.sort(np.where(whole.there, looks @ query, -2))[::-1][:25]
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert whole.there[rows].all()
