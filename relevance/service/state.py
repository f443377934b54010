"""What a running service holds, and what is measured of it when somebody asks."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

from relevance.bundle import open_manifest
from relevance.deployment import bundle_at
from relevance.engine import Engine
from relevance.event_log import EventLog
from relevance.live.engine import LiveEngine
from relevance.live.results import UpsertResult
from relevance.live.store import LiveStore
from relevance.micro_batches import MicroBatches
from relevance.service.drift import Drift
from relevance.service.interpreter import Answering, kept, unhurried
from relevance.service.metrics import Gauge, Metrics
from relevance.service.settings import MOST_LARGE, Settings
from relevance.service.upserts import Sent, upsert_together
from relevance.suggestions import Suggester

SMALL = 25
"""Most listings of a request that is written together with others."""


def check(settings: Settings) -> None:
    """Raises BundleError or DataError for what no `State` could be made of. The engine is not opened for it: that takes
    long, and the memory would stay with who asks."""
    open_manifest(bundle_at(settings.bundle))
    if settings.live is not None:
        LiveStore(settings.live).close()
    if settings.events is not None:
        EventLog(settings.events).close()


class State:
    """One worker's engine, threads and counts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.answering = Answering()
        with kept():
            self.engine = LiveEngine(settings.bundle, live=settings.live, opening=partial(unhurried, self.answering))
            self.engine.current.warm()
        self.metrics, self._drift = Metrics(), Drift()
        self.events = EventLog(settings.events) if settings.events else None
        # Searches take less than a change of threads costs; photos take long, and writers wait for each other.
        self.threads = ThreadPoolExecutor(2, thread_name_prefix="photos")
        self.writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._small: MicroBatches[Sent, UpsertResult] = MicroBatches(
            partial(upsert_together, self.engine), most=MOST_LARGE, wait=0.0
        )
        self._suggester = self._new_suggester()

    def close(self) -> None:
        """Ends what runs beside the requests; what was written and recorded is on disk."""
        self.threads.shutdown()
        self.writer.shutdown()
        self._small.close()
        if self.events is not None:
            self.events.close()
        self.engine.close()

    def upsert(self, sent: Sent) -> "Future[UpsertResult]":
        """Writes the listings of a request. Small ones that come while others are written are written together next: a
        slow disk slows each, not all of them. Nobody waits for a large one but who sent it."""
        if len(sent) <= SMALL:
            return self._small.submit(sent)
        return self.writer.submit(lambda: upsert_together(self.engine, [sent])[0])

    @property
    def suggester(self) -> Suggester:
        """Of the bundle in use, and of the categories that have listings now."""
        made_for, suggester = self._suggester
        if made_for != _suggested(self.engine.current):
            self._suggester = _, suggester = self._new_suggester()
        return suggester

    def _new_suggester(self) -> tuple[tuple[str, bytes], Suggester]:
        current, live = self.engine.current, self.engine
        return _suggested(current), Suggester.of(current, lambda text: live.current.catalogue.count(text))

    def gauges(self) -> Iterator[Gauge]:
        """What Prometheus is told of the catalogue and of how far the latest queries are from the calibration's."""
        engine, status = self.engine.current, self.engine.status()
        age = (datetime.now(UTC) - datetime.fromisoformat(status.built_at)).total_seconds()
        yield Gauge("relevance_listings", "Listings, expired ones included.", len(engine))
        yield Gauge("relevance_snapshot_age_seconds", "Time since the snapshot in use was written.", age)
        yield Gauge("relevance_fresh_listings", "Listings written since the snapshot.", status.fresh)
        removed = status.removed / status.rows
        yield Gauge("relevance_tombstone_share", "Share of the rows that no longer count.", removed)
        yield Gauge(
            "relevance_refresh_failing",
            "1 where the latest bundle or listings cannot be taken in and the last ones go on answering, else 0.",
            float(status.failure is not None),
        )
        yield from self._drift.gauges(engine, self.metrics.recent)


def _suggested(engine: Engine) -> tuple[str, bytes]:
    """What suggestions depend on: the bundle's words, and which categories have listings."""
    return engine.versions["bundle"], engine.categories.empty.tobytes()
