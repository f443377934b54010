"""Work done by threads ahead of whoever uses it: in order, and never far ahead, so memory does not grow with it."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ahead(
    call: Callable[[Item], Result], items: Iterable[Item], threads: int, most: int
) -> Generator[Result, None, None]:
    """Yields what `call` returns for each item, in order. At most `most` items are taken before the first result is
    used; the threads end with the last one, or when the iterator is closed."""
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="ahead") as pool:
        try:
            for item in items:
                pending.append(pool.submit(call, item))
                if len(pending) >= most:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
