"""Typed columns of a table: every value is checked, and what is refused is named by row and column."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from relevance.errors import RowsError, quoted, shortened
from relevance.parquet import Column
from relevance.tables import Table, is_missing, parse_json

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_YEAR_1, _YEAR_10000 = -62_135_596_800_000, 253_402_300_800_000
_UNFIT = (ValueError, TypeError, OverflowError)
NOT_IDS = frozenset({"", "nan", "none", "null", "<na>"})
"""What programs write where there is nothing."""

_NUMBER = "a number"
_INSTANT = "an ISO 8601 time (such as 2024-05-31T12:00:00Z) or epoch milliseconds"
# Milliseconds that fall into January and February 1970, and that are seconds of the years 1985 to 2128.
_SECONDS_LOW, _SECONDS_HIGH = 5e8, 5e9
_DECIMAL_COMMA = re.compile(r"[+-]?[\d.]*\d,\d+\D*", re.ASCII)


def refuse(table: Table, column: str, bad: Sequence[int] | NDArray[Any], expected: str, hint: str = "") -> NoReturn:
    """Raise one RowsError for all records `bad` of a column: the first in full, the others by row."""
    first = int(bad[0])
    found = "no such column"
    if column in table.columns:
        value = table.columns[column][first]
        found = quoted(value.item() if isinstance(value, np.generic) else value)
    reason = f"column {shortened(table.labels.get(column, column))}: expected {expected}"
    message = f"{table.path}, row {table.row(first)}, {reason}, found {found}{hint}"
    if len(bad) > 1:
        rows = ", ".join(str(table.row(int(i))) for i in bad[1:9])
        message += f"; {len(bad) - 1} more rows: {rows}{', …' if len(bad) > 9 else ''}"
    raise RowsError(message, tuple(map(int, bad)), reason)


def texts(table: Table, name: str) -> list[str]:
    """The column as text, "" where it is missing; whole numbers become their digits."""
    values = table.columns.get(name)
    if values is None:
        return [""] * len(table)
    return _converted(table, name, values, _text, "text")


def ids(table: Table, name: str) -> list[str]:
    """The column as text; refuses missing values, and NaN and null written out as text."""
    values = texts(table, name)
    missing = [i for i, value in enumerate(values) if value.strip().lower() in NOT_IDS]
    if missing:
        refuse(table, name, missing, "an id")
    return values


def unique_ids(table: Table, name: str) -> list[str]:
    """The column as text; refuses missing and repeated values."""
    values = ids(table, name)
    if len(set(values)) < len(values):
        first: dict[str, int] = {}
        repeated = [i for i, value in enumerate(values) if first.setdefault(value, i) != i]
        row = table.row(first[values[repeated[0]]])
        refuse(table, name, repeated, "each id once", f", which row {row} has too")
    return values


def numbers(table: Table, name: str) -> NDArray[np.float64]:
    """The column as float64, NaN where it is missing; refuses infinity."""
    values = table.columns.get(name)
    if values is None:
        return np.full(len(table), np.nan)
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        values = np.array(_converted(table, name, values, _number, _NUMBER), dtype=np.float64)
    result = values.astype(np.float64)
    infinite = np.flatnonzero(np.isinf(result))
    if len(infinite):
        refuse(table, name, infinite, "a finite number")
    return result


def instants(table: Table, name: str) -> NDArray[np.datetime64]:
    """The column as datetime64[ms] in UTC, NaT where it is missing."""
    values = table.columns.get(name)
    if values is None:
        return np.full(len(table), "NaT", dtype="datetime64[ms]")
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return values.astype("datetime64[ms]")
    result = np.array(_converted(table, name, values, milliseconds, _INSTANT), dtype="datetime64[ms]")
    epochs = np.abs(np.where(np.isnat(result), 0, result.astype(np.int64)))
    early = np.flatnonzero((epochs >= _SECONDS_LOW) & (epochs <= _SECONDS_HIGH)).tolist()
    if seconds := [row for row in early if _is_count(values[row])]:
        refuse(table, name, seconds, "epoch milliseconds", " (seconds? multiply by 1000)")
    return result


def objects(table: Table, name: str) -> list[dict[str, Any]]:
    """The column as JSON objects, `{}` where it is missing; null values inside are left out."""
    values = table.columns.get(name)
    if values is None:
        return [{} for _ in range(len(table))]
    return _converted(table, name, values, _object, "a JSON object")


def milliseconds(value: Any) -> int | None:
    """Epoch milliseconds of an ISO 8601 text, a datetime or a number of milliseconds; None if missing.

    A time without a zone is UTC. Raises ValueError for anything else.
    """
    if is_missing(value):
        return None
    if isinstance(value, str):
        text = value.strip()
        # Fewer digits are a year or a date of ISO 8601's basic form, not a moment of January 1970.
        value = int(text) if text.isdecimal() and len(text) > 8 else datetime.fromisoformat(text)
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else int(value.astype("datetime64[ms]").astype(np.int64))
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (moment - _EPOCH) // _MILLISECOND
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ValueError("not a time")
    if not _YEAR_1 <= value < _YEAR_10000:
        raise ValueError("not a time of the years 1 to 9999")
    return int(value)


def _is_count(value: Any) -> bool:
    """Whether a time is given as a number, and not as a date."""
    return value.strip().isdecimal() if isinstance(value, str) else isinstance(value, int | float | np.number)


def _converted(table: Table, name: str, values: Column, convert: Callable[[Any], T], expected: str) -> list[T]:
    """`convert` of every value; where that fails, one error for all such rows."""
    values = values.tolist() if isinstance(values, np.ndarray) else values
    try:
        return [convert(value) for value in values]
    except _UNFIT:
        bad = [i for i, value in enumerate(values) if _fails(convert, value)]
        comma = expected == _NUMBER and any(_DECIMAL_COMMA.fullmatch(str(values[i]).strip()) for i in bad)
        refuse(table, name, bad, f"{expected} with a decimal point" if comma else expected)


def _fails(convert: Callable[[Any], Any], value: Any) -> bool:
    try:
        convert(value)
    except _UNFIT:
        return True
    return False


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if is_missing(value):
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer)) or value != int(value):
        raise ValueError("not text")
    return str(int(value))


def _number(value: Any) -> float:
    if is_missing(value):
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float, str, np.integer, np.floating)):
        raise ValueError("not a number")
    return float(value)


def _object(value: Any) -> dict[str, Any]:
    if is_missing(value):
        return {}
    if isinstance(value, str):
        value = parse_json(value)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return {name: item for name, item in value.items() if item is not None}
