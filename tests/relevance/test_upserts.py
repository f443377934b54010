"""Upserts of several requests written together: each is told what it would have been told alone."""

from pathlib import Path
from typing import Any

import pytest

import relevance
from relevance.errors import DataError
from relevance.service.upserts import upsert_together

GOOD: dict[str, Any] = {"listing_id": "a", "title": "Chair", "version": 1}
UNTITLED = {"listing_id": "b"}
NEGATIVE = {"listing_id": "c", "title": "Lamp", "price": -1}
NO_FIELD = {"listing_id": "d", "title": "Sofa", "colour": "red"}
REQUESTS: list[list[dict[str, Any]]] = [
    [GOOD],
    [UNTITLED, {"listing_id": "e", "title": "Table"}, NEGATIVE],
    [GOOD, NO_FIELD, GOOD | {"version": 2}],
    [NEGATIVE],
    [GOOD | {"version": 1}, {"listing_id": "f", "title": "Shelf"}],
]


def test_each_request_is_told_its_own(tiny_bundle: Path, tmp_path: Path) -> None:
    with relevance.open(tiny_bundle, live=tmp_path / "together") as engine:
        together = upsert_together(engine, REQUESTS)
        change = engine.versions["change"]
    with relevance.open(tiny_bundle, live=tmp_path / "alone") as engine:
        alone = [upsert_together(engine, [sent])[0] for sent in REQUESTS]
        assert engine.versions["change"] == change
    assert together == alone


def test_accepted_refused_and_ignored_are_those_of_the_rules(tiny_bundle: Path, tmp_path: Path) -> None:
    with relevance.open(tiny_bundle, live=tmp_path) as engine:
        results = upsert_together(engine, REQUESTS)
        titles = {name: listing.title for name in "abcdef" if (listing := engine.get(name))}
    assert titles == {"a": "Chair", "e": "Table", "f": "Shelf"}
    assert [result.accepted for result in results] == [1, 1, 1, 0, 1]
    assert [[each.index for each in result.rejected] for result in results] == [[], [0, 2], [1], [0], []]
    assert [[each.index for each in result.ignored] for result in results] == [[], [], [0], [], [0]]
    assert [each.listing_id for each in results[1].rejected] == ["b", "c"]


def test_where_nothing_can_be_written_all_are_told(tiny_bundle: Path) -> None:
    with relevance.open(tiny_bundle) as engine, pytest.raises(DataError, match="cannot write"):
        upsert_together(engine, REQUESTS)
