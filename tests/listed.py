"""What a dataset's listings say, and which are online."""

import numpy as np

from relevance.dataset import Listings, listing_text
from relevance.text import tokens


def words_of(listings: Listings, i: int) -> set[str]:
    text = listing_text(listings.titles[i], listings.descriptions[i], listings.attributes[i])
    return set(tokens(text, limit=None))


def online(listings: Listings, now: np.datetime64 | None = None) -> list[int]:
    now = np.datetime64("now", "ms") if now is None else now
    return [i for i in range(len(listings)) if not listings.expires_at[i] <= now]
