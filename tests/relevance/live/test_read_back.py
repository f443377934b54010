"""What was written can be read back, and so can what came with the bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import relevance
from relevance import LiveEngine, NewListing
from tests.live_engines import WORD, a_leaf


def test_a_written_listing_is_read_back_whole(engine: LiveEngine) -> None:
    written = {
        "listing_id": "new",
        "title": WORD,
        "description": "with a lid",
        "category_id": a_leaf(engine),
        "price": 12.5,
        "latitude": 52.5,
        "longitude": 4.25,
        "created_at": "2026-01-31T12:00:09.500Z",
        "expires_at": "2999-01-01T00:00:00.000Z",
        "locale": "nl",
        "attributes": {"colour": ["red", "blue"], "doors": 5},
        "version": 3,
    }
    engine.upsert([NewListing(**written)])
    found = engine.get("new")
    assert found is not None
    assert {name: getattr(found, name) for name in written} == written
    ontology = engine.current.ontology
    assert (found.category, found.category_source) == (ontology.path_text(ontology.position(a_leaf(engine))), "seller")
    assert found.image is None


def test_numbers_may_be_those_of_a_data_frame(engine: LiveEngine) -> None:
    frame: dict[str, Any] = {"listing_id": np.int64(7), "price": np.int64(12), "latitude": np.float32(52.5)}
    assert engine.upsert([NewListing(title=WORD, longitude=4.25, **frame)]).rejected == ()
    found = engine.get("7")
    assert found is not None
    assert (found.price, found.latitude, found.longitude) == (12.0, 52.5, 4.25)


def test_what_a_listing_does_not_tell_is_none(engine: LiveEngine) -> None:
    engine.upsert([NewListing("new", WORD)])
    found = engine.get("new")
    assert found is not None
    told = (found.price, found.latitude, found.longitude, found.created_at, found.expires_at, found.version)
    assert told == (None,) * 6
    assert (found.description, found.locale, found.attributes) == ("", "", {})


def test_a_listing_of_the_bundle_is_read_back(engine: LiveEngine) -> None:
    now = engine.current
    row = int(np.flatnonzero(~np.isnan(now.columns.latitude))[0])
    stored = now.store.rows([row])[row]
    found = engine.get(stored.listing_id)
    assert found is not None
    assert (found.title, found.attributes) == (stored.title, json.loads(stored.attributes))
    assert (found.latitude, found.longitude) == (now.columns.latitude[row], now.columns.longitude[row])
    assert np.datetime64(str(found.created_at).removesuffix("Z")) == now.columns.created_at[row]
    assert found.version is None


def test_the_version_is_that_of_the_state_that_is_shown(engine: LiveEngine, tiny_bundle: Path, tmp_path: Path) -> None:
    """A version newer than the title beside it would let a writer undo what it never saw."""
    engine.upsert([NewListing("new", f"{WORD} 1", version=1)])
    with relevance.open(tiny_bundle, live=tmp_path / "live") as other:
        for version in range(2, 30):
            other.upsert([NewListing("new", f"{WORD} {version}", version=version)])
            found = engine.get("new")
            assert found is not None
            assert found.version in (None, int(found.title.split()[1]))
    engine.refresh()
    last = engine.get("new")
    assert last is not None
    assert (last.title, last.version) == (f"{WORD} 29", 29)
