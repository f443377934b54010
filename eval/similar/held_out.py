"""What people took for alike in the last 15 % of the time, which training does not read: listings chosen (clicked, or
their seller asked) for one query."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataError
from relevance.events import Behaviour
from relevance.interactions import Interactions, interactions
from relevance.splits import TEST, time_split
from relevance.text import tokens

MOST_ANCHORS = 50
"""Listings of one query that are asked with: a query that leads everywhere is one query among others."""
Rows = NDArray[np.int64]
Choices = dict[str, list[int]]
"""Words of a query -> rows of the listings chosen for it, ascending."""


@dataclass(frozen=True)
class Asked:
    """Co-clicks, one anchor a row. query `[m]`: the text; anchor int64 `[m]`: a listing chosen for it; others: for each
    anchor the rows of the other listings chosen for it, at least one."""

    query: list[str]
    anchor: Rows
    others: list[Rows]

    def __len__(self) -> int:
        return len(self.query)

    def take(self, rows: Rows) -> "Asked":
        """Returns the anchors at `rows`."""
        picked = rows.tolist()
        return Asked([self.query[i] for i in picked], self.anchor[rows], [self.others[i] for i in picked])


def asked(choices: Choices, leave_out: Mapping[str, list[int]] | None = None, seed: int = 0) -> Asked:
    """Returns the anchors of the queries with two or more choices; at most MOST_ANCHORS of one query, drawn at random.
    leave_out: co-clicks of another time, which do not count again."""
    known = _together(leave_out or {})
    rng = np.random.default_rng(seed)
    query, anchor, others = [], [], []
    for text, rows in choices.items():
        picked = rows if len(rows) <= MOST_ANCHORS else sorted(rng.choice(rows, MOST_ANCHORS, replace=False).tolist())
        for row in picked:
            rest = [other for other in rows if other != row and other not in known.get(row, ())]
            if rest:
                query.append(text)
                anchor.append(row)
                others.append(np.array(rest, np.int64))
    return Asked(query, np.array(anchor, np.int64), others)


def _together(choices: Mapping[str, list[int]]) -> dict[int, set[int]]:
    """Row -> the rows chosen for a query of its own."""
    found: dict[int, set[int]] = defaultdict(set)
    for rows in choices.values():
        for row in rows:
            found[row].update(rows)
    return found


def read_choices(behaviour: Behaviour, rows: Mapping[str, int]) -> tuple[Choices, Choices, Interactions]:
    """Returns what was chosen in the test span, what before it, and the latter with weights. rows: listing id -> row of
    the listings to look at. Raises DataError where no query of the test span has two choices."""
    test = time_split(behaviour.query_times) == TEST
    late, early = (interactions(behaviour, part, rows, rewrites=False) for part in (test, ~test))
    choices = _by_text(late)
    if not any(len(own) > 1 for own in choices.values()):
        raise DataError(
            "events: expected a query of the last 15 % in time for which two listings with a usable photo were chosen, "
            f"found none among {int(test.sum())} queries; a longer log is needed to measure similar listings"
        )
    return choices, _by_text(early), early


def _by_text(pairs: Interactions) -> Choices:
    found: dict[str, set[int]] = defaultdict(set)
    for query, row in zip(pairs.query.tolist(), pairs.listing.tolist(), strict=True):
        found[" ".join(tokens(pairs.queries[query]))].add(row)
    return {text: sorted(rows) for text, rows in found.items() if text}


def popular(pairs: Interactions, n: int) -> Rows:
    """Returns the `n` most chosen rows, int64 `[n]`, the most chosen first; -1 where no other was chosen."""
    weight = np.bincount(pairs.listing, pairs.weight, minlength=n)
    most = np.argsort(-weight, kind="stable")[:n]
    return np.where(weight[most] > 0, most, -1)
