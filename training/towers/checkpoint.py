"""What an interrupted training of the towers needs to go on as if nothing had happened."""

import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from relevance.artifacts import writing_file
from relevance.errors import DataWarning
from training.fingerprint import fingerprint
from training.towers.examples import Examples
from training.towers.retrieval import RetrievalModel

RATES = ("table_rate", "learning_rate")
"""The options with which a run may go on that was begun with others: a rate is a function of the step and of these, and
no part of the optimisers' state depends on it."""


class Checkpoint:
    """The weights, the optimisers' state and the number of finished epochs; one file, replaced whole after each."""

    def __init__(self, path: Path, model: RetrievalModel, examples: Examples) -> None:
        """The file is only used by a run with the same options, but for the rates (a training that has exploded goes on
        with lower ones), over the same examples and features, from the same vectors: those of `model`, before its first
        step."""
        fields = asdict(model.options)
        self._rates = " ".join(f"--{name.replace('_', '-')} {fields.pop(name)}" for name in RATES)
        pairs = (examples.variants, examples.listing, examples.weight, examples.absent)
        vectors = (variable.numpy() for variable in model.towers.text.weights)
        self._path, self._key = path, fingerprint(fields, [*pairs, *model.features.arrays, *vectors])

    def write(self, model: RetrievalModel, epochs: int) -> None:
        """Writes the state after `epochs` epochs."""
        values = {f"variable_{i}": variable.numpy() for i, variable in enumerate(state(model))}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with writing_file(self._path) as temporary, open(temporary, "wb") as file:
            np.savez(file, key=np.array(self._key), rates=np.array(self._rates), epochs=np.array(epochs), **values)

    def read(self, model: RetrievalModel) -> int:
        """Puts the state into a model whose variables are there, the optimisers' as well, and returns the epochs it has
        behind it; 0 where there is none. A DataWarning tells of epochs that had other rates."""
        if not self._path.is_file():
            return 0
        with np.load(self._path) as kept:
            if str(kept["key"]) != self._key:
                return 0
            values = [kept[name] for name in kept.files if name.startswith("variable_")]
            variables = state(model)
            if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
                return 0  # of a release with other towers
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
            epochs, rates = int(kept["epochs"]), str(kept["rates"])
        if rates != self._rates:
            text = f"{self._path}: epoch {epochs} had {rates}; going on from it with {self._rates}"
            warnings.warn(f"{text} (remove the file to begin anew)", DataWarning, stacklevel=2)
        return epochs

    def remove(self) -> None:
        """Deletes the file, once the artifact is written."""
        self._path.unlink(missing_ok=True)


def state(model: RetrievalModel) -> list[Any]:
    """Returns the variables that training changes, in a fixed order: the weights and the optimisers' own."""
    return [*model.towers.trainable_variables, *model.optimizer.weights]
