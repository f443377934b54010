"""The towers as they are on the way, and the time training had taken by then: to measure how fast they get good."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import tf_keras

from relevance.timing import Stopwatch

Trained = dict[str, float]
"""steps, those before an interruption too, and seconds by the clock and of the processor, of this process alone."""


class Snapshots(tf_keras.callbacks.Callback):
    """Calls `write(root / N, trained)` after each N of `steps`, 0 before the first; the watch stands still
    meanwhile."""

    def __init__(
        self, root: Path, steps: Collection[int], watch: Stopwatch, write: Callable[[Path, Trained], Any]
    ) -> None:
        super().__init__()
        self._root, self._wanted, self._watch, self._write = root, frozenset(steps), watch, write

    @property
    def trained(self) -> Trained:
        """What training has taken so far."""
        return {"steps": self._steps, **self._watch.seconds._asdict()}

    @property
    def _steps(self) -> int:
        return int(self.model.optimizer.iterations)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._steps == 0:
            self._take()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._take()

    def _take(self) -> None:
        trained = self.trained
        if trained["steps"] in self._wanted:
            with self._watch.paused():
                self._write(self._root / str(trained["steps"]), trained)
