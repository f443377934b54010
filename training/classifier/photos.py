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
from relevance.images import load_many


@dataclass(frozen=True)
class Photos:
    """pixels: uint8 `[n, size, size, 3]`, memory-mapped, one row a listing (its first usable photo); usable: bool
    `[n]`, False where no photo could be read; bad: (listing row, path, reason) of every refused photo."""

    pixels: NDArray[np.uint8]
    usable: NDArray[np.bool_]
    bad: list[tuple[int, str, str]]


def load_photos(root: Path, images: Sequence[Sequence[str]], size: int, cache: Path, threads: int) -> Photos:
    """Decodes one photo a listing, or reads what an earlier run decoded from the same files.

    images: each listing's paths relative to `root`. The cache is one folder per size and set of files, written whole.
    """
    paths = [[root / image for image in listing] for listing in images]
    folder = cache / f"photos-{size}-{_fingerprint(paths, size)[:16]}"
    if not folder.is_dir():
        with writing(folder) as temporary:
            _decode(paths, root, size, threads, temporary)
    with open(folder / "bad.csv", encoding="utf-8", newline="") as file:
        bad = [(int(row), image, reason) for row, image, reason in csv.reader(file)]
    return Photos(np.load(folder / "pixels.npy", mmap_mode="r"), np.load(folder / "usable.npy"), bad)


def _decode(paths: list[list[Path]], root: Path, size: int, threads: int, folder: Path) -> None:
    shape = (len(paths), size, size, 3)
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


def _fingerprint(paths: list[list[Path]], size: int) -> str:
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
