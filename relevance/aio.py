"""The engine for asyncio: each call runs in a thread, so that the event loop goes on."""

from asyncio import to_thread
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relevance.filters import Filters
from relevance.live.engine import LiveEngine
from relevance.live.listing import NewListing
from relevance.live.results import UpsertResult
from relevance.results import CategoryFilter, Fallback, Hit, Listing, SearchResult


@dataclass(frozen=True)
class AsyncEngine:
    """The operations of `LiveEngine`, to be awaited: `AsyncEngine(relevance.open("bundle"))`."""

    engine: LiveEngine

    async def search(
        self, query: str, k: int = 20, filters: Filters | None = None, deadline_ms: float | None = None
    ) -> SearchResult:
        """See `Engine.search`; the deadline counts from when a thread is free."""
        return await to_thread(self.engine.search, query, k, filters, deadline_ms)

    async def category_filter(self, query: str) -> CategoryFilter:
        """See `Engine.category_filter`."""
        return await to_thread(self.engine.category_filter, query)

    async def fallback(self, query: str, filters: Filters | None = None, k: int = 20) -> Fallback:
        """See `Engine.fallback`."""
        return await to_thread(self.engine.fallback, query, filters, k)

    async def embed_query(self, query: str) -> NDArray[np.float32]:
        """See `Engine.embed_query`."""
        return await to_thread(self.engine.embed_query, query)

    async def related(self, query: str, k: int = 5) -> tuple[str, ...]:
        """See `Engine.related`."""
        return await to_thread(self.engine.related, query, k)

    async def similar(
        self, listing_id: str | None = None, *, image: bytes | None = None, k: int = 20
    ) -> tuple[Hit, ...]:
        """See `Engine.similar`."""
        return await to_thread(self.engine.similar, listing_id, image=image, k=k)

    async def lexical_search(self, query: str, k: int = 20, filters: Filters | None = None) -> tuple[Hit, ...]:
        """See `Engine.lexical_search`."""
        return await to_thread(self.engine.lexical_search, query, k, filters)

    async def get(self, listing_id: str) -> Listing | None:
        """See `Engine.get`."""
        return await to_thread(self.engine.get, listing_id)

    async def photo(self, listing_id: str) -> bytes | None:
        """See `LiveEngine.photo`."""
        return await to_thread(self.engine.photo, listing_id)

    async def upsert(self, listings: Iterable[NewListing]) -> UpsertResult:
        """See `LiveEngine.upsert`."""
        return await to_thread(self.engine.upsert, listings)

    async def delete(self, listing_ids: Iterable[str]) -> int:
        """See `LiveEngine.delete`."""
        return await to_thread(self.engine.delete, listing_ids)
