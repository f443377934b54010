"""The network of a classifier as a function of photos.

Mental model: photos in; category probabilities, unit-length visual embeddings and the features under both out.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.errors import ArtifactError
from relevance.images import Size
from relevance.models import Model

ENCODER = "image_encoder.tflite"


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


class MergedEncoder(ImageEncoder):
    """An encoder whose classes were merged: the probabilities of several are summed, those of a class that is gone are
    left out, so that rows sum to 1 or less."""

    def __init__(self, encoder: ImageEncoder, columns: NDArray[np.int64], classes: int) -> None:
        """columns: int64 `[encoder.classes]`, which of the `classes` each was merged into, -1 for none."""
        self._encoder, self._columns = encoder, columns
        self.image_size, self.classes = encoder.image_size, classes
        self.embedding_dim, self.feature_dim = encoder.embedding_dim, encoder.feature_dim

    def __call__(self, photos: NDArray[np.uint8]) -> Encoded:
        encoded = self._encoder(photos)
        left = self._columns >= 0
        merged = np.zeros((self.classes, len(photos)), np.float32)
        np.add.at(merged, self._columns[left], encoded.probabilities.T[left])
        return encoded._replace(probabilities=np.ascontiguousarray(merged.T))
