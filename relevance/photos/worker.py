"""Photos to answers for many callers at once: decoded by a few threads, then through the model together, within limits.

Mental model: ``async with worker.request(): answers = await worker.answers([jpeg, png])``, one answer or error a photo.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataError, RelevanceError
from relevance.images import PhotoError, load_photo
from relevance.micro_batches import MicroBatches
from relevance.photos.answers import PhotoAnswer, PhotoReader

Result = TypeVar("Result")
PhotoResult = PhotoAnswer | PhotoError | DataError
"""What is answered for one photo: an answer, or why there is none."""


class BusyError(RelevanceError):
    """More requests than may wait; a later one will be answered."""


class DeadlineError(RelevanceError):
    """A request took longer than it may."""


@dataclass(frozen=True)
class Limits:
    """batch: photos that go through the model together; wait: seconds that a photo waits for others; decoders: photos
    that are decoded at once, each in up to 200 MB; queue: requests that run or wait, the next are turned away;
    deadline: seconds that a request may take."""

    batch: int = 8
    wait: float = 0.002
    decoders: int = os.cpu_count() or 1
    queue: int = 32
    deadline: float = 20.0


@dataclass
class Counts:
    """What was done since the start."""

    requests: int = 0
    turned_away: int = 0
    too_late: int = 0
    photos: int = 0
    bad_photos: int = 0


class PhotoWorker:
    """Owns the threads; its coroutines belong to one event loop."""

    def __init__(self, reader: PhotoReader, limits: Limits) -> None:
        self.counts = Counts()
        self.running = 0
        self._limits = limits
        self._size = reader.image_size
        self._threads = ThreadPoolExecutor(limits.decoders, thread_name_prefix="photo")
        self._batches: MicroBatches[NDArray[np.uint8], PhotoAnswer] = MicroBatches(
            lambda photos: reader(np.stack(photos)), limits.batch, limits.wait
        )

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Wraps all work for one request; raises BusyError before it or DeadlineError out of it."""
        if self.running >= self._limits.queue:
            self.counts.turned_away += 1
            raise BusyError("too many requests at once; try again")
        self.running += 1
        self.counts.requests += 1
        try:
            async with asyncio.timeout(self._limits.deadline):
                yield
        except TimeoutError:
            self.counts.too_late += 1
            raise DeadlineError(f"no answer within {self._limits.deadline:g} seconds") from None
        finally:
            self.running -= 1

    async def in_thread(self, work: Callable[[bytes], Result], data: bytes) -> Result:
        """`work(data)` in one of the decoders' threads, so that the event loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, data)

    async def answers(self, photos: Sequence[bytes | None]) -> list[PhotoResult]:
        """One result a photo, given the bytes of its file, or None for what could not even be read as bytes."""
        return list(await asyncio.gather(*map(self._answer, photos)))

    def numbers(self) -> dict[str, int]:
        """The counts, those of the model's batches with them, by name."""
        batches = self._batches.counts
        return vars(self.counts) | {"batches": batches.batches, "photos_in_batches": batches.items}

    def close(self) -> None:
        """Ends the threads, once they have done what they are at."""
        self._threads.shutdown(cancel_futures=True)
        self._batches.close()

    async def _answer(self, photo: bytes | None) -> PhotoResult:
        self.counts.photos += 1
        try:
            if photo is None:
                raise DataError("expected the photo in base 64")
            pixels = await self.in_thread(lambda data: load_photo(data, self._size), photo)
            return await asyncio.wrap_future(self._batches.submit(pixels))
        except (PhotoError, DataError) as error:
            self.counts.bad_photos += 1
            return error
