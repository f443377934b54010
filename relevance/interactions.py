"""From behaviour to pairs: who searched what and chose which listing. Training and calibration read the same pairs.

A click is a pair of weight 1, a message to the seller of weight 3; what was chosen further down a page weighs more, by
how much less often hits are looked at there (inverse propensity: Joachims et al., WSDM 2017), as far as the log's
impressions tell, and what is clicked less often than usual, once it is looked at, weighs less (`click_rates`). A query
that led to no click, but was rewritten in the same session into one that did, borrows that one's pairs at half their
weight: this is how misspelt and unusual words come to be learned at all, since the lexical engine has nothing to show
for them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from relevance.click_rates import click_rates
from relevance.events import Behaviour
from relevance.text import tokens
from relevance.ubi import CLICK, IMPRESSION, MESSAGE

WEIGHTS = {CLICK: 1.0, MESSAGE: 3.0}
REWRITE_WEIGHT = 0.5
POSITIONS = 100
"""Positions that are told apart; further ones count as the last."""

FEWEST_LOOKS = 50
"""Impressions at a position from which on its share is trusted."""

EVEN = (1.0,) * (POSITIONS + 1)
HEAVIEST = 4.0
"""Weight of a choice where hits are hardly ever looked at: without a limit few of them would outweigh all others."""

REWRITE_GAP = np.timedelta64(10, "m")

Chosen = dict[int, list[tuple[int, float]]]


@dataclass(frozen=True)
class Interactions:
    """Weighted (query, listing) pairs, one row for each distinct pair.

    queries: the distinct query texts; query: int32 `[n]`, rows of `queries`; listing: int32 `[n]`, rows of the
    catalogue; weight: float32 `[n]`; repeated: those of `queries` for which several searches led to a choice, their own
    or a borrowed one; choices: float32 `[queries]`, how many clicks each led to, a message counting as three, a
    borrowed one as half of one, wherever on a page they were.
    """

    queries: list[str]
    query: NDArray[np.int32]
    listing: NDArray[np.int32]
    weight: NDArray[np.float32]
    repeated: tuple[str, ...] = ()
    choices: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    def __len__(self) -> int:
        return len(self.query)


def interactions(
    behaviour: Behaviour,
    selected: NDArray[np.bool_],
    rows: Mapping[str, int],
    category: NDArray[np.int32] | None = None,
    *,
    rewrites: bool = True,
    by_position: bool = True,
) -> Interactions:
    """Returns the pairs of the queries marked in `selected` (bool `[queries]`), those without words left out: who looks
    around and types nothing means nothing by it. `rows` maps listing ids to rows.
    category: int32 `[rows]`, of each listing; with it, choices in a category that is seldom clicked for its query weigh
    less; rewrites: a fruitless query borrows; by_position: a choice further down a page weighs more."""
    weights = position_weights(behaviour, selected) if by_position else EVEN
    selected = selected & _worded(behaviour.queries)
    chosen = _chosen(behaviour, selected, rows, weights)
    wherever = _chosen(behaviour, selected, rows, EVEN)
    choices = {query: sum(weight for _, weight in picks) for query, picks in wherever.items()}
    if category is not None:
        rates = click_rates(behaviour, selected, rows, category)
        kinds = category.tolist()
        for query, picks in chosen.items():
            text = behaviour.queries[query]
            chosen[query] = [(row, weight * rates.get((text, kinds[row]), 1.0)) for row, weight in picks]
    if rewrites:
        for fruitless, fruitful in list(_rewrites(behaviour, selected, chosen)):
            chosen[fruitless] = [(row, weight * REWRITE_WEIGHT) for row, weight in chosen[fruitful]]
            choices[fruitless] = choices[fruitful] * REWRITE_WEIGHT
    return _by_text(behaviour.queries, chosen, choices)


def _by_text(queries: Sequence[str], chosen: Chosen, choices: Mapping[int, float]) -> Interactions:
    """The pairs, those of one text together. choices: how many of each query."""
    pairs: dict[tuple[str, int], float] = defaultdict(float)
    for query, picks in sorted(chosen.items()):
        for row, weight in picks:
            pairs[queries[query], row] += weight
    numbers: dict[str, int] = {}
    searches = Counter(queries[query] for query in chosen)
    counts: dict[str, float] = defaultdict(float)
    for query, count in choices.items():
        counts[queries[query]] += count
    return Interactions(
        query=np.array([numbers.setdefault(text, len(numbers)) for text, _ in pairs], np.int32),
        queries=list(numbers),
        listing=np.array([row for _, row in pairs], np.int32),
        weight=np.array(list(pairs.values()), np.float32),
        repeated=tuple(text for text in numbers if searches[text] > 1),
        choices=np.array([counts[text] for text in numbers], np.float32),
    )


def _worded(queries: Sequence[str]) -> NDArray[np.bool_]:
    """Bool `[queries]`: which of them have words."""
    worded = {text: bool(tokens(text)) for text in set(queries)}
    return np.array([worded[text] for text in queries], np.bool_)


def _chosen(
    behaviour: Behaviour, selected: NDArray[np.bool_], rows: Mapping[str, int], weights: Sequence[float]
) -> Chosen:
    chosen: Chosen = defaultdict(list)
    positions = np.clip(behaviour.event_positions, 0, POSITIONS).tolist()
    events = zip(behaviour.actions, behaviour.event_query.tolist(), behaviour.event_listing, positions, strict=True)
    for action, query, listing, position in events:
        if action in WEIGHTS and query >= 0 and selected[query] and listing in rows:
            chosen[query].append((rows[listing], WEIGHTS[action] * weights[position]))
    return chosen


def position_weights(behaviour: Behaviour, selected: NDArray[np.bool_]) -> list[float]:
    """Returns what a choice at each position weighs, from 1 on to POSITIONS and, at 0, where the position is not known:
    how much more often the first hit of a page is looked at than this one, at most HEAVIEST. Looked at means an
    impression of a query marked in `selected` (bool `[queries]`); where hardly any were logged, all weigh 1."""
    hits = np.array([min(len(hits), POSITIONS) for hits in behaviour.hit_ids], np.int64)
    pages = np.bincount(hits[selected], minlength=POSITIONS + 1)[::-1].cumsum()[::-1]
    seen = np.array([action == IMPRESSION for action in behaviour.actions], np.bool_) & (behaviour.event_query >= 0)
    seen[seen] = selected[behaviour.event_query[seen]]
    at = np.clip(behaviour.event_positions[seen], 0, POSITIONS)
    looked = np.bincount(at, minlength=POSITIONS + 1)
    weights = np.ones(POSITIONS + 1)
    enough = (looked >= FEWEST_LOOKS) & (pages > 0)
    enough[0] = False
    if enough[1]:
        examined = looked / np.maximum(pages, 1)
        weights[enough] = np.clip(examined[1] / examined[enough], 1.0, HEAVIEST)
    return [float(weight) for weight in weights]


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
