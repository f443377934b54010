"""A search that has no time left answers with less, and says so."""

import pytest

from relevance.engine import Engine
from relevance.errors import DataError
from relevance.filters import Filters
from relevance.timing import Deadline, DeadlinePassed, Stopwatch


class LateAfter:
    """A deadline that passes after so many checks."""

    def __init__(self, checks: int) -> None:
        self.left = checks

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise DeadlinePassed


def test_time_enough_changes_nothing(engine: Engine) -> None:
    for query in ("lamp", "zzzz qqqq", ""):
        with_deadline, without = engine.search(query, deadline_ms=60_000), engine.search(query)
        assert (with_deadline.hits, with_deadline.fallback) == (without.hits, without.fallback)
        assert not with_deadline.timed_out


def test_no_time_at_all_is_no_answer(engine: Engine) -> None:
    result = engine.search("lamp", deadline_ms=0)
    assert (result.timed_out, result.hits, result.fallback, result.abstained) == (True, (), None, False)
    assert result.category_filter == engine.categories.no_filter


@pytest.mark.parametrize("checks", [1, 2])
def test_time_for_the_category_filter_alone(engine: Engine, monkeypatch: pytest.MonkeyPatch, checks: int) -> None:
    title = engine.store.rows([0])[0].title
    expected = engine.category_filter(title)
    monkeypatch.setattr("relevance.engine.Deadline", lambda _: LateAfter(checks))
    result = engine.search(title, deadline_ms=5)
    assert (result.timed_out, result.hits, result.fallback, result.abstained) == (True, (), None, False)
    assert result.category_filter == expected
    assert "query" in result.timings


def test_giving_up_filters_ends_at_the_deadline(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without hits by then, that is no abstention."""
    too_much = Filters(price=(1e12, None), near=(-89.0, 0.0, 0.001))
    complete = engine.search("zzzz qqqq", filters=too_much)
    assert complete.fallback is not None
    monkeypatch.setattr("relevance.engine.Deadline", lambda _: LateAfter(3))
    result = engine.search("zzzz qqqq", filters=too_much, deadline_ms=5)
    assert (result.timed_out, result.fallback, result.abstained) == (True, None, False)


def test_a_deadline() -> None:
    Deadline(None).check()
    Deadline(10_000).check()
    for past in (0, -5, -1e9):
        with pytest.raises(DeadlinePassed):
            Deadline(past).check()
    with pytest.raises(DataError, match="deadline_ms: expected a number of milliseconds, got nan"):
        Deadline(float("nan"))


def test_a_stopwatch_stands_still_while_it_is_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("relevance.timing.perf_counter", lambda: now)
    monkeypatch.setattr("relevance.timing.process_time", lambda: now / 2)
    watch = Stopwatch()
    now = 103.0
    with watch.paused():
        now = 150.0
    now = 151.0
    assert watch.seconds == (4.0, 2.0)
