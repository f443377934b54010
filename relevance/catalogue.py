"""What can be found at one moment: an immutable snapshot, the listings written since, and what these replaced.

Rows are counted through: first those of the snapshot, then those of the fresh segment.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from relevance.columns import Columns
from relevance.filters import Filters, Mask
from relevance.ontology import Ontology
from relevance.store import Card, ListingStore, StoredListing
from relevance.vectors import Rows, Scores, VectorIndex, highest, within
from relevance.wanted import Said, meets

Ranges = Sequence[tuple[int, int]]
"""Ranges [first, end) of positions in the ontology: whole subtrees."""

MANY = 1000
"""Rows of its categories that are what a query says of attributes, from which on they need not be looked for."""

FITS = 0.7
"""What makes a value a third less likely may be chance; what halves it is not meant."""

_PIECE = 4096
"""Rows looked at together: what is made of them stays in the processor's cache."""

_NONE: Rows = np.empty(0, np.int64)
_MS = np.dtype("datetime64[ms]")
_FOREVER = 2**62
_NOT_YET: tuple[int, int, Mask] = (_FOREVER, _FOREVER, np.empty(0, np.bool_))
"""Since when and until when a mask holds, as milliseconds: comparing `datetime64` takes as long as all else here."""


class Listed(Protocol):
    """Listings by row of the catalogue."""

    def rows(self, rows: Sequence[int]) -> dict[int, StoredListing]:
        """Returns the listings in these rows, by row."""

    def cards(self, rows: Sequence[int]) -> dict[int, Card]:
        """Returns what is shown of the listings in these rows, by row."""


class Words(Protocol):
    """The words of a segment, with its own rows."""

    def search(self, query: str, k: int, every: bool = True) -> tuple[Rows, Scores]:
        """Returns the `k` best rows with every word of `query`, or with any, and their BM25 scores."""

    def count(self, query: str) -> int:
        """Returns how many rows have every word of `query`."""


@dataclass(frozen=True, eq=False)
class Segment:
    """Listings with all that is searched of them, one row each; words: as `relevance.qualifiers.word_rows` has them."""

    columns: Columns
    words: NDArray[np.integer[Any]]
    vectors: VectorIndex
    visual: VectorIndex
    lexical: Words
    store: Listed


class Catalogue:
    """Two segments, less the rows `removed`. It never changes, so a query that holds one sees one state.

    latest: the row of each listing written since the snapshot, None where it was deleted.
    """

    def __init__(self, ontology: Ontology, snapshot: Segment, store: ListingStore) -> None:
        """store: that of the snapshot."""
        self.ontology = ontology
        self.snapshot, self._store = snapshot, store
        self.fresh: Segment | None = None
        self.first_fresh = len(snapshot.columns)
        self.removed = _NONE
        self._latest: Mapping[str, int | None] = {}
        # The snapshot's rows lie in ontology order: category p has those from _starts[p] to _starts[p + 1].
        self._starts = np.searchsorted(snapshot.columns.category, np.arange(len(ontology) + 1))
        self._lasting = _Lasting(snapshot.columns)
        self._online = _NOT_YET

    def after(self, fresh: Segment, removed: Rows, latest: Mapping[str, int | None]) -> "Catalogue":
        """Returns the same snapshot with other changes since."""
        catalogue = copy.copy(self)
        catalogue.fresh, catalogue.removed, catalogue._latest = fresh, removed, latest
        catalogue._online = _NOT_YET
        return catalogue

    def __len__(self) -> int:
        """Listings, expired ones included."""
        return self.first_fresh + (len(self.fresh.columns) if self.fresh else 0) - len(self.removed)

    def counts(self) -> NDArray[np.int64]:
        """Returns int64 `[categories]`: listings on each category itself."""
        counts = np.diff(self._starts)
        if self.fresh is not None:
            counts = counts + np.bincount(self.fresh.columns.category, minlength=len(counts))
        if len(self.removed):
            counts = counts - np.bincount(self.category(self.removed), minlength=len(counts))
        return np.asarray(counts, np.int64)

    # Of given rows.

    def category(self, rows: Rows) -> NDArray[np.int32]:
        """Returns the ontology position of each of `rows`, int32 `[n]`."""
        return np.asarray(self.gather(rows, lambda segment: segment.columns.category))

    def embeddings(self, rows: Rows) -> NDArray[np.float32]:
        """Returns the vectors of `rows` in the joint space, float32 `[n, dim]`."""
        return np.asarray(self.gather(rows, lambda segment: segment.vectors.embeddings))

    def cosines(self, query: NDArray[np.float32], rows: Rows) -> Scores:
        """Returns the cosine of `query` (float32 `[dim]`) with each of `rows`, float32 `[n]`."""
        if self.fresh is None:
            return self.snapshot.vectors.cosines(query, rows)
        return np.asarray(np.vecdot(self.embeddings(rows), query))

    def words(self, rows: Rows) -> NDArray[np.integer[Any]]:
        """Returns the words of `rows`, `[n, WORDS]`."""
        return np.asarray(self.gather(rows, lambda segment: segment.words))

    def meets(self, said: Said, rows: Rows) -> NDArray[np.float32]:
        """Returns how well `rows` are what a query says of attributes, float32 `[n]`: see `relevance.wanted.meets`."""
        if self.fresh is None or not (late := rows >= self.first_fresh).any():
            return meets(said, self.snapshot.columns, rows)
        met = np.empty(len(rows), np.float32)
        met[~late] = meets(said, self.snapshot.columns, rows[~late])
        met[late] = meets(said, self.fresh.columns, rows[late] - self.first_fresh)
        return met

    def looks(self, rows: Rows) -> NDArray[np.float32]:
        """Returns the visual embeddings of `rows`, float32 `[n, visual_dim]`, zeros without a usable photo."""
        return np.asarray(self.gather(rows, lambda segment: segment.visual.embeddings))

    def listings(self, rows: Sequence[int]) -> dict[int, StoredListing]:
        """Returns the listings in `rows`, by row."""
        found = self.snapshot.store.rows([row for row in rows if row < self.first_fresh])
        if self.fresh is not None:
            found |= self.fresh.store.rows([row for row in rows if row >= self.first_fresh])
        return found

    def cards(self, rows: Sequence[int]) -> dict[int, Card]:
        """Returns what a hit shows of the listings in `rows`, by row."""
        if self.fresh is None:
            return self.snapshot.store.cards(rows)
        found = self.snapshot.store.cards([row for row in rows if row < self.first_fresh])
        return found | self.fresh.store.cards([row for row in rows if row >= self.first_fresh])

    def find(self, listing_id: str) -> StoredListing | None:
        """Returns the listing with this id, None if there is none; an expired one is found."""
        if listing_id not in self._latest:
            return self._store.find(listing_id)
        row = self._latest[listing_id]
        return None if row is None else self.listings([row])[row]

    def held(self, row: int) -> tuple[Columns, int]:
        """Returns the columns of the segment that has `row`, and its row there."""
        if self.fresh is None or row < self.first_fresh:
            return self.snapshot.columns, row
        return self.fresh.columns, row - self.first_fresh

    def expired(self, row: int, now: np.datetime64) -> bool:
        """Whether the listing in `row` has expired at `now`."""
        columns, own = self.held(row)
        return bool(columns.expires_at[own] <= now)

    def gather(self, rows: Rows, of: Callable[[Segment], NDArray[Any]]) -> NDArray[Any]:
        """Returns `of(segment)` at `rows`, from whichever segment holds each."""
        own = of(self.snapshot)
        if self.fresh is None or not (late := rows >= self.first_fresh).any():
            return own.take(rows, axis=0)
        gathered = np.empty((len(rows), *own.shape[1:]), own.dtype)
        gathered[~late] = own[rows[~late]]
        gathered[late] = of(self.fresh)[rows[late] - self.first_fresh]
        return gathered

    # Over all rows.

    def mask(self, filters: Filters, now: np.datetime64) -> Mask:
        """Returns bool `[rows]`, read-only: there, not expired at `now`, and passing every filter. Raises DataError
        for a category or an attribute that the catalogue does not have."""
        if not filters.active():
            return self.online(now)
        return self._masked(lambda columns: filters.mask(columns, self.ontology, now))

    def nearest(
        self, query: NDArray[np.float32], k: int, mask: Mask, ranges: Ranges | None = None
    ) -> tuple[Rows, Scores]:
        """Returns the `k` rows nearest to `query` (float32 `[dim]`) among those in `mask`, nearest first, and their
        cosines; fewer only where fewer pass. ranges: of the categories to look in, all when None."""
        slices = None if ranges is None else self._slices(ranges)
        found = self.snapshot.vectors.search(query, k, mask[: self.first_fresh], slices)
        if self.fresh is None:
            return found
        passing = mask[self.first_fresh :]
        if ranges is not None:
            passing = passing & within(self.fresh.columns.category, ranges)
        return self._merged(found, self.fresh.vectors.search(query, k, passing), k)

    def around(self, query: NDArray[np.float32], k: int, mask: Mask, ranges: Ranges) -> tuple[Rows, Scores]:
        """Returns rows of `mask`, once each and in no order, and their cosines with `query`: nearly always all of the
        `k` nearest, and of the `k` nearest in the categories of `ranges`."""
        rows, scores = self.snapshot.vectors.around(query, k, mask[: self.first_fresh], self._slices(ranges))
        if self.fresh is None:
            return rows, scores
        passing, inside = mask[self.first_fresh :], within(self.fresh.columns.category, ranges)
        cosines = self.fresh.vectors.all_cosines(query)
        late = np.concatenate([highest(cosines, k, passing & ~inside), highest(cosines, k, passing & inside)])
        return np.concatenate([rows, late + self.first_fresh]), np.concatenate([scores, cosines[late]])

    def _slices(self, ranges: Ranges) -> list[tuple[int, int]]:
        return [(int(self._starts[first]), int(self._starts[end])) for first, end in ranges]

    def look_alikes(self, look: NDArray[np.float32], k: int, mask: Mask) -> tuple[Rows, Scores]:
        """Returns the `k` rows in `mask` that look most like `look` (float32 `[visual_dim]`), and their cosines."""
        found = self.snapshot.visual.search(look, k, mask[: self.first_fresh])
        if self.fresh is None:
            return found
        return self._merged(found, self.fresh.visual.search(look, k, mask[self.first_fresh :]), k)

    def lexical(self, query: str, k: int, every: bool = True) -> tuple[Rows, Scores]:
        """Returns the `k` rows with every word of `query` (or with any) and the highest BM25 scores, best first; rows
        that were removed or have expired are among them."""
        found = self.snapshot.lexical.search(query, k, every)
        if self.fresh is None:
            return found
        return self._merged(found, self.fresh.lexical.search(query, k, every), k)

    def count(self, query: str) -> int:
        """Returns how many rows have every word of `query`; those removed count until the next compaction."""
        return self.snapshot.lexical.count(query) + (self.fresh.lexical.count(query) if self.fresh else 0)

    def _merged(self, found: tuple[Rows, Scores], fresh: tuple[Rows, Scores], k: int) -> tuple[Rows, Scores]:
        rows = np.concatenate([found[0], fresh[0] + self.first_fresh])
        scores = np.concatenate([found[1], fresh[1]])
        best = np.argsort(-scores, kind="stable")[:k]
        return rows[best], scores[best]

    def _masked(self, passing: Callable[[Columns], Mask]) -> Mask:
        mask = passing(self.snapshot.columns)
        if self.fresh is not None:
            mask = np.concatenate([mask, passing(self.fresh.columns)])
        mask[self.removed] = False
        return mask

    def fitting(
        self, query: NDArray[np.float32], k: int, said: Said, ranges: Ranges, mask: Mask
    ) -> tuple[Rows, Scores]:
        """Returns, of the rows of `mask` in `ranges` that come close to being as well what is said of attributes as any
        there, the `k` nearest to `query`, and their cosines; none where MANY are, since then some are among the nearest
        of all."""
        looked, well, many = [_NONE], [np.empty(0, np.float32)], 0
        for piece in self._inside(ranges, mask):
            met = self.meets(said, piece)
            looked.append(piece)
            well.append(met)
            # None is better than all that is said, 0: these fit whatever comes.
            many += int(np.count_nonzero(met >= -FITS))
            if many > MANY:
                return _NONE, np.empty(0, np.float32)
        rows, met = np.concatenate(looked), np.concatenate(well)
        rows = rows[met >= met.max(initial=-np.inf) - FITS]
        if len(rows) > MANY:
            return _NONE, np.empty(0, np.float32)
        scores = self.cosines(query, rows)
        best = np.argsort(-scores, kind="stable")[:k]
        return rows[best], scores[best]

    def _inside(self, ranges: Ranges, mask: Mask) -> Iterator[Rows]:
        """The rows of `mask` in these ranges of categories, a piece at a time."""
        for first, end in self._slices(ranges):
            for start in range(first, end, _PIECE):
                yield start + mask[start : min(start + _PIECE, end)].nonzero()[0]
        if self.fresh is not None:
            inside = within(self.fresh.columns.category, ranges) & mask[self.first_fresh :]
            yield self.first_fresh + np.flatnonzero(inside)

    def online(self, now: np.datetime64) -> Mask:
        """Returns the mask without filters, read-only. It holds until the next listing expires: most queries make
        none, and after a change only that of the fresh rows."""
        since, until, mask = self._online
        at = _milliseconds(now)
        if since <= at < until:
            return mask
        until, mask = self._lasting.at(now)
        if self.fresh is None:
            mask = mask.copy()
        else:
            sooner, late = _Lasting(self.fresh.columns).at(now)
            until, mask = min(until, sooner), np.concatenate([mask, late])
        mask[self.removed] = False
        mask.flags.writeable = False
        self._online = (at, until, mask)
        return mask


class _Lasting:
    """Which of the rows of one segment have not expired; shared by all catalogues over it."""

    def __init__(self, columns: Columns) -> None:
        self._expires_at = columns.expires_at
        self._known = _NOT_YET

    def at(self, now: np.datetime64) -> tuple[int, Mask]:
        """Returns until when it holds (milliseconds), and bool `[rows]`."""
        since, until, mask = self._known
        at = _milliseconds(now)
        if not since <= at < until:
            until, mask = _next_expiry(self._expires_at, now), ~(self._expires_at <= now)
            self._known = (at, until, mask)
        return until, mask


def _next_expiry(expires_at: NDArray[np.datetime64], now: np.datetime64) -> int:
    to_come = expires_at[expires_at > now]
    return _milliseconds(to_come.min()) if len(to_come) else _FOREVER


def _milliseconds(time: np.datetime64) -> int:
    return int((time if time.dtype == _MS else time.astype(_MS)).view(np.int64))
