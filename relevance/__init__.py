"""Search relevance for classifieds and marketplaces.

    >>> import relevance
    >>> engine = relevance.open("build/demo/bundle")        # doctest: +SKIP
    >>> engine.search("gaming keyboard").hits[0].title      # doctest: +SKIP

`relevance.search(...)` does the same with the bundle that the environment variable RELEVANCE_BUNDLE names.
"""

import os
from functools import lru_cache
from pathlib import Path

from relevance.engine import Engine
from relevance.errors import ArtifactError, BundleError, DataError, RelevanceError
from relevance.filters import Filters
from relevance.live.engine import LiveEngine
from relevance.live.listing import NewListing
from relevance.live.results import LiveStatus, Refused, UpsertResult
from relevance.results import CategoryFilter, CategoryScore, Fallback, Hit, Listing, SearchResult

__all__ = [
    "ArtifactError",
    "BundleError",
    "CategoryFilter",
    "CategoryScore",
    "DataError",
    "Engine",
    "Fallback",
    "Filters",
    "Hit",
    "Listing",
    "LiveEngine",
    "LiveStatus",
    "NewListing",
    "Refused",
    "RelevanceError",
    "SearchResult",
    "UpsertResult",
    "open",
    "search",
]


def open(
    bundle: str | Path, *, live: str | Path | None = None, read_only: bool = False, threads: int = 1
) -> LiveEngine:
    """Opens a bundle, or the one in use in a folder kept by `python -m index promote`, which is then followed.

    live: a folder of this machine for the listings written while people search; without one nothing can be written.
    Open it in each process, not before a fork: what looks for changes is a thread, and a fork takes none along.
    read_only: `live` is read and followed, never made or written.
    threads: how many cores one model call may use.
    Raises BundleError naming what is missing, altered, of an unknown format version or from another build, DataError
    for a folder `live` that cannot be used, or fewer than one of `threads`.
    """
    return LiveEngine(bundle, live=live, read_only=read_only, threads=threads)


def search(query: str, k: int = 20, filters: Filters | None = None) -> SearchResult:
    """Searches the bundle named by $RELEVANCE_BUNDLE, opened at the first call."""
    path = os.environ.get("RELEVANCE_BUNDLE")
    if not path:
        raise BundleError("RELEVANCE_BUNDLE is not set: name a bundle folder in it, or use relevance.open(path)")
    return _engine(path).search(query, k, filters)


@lru_cache(maxsize=1)
def _engine(path: str) -> LiveEngine:
    return open(path)
