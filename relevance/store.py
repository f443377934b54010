"""The listing store: what a hit shows, by row and by id. SQLite, read-only in the runtime."""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_SCHEMA = """
CREATE TABLE listings (
    row INTEGER PRIMARY KEY,
    listing_id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    category_id TEXT,
    category_source TEXT NOT NULL,
    price REAL,
    image TEXT,
    attributes TEXT NOT NULL
)
"""
_REMEMBERED = 20_000
"""Cards kept at hand, about 10 MB: what is found once is found again."""

_MAPPED = 2**34
"""Bytes of the file that are mapped and not read: processes share them, and a row costs no system call."""

_COLUMNS = "row, listing_id, title, description, category_id, category_source, price, image, attributes"
_CARD = "row, listing_id, title, price, image"


class StoredListing(NamedTuple):
    """One listing; category_source, who told the category, is "seller", "photo" or "text";
    attributes is JSON text."""

    row: int
    listing_id: str
    title: str
    description: str
    category_id: str | None
    category_source: str
    price: float | None
    image: str | None
    attributes: str

    @property
    def card(self) -> "Card":
        """What is shown of it."""
        return Card(self.row, self.listing_id, self.title, self.price, self.image)


class Card(NamedTuple):
    """What a hit shows of its listing, but for what the columns have."""

    row: int
    listing_id: str
    title: str
    price: float | None
    image: str | None


class ListingStore:
    """Think `row -> listing` and `listing id -> row`; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        uri = f"file:{path.resolve().as_posix().replace('?', '%3f').replace('#', '%23')}?mode=ro&immutable=1"
        # Opened now and held: later there may be nothing any more, or something else, at the path.
        self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self._connection.execute(f"PRAGMA mmap_size={_MAPPED}")
        self._connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        self._lock = threading.Lock()
        self._cards: dict[int, Card] = {}

    @staticmethod
    def build(path: Path, listings: Iterable[StoredListing]) -> None:
        """Writes a new store."""
        connection = sqlite3.connect(path)
        try:
            with connection:
                connection.execute(_SCHEMA)
                connection.executemany(f"INSERT INTO listings ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)", listings)
        finally:
            connection.close()

    def rows(self, rows: Sequence[int]) -> dict[int, StoredListing]:
        """Returns the listings in these rows, by row."""
        marks = ",".join("?" * len(rows))
        found = self._found(f"SELECT {_COLUMNS} FROM listings WHERE row IN ({marks})", list(rows))
        return {listing.row: listing for listing in map(StoredListing._make, found)}

    def cards(self, rows: Sequence[int]) -> dict[int, Card]:
        """Returns what is shown of the listings in these rows, by row."""
        cards = self._cards
        new = [row for row in rows if row not in cards]
        if new:
            if len(cards) >= _REMEMBERED:
                cards = self._cards = {}  # another thread may still be reading the old one
                new = list(rows)
            marks = ",".join("?" * len(new))
            found = self._found(f"SELECT {_CARD} FROM listings WHERE row IN ({marks})", new)
            cards.update((card[0], Card._make(card)) for card in found)
        return {row: cards[row] for row in rows if row in cards}

    def find(self, listing_id: str) -> StoredListing | None:
        """Returns the listing with this id, None if there is none."""
        if not storable(listing_id):
            return None
        found = self._found(f"SELECT {_COLUMNS} FROM listings WHERE listing_id = ?", (listing_id,))
        return StoredListing._make(found[0]) if found else None

    def ids(self) -> list[str]:
        """Returns the id of each listing, by row."""
        return [name for (name,) in self._found("SELECT listing_id FROM listings ORDER BY row")]

    def _found(self, select: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._connection.execute(select, values).fetchall()


def storable(text: str) -> bool:
    """Says whether SQLite can hold a text: half of a surrogate pair it cannot, so no listing has such an id."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
