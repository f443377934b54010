"""Which queries are shown as related, and which were searched together."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.events import Behaviour
from relevance.interactions import REWRITE_GAP
from relevance.seen import query_key
from relevance.ubi import CLICK, MESSAGE

FEWEST_SESSIONS = 3
"""Sessions that a query must occur in to be shown: what a single person typed is nobody else's concern."""

MOST_QUERIES = 20_000
KEPT = 10
"""Queries kept that were searched together with one."""

_WINDOW = 5
"""Searches of a session that count as together."""


class Together(NamedTuple):
    """queries: those that may be shown; rows: for each query of the log, rows of those searched together with it."""

    queries: list[str]
    rows: dict[str, list[int]]


def searched_together(behaviour: Behaviour, selected: NDArray[np.bool_]) -> Together:
    """Counts in how many sessions two queries stand together, among those marked in `selected`, bool `[queries]`.

    Shown may be what led to a choice, and so is spelt as listings are and finds some, in three sessions or more; the
    most frequent 20,000 of these.
    """
    keys = [query_key(query) for query in behaviour.queries]
    sessions: Counter[str] = Counter()
    pairs: dict[str, Counter[str]] = defaultdict(Counter)
    for rows in visits(behaviour, selected):
        asked = [keys[row] for row in rows if keys[row]]
        sessions.update(set(asked))
        for one, other in {(a, b) for i, a in enumerate(asked) for b in asked[i + 1 : i + _WINDOW] if a != b}:
            pairs[one][other] += 1
            pairs[other][one] += 1
    chosen = {
        keys[query]
        for action, query in zip(behaviour.actions, behaviour.event_query.tolist(), strict=True)
        if action in (CLICK, MESSAGE) and query >= 0 and selected[query]
    }
    frequent = [query for query in chosen - {""} if sessions[query] >= FEWEST_SESSIONS]
    shown = sorted(sorted(frequent, key=lambda query: (-sessions[query], query))[:MOST_QUERIES])
    row = {query: number for number, query in enumerate(shown)}
    found: dict[str, list[int]] = {}
    for query in sorted(pairs):
        if sessions[query] >= FEWEST_SESSIONS:
            counts = sorted(((-n, other) for other, n in pairs[query].items() if other in row))
            found[query] = [row[other] for _, other in counts[:KEPT]]
    return Together(shown, {query: rows for query, rows in found.items() if rows})


def visits(behaviour: Behaviour, selected: NDArray[np.bool_]) -> Iterator[list[int]]:
    """Yields the searches of each session, in time; one that pauses for more than ten minutes is another one then."""
    by_session: dict[str, list[int]] = defaultdict(list)
    for row in np.flatnonzero(selected).tolist():
        by_session[behaviour.query_sessions[row]].append(row)
    for rows in by_session.values():
        visit = rows[:1]
        for before, row in pairwise(rows):
            if behaviour.query_times[row] - behaviour.query_times[before] > REWRITE_GAP:
                yield visit
                visit = []
            visit.append(row)
        yield visit
