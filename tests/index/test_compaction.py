"""Compaction: a snapshot holds all that was written to the live listings, and takes the place of the bundle in use."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import index.promote
import relevance
from index.promote import promote
from relevance import LiveEngine, NewListing
from relevance.deployment import Deployment, bundle_at
from relevance.engine import MAX_K, Engine
from relevance.errors import DataError
from tests.live_engines import WORD


def _state(engine: Engine) -> dict[str, Any]:
    """Everything that is known of each listing that has not expired."""
    catalogue = engine.catalogue
    rows = np.flatnonzero(catalogue.online(np.datetime64("now", "ms")))
    listings = catalogue.listings(rows.tolist())
    state = {}
    for row in rows.tolist():
        one = np.array([row])
        columns = [
            catalogue.gather(one, lambda segment, name=name: getattr(segment.columns, name))[0]
            for name in ("category", "price", "latitude", "longitude", "created_at", "expires_at")
        ]
        vectors = catalogue.embeddings(one)[0].tobytes(), catalogue.looks(one)[0].tobytes()
        state[listings[row].listing_id] = (listings[row]._replace(row=0), str(columns), vectors)
    return state


def test_a_snapshot_holds_the_state_it_was_written_of(bundle: Path, tmp_path: Path) -> None:
    with LiveEngine(bundle, live=tmp_path / "live") as engine:
        now = engine.current
        names = list(now.columns.attributes)
        stored = list(now.store.rows(range(20)).values())
        engine.upsert(
            NewListing(
                f"n{n}",
                f"{WORD} {n}",
                price=n,
                locale="xx",
                expires_at="2999-01-01",
                attributes={names[0]: f"v{n % 3}"},
            )
            for n in range(30)
        )
        engine.upsert(
            [NewListing("gone", WORD, expires_at="2000-01-01"), NewListing(stored[0].listing_id, f"{WORD} again")]
        )
        engine.delete(["n3", *(listing.listing_id for listing in stored[1:5])])
        engine.write_snapshot(tmp_path / "next")
        after = Engine(tmp_path / "next")
        assert _state(after) == _state(engine.current)
        assert (np.diff(after.columns.category) >= 0).all()
        assert after.manifest["listings"] == len(after)
        for filters in (relevance.Filters(locale="xx"), relevance.Filters(attributes={names[0]: ["v1", "v2"]})):
            found = {hit.listing_id for hit in engine.lexical_search(WORD, MAX_K, filters)}
            assert {hit.listing_id for hit in after.lexical_search(WORD, MAX_K, filters)} == found
            assert found
        # Over the next snapshot nothing is fresh, and what is written from now on is.
        with LiveEngine(tmp_path / "next", live=tmp_path / "live") as later:
            assert (later.status().fresh, later.status().removed) == (0, 0)
            engine.upsert([NewListing("late", WORD)])
            later.refresh()
            assert later.status().fresh == 1
            assert _state(later.current) == _state(engine.current)
        # Another store's numbers mean nothing here.
        with LiveEngine(tmp_path / "next", live=tmp_path / "fresh store") as elsewhere:
            elsewhere.upsert([NewListing("x", WORD)])
            assert elsewhere.get("x") is not None


def test_a_deployment_is_compacted_in_place(bundle: Path, root: Path, tmp_path: Path) -> None:
    live = tmp_path / "live"
    first = promote(bundle, root).bundle
    with relevance.open(root, live=live) as engine:
        for number in itertools.count():
            engine.upsert([NewListing(f"n{number}", WORD)])
            if number == 2:
                break
        assert index.promote.compact_bundle(root, live, None) == len(_state(engine.current))
        engine.refresh()
        assert (engine.status().fresh, engine.status().removed) == (0, 0)
        assert len(engine.lexical_search(WORD)) == 3
        assert bundle_at(root) != first
        assert Deployment(root).previous is None
    with pytest.raises(DataError, match="typo: no live listings there"):
        index.promote.compact_bundle(root, tmp_path / "typo", None)
    assert not (tmp_path / "typo").exists()
    with pytest.raises(DataError, match="leave out --out"):
        index.promote.compact_bundle(root, live, tmp_path / "out")
    with pytest.raises(DataError, match="name the bundle to write by --out"):
        index.promote.compact_bundle(bundle, live, None)
    assert index.promote.compact_bundle(bundle, live, tmp_path / "out") == len(_state(Engine(tmp_path / "out")))


def test_compacting_needs_a_deployment(bundle: Path, tmp_path: Path) -> None:
    with LiveEngine(bundle, live=tmp_path / "live") as engine, pytest.raises(DataError, match="not a folder kept by"):
        engine.compact()
