"""The source of truth for what was written since a bundle was built: one SQLite database in WAL mode.

Each listing has one row, its last state, numbered by the change that made it; a reader that knows change n reads the
rows above n. What was acknowledged is on disk. Any number of processes may read and write; writes take turns.
"""

import sqlite3
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataError, DiskFullError, StoreBusyError
from relevance.live.encoder import Encoding
from relevance.live.listing import LiveListing
from relevance.store import storable

FORMAT = 1
BUSY_SECONDS = 10.0
"""How long a write waits for its turn."""

_SCHEMA = """
CREATE TABLE store (format INTEGER NOT NULL, id TEXT NOT NULL);
CREATE TABLE listings (
    listing_id TEXT PRIMARY KEY,
    version INTEGER,
    change INTEGER NOT NULL UNIQUE,
    changed_at INTEGER NOT NULL,
    listing TEXT,
    models TEXT,
    category_id TEXT,
    category_source TEXT,
    joint BLOB,
    visual BLOB
);
CREATE TABLE photos (listing_id TEXT PRIMARY KEY, photo BLOB NOT NULL);
"""
_LAST_VERSION = _LAST_CHANGE = 2**63 - 1
_UPSERT = "INSERT OR REPLACE INTO listings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_STATE = "change, listing_id, version, listing, models, category_id, category_source, joint, visual"

CHANGED = "changed"
"""What comes of a write that keeps the photo of a listing which somebody else has changed since it was looked at."""


class Write(NamedTuple):
    """A listing to write with what the models `models` made of it. photo: its bytes, None to keep what is there, b""
    for none; version None: written whatever is stored, one version above it, as long as there is one; looked_at: where
    the photo is kept, the last change known when the listing was looked at for it."""

    listing: LiveListing
    version: int | None
    photo: bytes | None
    models: str
    encoding: Encoding
    looked_at: int = _LAST_CHANGE


class State(NamedTuple):
    """The last state of a listing; listing is None once it was deleted, and with it models and encoding."""

    change: int
    listing_id: str
    version: int | None
    listing: LiveListing | None
    models: str | None
    encoding: Encoding | None


class LiveStore:
    """The database in a folder, made where there is none; safe to share between threads.

    read_only: makes and writes nothing and waits for nobody who writes; the store has to be there. Raises DataError
    for a folder that cannot be used and for a database that is no live store.
    """

    def __init__(self, folder: Path, read_only: bool = False) -> None:
        self.path, self.read_only = folder / "live.sqlite", read_only
        self._writing, self._reading = threading.Lock(), threading.Lock()
        self._closed, self._folded = False, 0
        if read_only and not self.path.is_file():
            raise DataError(
                f"{folder}: no live listings there (no {self.path.name}); the first process to write makes it"
            )
        try:
            if not read_only:
                folder.mkdir(parents=True, exist_ok=True)
            self._writer, self._reader = self._connect(), self._connect()
            self.id = self._described() if read_only else self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise DataError(f"{self.path}: cannot be used as a store of live listings ({error})") from error

    def close(self) -> None:
        """Closes the database; the store is of no use afterwards."""
        with self._writing, self._reading:
            self._closed = True
            self._writer.close()
            self._reader.close()

    # Writing.

    def upsert(self, writes: Sequence[Write]) -> list[int | str | None]:
        """Writes all in one transaction; returns for each None, or the stored version where that is not below it, or
        CHANGED (it was then left as it is). Once this returns, what was written survives whatever happens to the
        process. Raises StoreBusyError where another process has been writing for too long, DiskFullError where there
        is no room."""
        with self._transaction() as connection:
            return [self._put(connection, write) for write in writes]

    def delete(self, listing_ids: Collection[str], elsewhere: Collection[str]) -> int:
        """Marks listings as deleted, also those that are not here: another bundle may have them. Returns how many were
        there. elsewhere: those of them that the bundle has."""
        deleted = 0
        with self._transaction() as connection:
            for listing_id in filter(storable, dict.fromkeys(listing_ids)):
                select = "SELECT version, listing IS NOT NULL FROM listings WHERE listing_id = ?"
                version, there = connection.execute(select, (listing_id,)).fetchone() or (None, None)
                if there == 0:
                    continue
                state = (listing_id, version, self._next(connection), _now(), *[None] * 6)
                connection.execute(_UPSERT, state)
                connection.execute("DELETE FROM photos WHERE listing_id = ?", (listing_id,))
                deleted += there == 1 or listing_id in elsewhere
        return deleted

    def _put(self, connection: sqlite3.Connection, write: Write) -> int | str | None:
        listing_id, encoding = write.listing.listing_id, write.encoding
        select = "SELECT version, change FROM listings WHERE listing_id = ?"
        stored, change = connection.execute(select, (listing_id,)).fetchone() or (None, 0)
        if write.version is not None and stored is not None and write.version <= stored:
            return int(stored)
        if write.photo is None and change > write.looked_at:
            return CHANGED
        version = write.version
        if version is None and stored is not None:
            version = min(stored + 1, _LAST_VERSION)
        state = (
            listing_id,
            version,
            self._next(connection),
            _now(),
            write.listing.to_json(),
            write.models,
            encoding.category_id,
            encoding.source,
            encoding.joint.astype(np.float32).tobytes(),
            encoding.visual.astype(np.float32).tobytes(),
        )
        connection.execute(_UPSERT, state)
        if write.photo:
            connection.execute("INSERT OR REPLACE INTO photos VALUES (?, ?)", (listing_id, write.photo))
        elif write.photo is not None:
            connection.execute("DELETE FROM photos WHERE listing_id = ?", (listing_id,))
        return None

    def number_above(self, change: int) -> None:
        """Numbers changes above `change` from now on. A bundle may have been made of more of them than are here, where
        the store was put back from a copy: what has one of their numbers would count as part of that bundle."""
        self._folded = max(self._folded, change)

    def _next(self, connection: sqlite3.Connection) -> int:
        last = connection.execute("SELECT coalesce(max(change), 0) FROM listings").fetchone()[0]
        return max(int(last), self._folded) + 1

    # Reading.

    def mark(self) -> int:
        """Returns a number that is another one after anything was written; costs microseconds."""
        with self._reading:
            return int(self._reader.execute("PRAGMA data_version").fetchone()[0])

    def since(self, change: int, limit: int = 1000) -> Iterator[State]:
        """Yields the states made after `change`, in the order of their changes, as they are now."""
        while True:
            select = f"SELECT {_STATE} FROM listings WHERE change > ? ORDER BY change LIMIT ?"
            with self._reading:
                rows = self._reader.execute(select, (change, limit)).fetchall()
            yield from map(_state, rows)
            if len(rows) < limit:
                return
            change = rows[-1][0]

    def get(self, listing_id: str) -> State | None:
        """Returns the state of a listing that was ever written here, else None."""
        select = f"SELECT {_STATE} FROM listings WHERE listing_id = ?"
        row = self._row(select, listing_id)
        return None if row is None else _state(row)

    def version(self, listing_id: str, change: int) -> int | None:
        """Returns the version of a listing, None where it has none or was changed again after `change`."""
        row = self._row("SELECT version, change FROM listings WHERE listing_id = ?", listing_id)
        return None if row is None or row[1] > change else row[0]

    def photo(self, listing_id: str) -> bytes | None:
        """Returns the bytes of the photo that a listing was written with, None without one."""
        row = self._row("SELECT photo FROM photos WHERE listing_id = ?", listing_id)
        return None if row is None else bytes(row[0])

    def _row(self, select: str, listing_id: str) -> Any:
        """What there is of one listing, None where there is nothing, or nothing any more: who asks may do so while
        another thread closes the store."""
        if not storable(listing_id):
            return None
        with self._reading:
            return None if self._closed else self._reader.execute(select, (listing_id,)).fetchone()

    # The database.

    def _connect(self) -> sqlite3.Connection:
        # Mode rw creates nothing, and falls back to reading where that is all that is allowed. With mode ro the last
        # to close would leave files behind that the next writer, another user, might not be allowed to write.
        uri = f"{self.path.absolute().as_uri()}?mode={'rw' if self.read_only else 'rwc'}"
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None, cached_statements=64
        )
        if self.read_only:
            connection.execute("PRAGMA query_only = ON")
            return connection
        connection.execute("PRAGMA journal_mode = WAL")
        # Each commit is on disk before it is acknowledged: also a power cut loses nothing.
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _prepare(self) -> str:
        with self._transaction() as connection:
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not tables:
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute("INSERT INTO store VALUES (?, ?)", (FORMAT, uuid.uuid4().hex))
        return self._described()

    def _described(self) -> str:
        """The store's id, once its format is one that can be read."""
        found = self._reader.execute("SELECT format, id FROM store").fetchone()
        if found is None or found[0] != FORMAT:
            raise DataError(f"{self.path}: live store format {found and found[0]!r}, this version reads {FORMAT}")
        return str(found[1])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self.read_only:
            raise DataError(f"{self.path}: opened to be read only, so nothing can be written")
        with self._writing:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
                raise StoreBusyError(
                    f"{self.path}: another process has been writing for {BUSY_SECONDS:.0f} seconds; try again"
                ) from error
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException as error:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                    told = f"{self.path}: the disk is full, nothing was written; make room there"
                    raise DiskFullError(told) from error
                raise


def _state(row: tuple[int, str, int | None, str | None, str, str, str, bytes, bytes]) -> State:
    change, listing_id, version, listing, models, category_id, source, joint, visual = row
    if listing is None:
        return State(change, listing_id, version, None, None, None)
    encoding = Encoding(category_id, source, _vector(joint), _vector(visual))
    return State(change, listing_id, version, LiveListing.from_json(listing), models, encoding)


def _vector(content: bytes) -> NDArray[np.float32]:
    return np.frombuffer(content, np.float32)


def _now() -> int:
    return time.time_ns() // 1_000_000
