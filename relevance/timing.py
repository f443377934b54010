"""Milliseconds by stage, seconds with pauses, and a time to be done by."""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Real
from time import perf_counter, process_time
from typing import NamedTuple

from relevance.errors import DataError, quoted


class Timings:
    """Marks the end of each stage of one piece of work."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}
        self._last = perf_counter()

    def mark(self, stage: str) -> None:
        """Books the time since the last mark under `stage`."""
        now = perf_counter()
        self.milliseconds[stage] = round((now - self._last) * 1000, 4)
        self._last = now


class Seconds(NamedTuple):
    """processor: of all threads of the process."""

    clock: float
    processor: float


class Stopwatch:
    """Runs from its making on; what happens while it is paused is not counted."""

    def __init__(self) -> None:
        self._began = _now()

    @property
    def seconds(self) -> Seconds:
        """The time so far."""
        now = _now()
        return Seconds(now.clock - self._began.clock, now.processor - self._began.processor)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stands still within the block."""
        spent = self.seconds
        yield
        now = _now()
        self._began = Seconds(now.clock - spent.clock, now.processor - spent.processor)


def _now() -> Seconds:
    return Seconds(perf_counter(), process_time())


class DeadlinePassed(Exception):  # noqa: N818 (it is no error: the caller answers with what there is)
    """It is too late to begin anything more."""


class Deadline:
    """`milliseconds` from now; None never passes. Raises DataError for what is no number, NaN too: it would
    never pass. Below 0 it has passed already."""

    def __init__(self, milliseconds: float | None) -> None:
        number = isinstance(milliseconds, Real | None) and not isinstance(milliseconds, bool)
        if not number or milliseconds != milliseconds:
            raise DataError(f"deadline_ms: expected a number of milliseconds, got {quoted(milliseconds)}")
        self._end = None if milliseconds is None else perf_counter() + milliseconds / 1000

    def check(self) -> None:
        """Raises DeadlinePassed when it has."""
        if self._end is not None and perf_counter() >= self._end:
            raise DeadlinePassed
