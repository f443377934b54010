"""People searching: sessions of queries, pages, looks, clicks and messages, written down as a site's log would."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from eval.simulate.assumptions import Searchers
from eval.simulate.dice import Dice
from eval.simulate.wishes import Catalogue, Wish, Wishes
from eval.simulate.wording import first_try, next_try
from relevance.lexical import LexicalIndex
from relevance.ubi import CLICK, IMPRESSION, MESSAGE

_LOOKED_UP = 60
"""Lexical hits fetched for a page of 20, since some have expired or are not there yet."""


@dataclass
class Log:
    """UBI query and event records, and the intents behind the queries; `clicks` and `messages` count."""

    queries: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    intents: list[dict[str, Any]] = field(default_factory=list)
    sessions: int = 0

    def count(self, action: str) -> int:
        """How many events are of this action."""
        return sum(event["action_name"] == action for event in self.events)

    @property
    def zero_results(self) -> float:
        """The share of queries without a result."""
        return sum(not query["query_response_hit_ids"] for query in self.queries) / max(1, len(self.queries))


@dataclass(frozen=True)
class Site:
    """What people search: ids, visible span (epoch ms, int64) and lexical index of the listings."""

    ids: Sequence[str]
    since: NDArray[np.int64]
    until: NDArray[np.int64]
    index: LexicalIndex

    def page(self, query: str, at: int, size: int) -> list[int]:
        """Returns the rows of the first `size` hits that are online at epoch millisecond `at`."""
        wanted = _LOOKED_UP
        while True:
            rows, _ = self.index.search(query, wanted)
            online = rows[(self.since[rows] <= at) & (at < self.until[rows])]
            if len(online) >= size or len(rows) < wanted:
                return [int(row) for row in online[:size]]
            wanted *= 4


def simulate(site: Site, catalogue: Catalogue, sessions: int, end: np.datetime64, seed: int, assume: Searchers) -> Log:
    """Returns the log of `sessions` sessions over the days before `end`."""
    dice = Dice((seed, 3))
    wishes = Wishes(catalogue, dice, assume)
    last = int(end.astype("datetime64[ms]").astype(np.int64))
    starts = sorted(last - 600_000 - int(dice.uniform() * assume.days * 86_400_000) for _ in range(sessions))
    log = Log(sessions=sessions)
    for number, start in enumerate(tqdm(starts, desc="sessions", unit="session", mininterval=1)):
        _Session(site, catalogue, wishes.draw(), number, start, dice, assume, log).run()
    return log


class _Session:
    """One person with one wish."""

    def __init__(
        self,
        site: Site,
        catalogue: Catalogue,
        wish: Wish,
        number: int,
        start: int,
        dice: Dice,
        assume: Searchers,
        log: Log,
    ) -> None:
        self.site, self.catalogue, self.wish, self.log = site, catalogue, wish, log
        self.dice, self.assume = dice, assume
        self.session_id = f"s{number:07d}"
        self.client_id = f"c{dice.below(1 + number // 2):07d}"
        self.clock = start

    def run(self) -> None:
        phrase = first_try(self.wish, self.dice, self.assume)
        for attempt in range(1 + self.assume.rewrites):
            clicked, content = self._search(f"{self.session_id}-{attempt}", phrase.text, phrase.kind)
            if content or (not clicked and self.dice.chance(self.assume.gives_up)):
                return
            if clicked and self.dice.chance(self.assume.leaves):
                return
            if self.wish.translation is not None and self.dice.chance(self.assume.translates):
                self.wish = self.wish.translation
                phrase = first_try(self.wish, self.dice, self.assume)
            else:
                phrase = next_try(phrase, self.wish, self.dice, self.assume)

    def _search(self, query_id: str, text: str, kind: str) -> tuple[bool, bool]:
        """Types, looks, clicks; returns whether anything was clicked, and whether that was it."""
        page = self.site.page(text, self.clock, self.assume.page)
        self.log.queries.append(
            {
                "query_id": query_id,
                "user_query": text,
                "client_id": self.client_id,
                "timestamp": self.clock,
                "query_response_hit_ids": [self.site.ids[row] for row in page],
                "query_attributes": {"session_id": self.session_id},
            }
        )
        self.log.intents.append(self._intent(query_id, kind))
        clicked = content = False
        for position, row in enumerate(page, start=1):
            if not self.dice.chance(position**-self.assume.attention_exponent):
                continue
            self.clock += 800 + self.dice.below(1500)
            self._event(IMPRESSION, query_id, row, position)
            grade = self._grade(row)
            if self.dice.chance(self.assume.click[grade]):
                clicked = True
                self.clock += 2000 + self.dice.below(20_000)
                self._event(CLICK, query_id, row, position)
                if self.dice.chance(self.assume.message[grade]):
                    self._event(MESSAGE, query_id, row, position)
                content = content or (grade == 3 and self.dice.chance(self.assume.content))
                if content:
                    break
        self.clock += 3000 + self.dice.below(20_000)
        return clicked, content

    def _grade(self, row: int) -> int:
        position = self.catalogue.category[row]
        parent = int(self.catalogue.ontology.parent[position]) if position >= 0 else -1
        return self.wish.grade(position, self.catalogue.attributes[row], parent)

    def _event(self, action: str, query_id: str, row: int, position: int) -> None:
        self.clock += 200
        self.log.events.append(
            {
                "action_name": action,
                "query_id": query_id,
                "client_id": self.client_id,
                "session_id": self.session_id,
                "timestamp": self.clock,
                "event_attributes": {
                    "object": {"object_id": self.site.ids[row], "object_id_field": "listing_id"},
                    "position": {"ordinal": position},
                },
            }
        )

    def _intent(self, query_id: str, kind: str) -> dict[str, Any]:
        return {
            "query_id": query_id,
            "session_id": self.session_id,
            "kind": kind,
            "category_ids": [self.catalogue.ontology.ids[p] for p in sorted(self.wish.categories)],
            "constraints": self.wish.constraints,
        }
