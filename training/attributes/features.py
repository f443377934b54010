"""What the classifier's encoder makes of the photos, computed once and kept on disk for later runs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from relevance.artifacts import writing
from relevance.classifier import Classifier, encode_photos


@dataclass(frozen=True)
class Features:
    """One row a listing. features: float32 `[n, f]`, memory-mapped; probabilities: float32 `[n, classes]` of the
    classifier, memory-mapped; usable: bool `[n]`, False (and zero rows) where no photo could be read."""

    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    usable: NDArray[np.bool_]


def load_features(
    classifier: Classifier, root: Path, images: Sequence[Sequence[str]], cache: Path, threads: int
) -> Features:
    """Encodes the first usable photo of each listing, or reads what an earlier run made of the same files.

    images: each listing's paths relative to `root`. The cache is one folder per classifier and set of files, written
    whole.
    """
    paths = [[root / image for image in listing] for listing in images]
    folder = cache / f"features-{_fingerprint(classifier, paths)[:16]}"
    if not folder.is_dir():
        with writing(folder) as temporary:
            _encode(classifier, paths, temporary, threads)
    return Features(
        np.load(folder / "features.npy", mmap_mode="r"),
        np.load(folder / "probabilities.npy", mmap_mode="r"),
        np.load(folder / "usable.npy"),
    )


def _encode(classifier: Classifier, paths: list[list[Path]], folder: Path, threads: int) -> None:
    encoder, n = classifier.encoder, len(paths)
    features = _memmap(folder / "features.npy", (n, encoder.feature_dim))
    probabilities = _memmap(folder / "probabilities.npy", (n, encoder.classes))
    usable = np.zeros(n, np.bool_)
    with tqdm(total=n, desc="features", unit="photo") as progress:
        for batch in encode_photos(encoder, paths, threads):
            features[batch.rows] = batch.encoded.features
            probabilities[batch.rows] = batch.encoded.probabilities
            usable[batch.rows] = True
            progress.update(batch.seen)
    features.flush()
    probabilities.flush()
    np.save(folder / "usable.npy", usable)


def _memmap(path: Path, shape: tuple[int, int]) -> np.memmap[tuple[int, ...], np.dtype[np.float32]]:
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)


def _fingerprint(classifier: Classifier, paths: list[list[Path]]) -> str:
    """Changes with the classifier, and when a photo is added, removed, reordered or written again."""
    digest = hashlib.sha256(f"{classifier.fingerprint}\n".encode())
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
