"""Which queries are shown as related, and which were searched together."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.events import Behaviour
from relevance.interactions import REWRITE_GAP
from relevance.seen import query_key
from relevance.ubi import CLICK, MESSAGE
from relevance.written import as_written

FEWEST_PEOPLE = 3
"""People who typed a query, for it to be shown: what a single person typed is nobody else's concern."""

MOST_QUERIES = 20_000
KEPT = 10
"""Queries kept that were searched together with one."""

_WINDOW = 5
"""Searches of a session that count as together."""


class Together(NamedTuple):
    """queries: those that may be shown; rows: for each query of the log, rows of those searched together with it;
    typed: how most people typed a query that may be shown, where FEWEST_PEOPLE typed it alike."""

    queries: list[str]
    rows: dict[str, list[int]]
    typed: dict[str, str]


def searched_together(behaviour: Behaviour, selected: NDArray[np.bool_]) -> Together:
    """Counts how often two queries stand together in a visit, among those marked in `selected`, bool `[queries]`.

    Shown may be what led to a choice, and so is spelt as listings are and finds some, of three people or more; the
    20,000 queries of most people among these.
    """
    keys = _keys(behaviour)
    people = _people(behaviour, selected, keys)
    pairs: dict[str, Counter[str]] = defaultdict(Counter)
    for rows in visits(behaviour, selected):
        asked = [keys[row] for row in rows if keys[row]]
        near = ((a, b) for i, a in enumerate(asked) for b in asked[i + 1 : i + _WINDOW])
        for one, other in {(min(a, b), max(a, b)) for a, b in near if a != b and a in people and b in people}:
            pairs[one][other] += 1
            pairs[other][one] += 1
    chosen = {
        keys[query]
        for action, query in zip(behaviour.actions, behaviour.event_query.tolist(), strict=True)
        if action in (CLICK, MESSAGE) and query >= 0 and selected[query]
    }
    frequent = sorted(chosen & people.keys(), key=lambda query: (-people[query], query))
    shown = sorted(frequent[:MOST_QUERIES])
    row = {query: number for number, query in enumerate(shown)}
    found: dict[str, list[int]] = {}
    for query in sorted(pairs):
        counts = sorted(((-n, other) for other, n in pairs[query].items() if other in row))
        found[query] = [row[other] for _, other in counts[:KEPT]]
    typed = {query: text for query, text in _typed(behaviour, selected).items() if query in row}
    return Together(shown, {query: rows for query, rows in found.items() if rows}, typed)


def _keys(behaviour: Behaviour) -> list[str]:
    """The key of each query; equal ones are one text in memory."""
    known = {query: query_key(query) for query in set(behaviour.queries)}
    return [known[query] for query in behaviour.queries]


def _typed(behaviour: Behaviour, selected: NDArray[np.bool_]) -> dict[str, str]:
    """How most people typed each key that FEWEST_PEOPLE typed alike, without what does not print."""
    known = {query: as_written(query) for query in set(behaviour.queries)}
    people = _people(behaviour, selected, [known[query] for query in behaviour.queries])
    rising = sorted(people, key=lambda text: (people[text], text))
    return {query_key(text): text for text in rising if text.isprintable()}


def _people(behaviour: Behaviour, selected: NDArray[np.bool_], keys: Sequence[str]) -> dict[str, int]:
    """How many people typed each of `keys` that FEWEST_PEOPLE did: clients or, where these are not told, sessions."""
    numbers: dict[str, int] = {}
    query = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)[selected]
    known: dict[tuple[str, str], int] = {}
    who = zip(behaviour.client_ids, behaviour.query_sessions, strict=True)
    named = ((client, "") if client else ("", session) for client, session in who)
    person = np.array([known.setdefault(one, len(known)) for one in named], np.int64)[selected]
    distinct = np.unique(query * len(known) + person)
    counts = np.bincount(distinct // max(len(known), 1), minlength=len(numbers)).tolist()
    return {key: counts[number] for key, number in numbers.items() if key and counts[number] >= FEWEST_PEOPLE}


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
