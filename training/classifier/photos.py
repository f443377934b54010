"""Photos as the training loop reads them: from a cache of decoded photos on disk, or decoded as they are needed.

Both take rows and give pixels; neither holds more than a batch in memory.
"""

import csv
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from relevance.artifacts import writing_file
from relevance.images import PhotoError, Size, load_first, photo_size
from relevance.photos.batches import BadPhoto, Inside, files_fingerprint, photo_batches

SHARD = 2048
"""Photos a cache file."""
_SPARE = 1.2
"""The cache is written where the disk has this many times its bytes free."""


class Photos(Protocol):
    """One photo a listing, its first usable one. usable: bool `[n]`, False where there is none."""

    @property
    def usable(self) -> NDArray[np.bool_]: ...

    @property
    def bad(self) -> list[BadPhoto]: ...

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Returns the photos of `rows`, uint8 `[len(rows), height, width, 3]`."""


def open_photos(
    root: Path,
    images: Sequence[Sequence[str]],
    size: Size,
    cache: Path | None,
    threads: int,
    worker: tuple[int, int] = (0, 1),
) -> Photos:
    """Decodes all photos to `cache`, or reads what an earlier run decoded from the same files; with no cache given, or
    no room for it on the disk, each photo is decoded when it is taken.

    images: each listing's paths relative to `root`. worker: (index, count) where several machines may share the cache.
    """
    needed = len(images) * size[0] * size[1] * 3
    if cache is None:
        return StreamedPhotos(root, images, size, threads)
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"photos-{size[0]}x{size[1]}-{files_fingerprint(root, images)[:16]}"
    if not folder.is_dir() and shutil.disk_usage(cache).free < _SPARE * needed:
        print(f"{cache}: no room for {needed / 2**30:.0f} GB of decoded photos; they are decoded as they are needed")
        return StreamedPhotos(root, images, size, threads)
    decode(root, images, size, threads, folder, worker)
    return CachedPhotos(folder, len(images))


def decode(
    root: Path,
    images: Sequence[Sequence[str]],
    size: Size,
    threads: int,
    folder: Path,
    worker: tuple[int, int] = (0, 1),
) -> None:
    """Writes the shards of the cache that are not there yet: an interrupted run goes on where it was. Each of several
    workers begins with its own share of them and leaves out what another has written meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(images), SHARD)
    missing = [at for at in starts if not _shard(folder, at, "csv").is_file()]
    with tqdm(total=len(images), desc="photos", unit="photo", initial=(len(starts) - len(missing)) * SHARD) as progress:
        own = len(missing) * worker[0] // worker[1]
        for at in missing[own:] + missing[:own]:
            if not _shard(folder, at, "csv").is_file():
                _decode_shard(root, images[at : at + SHARD], at, size, threads, folder, progress)


def _decode_shard(
    root: Path, images: Sequence[Sequence[str]], at: int, size: Size, threads: int, folder: Path, progress: Any
) -> None:
    pixels, usable = np.zeros((len(images), *size, 3), np.uint8), np.zeros(len(images), np.bool_)
    bad: list[BadPhoto] = []
    for batch in photo_batches(root, images, size, threads):
        pixels[batch.rows], usable[batch.rows] = batch.photos, True
        bad += batch.bad
        progress.update(batch.seen)
    bad += [(row, "", "no usable photo") for row in np.flatnonzero(~usable).tolist()]
    with writing_file(_shard(folder, at, "npy")) as temporary, open(temporary, "wb") as file:
        np.save(file, pixels)
    # Written last: a shard with its list is whole.
    with (
        writing_file(_shard(folder, at, "csv")) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as text,
    ):
        csv.writer(text).writerows((at + row, path, reason) for row, path, reason in bad)


def _shard(folder: Path, start: int, kind: str) -> Path:
    return folder / f"{start // SHARD:06d}.{kind}"


@dataclass(frozen=True)
class CachedPhotos:
    """Decoded photos in files of SHARD photos each, memory-mapped: the operating system keeps in memory what fits."""

    folder: Path
    n: int

    @cached_property
    def _maps(self) -> list[NDArray[np.uint8]]:
        return [np.load(_shard(self.folder, at, "npy"), mmap_mode="r") for at in range(0, self.n, SHARD)]

    @cached_property
    def _listed(self) -> list[BadPhoto]:
        found: list[BadPhoto] = []
        for at in range(0, self.n, SHARD):
            with open(_shard(self.folder, at, "csv"), encoding="utf-8", newline="") as file:
                found += [(int(row), path, reason) for row, path, reason in csv.reader(file)]
        return found

    @property
    def bad(self) -> list[BadPhoto]:
        return [line for line in self._listed if line[1]]

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        usable = np.ones(self.n, np.bool_)
        usable[[row for row, path, _ in self._listed if not path]] = False
        return usable

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        out = np.empty((len(rows), *self._maps[0].shape[1:]), np.uint8)
        shard = rows // SHARD
        for one in np.unique(shard):
            own = shard == one
            out[own] = self._maps[one][rows[own] - one * SHARD]
        return out


class StreamedPhotos:
    """Photos decoded as they are taken. What is usable is told by the files' headers; a photo that breaks later is
    grey."""

    def __init__(self, root: Path, images: Sequence[Sequence[str]], size: Size, threads: int) -> None:
        self._size = size
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="photos")
        self._paths: list[Path | None] = []
        self.bad: list[BadPhoto] = []
        inside = Inside(root)
        headers = self._pool.map(lambda listing: _first_readable(root, listing, inside), images)
        for row, (path, bad) in enumerate(tqdm(headers, "photos", len(images), unit="photo")):
            self._paths.append(path)
            self.bad += [(row, image, reason) for image, reason in bad]
        self.usable = np.array([path is not None for path in self._paths])

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.stack(list(self._pool.map(self._photo, rows.tolist())))

    def _photo(self, row: int) -> NDArray[np.uint8]:
        path = self._paths[row]
        photo = None if path is None else load_first([path], self._size).photo
        return np.full((*self._size, 3), 128, np.uint8) if photo is None else photo


def _first_readable(root: Path, listing: Sequence[str], inside: Inside) -> tuple[Path | None, list[tuple[str, str]]]:
    bad: list[tuple[str, str]] = []
    for image in listing:
        try:
            if not inside(root / image):
                raise PhotoError("outside the dataset")
            photo_size(root / image)
            return root / image, bad
        except PhotoError as error:
            bad.append((image, error.reason))
    return None, bad


def photo_shape(root: Path, images: Sequence[Sequence[str]], side: int) -> Size:
    """Height and width with about side² pixels in the photos' own shape: the median aspect ratio of 500 of them, both
    a multiple of 32, so that little is cropped from most photos and the network sees no empty borders."""
    ratios = []
    for listing in images[:: max(1, len(images) // 500)]:
        try:
            width, height = photo_size(root / listing[0])
        except PhotoError:
            continue
        ratios.append(height / width)
    ratio = float(np.median(ratios).clip(0.5, 2.0)) if ratios else 1.0
    height, width = (max(32, round(length / 32) * 32) for length in (side * ratio**0.5, side / ratio**0.5))
    return height, width
