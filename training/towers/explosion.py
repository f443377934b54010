"""Stops a training that has exploded: its loss or its weights are no numbers any more."""

from typing import Any

import numpy as np
import tf_keras

from relevance.errors import TrainingError
from training.towers.checkpoint import state
from training.towers.model import Tensors
from training.towers.retrieval import RetrievalModel


class StopAtNan(tf_keras.callbacks.Callback):
    """Raises TrainingError after the first batch of an epoch (from 0) whose loss is no number."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        loss = float((logs or {}).get("loss", 0.0))
        if not np.isfinite(loss):
            raise _exploded(f"the loss of batch {batch + 1} of epoch {self._epoch + 1} is {loss}", self._epoch)


def check(model: RetrievalModel, inputs: Tensors, epoch: int) -> None:
    """Raises TrainingError where the last step of an epoch (from 0), whose loss was computed before it, has left a
    weight or a part of the optimisers' state that is no number, or weights so large that the loss of a batch, the
    `inputs`, is none."""
    if not all(np.isfinite(variable.numpy()).all() for variable in state(model)):
        raise _exploded(f"weights after epoch {epoch + 1} are no numbers", epoch)
    loss = float(model.compute_loss(inputs))
    if not np.isfinite(loss):
        raise _exploded(f"the loss after epoch {epoch + 1} is {loss}", epoch)


def _exploded(what: str, epoch: int) -> TrainingError:
    again = "lower --table-rate or --learning-rate and start again"
    return TrainingError(f"{what}; the epochs before are kept: {again}, from there" if epoch else f"{what}: {again}")
