"""Which unfinished towers a training goes on with: those that began as it does."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from tests.training.sofas import OPTIONS, TITLES, make_examples, make_model
from training.towers.checkpoint import Checkpoint
from training.towers.retrieval import RetrievalModel

PIECES = ("red", "sofa")


def compiled(**given: Any) -> RetrievalModel:
    model = make_model(**given)
    model.compile(optimizer=tf_keras.optimizers.legacy.SGD())
    return model


def epochs_of(path: Path, model: RetrievalModel, **changed: Any) -> int:
    """What a run with this model, and other examples than these, goes on from."""
    return Checkpoint(path, model, replace(make_examples(), **changed)).read(model)


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    """Of two epochs."""
    model = compiled(pieces=PIECES)
    Checkpoint(tmp_path / "kept.npz", model, make_examples()).write(model, 2)
    return tmp_path / "kept.npz"


def test_the_same_run_goes_on(unfinished: Path) -> None:
    model = compiled(pieces=PIECES)
    checkpoint = Checkpoint(unfinished, model, make_examples())
    kept = model.towers.text.table.numpy()
    model.towers.text.table.assign(kept + 1)
    assert checkpoint.read(model) == 2
    np.testing.assert_array_equal(model.towers.text.table.numpy(), kept)


@pytest.mark.parametrize(
    "changed",
    [
        {"options": replace(OPTIONS, temperature=0.05)},
        {"queries": ["red sofas", *TITLES[1:]]},
        {"pieces": ("red", "bike")},
        {"price": 1.0},
        {"visual": 1.0},
        {"table": 1},
    ],
    ids=str,
)
def test_another_beginning_is_another_run(unfinished: Path, changed: dict[str, Any]) -> None:
    assert epochs_of(unfinished, compiled(**{"pieces": PIECES, **changed})) == 0


def test_other_pairs_are_another_run(unfinished: Path) -> None:
    assert epochs_of(unfinished, compiled(pieces=PIECES), weight=np.full(12, 2, np.float32)) == 0


def test_towers_of_other_layers_are_another_run(unfinished: Path) -> None:
    """As those of another release may be."""
    model = compiled(pieces=PIECES)
    model.towers.query_head.inner.build((None, 8))
    assert epochs_of(unfinished, model) == 0
