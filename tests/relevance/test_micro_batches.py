"""Items that wait together are computed together, each gets its own result, and nothing hangs."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait

import pytest

from relevance.errors import DataError
from relevance.micro_batches import MicroBatches


def blocked(most: int) -> tuple[MicroBatches[int, int], Callable[[], object], list[list[int]]]:
    """Doubles numbers; the batch that holds 0 blocks until the second value is called. The third: the batches."""
    gate, seen = threading.Event(), []

    def run(items: list[int]) -> list[int]:
        seen.append(items)
        if 0 in items:
            assert gate.wait(10)
        return [2 * item for item in items]

    return MicroBatches(run, most, wait=0.0), gate.set, seen


def submitted(batches: MicroBatches[int, int], items: range, seen: list[list[int]]) -> list[Future[int]]:
    """0 first, and the others while it is at work."""
    futures = [batches.submit(0)]
    while not seen:
        time.sleep(0.001)
    return futures + [batches.submit(item) for item in items]


def test_what_waits_is_computed_together() -> None:
    batches, release, seen = blocked(most=4)
    futures = submitted(batches, range(1, 7), seen)
    release()
    assert [future.result(10) for future in futures] == [0, 2, 4, 6, 8, 10, 12]
    assert seen == [[0], [1, 2, 3, 4], [5, 6]]
    batches.close()
    assert (batches.counts.batches, batches.counts.items) == (3, 7)


def test_an_item_waits_for_others_but_not_for_long() -> None:
    seen: list[list[int]] = []
    batches: MicroBatches[int, int] = MicroBatches(lambda items: seen.append(items) or items, most=3, wait=0.3)
    started = time.monotonic()
    assert wait([batches.submit(i) for i in range(3)], 10).not_done == set()
    assert time.monotonic() - started < 0.25  # full: no reason to wait
    assert batches.submit(3).result(10) == 3
    assert 0.25 < time.monotonic() - started < 5
    assert seen == [[0, 1, 2], [3]]
    batches.close()


def test_what_nobody_foresaw_of_one_item_fails_no_other() -> None:
    def run(items: list[int]) -> list[float]:
        return [1 / item for item in items]

    gate = threading.Event()
    batches: MicroBatches[int, float] = MicroBatches(lambda items: gate.wait(10) and run(items), most=8, wait=0.2)
    futures = [batches.submit(item) for item in (1, 0, 2)]
    gate.set()
    assert [futures[0].result(10), futures[2].result(10)] == [1.0, 0.5]
    with pytest.raises(ZeroDivisionError):
        futures[1].result(10)
    batches.close()


def test_what_is_told_of_a_batch_is_told_once() -> None:
    tried: list[list[int]] = []

    def run(items: list[int]) -> list[int]:
        tried.append(items)
        raise DataError("busy")

    batches: MicroBatches[int, int] = MicroBatches(run, most=3, wait=5.0)
    futures = [batches.submit(item) for item in range(3)]
    for future in futures:
        with pytest.raises(DataError, match="busy"):
            future.result(10)
    assert tried == [[0, 1, 2]]
    batches.close()


def test_an_error_reaches_its_batch_and_no_other() -> None:
    def run(items: list[int]) -> list[float]:
        return [1 / item for item in items]

    batches = MicroBatches(run, most=8, wait=0.0)
    with pytest.raises(ZeroDivisionError):
        batches.submit(0).result(10)
    assert batches.submit(2).result(10) == 0.5
    batches.close()


def test_what_nobody_waits_for_is_not_computed() -> None:
    batches, release, seen = blocked(most=4)
    futures = submitted(batches, range(1, 5), seen)
    assert futures[2].cancel()
    release()
    assert [future.result(10) for future in futures if not future.cancelled()] == [0, 2, 6, 8]
    assert seen[1:] == [[1, 3, 4]]
    batches.close()


def test_closing_computes_what_is_queued() -> None:
    batches, release, seen = blocked(most=2)
    futures = submitted(batches, range(1, 6), seen)
    release()
    batches.close()
    assert [future.result(0) for future in futures] == [0, 2, 4, 6, 8, 10]


def test_many_threads_get_their_own_results() -> None:
    batches: MicroBatches[int, int] = MicroBatches(lambda items: [item * item for item in items], most=8, wait=0.001)
    results: dict[int, int] = {}

    def ask(start: int) -> None:
        for item in range(start, start + 50):
            results[item] = batches.submit(item).result(10)

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(0, 400, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {item: item * item for item in range(400)}
    assert batches.counts.items == 400
    assert batches.counts.batches < 400
    batches.close()
