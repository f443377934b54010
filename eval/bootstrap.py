"""How sure a mean is: percentile intervals from resampled clusters.

Queries of one session are alike (a misspelt query and its correction come together), so that resampling queries one
by one would make intervals too narrow. Whole clusters are drawn instead (Field and Welsh, "Bootstrapping clustered
data", JRSS B 2007). Every figure of a call is taken from the same draws.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 1000
_CHUNK = 50
"""Resamples drawn at a time, to keep memory small."""


@dataclass(frozen=True)
class Estimate:
    """A mean, the ends of its interval, and the number of values it was taken over. value, low and high are NaN where
    there are no values."""

    value: float
    low: float
    high: float
    n: int

    def to_dict(self) -> dict[str, float | int | None]:
        """Returns the estimate for JSON, NaN as None."""
        numbers = {name: getattr(self, name) for name in ("value", "low", "high")}
        rounded = {name: None if np.isnan(x) else round(x, 6) for name, x in numbers.items()}
        return {**rounded, "n": self.n}

    def text(self, percent: bool = False) -> str:
        """Returns `0.512 [0.490, 0.533]`, or the same in per cent."""
        if np.isnan(self.value):
            return "-"
        if percent:
            return f"{100 * self.value:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def estimates(
    columns: Mapping[str, NDArray[np.float64]],
    clusters: Sequence[Hashable],
    *,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
    weights: Mapping[str, NDArray[np.float64]] | None = None,
) -> dict[str, Estimate]:
    """Returns the mean of each column, float64 `[n]`, over its values that are not NaN, with its interval.

    clusters `[n]` names the cluster of each value. A resample in which a column has no value does not count for it.
    weights: for some columns, float64 `[n]`, what each value counts in their mean.
    """
    names = list(columns)
    if not names:
        return {}
    values = np.stack([np.asarray(columns[name], np.float64) for name in names], axis=1)
    present = ~np.isnan(values)
    rows = _numbered(clusters)
    weight = np.stack([(weights or {}).get(name, np.ones(len(values))) for name in names], axis=1) * present
    sums = _cluster_sums(weight * np.where(present, values, 0.0), rows)
    counts = _cluster_sums(weight, rows)
    n = present.sum(axis=0)
    means = _ratio(sums.sum(axis=0), counts.sum(axis=0))
    drawn = _resampled(sums, counts, resamples, seed)
    tail = (1 - confidence) / 2
    return {name: _estimate(means[i], drawn[:, i], int(n[i]), tail) for i, name in enumerate(names)}


def _numbered(clusters: Sequence[Hashable]) -> NDArray[np.int64]:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(cluster, len(numbers)) for cluster in clusters], np.int64)


def _cluster_sums(values: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    sums = np.zeros((int(rows.max(initial=-1)) + 1, values.shape[1]))
    np.add.at(sums, rows, values)
    return sums


def _resampled(
    sums: NDArray[np.float64], counts: NDArray[np.float64], resamples: int, seed: int
) -> NDArray[np.float64]:
    """The mean of each column in each resample, `[resamples, columns]`."""
    rng = np.random.default_rng(seed)
    n = len(sums)
    both = np.concatenate([sums, counts], axis=1)
    drawn = np.empty((resamples, both.shape[1]))
    for start in range(0, resamples, _CHUNK):
        size = min(_CHUNK, resamples - start)
        picks = rng.integers(0, max(n, 1), (size, n)) + np.arange(size)[:, None] * n
        weights = np.bincount(picks.ravel(), minlength=size * n).reshape(size, n)
        drawn[start : start + size] = weights.astype(np.float64) @ both
    return _ratio(drawn[:, : sums.shape[1]], drawn[:, sums.shape[1] :])


def _ratio(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def _estimate(mean: float, drawn: NDArray[np.float64], n: int, tail: float) -> Estimate:
    seen = drawn[~np.isnan(drawn)]
    if not n or not len(seen):
        return Estimate(float(mean), float("nan"), float("nan"), n)
    low, high = np.quantile(seen, (tail, 1 - tail))
    return Estimate(float(mean), float(low), float(high), n)
