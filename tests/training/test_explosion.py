"""A training whose loss or weights are no numbers any more: it stops, keeps what was good, and goes on from there."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from relevance.errors import DataWarning, TrainingError
from tests.training.sofas import CATEGORY, OPTIONS, STEPS, make_examples, make_model
from training.towers.checkpoint import Checkpoint, state
from training.towers.fit import fit
from training.towers.options import Options
from training.towers.retrieval import RetrievalModel

SLOW = replace(OPTIONS, table_rate=0.0, learning_rate=0.0)


class _Spoilt(tf_keras.callbacks.Callback):
    """Writes `value` over the table once a step is done; counts the steps."""

    def __init__(self, step: int = 0, value: float = np.nan) -> None:
        super().__init__()
        self._step, self._value, self.steps = step, value, 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps += 1
        if self.steps == self._step:
            table = self.model.towers.text.table
            table.assign(np.full(table.shape, self._value, np.float32))


def _train(path: Path, options: Options, spoilt: _Spoilt) -> RetrievalModel:
    model = make_model(options)
    fit(model, make_examples(), CATEGORY, options, Checkpoint(path, model, make_examples()), [spoilt])
    return model


def _kept(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def test_nothing_is_said_to_be_kept_of_the_first_epoch(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as raised:
        _train(tmp_path / "kept.npz", OPTIONS, _Spoilt(step=1))
    assert str(raised.value) == (
        "the loss of batch 2 of epoch 1 is nan: lower --table-rate or --learning-rate and start again"
    )
    assert not (tmp_path / "kept.npz").exists()


def test_lower_rates_go_on_from_the_epoch_kept(tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    with pytest.raises(
        TrainingError, match=r"batch 2 of epoch 2 is nan; the epochs before are kept: lower --table-rat"
    ):
        _train(path, OPTIONS, _Spoilt(step=STEPS + 1))
    kept, rest = _kept(path), _Spoilt()
    assert kept["epochs"] == 1
    told = r"epoch 1 had --table-rate 0.1 --learning-rate 0.003; going on .* --table-rate 0.0 --learning-rate 0.0 "
    with pytest.warns(DataWarning, match=told):
        model = _train(path, SLOW, rest)
    assert rest.steps == 2 * STEPS
    # The rates that count are the new ones: at 0 no weight moves any more.
    for i, variable in enumerate(model.towers.trainable_variables):
        np.testing.assert_array_equal(variable.numpy(), kept[f"variable_{i}"])
    assert _kept(path)["epochs"] == 3


def test_the_same_rates_go_on_without_a_word_and_to_the_same_end(tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    whole = _train(tmp_path / "whole.npz", OPTIONS, _Spoilt())
    with pytest.raises(TrainingError):
        _train(path, OPTIONS, _Spoilt(step=STEPS + 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        resumed = _train(path, OPTIONS, _Spoilt())
    for one, other in zip(state(whole), state(resumed), strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_another_option_begins_anew(tmp_path: Path) -> None:
    path, rest = tmp_path / "kept.npz", _Spoilt()
    with pytest.raises(TrainingError):
        _train(path, OPTIONS, _Spoilt(step=STEPS + 1))
    _train(path, replace(OPTIONS, temperature=0.05), rest)
    assert rest.steps == 3 * STEPS


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_an_epoch_that_ends_in_no_numbers_is_not_kept(tmp_path: Path, epoch: int) -> None:
    """The loss is computed before the step: that of the last one says nothing of what it left. After the last epoch no
    other would."""
    path = tmp_path / "kept.npz"
    with pytest.raises(TrainingError, match=rf"weights after epoch {epoch} are no numbers.*start again") as raised:
        _train(path, OPTIONS, _Spoilt(step=epoch * STEPS))
    assert ("are kept" in str(raised.value)) == path.exists() == (epoch > 1)
    if epoch > 1:
        assert _kept(path)["epochs"] == epoch - 1
        assert all(np.isfinite(values).all() for name, values in _kept(path).items() if name.startswith("variable"))


def test_weights_too_large_for_a_loss_are_not_kept(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"the loss after epoch 2 is nan; the epochs before are kept"):
        _train(tmp_path / "kept.npz", OPTIONS, _Spoilt(step=2 * STEPS, value=3e38))
    assert _kept(tmp_path / "kept.npz")["epochs"] == 1
