"""What an interrupted training of the towers needs to go on as if nothing had happened."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from relevance.artifacts import writing_file
from training.towers.examples import Examples
from training.towers.options import Options
from training.towers.retrieval import RetrievalModel


class Checkpoint:
    """The weights, the optimiser's state and the number of finished epochs; one file, replaced whole after each."""

    def __init__(self, path: Path, examples: Examples, options: Options) -> None:
        """The file is only used by a run over the same examples with the same options."""
        digest = hashlib.sha256(json.dumps(asdict(options), sort_keys=True).encode())
        for array in (examples.variants, examples.listing, examples.weight, examples.absent):
            digest.update(np.ascontiguousarray(array).tobytes())
        self._path, self._key = path, digest.hexdigest()

    def write(self, model: RetrievalModel, epochs: int) -> None:
        """Writes the state after `epochs` epochs."""
        state = {f"variable_{i}": variable.numpy() for i, variable in enumerate(_variables(model))}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with writing_file(self._path) as temporary, open(temporary, "wb") as file:
            np.savez(file, key=np.array(self._key), epochs=np.array(epochs), **state)

    def read(self, model: RetrievalModel) -> int:
        """Puts the state into a model whose variables are there, the optimiser's as well, and returns the epochs it has
        behind it; 0 where there is none."""
        if not self._path.is_file():
            return 0
        with np.load(self._path) as state:
            if str(state["key"]) != self._key:
                return 0
            for i, variable in enumerate(_variables(model)):
                variable.assign(state[f"variable_{i}"])
            return int(state["epochs"])

    def remove(self) -> None:
        """Deletes the file, once the artifact is written."""
        self._path.unlink(missing_ok=True)


def _variables(model: RetrievalModel) -> list[Any]:
    return [*model.towers.trainable_variables, *model.optimizer.weights]
