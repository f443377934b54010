"""The store of live listings: states by change, versions, photos, several connections, and files that are none."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relevance.errors import DataError
from relevance.live.encoder import Encoding
from relevance.live.listing import LiveListing
from relevance.live.store import LiveStore, Write

ENCODING = Encoding("c", "seller", np.arange(4, dtype=np.float32), np.zeros(3, np.float32))


def _listing(listing_id: str, title: str = "title") -> LiveListing:
    return LiveListing(listing_id, title, "", "c", 9.5, None, None, None, 1_900_000_000_000, "", {"a": ["x", 1]})


def _write(listing_id: str, title: str = "title", version: int | None = None, photo: bytes | None = None) -> Write:
    return Write(_listing(listing_id, title), version, photo, "models", ENCODING)


@pytest.fixture
def store(tmp_path: Path) -> LiveStore:
    return LiveStore(tmp_path / "live")


def test_what_is_written_is_read(store: LiveStore) -> None:
    assert store.upsert([_write("a", "任 “x” \x00"), _write("b")]) == [None, None]
    first, second = store.since(0)
    assert (first.change, first.listing_id, first.version, first.models) == (1, "a", None, "models")
    assert first.listing == _listing("a", "任 “x” \x00")
    assert first.encoding is not None
    assert (first.encoding.category_id, first.encoding.source) == ("c", "seller")
    np.testing.assert_array_equal(first.encoding.joint, ENCODING.joint)
    np.testing.assert_array_equal(first.encoding.visual, ENCODING.visual)
    assert second.change == 2
    assert list(store.since(2)) == []
    assert store.get("c") is None


def test_a_listing_has_one_state_and_its_changes_grow(store: LiveStore) -> None:
    for n in range(3):
        store.upsert([_write("a", str(n)), _write("b", str(n))])
    assert [(state.listing_id, state.change) for state in store.since(0)] == [("a", 5), ("b", 6)]
    assert store.delete(["a", "c", "d"], elsewhere=["c"]) == 2
    assert [(s.listing_id, s.change, s.listing is None) for s in store.since(5)] == [
        ("b", 6, False),
        ("a", 7, True),
        ("c", 8, True),
        ("d", 9, True),  # which another bundle may have
    ]
    assert store.delete(["a", "c", "d"], elsewhere=["c"]) == 0
    assert [state.change for state in store.since(6)] == [7, 8, 9]


def test_since_reads_in_pages(store: LiveStore) -> None:
    store.upsert([_write(f"n{n}") for n in range(25)])
    for limit in (1, 7, 25, 100):
        assert [state.change for state in store.since(3, limit)] == list(range(4, 26))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.none() | st.integers(-3, 6) | st.just("delete")), max_size=12))
def test_versions_by_the_rules_alone(
    tmp_path_factory: pytest.TempPathFactory, operations: list[tuple[str, int | str | None]]
) -> None:
    store = LiveStore(tmp_path_factory.mktemp("live"))
    titles: dict[str, str | None] = {}
    versions: dict[str, int | None] = {}
    for n, (listing_id, version) in enumerate(operations):
        stored = versions.get(listing_id)
        if isinstance(version, str):
            assert store.delete([listing_id], ()) == (titles.get(listing_id) is not None)
            titles[listing_id] = None
            continue
        stale = version is not None and stored is not None and version <= stored
        assert store.upsert([_write(listing_id, str(n), version)]) == [stored if stale else None]
        if not stale:
            titles[listing_id] = str(n)
            versions[listing_id] = version if version is not None else None if stored is None else stored + 1
    states = {state.listing_id: state for state in store.since(0)}
    assert {name: state.listing.title if state.listing else None for name, state in states.items()} == titles
    assert {name: state.version for name, state in states.items()} == {name: versions.get(name) for name in titles}
    store.close()


def test_photos(store: LiveStore) -> None:
    store.upsert([_write("a", photo=b"one"), _write("b", photo=b"two"), _write("c")])
    store.upsert([_write("a", "kept"), _write("b", photo=b"")])
    assert [store.photo(name) for name in "abc"] == [b"one", None, None]
    store.upsert([_write("a", photo=b"other", version=1)])
    store.upsert([_write("a", photo=b"stale", version=1)])
    assert store.photo("a") == b"other"
    store.delete(["a"], ())
    assert store.photo("a") is None


def test_another_connection_is_noticed(store: LiveStore, tmp_path: Path) -> None:
    before = store.mark()
    assert store.mark() == before
    other = LiveStore(tmp_path / "live")
    assert other.id == store.id
    other.upsert([_write("a")])
    between = store.mark()
    assert store.mark() == between != before
    store.upsert([_write("b")])
    assert store.mark() != between
    assert [state.listing_id for state in other.since(0)] == ["a", "b"]


def test_after_the_last_version_there_is_still_one_without(store: LiveStore) -> None:
    last = 2**63 - 1
    assert store.upsert([_write("a", "first", last)]) == [None]
    assert store.upsert([_write("a", "second"), _write("b", "other")]) == [None, None]
    states = {state.listing_id: state for state in store.since(0)}
    assert [(states[name].version, states[name].listing.title) for name in "ab"] == [(last, "second"), (None, "other")]


def test_a_transaction_is_whole_or_not_at_all(store: LiveStore) -> None:
    broken = _write("b")._replace(models=object())
    with pytest.raises(sqlite3.Error):
        store.upsert([_write("a"), broken])
    assert list(store.since(0)) == []
    assert store.upsert([_write("a")]) == [None]


def test_a_writer_that_does_not_end_is_told(store: LiveStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relevance.live.store.BUSY_SECONDS", 0.05)
    other = LiveStore(tmp_path / "live")
    with store._transaction(), pytest.raises(DataError, match="another process has been writing"):
        other.upsert([_write("a")])
    assert other.upsert([_write("a")]) == [None]


def test_another_format_is_refused(store: LiveStore, tmp_path: Path) -> None:
    store.close()
    with sqlite3.connect(tmp_path / "live" / "live.sqlite") as connection:
        connection.execute("UPDATE store SET format = 9")
    connection.close()
    with pytest.raises(DataError, match=r"live\.sqlite: live store format 9, this version reads 1"):
        LiveStore(tmp_path / "live")


def test_a_field_of_a_later_version_is_left_out() -> None:
    text = _listing("a").to_json()
    assert LiveListing.from_json(text[:-1] + ', "later": 1}') == _listing("a") == LiveListing.from_json(text)
