"""What many callers ask one by one, computed together: a model's call costs less a photo when it holds several.

Mental model: ``MicroBatches(run, most=8, wait=0.002).submit(item)`` is a Future of the item's result.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from relevance.errors import RelevanceError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class BatchCounts:
    """How often `run` was called, and on how many items in all."""

    batches: int = 0
    items: int = 0


class MicroBatches(Generic[Item, Result]):
    """One thread, the only one that calls `run`, on up to `most` items at a time.

    An item waits for others for at most `wait` seconds, and no longer than until a batch is full. While `run` is at
    work the next batch gathers by itself, so that under load nothing waits in vain. `run` returns one result an item.
    A RelevanceError that it raises reaches all of the batch; after any other one each item is tried alone, so that what
    nobody foresaw of one fails no other.
    """

    def __init__(self, run: Callable[[list[Item]], Sequence[Result]], most: int, wait: float) -> None:
        self.counts = BatchCounts()
        self._run, self._most, self._wait = run, most, wait
        self._queue: queue.SimpleQueue[tuple[Item, Future[Result]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="micro-batches", daemon=True)
        self._thread.start()

    def submit(self, item: Item) -> Future[Result]:
        """Queues an item; a future that is cancelled before its batch starts is not computed."""
        future: Future[Result] = Future()
        self._queue.put((item, future))
        return future

    def close(self) -> None:
        """Computes what is queued, then ends the thread. Nothing may be submitted any more."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._gather()
            batch = [(item, future) for item, future in batch if future.set_running_or_notify_cancel()]
            if batch:
                self._answer(batch)

    def _gather(self) -> tuple[list[tuple[Item, Future[Result]]], bool]:
        """The next batch, and whether it is the last."""
        entry = self._queue.get()
        batch = []
        until = time.monotonic() + self._wait
        while entry is not None:
            batch.append(entry)
            if len(batch) == self._most:
                return batch, False
            try:
                entry = self._queue.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return batch, False
        return batch, True

    def _answer(self, batch: list[tuple[Item, Future[Result]]]) -> None:
        try:
            results = self._run([item for item, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, RelevanceError):
                for one in batch:
                    self._answer([one])
                return
            for _, future in batch:
                future.set_exception(error)
            return
        self.counts.batches += 1
        self.counts.items += len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)
