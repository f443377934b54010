"""Many photos at once, without HTTP: deadlines that stop work, errors of the model, and places that come free again."""

import asyncio
import threading
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from relevance.images import PhotoError
from relevance.photos.answers import PhotoReader
from relevance.photos.worker import BusyError, DeadlineError, Limits, PhotoWorker
from tests.photo_server import write_model
from tests.photos import encoded

RED, BLUE = (encoded(Image.new("RGB", (24, 16), colour)) for colour in ("red", "blue"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> PhotoReader:
    return PhotoReader.open(write_model(tmp_path_factory.mktemp("photos")))


def fake(call: Any) -> Any:
    """A reader of photos 4 x 4."""

    class Reader(SimpleNamespace):
        def __call__(self, photos: np.ndarray) -> Any:
            return call(photos)

    return Reader(image_size=(4, 4))


async def asked(worker: PhotoWorker, photos: list[bytes | None]) -> Any:
    async with worker.request():
        return await worker.answers(photos)


def answered(worker: PhotoWorker, photos: list[bytes | None]) -> Any:
    try:
        return asyncio.run(asked(worker, photos))
    finally:
        worker.close()


def test_each_photo_gets_its_answer_or_its_reason(reader: PhotoReader) -> None:
    worker = PhotoWorker(reader, Limits(decoders=2))
    red, empty, none, blue = answered(worker, [RED, b"", None, BLUE])
    assert [red.answer.category_id, blue.answer.category_id] == ["red", "blue"]
    assert isinstance(empty, PhotoError)
    assert str(none) == "expected the photo in base 64"
    numbers = worker.numbers()
    assert (numbers["photos"], numbers["bad_photos"], numbers["photos_in_batches"]) == (4, 2, 2)


def test_a_deadline_stops_what_has_not_begun() -> None:
    release, seen = threading.Event(), []

    def slow(photos: np.ndarray) -> list[str]:
        seen.append(len(photos))
        release.wait(10)
        return ["answer"] * len(photos)

    worker = PhotoWorker(fake(slow), Limits(batch=1, wait=0.0, deadline=0.2))
    started = time.monotonic()
    with pytest.raises(DeadlineError, match=r"no answer within 0\.2 seconds"):
        asyncio.run(asked(worker, [RED] * 3))
    assert time.monotonic() - started < 5
    release.set()
    worker.close()
    assert seen == [1]  # the other two were given up
    assert (worker.counts.too_late, worker.running) == (1, 0)


def test_an_error_of_the_model_is_the_requests() -> None:
    def broken(_: np.ndarray) -> list[str]:
        raise RuntimeError("weights of iron")

    worker = PhotoWorker(fake(broken), Limits())
    with pytest.raises(RuntimeError, match="weights of iron"):
        answered(worker, [RED])
    assert worker.running == 0


def test_places_come_free_again(reader: PhotoReader) -> None:
    worker = PhotoWorker(reader, Limits(queue=1))

    async def ask() -> None:
        async with worker.request():
            with pytest.raises(BusyError):
                async with worker.request():
                    raise AssertionError("a second request was let in")
        async with worker.request():
            pass

    asyncio.run(ask())
    worker.close()
    assert (worker.counts.requests, worker.counts.turned_away) == (2, 1)


def test_answers_name_what_the_arrays_hold(reader: PhotoReader) -> None:
    photos = np.zeros((2, 8, 8, 3), np.uint8)
    photos[0, ..., 0], photos[1, ..., 2] = 255, 255
    red, blue = reader(photos)
    assert red.categories[0].category_id == "red"
    assert sum(c.probability for c in red.categories) == pytest.approx(1, abs=1e-5)
    assert (red.attributes, set(blue.attributes)) == ({}, {"tone", "paint"})
    assert np.linalg.norm(blue.embedding) == pytest.approx(1, abs=1e-5)
