"""Photos, or what the trunk makes of them, a batch at a time."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.classifier.augment import augment
from training.classifier.examples import Rows


class Batches(keras.utils.PyDataset):
    """(inputs, labels) of `rows`. With a seed: for training, in another order each epoch, photos changed by
    :func:`augment`."""

    def __init__(
        self, inputs: NDArray[Any], labels: NDArray[np.int32], rows: Rows, batch: int, seed: int | None = None
    ) -> None:
        super().__init__()
        self._inputs, self._labels, self._rows = inputs, labels, rows
        self._batch, self._seed, self._epoch = batch, seed, 0
        self._shuffle()

    def __len__(self) -> int:
        return -(-len(self._rows) // self._batch)

    def __getitem__(self, index: int) -> tuple[NDArray[Any], NDArray[np.int32]]:
        rows = np.sort(self._rows[index * self._batch : (index + 1) * self._batch])  # sorted: one pass over the file
        inputs = self._inputs[rows]
        if self._seed is not None and inputs.dtype == np.uint8:
            # A generator of its own for every batch: the next ones may be asked for ahead of time.
            inputs = augment(inputs, np.random.default_rng((self._seed, self._epoch, index)))
        return inputs, self._labels[rows]

    def on_epoch_end(self) -> None:
        self._epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        if self._seed is not None:
            self._rows = np.random.default_rng((self._seed, self._epoch)).permutation(self._rows)
