"""What a running service holds, and what is measured of it when somebody asks."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from relevance.engine import Engine
from relevance.event_log import EventLog
from relevance.query_profile import QueryProfile
from relevance.service.metrics import Metrics
from relevance.service.settings import Settings
from relevance.suggestions import Suggester


class State:
    """One worker's engine, threads and counts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine = Engine(settings.bundle)
        self.suggester = Suggester.of(self.engine)
        self.metrics = Metrics()
        self.events = EventLog(settings.events) if settings.events else None
        # What takes long: photos, listings. Searches take less than a change of threads costs.
        self.threads = ThreadPoolExecutor(2, thread_name_prefix="service")

    def close(self) -> None:
        """Ends what runs beside the requests; what was recorded is on disk."""
        self.threads.shutdown()
        if self.events is not None:
            self.events.close()

    def gauges(self) -> Iterator[tuple[str, str, float]]:
        """What Prometheus is told of the catalogue and of how far the latest queries are from the calibration's."""
        built = datetime.fromisoformat(self.engine.manifest["created_at"])
        age = (datetime.now(UTC) - built).total_seconds()
        yield "relevance_listings", "Listings that can be found.", len(self.engine)
        yield "relevance_snapshot_age_seconds", "Time since the bundle was built.", age
        expected, recent = QueryProfile.from_manifest(self.engine.manifest), tuple(self.metrics.recent)
        if expected is None or not recent:
            return
        found = QueryProfile.of(recent, self.engine.towers, self.engine.categories)
        yield "relevance_drift_queries", "Latest queries that the drift is told from.", found.queries
        yield (
            "relevance_query_embedding_shift",
            "Distance of their mean vector from the calibration's, 0 to 2.",
            found.embedding_shift(expected),
        )
        yield (
            "relevance_category_mix_shift",
            "Population stability index of their categories against the calibration's.",
            found.mix_shift(expected),
        )
        yield "relevance_strange_queries_share", "Share of them far from every category.", found.strange
        yield "relevance_strange_queries_expected_share", "The same of the calibration's queries.", expected.strange
