"""The listing store: what was put in comes out, by row and by id, in any thread."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from relevance.store import ListingStore, StoredListing


def _listing(row: int, listing_id: str, **changes: object) -> StoredListing:
    listing = StoredListing(row, listing_id, f"title {row}", "", "7", "seller", 9.5, "images/1.jpg", "{}")
    return listing._replace(**changes)  # type: ignore[arg-type]


LISTINGS = [
    _listing(0, "a"),
    _listing(1, "a/b?c#d", category_id=None, category_source="none", price=None, image=None),
    _listing(2, "Ünï'; DROP TABLE listings; --", title="任天堂\n“x”", attributes=json.dumps({"colour": ["red", 1]})),
    _listing(3, "", description="long " * 10_000),
]


@pytest.fixture
def store(tmp_path: Path) -> ListingStore:
    path = tmp_path / "odd #name?.sqlite"
    ListingStore.build(path, LISTINGS)
    return ListingStore(path)


def test_by_row(store: ListingStore) -> None:
    assert store.rows([2, 0, 3, 1]) == dict(enumerate(LISTINGS))
    assert store.rows([1, 99]) == {1: LISTINGS[1]}
    assert store.rows([]) == {}
    assert store.cards([2, 0]) == {row: LISTINGS[row].card for row in (0, 2)}
    assert store.cards([]) == {}


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: f"row {listing.row}")
def test_by_id(store: ListingStore, listing: StoredListing) -> None:
    assert store.find(listing.listing_id) == listing


def test_unknown_id(store: ListingStore) -> None:
    assert store.find("A") is None
    assert store.find("%") is None


def test_no_listing_has_an_id_that_is_no_text(store: ListingStore) -> None:
    assert store.find("\ud800") is None


def test_it_goes_on_answering_when_its_file_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    ListingStore.build(path, LISTINGS)
    store = ListingStore(path)
    path.unlink()
    path.write_bytes(b"another file")
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(store.rows, [0]).result() == {0: LISTINGS[0]}
    assert store.ids() == [listing.listing_id for listing in LISTINGS]


def test_attributes_are_decoded(store: ListingStore) -> None:
    assert json.loads(store.rows([2])[2].attributes) == {"colour": ["red", 1]}


def test_threads_share_a_store(store: ListingStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: store.rows([i % 4])[i % 4], range(400)))
    assert found == [LISTINGS[i % 4] for i in range(400)]


def test_the_runtime_cannot_write(store: ListingStore) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store._connection.execute("DELETE FROM listings")


def test_a_repeated_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        ListingStore.build(tmp_path / "store", [_listing(0, "a"), _listing(1, "a")])
