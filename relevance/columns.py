"""What filters look at: a memory-mapped array for each column of the listings, in row order; one for all attributes."""

import json
import warnings
from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataWarning, listed

_ARRAYS = ("category", "price", "latitude", "longitude", "created_at", "expires_at")
MAX_VALUES = 5000
"""An attribute with more distinct values than this is text, not a filter."""

MAX_ATTRIBUTES = 500
"""Attributes that are filters, those of most listings. Each has a number for every listing, and beyond so many names a
catalogue has what sellers made up."""


@dataclass(frozen=True)
class Coded:
    """A column of strings: values sorted, codes int32 `[rows]` into them, -1 where the row has none. A row with a list
    of values has them in one string, a line each."""

    values: tuple[str, ...]
    codes: NDArray[np.int32]

    @classmethod
    def encode(cls, column: Sequence[str | None]) -> "Coded":
        """Codes one string for each row, None or "" where there is none."""
        values = tuple(sorted({value for value in column if value}))
        numbers = {value: code for code, value in enumerate(values)}
        return cls(values, np.array([numbers.get(value or "", -1) for value in column], np.int32))

    def value(self, row: int) -> str | None:
        """Returns the string of a row, None where it has none."""
        code = int(self.codes[row])
        return None if code < 0 else self.values[code]

    def among(self, wanted: Sequence[Any]) -> NDArray[np.bool_]:
        """Returns bool `[rows]`: rows with at least one of the `wanted` JSON values; 5, 5.0 and "5" are one value."""
        codes = {code for value in wanted for code in self._codes_of.get(value_text(value) or "", ())}
        return np.isin(self.codes, list(codes))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The code of each string."""
        return {value: code for code, value in enumerate(self.values)}

    @cached_property
    def _codes_of(self) -> dict[str, list[int]]:
        """A value -> the codes of the strings that it is in."""
        found: dict[str, list[int]] = {}
        for code, value in enumerate(self.values):
            for line in value.split("\n"):
                found.setdefault(line, []).append(code)
        return found


@dataclass(frozen=True)
class Columns:
    """category: int32 position in the ontology; price, latitude, longitude: float64, NaN where missing; created_at,
    expires_at: datetime64[ms], NaT where missing; one coded column for the locale and for each attribute."""

    category: NDArray[np.int32]
    price: NDArray[np.float64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    created_at: NDArray[np.datetime64]
    expires_at: NDArray[np.datetime64]
    locale: Coded
    attributes: dict[str, Coded]

    def __len__(self) -> int:
        return len(self.category)

    def write(self, folder: Path) -> None:
        """Writes one .npy file a column, one for the codes of all attributes, int32 `[attributes, rows]`, and
        `columns.json`."""
        folder.mkdir(parents=True)
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        np.save(folder / "locale.npy", self.locale.codes)
        shape = (len(self.attributes), len(self))
        codes = np.lib.format.open_memmap(folder / "attributes.npy", mode="w+", dtype=np.int32, shape=shape)
        for number, column in enumerate(self.attributes.values()):
            codes[number] = column.codes
        codes.flush()
        names = {"locale": self.locale.values, "attributes": [[n, c.values] for n, c in self.attributes.items()]}
        (folder / "columns.json").write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def open(cls, folder: Path) -> "Columns":
        """Maps what `write` wrote."""
        names = json.loads((folder / "columns.json").read_text(encoding="utf-8"))
        arrays = {name: _map(folder / f"{name}.npy") for name in _ARRAYS}
        codes = _map(folder / "attributes.npy")
        attributes = {
            name: Coded(tuple(values), own) for (name, values), own in zip(names["attributes"], codes, strict=True)
        }
        locale = Coded(tuple(names["locale"]), _map(folder / "locale.npy"))
        return cls(**arrays, locale=locale, attributes=attributes)


def attribute_columns(attributes: Sequence[dict[str, Any]]) -> dict[str, Coded]:
    """Returns every attribute with at most MAX_VALUES distinct values as a coded column: the MAX_ATTRIBUTES that most
    rows have. A DataWarning tells of those left out."""
    found: dict[str, _Given] = defaultdict(_Given)
    for row, values in enumerate(attributes):
        for name, value in values.items():
            found[name].add(row, value_text(value))
    few = [name for name, given in found.items() if len(given.numbers) <= MAX_VALUES]
    by_rows = sorted(few, key=lambda name: (-len(found[name].rows), name))
    if rare := by_rows[MAX_ATTRIBUTES:]:
        warnings.warn(
            f"attributes: {len(few):,} names; the {MAX_ATTRIBUTES} that most listings have can be filtered by, not "
            f"{listed(rare)}",
            DataWarning,
            stacklevel=2,
        )
    kept = sorted(by_rows[:MAX_ATTRIBUTES])
    codes = np.full((len(kept), len(attributes)), -1, np.int32)
    return {name: found[name].coded(own) for name, own in zip(kept, codes, strict=True)}


@dataclass
class _Given:
    """An attribute where it is given. numbers: its values, in the order in which they came; rows, codes: int32 `[n]`,
    where it is given, and the number of what."""

    numbers: dict[str, int] = field(default_factory=dict)
    rows: "array[int]" = field(default_factory=lambda: array("i"))
    codes: "array[int]" = field(default_factory=lambda: array("i"))

    def add(self, row: int, text: str | None) -> None:
        """Takes in the value of a row, None or "" where it has none; of a text no more than tells that it is one."""
        if text and len(self.numbers) <= MAX_VALUES:
            self.rows.append(row)
            self.codes.append(self.numbers.setdefault(text, len(self.numbers)))

    def coded(self, codes: NDArray[np.int32]) -> Coded:
        """Returns the column; codes: int32 `[rows]`, -1, which is filled."""
        values = tuple(sorted(self.numbers))
        rank = np.empty(len(values), np.int32)
        rank[[self.numbers[value] for value in values]] = np.arange(len(values))
        codes[self.rows] = rank[self.codes]
        return Coded(values, codes)


def value_text(value: Any) -> str | None:
    """A JSON value as a person writes it; a list has a line for each value."""
    if isinstance(value, list | tuple):
        return "\n".join(text for item in value if (text := value_text(item)))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None else str(value).replace("\n", " ")


def _map(path: Path) -> Any:
    # As a plain array over the same memory: each look into a `memmap` costs microseconds.
    return np.asarray(np.load(path, mmap_mode="r"))
