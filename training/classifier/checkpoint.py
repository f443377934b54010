"""What an interrupted training needs to go on as if nothing had happened."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import writing_file

Weights = list[NDArray[Any]]


class Checkpoint:
    """The state of one phase of training: every variable of a compiled model (weights, batch statistics, random seeds,
    optimizer), the best weights so far, and the history. One file, replaced whole after each round."""

    def __init__(self, path: Path, key: str) -> None:
        """key: names the data, the options and the phase; a file made under another key is not used."""
        self._path, self._key = path, key

    def write(self, model: Any, best: Weights, history: Sequence[dict[str, float]], done: bool) -> None:
        note = json.dumps({"key": self._key, "history": list(history), "done": done})
        state: dict[str, Any] = {"note": np.array(note)}
        state |= {f"variable_{i}": _array(v) for i, v in enumerate(_variables(model))}
        state |= {f"best_{i}": values for i, values in enumerate(best)}
        with writing_file(self._path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **state)

    def read(self, model: Any) -> tuple[Weights, list[dict[str, float]], bool] | None:
        """Puts the state into the model, which must be compiled and built as it was when the file was written; returns
        the best weights, the history (a dict of metrics for each finished round) and whether the phase had come to its
        end. None where there is nothing to go on from."""
        note = self._note()
        if note is None:
            return None
        with np.load(self._path) as state:
            for i, variable in enumerate(_variables(model)):
                variable.assign(state[f"variable_{i}"])
            best = [state[f"best_{i}"] for i in range(sum(name.startswith("best_") for name in state.files))]
        return best, note["history"], note["done"]

    def finished(self) -> bool:
        """Whether the phase had come to its end."""
        note = self._note()
        return note is not None and bool(note["done"])

    def _note(self) -> dict[str, Any] | None:
        if not self._path.is_file():
            return None
        with np.load(self._path) as state:
            note: dict[str, Any] = json.loads(str(state["note"]))
        return note if note["key"] == self._key else None


def _variables(model: Any) -> list[Any]:
    return [*model.variables, *model.optimizer.variables]


def _array(variable: Any) -> NDArray[Any]:
    return np.asarray(keras.ops.convert_to_numpy(variable))
