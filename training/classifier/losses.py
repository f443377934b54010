"""What training minimises: the right class, the right branch above it, and no help from how often classes occur."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from relevance.ontology import Ontology


class TreeCrossEntropy(keras.losses.Loss):
    """Cross-entropy of integer labels `[b]` under logits `[b, c]`, at the classes and at every level above.

    adjustment τ: τ·log prior is added to the logits in training, so that the logits themselves lean less to frequent
    classes (Menon et al., "Long-tail learning via logit adjustment", ICLR 2021); 1 aims at the balanced error.
    hierarchy λ: the weight of the mean cross-entropy over the levels, where the probabilities of the classes under one
    node are summed (in the spirit of Bertinetto et al., "Making better mistakes", CVPR 2020): a mistake within the
    right branch costs less. smoothing ε: that much of the label is spread over all classes.
    """

    def __init__(
        self,
        prior: NDArray[np.float64],
        levels: Sequence[NDArray[np.int32]],
        adjustment: float,
        hierarchy: float,
        smoothing: float = 0.0,
    ) -> None:
        """prior: `[c]`; levels: for each level, int32 `[c]`, the number of each class's node on it."""
        super().__init__(name="tree_cross_entropy")
        self._shift = (adjustment * np.log(prior)).astype(np.float32)
        self._members = [np.eye(int(nodes.max()) + 1, dtype=np.float32)[nodes] for nodes in levels]
        self._nodes = [np.asarray(nodes, np.int32) for nodes in levels]
        self._hierarchy, self._smoothing = hierarchy, smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        logits = ops.cast(y_pred, "float32") + self._shift
        log_p = ops.log_softmax(logits)
        loss = -_picked(log_p, labels)
        if self._smoothing:
            loss = (1 - self._smoothing) * loss - self._smoothing * ops.mean(log_p, axis=-1)
        if not self._hierarchy or not self._members:
            return loss
        p = ops.exp(log_p)
        above = [
            -_picked(ops.log(ops.matmul(p, member) + 1e-7), ops.take(nodes, labels))
            for member, nodes in zip(self._members, self._nodes, strict=True)
        ]
        return (loss + self._hierarchy * sum(above) / len(above)) / (1 + self._hierarchy)


def _picked(values: Any, labels: Any) -> Any:
    return ops.take_along_axis(values, labels[:, None], axis=-1)[:, 0]


def levels_above(ontology: Ontology, classes: NDArray[np.int32]) -> list[NDArray[np.int32]]:
    """For each level that joins some classes and parts others, from the top: int32 `[c]`, the number of each class's
    node. classes: ontology positions `[c]`."""
    found = []
    for level in range(1, int(ontology.depth[classes].max())):
        nodes, number = np.unique(ontology.ancestor_at(level)[classes], return_inverse=True)
        if 1 < len(nodes) < len(classes):
            found.append(number.astype(np.int32))
    return found
