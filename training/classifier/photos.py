"""Decoded photos on disk: a run that comes later, or again, does not decode them a second time."""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from relevance.artifacts import writing
from relevance.images import PhotoError, Size, load_many, photo_size


@dataclass(frozen=True)
class Photos:
    """pixels: uint8 `[n, height, width, 3]`, memory-mapped, one row a listing (its first usable photo); usable: bool
    `[n]`, False where no photo could be read; bad: (listing row, path, reason) of every refused photo."""

    pixels: NDArray[np.uint8]
    usable: NDArray[np.bool_]
    bad: list[tuple[int, str, str]]


def load_photos(root: Path, images: Sequence[Sequence[str]], size: Size, cache: Path, threads: int) -> Photos:
    """Decodes one photo a listing, or reads what an earlier run decoded from the same files.

    images: each listing's paths relative to `root`. The cache is one folder per size and set of files, written whole.
    """
    paths = [[root / image for image in listing] for listing in images]
    folder = cache / f"photos-{size[0]}x{size[1]}-{_fingerprint(paths, size)[:16]}"
    if not folder.is_dir():
        with writing(folder) as temporary:
            _decode(paths, root, size, threads, temporary)
    with open(folder / "bad.csv", encoding="utf-8", newline="") as file:
        bad = [(int(row), image, reason) for row, image, reason in csv.reader(file)]
    return Photos(np.load(folder / "pixels.npy", mmap_mode="r"), np.load(folder / "usable.npy"), bad)


def _decode(paths: list[list[Path]], root: Path, size: Size, threads: int, folder: Path) -> None:
    shape = (len(paths), *size, 3)
    pixels = np.lib.format.open_memmap(folder / "pixels.npy", mode="w+", dtype=np.uint8, shape=shape)
    usable = np.zeros(len(paths), np.bool_)
    with open(folder / "bad.csv", "w", encoding="utf-8", newline="") as file:
        bad = csv.writer(file)
        loaded = load_many(paths, size, threads)
        for row, found in enumerate(tqdm(loaded, "photos", total=len(paths), unit="photo")):
            if found.photo is not None:
                pixels[row], usable[row] = found.photo, True
            bad.writerows((row, path.relative_to(root).as_posix(), reason) for path, reason in found.bad)
    pixels.flush()
    np.save(folder / "usable.npy", usable)


def _fingerprint(paths: list[list[Path]], size: Size) -> str:
    """Changes when a photo is added, removed, reordered or written again."""
    digest = hashlib.sha256(f"{size}\n".encode())
    for listing in paths:
        for path in listing:
            digest.update(f"{path}\0{_stamp(path)}\n".encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return "missing"
    return f"{status.st_size} {status.st_mtime_ns}"


def photo_shape(root: Path, images: Sequence[Sequence[str]], side: int) -> Size:
    """Height and width with about side² pixels in the photos' own shape: the median aspect ratio of 500 of them, both
    a multiple of 32, so that neither is anything cropped from most photos nor does the network see empty borders."""
    ratios = []
    step = max(1, len(images) // 500)
    for listing in images[::step]:
        try:
            width, height = photo_size(root / listing[0])
        except PhotoError:
            continue
        ratios.append(height / width)
    ratio = float(np.median(ratios).clip(0.5, 2.0)) if ratios else 1.0
    height, width = (max(32, round(length / 32) * 32) for length in (side * ratio**0.5, side / ratio**0.5))
    return height, width
