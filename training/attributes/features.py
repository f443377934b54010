"""What the classifier's encoder makes of the photos, computed once and kept on disk for later runs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from relevance.artifacts import writing
from relevance.classifier import Classifier, ImageEncoder, encode_photos
from relevance.photos.batches import files_fingerprint


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
    key = hashlib.sha256(f"{classifier.fingerprint} {files_fingerprint(root, images)}".encode()).hexdigest()
    folder = cache / f"features-{key[:16]}"
    if not folder.is_dir():
        with writing(folder, "features") as temporary:
            _encode(classifier.encoder, root, images, temporary, threads)
    return Features(
        np.load(folder / "features.npy", mmap_mode="r"),
        np.load(folder / "probabilities.npy", mmap_mode="r"),
        np.load(folder / "usable.npy"),
    )


def _encode(encoder: ImageEncoder, root: Path, images: Sequence[Sequence[str]], folder: Path, threads: int) -> None:
    n = len(images)
    features = _memmap(folder / "features.npy", (n, encoder.feature_dim))
    probabilities = _memmap(folder / "probabilities.npy", (n, encoder.classes))
    usable = np.zeros(n, np.bool_)
    with tqdm(total=n, desc="features", unit="photo") as progress:
        for batch in encode_photos(encoder, root, images, threads):
            features[batch.rows] = batch.encoded.features
            probabilities[batch.rows] = batch.encoded.probabilities
            usable[batch.rows] = True
            progress.update(batch.seen)
    features.flush()
    probabilities.flush()
    np.save(folder / "usable.npy", usable)


def _memmap(path: Path, shape: tuple[int, int]) -> np.memmap[tuple[int, ...], np.dtype[np.float32]]:
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
