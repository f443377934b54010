"""A listing that is written again is the new one alone; its photo is kept, replaced or taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from relevance import LiveEngine, NewListing, Refused, UpsertResult
from relevance.dataset import Listings
from relevance.engine import MAX_K
from tests.live_engines import WORD, ids_of


def test_a_bundle_listing_is_replaced(engine: LiveEngine, listings: Listings) -> None:
    own, before = listings.ids[0], len(engine)
    engine.upsert([NewListing(own, f"{WORD} one")])
    engine.upsert([NewListing(own, f"{WORD} two")])
    assert len(engine) == before
    assert [hit.title for hit in engine.lexical_search(WORD)] == [f"{WORD} two"]
    assert own not in ids_of(engine.lexical_search(listings.titles[0], MAX_K))
    stored = engine.get(own)
    assert stored is not None
    assert stored.title == f"{WORD} two"


def test_a_photo_is_kept_where_one_call_has_two_states_of_a_listing(engine: LiveEngine, photo: bytes) -> None:
    states = [NewListing("live", "one", image=photo, version=1), NewListing("live", "two", version=2)]
    assert engine.upsert([*states, NewListing("other", "three", price=-1.0), states[0]]) == UpsertResult(
        2,
        (Refused(2, "other", "price: expected a price of at least 0, found -1.0"),),
        (Refused(3, "live", "version 1 is not above the stored 2"),),
    )
    written = engine.get("live")
    assert written is not None
    assert (written.title, written.image, engine.photo("live")) == ("two", "live:live", photo)


def test_a_photo_is_kept_replaced_and_taken_away(engine: LiveEngine, photo: bytes) -> None:
    now = engine.current
    row = int(np.flatnonzero(now.visual.embeddings.any(axis=1))[-1])
    own = now.store.rows([row])[row]
    look = np.array(now.visual.embeddings[row])

    def looks_like() -> Any:
        stored = engine.current.catalogue.find(own.listing_id)
        assert stored is not None
        return stored.image, engine.current.catalogue.looks(np.array([stored.row]))[0]

    for _ in range(2):
        engine.upsert([NewListing(own.listing_id, WORD)])
        assert looks_like()[0] == own.image
        np.testing.assert_array_equal(looks_like()[1], look)
    engine.upsert([NewListing(own.listing_id, WORD, image=photo)])
    assert looks_like()[0] == f"live:{own.listing_id}"
    assert not np.array_equal(looks_like()[1], look)
    engine.upsert([NewListing(own.listing_id, WORD, image=b"")])
    assert looks_like()[0] is None
    assert not looks_like()[1].any()
    assert engine.photo(own.listing_id) is None


def test_a_photo_is_kept_of_an_expired_listing_that_compaction_left_out(
    engine: LiveEngine, photo: bytes, tmp_path: Path
) -> None:
    expired = [NewListing(name, WORD, image=photo, expires_at="2000-01-01") for name in ("renewed", "deleted")]
    engine.upsert(expired)
    engine.write_snapshot(tmp_path / "next")
    with LiveEngine(tmp_path / "next", live=tmp_path / "live") as after:
        after.delete(["deleted"])
        assert after.upsert([NewListing("renewed", ""), NewListing("deleted", WORD)]).accepted == 2
        renewed, deleted = after.get("renewed"), after.get("deleted")
        assert renewed is not None
        assert deleted is not None
        assert (renewed.image, after.photo("renewed")) == ("live:renewed", photo)
        assert "renewed" in ids_of(after.similar(image=photo, k=3))
        assert (deleted.image, after.photo("deleted")) == (None, None)


def test_the_look_of_a_photo_of_the_bundle_is_kept_although_compaction_left_its_listing_out(
    engine: LiveEngine, tmp_path: Path
) -> None:
    now = engine.current
    row = int(np.flatnonzero(now.visual.embeddings.any(axis=1))[-1])
    own = now.store.rows([row])[row]
    engine.upsert([NewListing(own.listing_id, WORD, expires_at="2000-01-01")])
    engine.write_snapshot(tmp_path / "next")
    with LiveEngine(tmp_path / "next", live=tmp_path / "live") as after:
        for _ in range(2):  # the second time it is among the fresh ones
            after.upsert([NewListing(own.listing_id, WORD)])
            renewed = after.current.catalogue.find(own.listing_id)
            assert renewed is not None
            assert renewed.image == own.image
            look = after.current.catalogue.looks(np.array([renewed.row]))[0]
            np.testing.assert_array_equal(look, now.visual.embeddings[row])
