"""What a bundle answers."""

from __future__ import annotations

import numpy as np

from relevance.engine import Engine


def answered(engine: Engine, n: int) -> list[tuple[str, str]]:
    """Titles of listings that have not expired, as queries, each with the id of its first hit."""
    online = np.flatnonzero(engine.catalogue.online(np.datetime64("now", "ms")))[:n].tolist()
    titles = [listing.title for listing in engine.store.rows(online).values()]
    return [(title, engine.search(title).hits[0].listing_id) for title in titles]
