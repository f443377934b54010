"""How a process shares its interpreter between those who wait and what need not be quick."""

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SWITCH_SECONDS = 0.0001
"""How long a thread keeps the interpreter while others wait. A search lets go of it some tens of times, and has to wait
for it as often beside a thread that opens a bundle: with the usual 5 ms that is 0.1 s a search."""

LOOK_SECONDS, LEAST_SECONDS, PATIENCE_SECONDS = 0.0005, 0.001, 0.01
"""What need not be quick looks so often whether all requests are answered; where they never are, it works for
LEAST_SECONDS after each PATIENCE_SECONDS."""


class Answering:
    """How many requests are being answered. One thread counts, others look."""

    def __init__(self) -> None:
        self.count = 0


@contextmanager
def short_turns() -> Iterator[None]:
    """Within it the threads of this process wait for each other no longer than SWITCH_SECONDS at a time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def kept() -> Iterator[None]:
    """What there is at the end stays: the garbage collector never looks through it, which takes tens of milliseconds.

    That is right for what holds no reference to itself, like an engine: it is freed once nothing refers to it.
    Requests that are answered meanwhile leave nothing to collect either.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def unhurried(answering: Answering) -> Iterator[None]:
    """As `kept`, for what this thread does beside the requests: it waits while any are being answered, but
    works for LEAST_SECONDS after each PATIENCE_SECONDS.

    The interpreter tells a thread's profiler of each call, which is the one place where a thread can be made to wait
    whatever it does. Only a single long call, as that of a JSON parser, is not interrupted.
    """
    work_until = 0.0

    def give_way(frame: FrameType, event: str, argument: object) -> None:
        nonlocal work_until
        if not answering.count or time.perf_counter() < work_until:
            return
        for _ in range(round(PATIENCE_SECONDS / LOOK_SECONDS)):
            time.sleep(LOOK_SECONDS)
            if not answering.count:
                return
        work_until = time.perf_counter() + LEAST_SECONDS

    with kept():
        before = sys.getprofile()
        sys.setprofile(give_way)
        try:
            yield
        finally:
            sys.setprofile(before)
