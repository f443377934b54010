"""How often what a query shows is clicked once it is looked at: people click beside what they want, too, and where a
search engine shows hundreds of the wrong thing, these stray clicks are many.

A category's clicks for a query over those that its looks let expect ("clicks over expected clicks": Zhang and Jones,
Comparing Click Logs and Editorial Labels for Training Query Rewriting, WWW 2007 workshop on query log analysis).
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from relevance.events import Behaviour
from relevance.ubi import CLICK, IMPRESSION

FEWEST_LOOKS = 50
"""Impressions in a log from which on its rate of clicks is trusted."""

SMOOTHING = 1.0
"""Clicks, made and expected, that are added: a look or two say nothing."""

Key = tuple[str, int]
"""A query's text and a category."""


def click_rates(
    behaviour: Behaviour, selected: NDArray[np.bool_], rows: Mapping[str, int], category: NDArray[np.int32]
) -> dict[Key, float]:
    """Returns how many clicks were made for those that the looks let expect, at most 1, for each text of the queries
    marked in `selected` (bool `[queries]`) and each category looked at; nothing where hardly any looks were logged.
    rows: a listing's row by its id; category: int32 `[rows]`."""
    looks: Counter[Key] = Counter()
    clicks: Counter[Key] = Counter()
    kinds = category.tolist()
    events = zip(behaviour.actions, behaviour.event_query.tolist(), behaviour.event_listing, strict=True)
    for action, query, listing in events:
        if action in (IMPRESSION, CLICK) and query >= 0 and selected[query] and listing in rows:
            counted = looks if action == IMPRESSION else clicks
            counted[behaviour.queries[query], kinds[rows[listing]]] += 1
    if looks.total() < FEWEST_LOOKS:
        return {}
    usual = clicks.total() / looks.total()
    return {key: min(1.0, (clicks[key] + SMOOTHING) / (n * usual + SMOOTHING)) for key, n in looks.items()}
