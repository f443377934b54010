"""The towers as they are on the way, and the time training had taken by then: to measure how fast they get good."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import tf_keras

from relevance.timing import Stopwatch

Trained = dict[str, float]
"""steps, and seconds by the clock and of the processor, of this process."""


class Snapshots(tf_keras.callbacks.Callback):
    """Calls `write(root / N, trained)` after each N of `steps`, 0 before the first; the watch stands still
    meanwhile."""

    def __init__(
        self, root: Path, steps: Collection[int], watch: Stopwatch, write: Callable[[Path, Trained], Any]
    ) -> None:
        super().__init__()
        self._root, self._wanted, self._watch, self._write = root, frozenset(steps), watch, write
        self._steps = 0

    @property
    def trained(self) -> Trained:
        """What training has taken so far."""
        return {"steps": self._steps, **self._watch.seconds._asdict()}

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._steps == 0:
            self._take()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._steps += 1
        self._take()

    def _take(self) -> None:
        if self._steps in self._wanted:
            trained = self.trained
            with self._watch.paused():
                self._write(self._root / str(self._steps), trained)
