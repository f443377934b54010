"""Which queries are shown, and which were searched together, counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from index import related
from index.related import searched_together, visits
from relevance.events import Behaviour
from relevance.ubi import CLICK, IMPRESSION

# Session, minute, query, whether a listing was chosen.
LOG = [
    ("a", 0, "Shoes", False),
    ("a", 1, "red shoes", True),
    ("b", 0, "shoes", True),
    ("b", 2, "sandals", True),
    ("b", 3, "shoes", False),
    ("c", 0, "sneekers", False),
    ("c", 1, "shoes", True),
    ("c", 30, "red shoes", False),  # too long after
    ("d", 0, "red shoes", False),
    ("d", 1, "shoes", False),
    ("e", 0, "sandals", False),
    ("e", 1, "sneekers", False),
    ("f", 0, "sandals", False),
    ("g", 0, "sneekers", False),
    ("h", 0, "my name", True),
    ("h", 1, "shoes", False),
]


def _behaviour() -> Behaviour:
    log = sorted(LOG, key=lambda row: row[1])
    start = np.datetime64("2026-01-01", "ms")
    times = np.array([start + np.timedelta64(minute, "m") for _, minute, _, _ in log])
    ids, n = [f"q{i}" for i in range(len(log))], len(log)
    sessions, texts = [row[0] for row in log], [row[2] for row in log]
    actions = [CLICK if chosen else IMPRESSION for *_, chosen in log]
    return Behaviour(
        ids, texts, sessions, sessions, times, [[]] * n, actions, np.arange(n, dtype=np.int32), ["l"] * n, times,
        np.full(n, 1, np.int32), 0, 0
    )  # fmt: skip


def test_a_session_that_pauses_is_two_visits() -> None:
    behaviour = _behaviour()
    found = [[behaviour.queries[row] for row in rows] for rows in visits(behaviour, np.ones(len(LOG), np.bool_))]
    assert ["sneekers", "shoes"] in found
    assert ["red shoes"] in found
    assert ["shoes", "sandals", "shoes"] in found
    assert len(found) == 9


def test_counted_by_hand() -> None:
    found = searched_together(_behaviour(), np.ones(len(LOG), np.bool_))
    # Shown: chosen from, and searched by three people. "sneekers" led to nothing, "my name" was searched by one.
    assert found.queries == ["red shoes", "sandals", "shoes"]
    # "shoes" stood with "red shoes" twice (a, d), with "sandals" once (b), although before and after it.
    assert found.rows == {"red shoes": [2], "sandals": [2], "shoes": [0, 1], "sneekers": [1, 2]}


def test_a_query_is_shown_as_most_people_typed_it() -> None:
    def found(*typed: str) -> dict[str, str]:
        """What "red shoes" is shown as; each is typed by a person of their own."""
        log, n = _behaviour(), len(typed)
        sessions, ids = [f"s{i}" for i in range(n)], [f"q{i}" for i in range(n)]
        own = replace(log, query_ids=ids, queries=list(typed), query_sessions=sessions, client_ids=sessions,
                      query_times=log.query_times[:n], hit_ids=[[]] * n, actions=[CLICK] * n, event_listing=["l"] * n,
                      event_query=np.arange(n, dtype=np.int32))  # fmt: skip
        return searched_together(own, np.ones(n, np.bool_)).typed

    assert found("réd-shoes", "Réd-Shoes ", "RÉD-SHOES", "red shoes", "red  shoes") == {"red shoes": "réd-shoes"}
    assert found("réd shoes", "red shoes", "red shoes", "red shoes", "réd!shoes") == {"red shoes": "red shoes"}
    # Typed in no way by three, or with what does not print: it is shown in its words.
    assert found("réd shoes", "réd shoes", "red shoes", "red-shoes") == {}
    assert found(*["red\u202eshoes"] * 3) == found(*["red\x00shoes"] * 3) == found(*["redshoes\ud800"] * 3) == {}
    assert found(*["???"] * 3) == {}


def test_only_what_was_selected_counts() -> None:
    behaviour = _behaviour()
    selected = np.array([session in "ab" for session in behaviour.query_sessions], np.bool_)
    assert searched_together(behaviour, selected).queries == []
    nobody = searched_together(behaviour, np.zeros(len(LOG), np.bool_))
    assert nobody == ([], {}, {})


def test_the_most_frequent_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(related, "MOST_QUERIES", 1)
    found = searched_together(_behaviour(), np.ones(len(LOG), np.bool_))
    assert found.queries == ["shoes"]
    assert found.rows == {"red shoes": [0], "sandals": [0], "sneekers": [0]}


def test_a_person_counts_once() -> None:
    """Also one who comes back: a session is a person only where no client is told."""
    log = _behaviour()
    everything = np.ones(len(LOG), np.bool_)
    one = replace(log, client_ids=["x" if session in "abcd" else session for session in log.query_sessions])
    # "shoes" is of x and h, "red shoes" of x alone, "sandals" of x, e and f.
    assert searched_together(one, everything).queries == ["sandals"]
    unknown = replace(log, client_ids=[""] * len(LOG))
    assert searched_together(unknown, everything) == searched_together(log, everything)
