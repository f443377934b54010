"""The Keras networks behind a photo model's LiteRT files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from relevance.classifier import Classifier
from relevance.errors import ArtifactError

CLASSIFIER, ATTRIBUTES = "model.keras", "attributes.keras"


@dataclass(frozen=True)
class GroupNetwork:
    """columns: which of all classes are the group's own, in the order of the network's probabilities."""

    columns: list[int]
    network: Any


@dataclass(frozen=True)
class Networks:
    """The general network, those of groups of classes with the probability from which they decide, and those of the
    chains."""

    general: Any
    groups: list[GroupNetwork]
    bound: float
    chains: list[Any]

    @classmethod
    def load(cls, folder: Path, classifier: Classifier, attributes: Sequence[Path]) -> Networks:
        """Those of a classifier folder and attribute folders; raises ArtifactError for one that cannot be loaded."""
        column = {class_id: i for i, class_id in enumerate(classifier.manifest["class_ids"])}
        entries = [entry for entry in classifier.manifest.get("groups", ()) if entry["encoder"] is not None]
        groups = [
            GroupNetwork(
                [column[name] for name in entry["class_ids"]],
                _load((folder / entry["encoder"]).with_name(CLASSIFIER), "groups"),
            )
            for entry in entries
        ]
        bound = float(classifier.manifest.get("bound", 0.0))
        chains = [_load(path / ATTRIBUTES, "attributes") for path in attributes]
        return cls(_load(folder / CLASSIFIER, "classifier"), groups, bound, chains)

    def encoded(self, photos: Any) -> dict[str, Any]:
        """uint8 `[n, height, width, 3]` to `probabilities`, `embedding` and `features`, as the runtime's
        `GroupedEncoder` gives them."""
        encoded = dict(self.general(photos, training=False))
        general = encoded["probabilities"]
        for group in self.groups:
            share = tf.reduce_sum(tf.gather(general, group.columns, axis=1), axis=1)
            rows = tf.where(share >= self.bound)[:, 0]
            within = group.network(tf.gather(photos, rows), training=False)["probabilities"]
            decided = tf.gather(share, rows)[:, None] * within
            encoded["probabilities"] = _with(encoded["probabilities"], rows, group.columns, decided)
        return encoded


def _with(matrix: Any, rows: Any, columns: list[int], values: Any) -> Any:
    """The matrix with `values` at the crossings of rows and columns."""
    places = tf.stack(tf.meshgrid(rows, tf.constant(columns, tf.int64), indexing="ij"), axis=-1)
    return tf.tensor_scatter_nd_update(matrix, places, values)


def _load(path: Path, stage: str) -> Any:
    if not path.is_file():
        raise ArtifactError(f"{path}: no such file; train it again with `python -m training {stage}`")
    try:
        return keras.saving.load_model(path, compile=False)
    except (ValueError, OSError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise ArtifactError(f"{path}: expected a Keras model ({reason}); train it again") from error
