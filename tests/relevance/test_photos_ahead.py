"""Work done ahead by threads: in order, bounded, and over when nobody wants it any more."""

import threading
import time
from collections.abc import Iterator

import pytest

from relevance.photos.ahead import map_ahead


def test_results_come_in_order_and_few_items_are_taken_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(30):
            taken.append(item)
            yield item

    def slow_when_even(item: int) -> int:
        time.sleep(0.002 if item % 2 == 0 else 0)
        return -item

    results = map_ahead(slow_when_even, items(), threads=3, most=5)
    assert not taken, "nothing is begun before somebody asks"
    assert next(results) == 0
    assert len(taken) == 5
    assert list(results) == [-item for item in range(1, 30)]


def test_an_error_comes_where_its_result_would() -> None:
    results = map_ahead(lambda item: 6 // item, [1, 2, 0, 3], threads=2, most=2)
    assert [next(results), next(results)] == [6, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_no_thread_is_left_behind() -> None:
    results = map_ahead(str, range(500), threads=3, most=64)
    next(results)
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
