"""A listing without a title is written where something else says what it is, a kept photo included."""

from __future__ import annotations

from typing import Any

import pytest

from relevance import LiveEngine, NewListing
from tests.live_engines import WORD, a_leaf, ids_of


@pytest.mark.parametrize("other", [{"description": WORD}, {"attributes": {"brand": WORD}}])
def test_a_text_elsewhere_is_found(engine: LiveEngine, other: dict[str, Any]) -> None:
    assert engine.upsert([NewListing("live", "", **other)]).accepted == 1
    assert [(hit.listing_id, hit.title) for hit in engine.lexical_search(WORD)] == [("live", "")]


def test_a_category_is_enough(engine: LiveEngine) -> None:
    assert engine.upsert([NewListing("live", " ", category_id=a_leaf(engine))]).accepted == 1
    stored = engine.get("live")
    assert stored is not None
    assert (stored.title, stored.category_id, stored.category_source) == ("", a_leaf(engine), "seller")


def test_a_photo_is_enough_as_long_as_it_is_kept(engine: LiveEngine, photo: bytes) -> None:
    assert engine.upsert([NewListing("live", "", image=photo)]).accepted == 1
    assert engine.upsert([NewListing("live", "", price=3.0)]).accepted == 1
    assert "live" not in ids_of(engine.similar("live", k=3))
    stored = engine.get("live")
    assert stored is not None
    assert (stored.title, stored.price, stored.image) == ("", 3.0, "live:live")
    refused = engine.upsert([NewListing("live", "", image=b""), NewListing("other", "")]).rejected
    told = "title: expected some text, found '', and no photo, category, description or attribute in its place"
    assert [(each.listing_id, each.reason) for each in refused] == [("live", told), ("other", told)]
    assert engine.photo("live") == photo
