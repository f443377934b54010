"""The engine of the moment: listings are written, and bundles are swapped, while it answers."""

import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relevance.deployment import Deployment, bundle_at
from relevance.engine import Clock, Engine, utc_now
from relevance.errors import DataError, quoted
from relevance.filters import Filters
from relevance.live.compaction import compact
from relevance.live.encoder import ListingEncoder
from relevance.live.fresh import Fresh
from relevance.live.listing import NewListing
from relevance.live.results import LiveStatus, Refused, UpsertResult, id_told
from relevance.live.store import CHANGED, LiveStore, State
from relevance.live.writing import distinct, drafted, encoded, listings_of, recoded
from relevance.results import CategoryFilter, Fallback, Hit, Listing, SearchResult
from relevance.text import MAX_CHARACTERS

POLL_SECONDS = 0.1
"""How often what other processes wrote is looked for."""

RETRY_SECONDS = 5.0
"""How long after a failure the next bundle is tried again."""

ASKED = 100
"""So many of the latest queries are asked of a new bundle before it is in use: what it keeps of words is then made."""

CATCHING_UP = 3
"""So many times at most, each shorter than the last, what was written while a bundle was opened is taken in before it
is in use."""

_BATCH = 256
_log = logging.getLogger(__name__)


class LiveEngine:
    """A bundle, opened, with the listings written since: the operations of `Engine`, on its state at the call.

    `root` is a bundle, or a folder that `python -m index promote` keeps: then the bundle in use is followed. With
    `live`, a folder of this machine, listings can be written; any number of processes may share it, and each sees
    what another has written within POLL_SECONDS (by a thread of its own, so that no query waits). With `read_only` the
    folder has to be there, and is only read. `current` is the state of the moment; whoever asks several questions that
    have to agree asks them of one `current`. The bundles that follow the first are opened within `opening()`.
    """

    def __init__(
        self,
        root: Path | str,
        *,
        live: Path | str | None = None,
        read_only: bool = False,
        threads: int = 1,
        clock: Clock = utc_now,
        opening: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._root, self._threads, self._clock, self._opening = Path(root), threads, clock, opening
        self._lock, self._upserting, self._swapping = threading.RLock(), threading.Lock(), threading.Lock()
        self._store = None if live is None else LiveStore(Path(live), read_only)
        self._bundle = bundle_at(self._root)
        self._current, self._fresh, self._mark = self._opened(self._bundle)
        self._asked: deque[str] = deque(maxlen=ASKED)
        self._failure: str | None = None
        self._stop = threading.Event()
        if self._store is not None or self._bundle != self._root:
            name = "relevance-refresh"
            threading.Thread(target=_poll, args=(weakref.ref(self), self._stop), daemon=True, name=name).start()

    @property
    def current(self) -> Engine:
        """The state of the moment: its bundle and its listings never change."""
        return self._current

    def __len__(self) -> int:
        """Listings, expired ones included."""
        return len(self._current)

    @property
    def versions(self) -> dict[str, str]:
        """The bundle's version and fingerprint, and the last live change seen."""
        return self._current.versions

    def status(self) -> LiveStatus:
        """Returns how far the state of the moment is from its snapshot."""
        engine = self._current
        catalogue = engine.catalogue
        fresh = len(catalogue.fresh.columns) if catalogue.fresh else 0
        return LiveStatus(
            bundle=engine.root,
            built_at=engine.manifest["created_at"],
            change=int(engine.versions.get("change", 0)),
            fresh=fresh,
            removed=len(catalogue.removed),
            rows=catalogue.first_fresh + fresh,
            failure=self._failure,
        )

    # What a person asks.

    def search(
        self, query: str, k: int = 20, filters: Filters | None = None, deadline_ms: float | None = None
    ) -> SearchResult:
        """See `Engine.search`."""
        result = self._current.search(query, k, filters, deadline_ms)
        if len(query) <= MAX_CHARACTERS:
            self._asked.append(query)
        return result

    def category_filter(self, query: str) -> CategoryFilter:
        """See `Engine.category_filter`."""
        return self._current.category_filter(query)

    def fallback(self, query: str, filters: Filters | None = None, k: int = 20) -> Fallback:
        """See `Engine.fallback`."""
        return self._current.fallback(query, filters, k)

    def embed_query(self, query: str) -> NDArray[np.float32]:
        """See `Engine.embed_query`. It is of the same models as the listings of `versions["fingerprint"]`."""
        return self._current.embed_query(query)

    def related(self, query: str, k: int = 5) -> tuple[str, ...]:
        """See `Engine.related`."""
        return self._current.related(query, k)

    def similar(self, listing_id: str | None = None, *, image: bytes | None = None, k: int = 20) -> tuple[Hit, ...]:
        """See `Engine.similar`."""
        return self._current.similar(listing_id, image=image, k=k)

    def lexical_search(self, query: str, k: int = 20, filters: Filters | None = None) -> tuple[Hit, ...]:
        """See `Engine.lexical_search`."""
        return self._current.lexical_search(query, k, filters)

    def get(self, listing_id: str) -> Listing | None:
        """See `Engine.get`; with the version that was written last."""
        engine, store = self._current, self._store
        listing = engine.get(listing_id)
        if listing is None or store is None:
            return listing
        return replace(listing, version=store.version(listing.listing_id, int(engine.versions["change"])))

    def photo(self, listing_id: str) -> bytes | None:
        """Returns the bytes of the photo that a live listing was written with; its `image` is then "live:" and its
        id. None for any other listing: the photo of one that came with the bundle lies where `image` says."""
        store = self._store
        return None if store is None else store.photo(str(listing_id))

    # What is written.

    def upsert(self, listings: Iterable[NewListing]) -> UpsertResult:
        """Writes listings, whole, and encodes them; those that can be written are, the others come back with a reason.

        Once this returns they are on disk, this engine finds them, and every other process does within a second.
        Raises DataError where no `live` folder was given, or only to be read, or another process has been writing for
        too long.
        """
        given = listings_of(listings)
        with self._upserting:
            store = self._written_store()
            results = [result for batch in distinct(given) for result in self._written(store, batch)]
        return UpsertResult(
            sum(result.accepted for result in results),
            tuple(refused for result in results for refused in result.rejected),
            tuple(refused for result in results for refused in result.ignored),
        )

    def _written(self, store: LiveStore, batch: list[tuple[int, NewListing]]) -> Iterator[UpsertResult]:
        """Writes listings of different ids, each with its place in the call; anew those that another process changed
        in between, whose photo may be another one now."""
        while batch:
            result, batch = self._write(store, batch)
            yield result

    def _write(
        self, store: LiveStore, batch: list[tuple[int, NewListing]]
    ) -> tuple[UpsertResult, list[tuple[int, NewListing]]]:
        """Writes them in one transaction; returns what came of that, and those that have to be written anew."""
        self._take_in()
        engine = self._current
        encoder = ListingEncoder(engine)
        rejected, indexes, drafts = [], [], []
        for index, new in batch:
            try:
                drafts.append(drafted(engine, encoder, store, new))
                indexes.append(index)
            except DataError as error:
                rejected.append(Refused(index, id_told(new.listing_id), str(error)))
        stored = store.upsert(encoded(encoder, drafts, int(engine.versions["change"])))
        self._take_in()
        came = list(zip(indexes, (draft.new for draft in drafts), stored, strict=True))
        changed = [(index, new) for index, new, version in came if version == CHANGED]
        ignored = tuple(
            Refused(index, str(new.listing_id), f"version {new.version} is not above the stored {version}")
            for index, new, version in came
            if version not in (None, CHANGED)
        )
        return UpsertResult(len(came) - len(changed) - len(ignored), tuple(rejected), ignored), changed

    def delete(self, listing_ids: Iterable[str]) -> int:
        """Deletes listings, of the bundle or written since; returns how many there were. An id that is nowhere here is
        remembered as deleted, too: the next bundle may have it. Raises as `upsert` does, and for what is no list."""
        expected = "delete: expected a list of listing ids"
        if isinstance(listing_ids, str):
            raise DataError(f"{expected}, got the text {quoted(listing_ids)}")
        if isinstance(listing_ids, bytes) or not isinstance(listing_ids, Iterable):
            raise DataError(f"{expected}, got {type(listing_ids).__name__}")
        gone = [str(name) for name in listing_ids]
        with self._upserting:
            store = self._written_store()
            in_bundle = [name for name in gone if self._current.store.find(name) is not None]
            deleted = store.delete(gone, in_bundle)
            self._take_in()
        return deleted

    def write_snapshot(self, out: Path) -> int:
        """Writes the state of the moment as a bundle of its own; returns its number of listings. What has expired is
        left out. Raises DataError without `live`, ArtifactError for a folder that may not be replaced."""
        store = self._written_store()
        return compact(self._current, out, self._clock(), store.id)

    def compact(self) -> int:
        """Writes the state of the moment as the deployment's next snapshot and puts it in use, so that fewer rows are
        fresh; returns its number of listings. What is written meanwhile is fresh over the new snapshot.

        It takes as long as building an index; run it beside the processes that answer. Raises DataError where the
        engine was not opened on a folder that `python -m index promote` keeps, or without `live`.
        """
        deployment = Deployment(self._root)
        if deployment.current is None:
            raise DataError(f"{self._root}: not a folder kept by `python -m index promote`, so nothing is put in use")
        with deployment.changing():
            self.refresh()
            target = deployment.place(f"{self._bundle.name.split('+')[0]}+{self.status().change}")
            listings = self.write_snapshot(target)
            deployment.switch(target, keep_previous=True)
        self.refresh()
        return listings

    def refresh(self) -> bool:
        """Takes in what was written, and the bundle that is in use, by now; returns whether anything is new:
        nothing once this engine is closed. Queries under way keep the state they began with. Raises BundleError for a
        new bundle that cannot be opened."""
        with self._swapping:
            if self._stop.is_set():
                return False
            bundle = bundle_at(self._root)
            if bundle == self._bundle:
                return self._take_in()
            with self._opening():
                engine, fresh, mark = self._opened(bundle)
                engine.warm(tuple(self._asked))
                news = self._catch_up_again(fresh)
            with self._lock:  # what was written meanwhile was taken in over the last bundle
                if self._store is not None and fresh is not None:
                    mark = self._store.mark()
                    engine = fresh.engine() if self._catch_up(self._store, fresh) or news else engine
                self._current, self._fresh, self._mark, self._bundle = engine, fresh, mark, bundle
            return True

    def _follow(self) -> bool:
        """Takes in the bundle that is in use once it is this process's turn, and until then what was written; returns
        whether the bundle in use is taken in."""
        if bundle_at(self._root) == self._bundle:
            self._take_in()
            return True
        with Deployment(self._root).opening() as ours:
            if ours:
                self._open_beside()
            else:
                self._take_in()
            return ours

    def _open_beside(self) -> None:
        """Refreshes in a thread of its own: what others write is taken in meanwhile, however long it takes."""
        failures: list[Exception] = []

        def refresh() -> None:
            try:
                self.refresh()
            except Exception as error:  # whatever it is, who waits raises it
                failures.append(error)

        opening = threading.Thread(target=refresh, daemon=True, name="relevance-opening")
        opening.start()
        while opening.is_alive():
            opening.join(POLL_SECONDS)
            self._take_in()
        if failures:
            raise failures[0]

    def _tell(self, failure: str | None) -> None:
        """Remembers why the latest state cannot be taken in, None where it is; the log is told of each change."""
        if failure == self._failure:
            return
        self._failure = failure
        if failure is None:
            _log.info("the latest state is taken in again")
        else:
            _log.error("the latest state cannot be taken in, the last one stays in use: %s", failure)

    def _take_in(self) -> bool:
        """Takes in what was written, over the bundle as it is; returns whether anything was."""
        with self._lock:
            if self._store is None or self._fresh is None or (mark := self._store.mark()) == self._mark:
                return False
            news = self._catch_up(self._store, self._fresh)
            self._mark = mark
            if news:
                self._current = self._fresh.engine()
            return news

    def close(self) -> None:
        """Stops looking for changes, once a bundle that is being opened or a write under way is done; queries are still
        answered, from the last state, but nothing can be written, nor photos of live listings be had."""
        self._stop.set()
        with self._swapping, self._upserting, self._lock:
            if self._store is not None:
                self._store.close()
            self._store = None

    def __enter__(self) -> "LiveEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _written_store(self) -> LiveStore:
        if self._stop.is_set():
            raise DataError("this engine was closed, so nothing can be written")
        if self._store is None:
            raise DataError("this engine cannot write: open it with a folder for live listings, live=FOLDER")
        return self._store

    def _opened(self, bundle: Path) -> tuple[Engine, Fresh | None, int]:
        """Opens a bundle beside the one in use, with the live listings that it does not hold itself; the third is the
        mark of the store when these were taken in."""
        base = Engine(bundle, threads=self._threads, clock=self._clock)
        if self._store is None:
            return base, None, 0
        folded = base.manifest.get("live") or {}
        change = int(folded["change"]) if folded.get("store") == self._store.id else 0
        self._store.number_above(change)
        fresh = Fresh(base, change)
        mark = self._store.mark()
        self._catch_up(self._store, fresh)
        return fresh.engine(), fresh, mark

    def _catch_up_again(self, fresh: Fresh | None) -> bool:
        """Takes in what was written while a bundle was opened, and while that was taken in, so that little is left for
        the moment in which writes have to wait; returns whether there was anything."""
        rounds = 0
        if self._store is not None and fresh is not None:
            while rounds < CATCHING_UP and self._catch_up(self._store, fresh):
                rounds += 1
        return rounds > 0

    @staticmethod
    def _catch_up(store: LiveStore, fresh: Fresh) -> bool:
        """Takes in all states after the last change seen; returns whether there were any."""
        before: int = fresh.change
        batch: list[State] = []
        encoder = ListingEncoder(fresh.base)
        for state in store.since(fresh.change):
            batch.append(state)
            if len(batch) == _BATCH:
                fresh.add(recoded(batch, encoder, store))
                batch = []
        fresh.add(recoded(batch, encoder, store))
        return fresh.change != before


def _poll(engine_of: "weakref.ref[LiveEngine]", stop: threading.Event) -> None:
    """Refreshes the engine until it is closed or gone. A new bundle that cannot be opened is tried again now and then,
    and what is written is taken in meanwhile."""
    retry_at = 0.0
    while not stop.wait(POLL_SECONDS):
        engine = engine_of()
        if engine is None:
            return
        try:
            if time.monotonic() < retry_at:
                engine._take_in()
            elif engine._follow():
                engine._tell(None)
        except Exception as error:  # whatever it is, the last state goes on answering
            retry_at = time.monotonic() + RETRY_SECONDS
            engine._tell(str(error) or repr(error))
        del engine
