"""What the classifier had to learn from, and whether its probabilities can be trusted, as two pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from relevance.artifacts import writing_file

BINS = 10


def plot(out: Path, counts: NDArray[np.int64], confidence: NDArray[np.float32], hits: NDArray[np.bool_]) -> None:
    """Writes `photos_per_category.png` and `reliability.png` to the folder `out`.

    counts: photos of each category; confidence and hits: `[n]`, the best category's probability and whether it is
    right.
    """
    _save(out / "photos_per_category.png", lambda axes: _photos_per_category(axes, counts))
    _save(out / "reliability.png", lambda axes: _reliability(axes, confidence, hits))


def _photos_per_category(axes: Any, counts: NDArray[np.int64]) -> None:
    axes.plot(np.arange(1, len(counts) + 1), np.sort(counts)[::-1])
    axes.set(yscale="log", xlabel="categories, largest first", ylabel="photos", title="Photos a category")


def _reliability(axes: Any, confidence: NDArray[np.float32], hits: NDArray[np.bool_]) -> None:
    slot = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    seen = np.unique(slot)
    axes.plot([0, 1], [0, 1], color="0.7")
    axes.plot([confidence[slot == s].mean() for s in seen], [hits[slot == s].mean() for s in seen], marker="o")
    axes.set(xlabel="probability of the best category", ylabel="share that is right", title="Reliability")


def _save(path: Path, draw: Callable[[Any], None]) -> None:
    with matplotlib.rc_context({"figure.dpi": 120}), writing_file(path) as temporary:
        figure = Figure(figsize=(5, 4), layout="constrained")
        draw(figure.add_subplot())
        figure.savefig(temporary, format="png")
