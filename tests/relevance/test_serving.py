"""How a service of one process ends."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from relevance.listening import listening
from relevance.serving import serve_until_signal


@pytest.fixture(autouse=True)
def same_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_signal_just_before_it_runs_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    loop_factory = uvicorn.Config.get_loop_factory

    def signalled(self: uvicorn.Config) -> Callable[[], Any] | None:
        signal.raise_signal(signal.SIGTERM)
        return loop_factory(self)

    monkeypatch.setattr(uvicorn.Config, "get_loop_factory", signalled)
    late = threading.Timer(5, os.kill, (os.getpid(), signal.SIGTERM))
    late.start()
    started = time.monotonic()
    with listening("127.0.0.1", 0) as listener:
        serve_until_signal(FastAPI(), listener, log_config=None)
    assert time.monotonic() - started < 4
    late.cancel()
