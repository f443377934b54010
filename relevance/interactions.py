"""From behaviour to pairs: who searched what and chose which listing. Training and calibration read the same pairs.

A click is a pair of weight 1, a message to the seller of weight 3. A query that led to no click, but was rewritten in
the same session into one that did, borrows that one's pairs at half their weight: this is how misspelt and unusual
words come to be learned at all, since the lexical engine has nothing to show for them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relevance.events import CLICK, MESSAGE, Behaviour

WEIGHTS = {CLICK: 1.0, MESSAGE: 3.0}
REWRITE_WEIGHT = 0.5
REWRITE_GAP = np.timedelta64(10, "m")

Chosen = dict[int, list[tuple[int, float]]]


@dataclass(frozen=True)
class Interactions:
    """Weighted (query, listing) pairs, one row for each distinct pair.

    queries: the distinct query texts; query: int32 `[n]`, rows of `queries`; listing: int32 `[n]`, rows of the
    catalogue; weight: float32 `[n]`.
    """

    queries: list[str]
    query: NDArray[np.int32]
    listing: NDArray[np.int32]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.query)


def interactions(
    behaviour: Behaviour, selected: NDArray[np.bool_], rows: Mapping[str, int], *, rewrites: bool = True
) -> Interactions:
    """Returns the pairs of the queries marked in `selected` (bool `[queries]`); `rows` maps listing ids to rows."""
    chosen = _chosen(behaviour, selected, rows)
    if rewrites:
        for fruitless, fruitful in list(_rewrites(behaviour, selected, chosen)):
            chosen[fruitless] = [(row, weight * REWRITE_WEIGHT) for row, weight in chosen[fruitful]]
    weights: dict[tuple[str, int], float] = defaultdict(float)
    for query, picks in sorted(chosen.items()):
        for row, weight in picks:
            weights[behaviour.queries[query], row] += weight
    numbers: dict[str, int] = {}
    return Interactions(
        query=np.array([numbers.setdefault(text, len(numbers)) for text, _ in weights], np.int32),
        queries=list(numbers),
        listing=np.array([row for _, row in weights], np.int32),
        weight=np.array(list(weights.values()), np.float32),
    )


def _chosen(behaviour: Behaviour, selected: NDArray[np.bool_], rows: Mapping[str, int]) -> Chosen:
    chosen: Chosen = defaultdict(list)
    events = zip(behaviour.actions, behaviour.event_query.tolist(), behaviour.event_listing, strict=True)
    for action, query, listing in events:
        if action in WEIGHTS and query >= 0 and selected[query] and listing in rows:
            chosen[query].append((rows[listing], WEIGHTS[action]))
    return chosen


def _rewrites(behaviour: Behaviour, selected: NDArray[np.bool_], chosen: Chosen) -> Iterator[tuple[int, int]]:
    """Pairs of a fruitless query and the next fruitful one of its session."""
    following: dict[str, int] = {}
    for query in range(len(behaviour.queries) - 1, -1, -1):
        if not selected[query]:
            continue
        session = behaviour.query_sessions[query]
        if query in chosen:
            following[session] = query
        elif session in following:
            later = following[session]
            if behaviour.query_times[later] - behaviour.query_times[query] <= REWRITE_GAP:
                yield query, later
