"""The engine in asynchronous code."""

from __future__ import annotations

import asyncio

from relevance import LiveEngine, NewListing
from relevance.aio import AsyncEngine
from tests.live_engines import WORD


def test_the_engine_is_awaited(engine: LiveEngine) -> None:
    async def use() -> None:
        awaited = AsyncEngine(engine)
        assert (await awaited.upsert([NewListing("a", WORD)])).accepted == 1
        results = await asyncio.gather(*(awaited.search(WORD, 50) for _ in range(4)))
        assert {result.hits for result in results} == {engine.search(WORD, 50).hits}
        assert await awaited.related(WORD) == engine.related(WORD)
        assert (await awaited.embed_query(WORD)).tolist() == engine.embed_query(WORD).tolist()
        assert await awaited.category_filter(WORD) == engine.category_filter(WORD)
        assert await awaited.fallback(WORD, k=3) == engine.fallback(WORD, k=3)
        assert await awaited.similar("a") == ()
        assert await awaited.lexical_search(WORD) == engine.lexical_search(WORD)
        assert await awaited.photo("a") is None
        assert await awaited.get("a") == engine.get("a")
        assert await awaited.delete(["a"]) == 1

    asyncio.run(use())
