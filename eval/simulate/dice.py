"""Random draws, many and small, from one seeded generator."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_BLOCK = 4096


class Dice:
    """A stream of draws that a seed fixes; numbers are drawn in blocks, since one at a time is slow.

    `seed` holds non-negative integers: (seed, stream) keeps the streams of one run apart.
    """

    def __init__(self, seed: Sequence[int]) -> None:
        self._generator = np.random.default_rng(list(seed))
        self._block: list[float] = []

    def uniform(self) -> float:
        """A float in [0, 1)."""
        if not self._block:
            self._block = self._generator.random(_BLOCK).tolist()
        return self._block.pop()

    def between(self, low: float, high: float) -> float:
        """A float in [low, high)."""
        return low + (high - low) * self.uniform()

    def normal(self) -> float:
        """A standard normal float (sum of twelve uniforms, minus six)."""
        return sum(self.uniform() for _ in range(12)) - 6.0

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.uniform() < probability

    def below(self, n: int) -> int:
        """An integer in [0, n)."""
        return int(self.uniform() * n)

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, all alike."""
        return choices[self.below(len(choices))]

    def zipf(self, choices: Sequence[T], exponent: float) -> T:
        """One of the choices, the one at rank r (from 1) with weight r ** -exponent."""
        return self.weighted(choices, [rank**-exponent for rank in range(1, len(choices) + 1)])

    def weighted(self, choices: Sequence[T], weights: Sequence[float]) -> T:
        """One of the choices, by weight."""
        totals = list(accumulate(weights))
        drawn = self.uniform() * totals[-1]
        return next((choice for choice, total in zip(choices, totals, strict=True) if drawn < total), choices[-1])
