"""Texts as bags of features in one flat array each, ready for a training step: no string is touched in one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from relevance.featuriser import Featuriser, Widths

KINDS = 3
"""Words, word pairs and n-grams: the kinds of a `relevance.featuriser.Bag` that index the embedding table."""

Rows = NDArray[np.int32]


class Bags:
    """The bags of n texts as ragged constants. Think `rows -> bags`."""

    def __init__(self, featuriser: Featuriser, texts: Sequence[str], widths: Widths) -> None:
        self._n = len(texts)
        bags = [featuriser.bag(text, widths) for text in texts]
        self.features = _ragged([kind for bag in bags for kind in (bag.words, bag.pairs, bag.ngrams)])
        self.pieces = _ragged([bag.pieces for bag in bags])

    def __len__(self) -> int:
        return self._n

    @property
    def arrays(self) -> list[NDArray[Any]]:
        """All that is in the bags."""
        return [part.numpy() for one in (self.features, self.pieces) for part in (one.values, one.row_splits)]

    def take(self, rows: Any) -> tuple[Any, Any]:
        """rows int32 `[b]` -> ragged features `[b * KINDS, (number)]`, the kinds of a text in a row, and ragged pieces
        `[b, (number)]`."""
        kinds = tf.reshape(rows[:, None] * KINDS + tf.range(KINDS)[None], [-1])
        return tf.gather(self.features, kinds), tf.gather(self.pieces, rows)


def _ragged(lists: Sequence[Sequence[int]]) -> Any:
    lengths = np.fromiter(map(len, lists), np.int64, len(lists))
    values = np.fromiter((value for one in lists for value in one), np.int32, int(lengths.sum()))
    return tf.RaggedTensor.from_row_lengths(tf.constant(values), tf.constant(lengths), validate=False)
