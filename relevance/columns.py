"""What filters look at: one memory-mapped array for each column of the listings, in row order."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ARRAYS = ("category", "price", "latitude", "longitude", "created_at", "expires_at")
MAX_VALUES = 5000
"""An attribute with more distinct values than this is text, not a filter."""


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
        """Writes one .npy file a column and `columns.json`."""
        folder.mkdir(parents=True)
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        np.save(folder / "locale.npy", self.locale.codes)
        for number, column in enumerate(self.attributes.values()):
            np.save(folder / f"attribute-{number}.npy", column.codes)
        names = {"locale": self.locale.values, "attributes": [[n, c.values] for n, c in self.attributes.items()]}
        (folder / "columns.json").write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def open(cls, folder: Path) -> "Columns":
        """Maps what `write` wrote."""
        names = json.loads((folder / "columns.json").read_text(encoding="utf-8"))
        arrays = {name: _map(folder / f"{name}.npy") for name in _ARRAYS}
        attributes = {
            name: Coded(tuple(values), _map(folder / f"attribute-{number}.npy"))
            for number, (name, values) in enumerate(names["attributes"])
        }
        locale = Coded(tuple(names["locale"]), _map(folder / "locale.npy"))
        return cls(**arrays, locale=locale, attributes=attributes)


def attribute_columns(attributes: Sequence[dict[str, Any]]) -> dict[str, Coded]:
    """Returns every attribute with at most MAX_VALUES distinct values as a coded column."""
    names = sorted({name for row in attributes for name in row})
    columns = {name: Coded.encode([value_text(row.get(name)) for row in attributes]) for name in names}
    return {name: column for name, column in columns.items() if len(column.values) <= MAX_VALUES}


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
