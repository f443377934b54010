"""What is no listing is refused with the reason, and so is a folder that cannot hold any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import relevance
from relevance import LiveEngine, NewListing
from relevance.errors import DataError
from relevance.live.listing import checked
from relevance.ontology import Ontology
from tests.live_engines import WORD, ids_of


def _nested(levels: int) -> dict[str, Any]:
    return {"a": _nested(levels - 1)} if levels > 1 else {"a": "b"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"listing_id": ""}, "listing_id: expected an id, found ''"),
        ({"title": "  "}, "title: expected some text, found '  '"),
        ({"price": -1}, "price: expected a price of at least 0, found -1"),
        ({"price": float("inf")}, "price: expected a finite number, found inf"),
        ({"latitude": 91, "longitude": 0}, "latitude: expected degrees from -90 to 90, found 91"),
        ({"latitude": 5}, "longitude: expected a number, since the row has a latitude, found None"),
        ({"expires_at": "soon"}, "expires_at: expected an ISO 8601 time"),
        ({"category_id": "nope"}, "category_id: expected a category_id of categories.csv or nothing, found 'nope'"),
        ({"attributes": "[1]"}, "attributes: expected a JSON object, found '[1]'"),
        ({"attributes": {"a": float("nan")}}, "attributes: expected text or values that JSON has"),
        ({"attributes": {"a": object()}}, "attributes: expected text or values that JSON has"),
        ({"attributes": _nested(51)}, "attributes: expected a JSON object with at most 50 levels, found more"),
        ({"attributes": json.loads('{"a": [' * 300 + "]}" * 300)}, "at most 50 levels, found more"),
        ({"title": "\ud800"}, "title: expected text or values that JSON has"),
        ({"listing_id": "\ud800"}, "listing_id: expected text or values that JSON has"),
        ({"locale": "\ud800"}, "locale: expected text or values that JSON has"),
        ({"description": "x" * 200_000}, "description: expected at most 100,000 bytes"),
        ({"image": b"nothing like a photo"}, "image: expected a photo, but it is not an image"),
        ({"image": "path.jpg"}, "image: expected the bytes of a photo, found str"),
        ({"version": 1.5}, "version: expected a whole number of 64 bits, found 1.5"),
        ({"version": 2**63}, "version: expected a whole number of 64 bits"),
    ],
)
def test_what_is_no_listing_is_refused_and_the_others_are_written(
    engine: LiveEngine, fields: dict[str, Any], reason: str
) -> None:
    bad = NewListing(**{"listing_id": "bad", "title": WORD} | fields)
    result = engine.upsert([NewListing("good", WORD), bad, NewListing("fine", WORD)])
    assert (result.accepted, len(result.rejected)) == (2, 1)
    assert (result.rejected[0].index, result.rejected[0].listing_id) == (1, bad.listing_id)
    assert reason in result.rejected[0].reason
    assert sorted(ids_of(engine.lexical_search(WORD))) == ["fine", "good"]


def test_attributes_with_as_many_levels_as_there_may_be_are_kept(engine: LiveEngine) -> None:
    attributes = _nested(50)
    assert engine.upsert([NewListing("nested", WORD, attributes=attributes)]).accepted == 1
    found = engine.get("nested")
    assert found is not None
    assert found.attributes == attributes


def test_times_are_one_instant_however_they_are_written() -> None:
    ontology = Ontology.from_paths(["a"], [("A",)])
    ways = ["2030-05-31T12:00:00Z", "2030-05-31T14:00:00+02:00", 1_906_459_200_000, "2030-05-31 12:00"]
    assert {checked(NewListing("x", "x", expires_at=way), ontology).expires_at for way in ways} == {1_906_459_200_000}


def test_what_is_no_list_of_listings_is_refused(engine: LiveEngine) -> None:
    wrong: list[tuple[Any, str]] = [
        (NewListing("a", "b"), "got NewListing"),
        ([{"listing_id": "a", "title": "b"}], "got dict at 0"),
        ([NewListing("a", "b"), "c"], "got str at 1"),
    ]
    for given, reason in wrong:
        with pytest.raises(DataError, match=f"upsert: expected a list of relevance.NewListing, {reason}"):
            engine.upsert(given)
    assert engine.get("a") is None


def test_after_it_was_closed_nothing_is_written(tiny_bundle: Path, tmp_path: Path) -> None:
    engine = relevance.open(tiny_bundle, live=tmp_path)
    engine.close()
    with pytest.raises(DataError, match="this engine was closed"):
        engine.upsert([NewListing("a", "b")])


def test_without_a_folder_nothing_can_be_written(tiny_bundle: Path) -> None:
    engine = relevance.open(tiny_bundle)
    for write in (lambda: engine.upsert([NewListing("a", "b")]), lambda: engine.delete(["a"])):
        with pytest.raises(DataError, match="live=FOLDER"):
            write()
    assert engine.refresh() is False
    assert engine.search("lamp").versions.keys() == {"bundle", "fingerprint"}


def test_a_folder_that_is_none_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be used as a store of live listings"):
        relevance.open(tiny_bundle, live=tmp_path / "file")
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "live.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match=r"live\.sqlite.*not a database"):
        relevance.open(tiny_bundle, live=tmp_path / "live")
