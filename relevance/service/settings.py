"""What the service is told at its start, and its limits."""

from dataclasses import dataclass, field
from pathlib import Path

MAX_BODY_BYTES = 20 * 2**20
"""Longest body of a photo or of a batch of listings, ids or events, in bytes."""

MAX_QUERY_BYTES = 64 * 2**10
"""Longest body of a search with its filters, in bytes."""

MOST_LARGE = 8
"""Requests with a large body that are held at once, of writers, and as many of others: each may take `MAX_BODY_BYTES`,
and a photo 200 MB to decode."""

MAX_BATCH = 1000
"""Most listings, ids or events of one request."""

SENDING_SECONDS = 300
"""Longest that an answer may take to be fetched, once it is there: photos over a slow line."""

GRACE = 25
"""Seconds that running requests have after SIGTERM."""


@dataclass(frozen=True)
class Settings:
    """bundle: what is searched; live: the folder of the listings changed since, None: none can be changed; events:
    where behaviour is recorded, None: nowhere; images: the folder that the listings' photos are relative to, None:
    only photos of live ones are shown; token: what a writer has to know, None: nobody may write; queue: requests
    answered at once, the next are turned away; deadline: seconds until an answer begins, from the request's head on."""

    bundle: Path
    live: Path | None = None
    events: Path | None = None
    images: Path | None = None
    token: str | None = field(default=None, repr=False)
    queue: int = 64
    deadline: float = 10.0
