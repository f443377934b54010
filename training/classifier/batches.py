"""Which examples each step reads: a function of the seed and the step alone, so that training can go on anywhere."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.classifier.examples import Rows
from training.classifier.photos import SHARD

WINDOW = 32
"""Shards that are mixed with each other: 65 thousand photos."""
ROUND = 2000
"""Steps after which training is measured and saved at the latest."""


class Order:
    """The rows of every step: each epoch takes every row once, in another order.

    Shards come in random order, and the rows of WINDOW shards at a time are shuffled among each other: a disk reads
    few files at a time however many photos there are. What does not fill the last batch of an epoch is left out of it.
    """

    def __init__(self, rows: Rows, batch: int, seed: int) -> None:
        self._rows, self._seed = rows, seed
        self.batch = min(batch, len(rows))
        self.steps_per_epoch = len(rows) // self.batch
        self._known: tuple[int, Rows] | None = None

    def rows(self, step: int) -> Rows:
        """Returns the rows of one step, int64 `[batch]`."""
        epoch, at = divmod(step, self.steps_per_epoch)
        known = self._known
        if known is None or known[0] != epoch:
            known = self._known = (epoch, self._shuffled(epoch))
        return known[1][at * self.batch : (at + 1) * self.batch]

    def _shuffled(self, epoch: int) -> Rows:
        rng = np.random.default_rng((self._seed, epoch))
        shard = self._rows // SHARD
        place = rng.permutation(int(shard.max()) + 1)  # of each shard in this epoch
        window = place[shard] // WINDOW
        mixed = rng.permutation(len(self._rows))
        return self._rows[mixed][np.argsort(window[mixed], kind="stable")]


class Training(keras.utils.PyDataset):
    """(inputs, labels) in rounds of `steps` steps, beginning with `first_round`; `take` gives the inputs of rows.

    part: (index, count) where several workers share the batches: each takes its slice of every one.
    """

    def __init__(
        self,
        take: Callable[[Rows], NDArray[Any]],
        labels: NDArray[np.int32],
        order: Order,
        steps: int,
        first_round: int = 0,
        part: tuple[int, int] = (0, 1),
        threads: int = 1,
    ) -> None:
        super().__init__(workers=threads, max_queue_size=4 * threads)
        self._take, self._labels, self._order, self._part = take, labels, order, part
        self._steps, self._round = steps, first_round

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, index: int) -> tuple[NDArray[Any], NDArray[np.int32]]:
        rows = self._order.rows(self._round * self._steps + index)
        rows = np.sort(_slice(rows, self._part))  # sorted: one pass over the files
        return self._take(rows), self._labels[rows]

    def on_epoch_end(self) -> None:
        self._round += 1

    def begin(self, number: int) -> None:
        """The next round is that one. (Keras calls `on_epoch_end` once before the first epoch, too.)"""
        self._round = number


class Measuring(keras.utils.PyDataset):
    """(inputs, labels) of `rows`, in order, in batches of nearly one size. part: as for :class:`Training`; every slice
    has a row where there are as many rows as slices, and `batch` is at least twice as many."""

    def __init__(
        self,
        take: Callable[[Rows], NDArray[Any]],
        labels: NDArray[np.int32],
        rows: Rows,
        batch: int,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        super().__init__()
        self._take, self._labels, self._part = take, labels, part
        self._batches = np.array_split(np.sort(rows), max(1, -(-len(rows) // batch)))

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[NDArray[Any], NDArray[np.int32]]:
        rows = _slice(self._batches[index], self._part)
        return self._take(rows), self._labels[rows]


def _slice(rows: Rows, part: tuple[int, int]) -> Rows:
    at, count = part
    return rows[len(rows) * at // count : len(rows) * (at + 1) // count]
