"""How a process shares its interpreter."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from relevance.service import interpreter
from relevance.service.interpreter import SWITCH_SECONDS, Answering, kept, short_turns, unhurried


def test_turns_are_short() -> None:
    before = sys.getswitchinterval()
    with short_turns():
        assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
    assert sys.getswitchinterval() == before


def test_what_is_kept_is_not_collected() -> None:
    try:
        with kept():
            assert not gc.isenabled()
            made = [[] for _ in range(1000)]
        assert gc.isenabled()
        assert not {id(each) for each in made} & {id(each) for each in gc.get_objects()}
    finally:
        gc.unfreeze()


def unhurried_beside_nothing() -> AbstractContextManager[None]:
    return unhurried(Answering())


@pytest.mark.parametrize("context", [kept, unhurried_beside_nothing])
def test_a_failure_leaves_all_as_it_was(context: Callable[[], AbstractContextManager[None]]) -> None:
    try:
        with pytest.raises(ValueError, match="no bundle"), context():
            raise ValueError("no bundle")
        assert gc.isenabled()
        assert sys.getprofile() is None
    finally:
        gc.unfreeze()


def test_what_is_unhurried_waits_until_requests_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    answering, waits = Answering(), []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        answering.count = 0 if len(waits) == 3 else answering.count

    monkeypatch.setattr(interpreter.time, "sleep", sleep)
    try:
        with unhurried(answering):
            work()
            assert waits == []
            answering.count = 2
            work()
        assert waits == [interpreter.LOOK_SECONDS] * 3
    finally:
        gc.unfreeze()


def test_what_is_unhurried_goes_on_where_requests_never_end(monkeypatch: pytest.MonkeyPatch) -> None:
    answering, waits, now = Answering(), [], [0.0]
    answering.count = 1
    monkeypatch.setattr(interpreter.time, "sleep", waits.append)
    monkeypatch.setattr(interpreter.time, "perf_counter", lambda: now[0])
    patience = round(interpreter.PATIENCE_SECONDS / interpreter.LOOK_SECONDS)
    try:
        with unhurried(answering):
            work()
            assert len(waits) == patience
            now[0] += 0.9 * interpreter.LEAST_SECONDS
            work()
            assert len(waits) == patience
            now[0] += 0.2 * interpreter.LEAST_SECONDS
            work()
            assert len(waits) == 2 * patience
            answering.count = 0
        assert len(waits) == 2 * patience
    finally:
        gc.unfreeze()


def test_other_threads_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    answering, waiting = Answering(), []
    monkeypatch.setattr(interpreter.time, "sleep", lambda _: waiting.append(threading.get_ident()))
    stop = threading.Event()

    def answer() -> None:
        while not stop.is_set():
            work()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with unhurried(answering):
            answering.count = 1
            while len(waiting) < 3:
                work()
            answering.count = 0
    finally:
        stop.set()
        thread.join()
        gc.unfreeze()
    assert set(waiting) == {threading.get_ident()}


def work() -> None:
    """A call, of which a profiler is told."""
