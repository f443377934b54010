"""The towers on the way: after which steps they are written, also by a training that goes on."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

from pathlib import Path
from typing import Any

import pytest
import tf_keras

from relevance.timing import Stopwatch
from tests.training.sofas import CATEGORY, OPTIONS, STEPS, make_examples, make_model
from training.towers.checkpoint import Checkpoint
from training.towers.fit import fit
from training.towers.snapshots import Snapshots


class _KilledError(Exception):
    pass


class _Killed(tf_keras.callbacks.Callback):
    """In the second step of the second epoch."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if int(self.model.optimizer.iterations) == STEPS + 1:
            raise _KilledError


def test_steps_are_counted_through_an_interruption(tmp_path: Path) -> None:
    written: list[int] = []

    def write(folder: Path, trained: Any) -> None:
        assert int(folder.name) == trained["steps"]
        written.append(trained["steps"])

    def train(*more: Any) -> Snapshots:
        model = make_model()
        progress = Snapshots(tmp_path / "steps", [0, 2, 4, 5, 9], Stopwatch(), write)
        checkpoint = Checkpoint(tmp_path / "kept.npz", model, make_examples())
        fit(model, make_examples(), CATEGORY, OPTIONS, checkpoint, [progress, *more])
        return progress

    with pytest.raises(_KilledError):
        train(_Killed())
    assert written == [0, 2, 4]
    # It goes on from the first epoch, which had three steps.
    assert train().trained["steps"] == 3 * STEPS
    assert written == [0, 2, 4, 4, 5, 9]
    # Killed once more, when all was trained and nothing written.
    assert train().trained["steps"] == 3 * STEPS
    assert len(written) == 6
