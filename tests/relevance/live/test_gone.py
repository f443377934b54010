"""A listing that was deleted or has expired is gone at once, and may come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import relevance
from relevance import LiveEngine, NewListing
from relevance.dataset import Listings
from relevance.engine import MAX_K
from relevance.errors import DataError
from relevance.live.store import LiveStore
from tests.live_engines import WORD, ids_of


def test_deletion_is_immediate(engine: LiveEngine, listings: Listings) -> None:
    engine.upsert([NewListing("new", WORD)])
    before = len(engine)
    assert engine.delete(["new", listings.ids[0], "never there", "new"]) == 2
    assert len(engine) == before - 2
    assert engine.delete(["new", listings.ids[0]]) == 0
    assert engine.get("new") is None
    assert engine.get(listings.ids[0]) is None
    assert engine.search(WORD, MAX_K).fallback is not None
    assert listings.ids[0] not in ids_of(engine.lexical_search(listings.titles[0], MAX_K))
    with pytest.raises(DataError, match="no listing with id 'new'"):
        engine.similar("new")
    assert engine.upsert([NewListing("new", WORD)]).accepted == 1
    assert ids_of(engine.lexical_search(WORD)) == ["new"]


def test_what_is_deleted_is_gone_from_another_bundle_too(tiny_bundle: Path, tmp_path: Path) -> None:
    with relevance.open(tiny_bundle) as engine:
        own = engine.current.store.rows([0])[0].listing_id
    store = LiveStore(tmp_path / "live")
    assert store.delete([own], elsewhere=()) == 0  # as over a bundle that does not have it yet
    store.close()
    with relevance.open(tiny_bundle, live=tmp_path / "live") as engine:
        assert engine.get(own) is None
        assert engine.delete([own]) == 0
        assert engine.upsert([NewListing(own, WORD)]).accepted == 1
        assert engine.get(own) is not None


def test_ids_that_no_listing_can_have_are_nowhere(engine: LiveEngine) -> None:
    assert engine.delete(["\ud800", "half \udfff"]) == 0
    assert engine.get("\ud800") is None
    assert engine.photo("\ud800") is None


def test_any_iterable_of_ids_will_do_but_no_single_text(engine: LiveEngine) -> None:
    engine.upsert([NewListing("a", WORD), NewListing("b", WORD)])
    with pytest.raises(DataError, match="delete: expected a list of listing ids, got the text 'ab'"):
        engine.delete("ab")
    assert engine.delete(name for name in ("a", "b")) == 2


@pytest.mark.parametrize(("given", "found"), [(None, "NoneType"), (5, "int"), (b"ab", "bytes")])
def test_what_is_no_list_of_ids_is_refused(engine: LiveEngine, given: Any, found: str) -> None:
    with pytest.raises(DataError, match=f"delete: expected a list of listing ids, got {found}"):
        engine.delete(given)


def test_a_category_is_open_once_it_has_a_listing_and_closed_without(engine: LiveEngine) -> None:
    categories = engine.current.categories
    empty = int(np.flatnonzero(categories.empty)[0])
    engine.upsert([NewListing("new", WORD, category_id=engine.current.ontology.ids[empty])])
    assert not engine.current.categories.empty[empty]
    engine.delete(["new"])
    assert engine.current.categories.empty[empty]
    assert not categories.empty.all()


def test_expiry_is_immediate(tiny_bundle: Path, tmp_path: Path) -> None:
    hour = np.timedelta64(1, "h")
    time_now = [np.datetime64("2031-01-01T00:00:00", "ms")]
    with LiveEngine(tiny_bundle, live=tmp_path / "live", clock=lambda: time_now[0]) as engine:
        engine.upsert([NewListing("new", WORD, expires_at="2031-01-01T01:00:00Z"), NewListing("stays", WORD)])
        assert sorted(ids_of(engine.lexical_search(WORD))) == ["new", "stays"]
        assert engine.get("new") is not None
        time_now[0] += hour
        assert ids_of(engine.lexical_search(WORD)) == ["stays"]
        assert "new" not in ids_of(engine.search(WORD, MAX_K).hits)
        assert engine.get("new") is None
        time_now[0] -= hour + hour
        assert sorted(ids_of(engine.lexical_search(WORD))) == ["new", "stays"]
