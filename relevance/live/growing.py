"""Arrays that only grow: what was given out keeps its length and its content."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from relevance.columns import Coded

_LEAST = 64


class GrowingArray:
    """Rows of one shape, `[n, *shape]`; adding costs constant time a row, on average."""

    def __init__(self, dtype: DTypeLike, shape: tuple[int, ...] = ()) -> None:
        self._array = np.empty((_LEAST, *shape), dtype)
        self._length = 0

    def extend(self, rows: Sequence[Any] | NDArray[Any]) -> None:
        """Adds rows at the end."""
        needed = self._length + len(rows)
        if needed > len(self._array):
            # The old array stays as it is: views of it may be in use.
            larger = np.empty((max(needed, 2 * len(self._array)), *self._array.shape[1:]), self._array.dtype)
            larger[: self._length] = self._array[: self._length]
            self._array = larger
        if len(rows):
            self._array[self._length : needed] = np.asarray(rows, self._array.dtype)
        self._length = needed

    def view(self) -> NDArray[Any]:
        """Returns the rows of now, `[n, *shape]`, without a copy."""
        return self._array[: self._length]


class GrowingCoded:
    """A column of strings, coded as `relevance.columns.Coded` is."""

    def __init__(self) -> None:
        self._values: list[str] = []
        self._numbers: dict[str, int] = {}
        self._codes = GrowingArray(np.int32)

    def extend(self, column: Iterable[str | None]) -> None:
        """Adds one string for each row, None or "" where there is none."""
        self._codes.extend([self._number(value) if value else -1 for value in column])

    def view(self) -> Coded:
        """Returns the column of now."""
        return Coded(tuple(self._values), self._codes.view())

    def _number(self, value: str) -> int:
        if value not in self._numbers:
            self._numbers[value] = len(self._values)
            self._values.append(value)
        return self._numbers[value]
