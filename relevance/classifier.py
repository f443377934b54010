"""A trained photo classifier, as index building, evaluation and serving use it.

Mental model: photos in; category probabilities, unit-length visual embeddings and the features under both out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import read_manifest
from relevance.errors import ArtifactError
from relevance.images import Size
from relevance.models import Model
from relevance.ontology import Ontology
from relevance.photo_batches import BadPhoto, map_batches, photo_batches
from relevance.splits import group_split
from relevance.text import normalise

KIND, VERSION = "classifier", 2
ENCODER = "image_encoder.tflite"
CATEGORIES = "categories.csv"
TEST_SHARE = 0.15


class Encoded(NamedTuple):
    """probabilities: float32 `[n, classes]`, rows sum to 1; embeddings: float32 `[n, dim]`, rows of length 1;
    features: float32 `[n, features]`, the pooled activations under both, which attribute models read."""

    probabilities: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    features: NDArray[np.float32]


class ImageEncoder:
    """The LiteRT image encoder: `uint8 [n, height, width, 3]` to :class:`Encoded`, any n."""

    def __init__(self, source: Path | bytes, threads: int = 1) -> None:
        self._model = Model(source, threads)
        names = [spec.name for spec in self._model.outputs]
        inputs = self._model.inputs
        if names != ["embedding", "features", "probabilities"] or len(inputs) != 1 or len(inputs[0].shape) != 4:
            raise ArtifactError(
                f"{ENCODER}: expected one input [batch, height, width, 3] and the outputs embedding, features and "
                f"probabilities, found {len(inputs)} inputs and {', '.join(names)}"
            )
        self.image_size: Size = (inputs[0].shape[1], inputs[0].shape[2])
        self.embedding_dim, self.feature_dim, self.classes = (spec.shape[-1] for spec in self._model.outputs)

    def __call__(self, photos: NDArray[np.uint8]) -> Encoded:
        if not len(photos):
            return Encoded(
                *(np.empty((0, n), np.float32) for n in (self.classes, self.embedding_dim, self.feature_dim))
            )
        embeddings, features, probabilities = self._model(photos)
        return Encoded(probabilities, embeddings, features)


@dataclass(frozen=True, eq=False)
class EncodedBatch:
    """The next `seen` listings. rows: int64 `[b]`, those with a usable photo; encoded: theirs; bad: (row, path, reason)
    of every refused photo."""

    seen: int
    rows: NDArray[np.int64]
    encoded: Encoded
    bad: list[BadPhoto]


def encode_photos(
    encoder: ImageEncoder, root: Path, images: Iterable[Sequence[str]], threads: int
) -> Iterator[EncodedBatch]:
    """Encodes the first usable photo of each listing, given its paths in the dataset folder `root`; rows count from 0.
    `threads` photos are encoded at a time, so the encoder itself should have one thread."""
    batches = photo_batches(root, images, encoder.image_size, threads)
    for batch, encoded, _ in map_batches(batches, encoder, threads):
        yield EncodedBatch(batch.seen, batch.rows, encoded, batch.bad)


@dataclass(frozen=True, eq=False)
class Classifier:
    """A classifier artifact and the ontology it was trained on.

    `class_positions` int32 `[classes]`: the ontology position of each class, ascending.
    """

    encoder: ImageEncoder
    ontology: Ontology
    class_positions: NDArray[np.int32]
    manifest: dict[str, Any]

    @classmethod
    def open(cls, folder: Path, ontology: Ontology | None = None, threads: int = 1) -> Classifier:
        """`ontology` is a dataset's, to make sure that positions mean the same there; None takes the artifact's own.

        Raises ArtifactError when a file is missing or altered, or `ontology` is not the one trained on.
        """
        manifest = read_manifest(folder, KIND, VERSION)
        own = Ontology.read(folder / CATEGORIES) if ontology is None else ontology
        if manifest["ontology_fingerprint"] != own.fingerprint:
            raise ArtifactError(
                f"{folder}: trained on another ontology ({manifest['ontology_fingerprint'][:12]}) than this dataset's "
                f"({own.fingerprint[:12]}); train it again with `python -m training classifier`"
            )
        positions = np.array([own.position(name) for name in manifest["class_ids"]], np.int32)
        return cls(ImageEncoder(folder / ENCODER, threads), own, positions, manifest)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the image encoder."""
        return str(self.manifest["files"][ENCODER])

    def test_part(self, titles: Sequence[str]) -> NDArray[np.bool_]:
        """Which listings the classifier was neither trained nor tuned on, bool `[n]`."""
        return test_part(titles, int(self.manifest["split_seed"]), float(self.manifest["test_share"]))


def test_part(titles: Sequence[str], seed: int, share: float = TEST_SHARE) -> NDArray[np.bool_]:
    """The test part of a catalogue, bool `[n]`: a share of the titles, so that one title's photos are on one side."""
    return group_split([normalise(title) for title in titles], share, seed)
