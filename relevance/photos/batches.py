"""The photos of a whole catalogue through a model: decoded by some threads while others run the model, in order.

Mental model: ``for batch, result in map_batches(photo_batches(root, images, size, 2), model, 2)``.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from relevance.images import LoadedPhoto, Size, load_many
from relevance.photos.ahead import map_ahead

BATCH = 4
"""Photos a call of the model: what lies between its layers stays in a core's cache."""

Result = TypeVar("Result")
BadPhoto = tuple[int, str, str]
"""(listing row, path, reason) of a refused photo."""


@dataclass(frozen=True, eq=False)
class PhotoBatch:
    """The next `seen` listings. rows: int64 `[b]`, those with a usable photo; photos: theirs, uint8
    `[b, height, width, 3]`; bad: every refused photo; seconds: processor time of the decoding."""

    seen: int
    rows: NDArray[np.int64]
    photos: NDArray[np.uint8]
    bad: list[BadPhoto]
    seconds: float


def photo_batches(
    root: Path, images: Iterable[Sequence[str]], size: Size, threads: int, batch: int = BATCH
) -> Iterator[PhotoBatch]:
    """Decodes the first usable photo of each listing, given its paths in the dataset folder `root`; rows count from 0.

    All batches but the last have `batch` photos. A photo that lies outside the dataset, by a link, is not read.
    """
    inside = Inside(root)
    outside: deque[list[str]] = deque()

    def paths() -> Iterator[list[Path]]:
        for listing in images:
            outside.append([image for image in listing if not inside(root / image)])
            yield [root / image for image in listing if image not in outside[-1]]

    found: list[LoadedPhoto] = []
    rows: list[int] = []
    bad: list[BadPhoto] = []
    done = seen = 0
    for loaded in load_many(paths(), size, threads):
        bad += [(seen, image, "outside the dataset") for image in outside.popleft()]
        bad += [(seen, path.relative_to(root).as_posix(), reason) for path, reason in loaded.bad]
        found.append(loaded)
        if loaded.photo is not None:
            rows.append(seen)
        seen += 1
        if len(rows) == batch:
            yield _batch(seen - done, rows, found, bad, size)
            done, rows, found, bad = seen, [], [], []
    if seen > done:
        yield _batch(seen - done, rows, found, bad, size)


def _batch(seen: int, rows: list[int], found: list[LoadedPhoto], bad: list[BadPhoto], size: Size) -> PhotoBatch:
    photos = np.empty((len(rows), *size, 3), np.uint8)
    usable = (loaded.photo for loaded in found if loaded.photo is not None)
    for i, photo in enumerate(usable):
        photos[i] = photo
    return PhotoBatch(seen, np.array(rows, np.int64), photos, bad, sum(loaded.seconds for loaded in found))


class Inside:
    """Whether a path is, links followed, in the dataset folder, or in its `images/`, which may itself be a link to
    where the operator keeps the photos."""

    def __init__(self, root: Path) -> None:
        self._roots = {f"{os.path.realpath(folder)}{os.sep}" for folder in (root, root / "images")}
        self._folders: dict[Path, bool] = {}

    def __call__(self, path: Path) -> bool:
        folder = path.parent
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = self._holds(folder)
        return self._holds(path) if os.path.islink(path) else known

    def _holds(self, path: Path) -> bool:
        try:
            real = f"{os.path.realpath(path)}{os.sep}"
        except ValueError:  # a NUL in the name; reading it tells so
            return True
        return any(real.startswith(root) for root in self._roots)


def map_batches(
    batches: Iterable[PhotoBatch], model: Callable[[NDArray[np.uint8]], Result], workers: int
) -> Iterator[tuple[PhotoBatch, Result, float]]:
    """Calls the model on the photos of each batch, `workers` at a time, and gives batch, result and the seconds that
    the call took, in order.

    Several one-threaded calls beside each other are faster than one call with several threads, which wait for each
    other after every layer. A few batches are held ahead of the consumer.
    """

    def call(batch: PhotoBatch) -> tuple[PhotoBatch, Result, float]:
        started = time.perf_counter()
        return batch, model(batch.photos), time.perf_counter() - started

    return map_ahead(call, batches, workers, most=2 * workers + 1)


def files_fingerprint(root: Path, images: Iterable[Sequence[str]]) -> str:
    """SHA-256 that changes when a photo is added, removed, reordered or written again; images: each listing's paths
    relative to `root`."""
    digest = hashlib.sha256()
    for listing in images:
        for image in listing:
            digest.update(f"{image}\0{_stamp(root / image)}\n".encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return "missing"
    return f"{status.st_size} {status.st_mtime_ns}"
