"""Parquet in and out through pyarrow, which only those need who read or write it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import writing_file
from relevance.errors import DataError

Column = list[Any] | NDArray[Any]


def import_pyarrow() -> Any:
    """pyarrow with pyarrow.parquet; raises DataError where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DataError("reading and writing Parquet needs pyarrow: pip install pyarrow") from None
    return pyarrow


def write_parquet(path: Path, table: Any) -> None:
    """Write a pyarrow table, atomically."""
    with writing_file(path) as temporary:
        import_pyarrow().parquet.write_table(table, temporary)


def read_parquet(path: Path, wanted: Sequence[str], nested: bool) -> tuple[tuple[str, ...], dict[str, Column], int]:
    """The file's header, its `wanted` columns and its number of rows.

    A column is an array where it is numeric (null as NaN or NaT), else a list (null as None). With `nested`,
    objects are taken apart into columns such as `a.b`.
    """
    pyarrow = import_pyarrow()
    try:
        file = pyarrow.parquet.ParquetFile(path)
        header = tuple(file.schema_arrow.names)
        content = file.read(columns=None if nested else [name for name in header if name in wanted])
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable Parquet file: {error}") from None
    columns: dict[str, Column] = {}
    while nested and any(pyarrow.types.is_struct(field.type) for field in content.schema):
        for name in _whole_objects(content.schema, wanted, pyarrow):
            columns[name] = _plain(content.column(name))
        content = content.flatten()
        header = (*header, *content.column_names)
    for name in content.column_names:
        if name in wanted:
            columns[name] = _decoded(path, name, content.column(name), pyarrow)
    return tuple(dict.fromkeys(header)), columns, content.num_rows


def _whole_objects(schema: Any, wanted: Sequence[str], pyarrow: Any) -> list[str]:
    """The objects that are wanted themselves and of which no part is: to read them as objects is slow."""
    return [
        field.name
        for field in schema
        if pyarrow.types.is_struct(field.type)
        and field.name in wanted
        and not any(name.startswith(f"{field.name}.") for name in wanted)
    ]


def _decoded(path: Path, name: str, column: Any, pyarrow: Any) -> Column:
    try:
        return _values(column, pyarrow)
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"{path}, column {name}: expected UTF-8 text: {error}") from None


def _values(column: Any, pyarrow: Any) -> Column:
    types = pyarrow.types
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if types.is_timestamp(kind) or types.is_date(kind):
        column = column.cast(pyarrow.timestamp("ms", "UTC" if getattr(kind, "tz", None) else None), safe=False)
        return np.asarray(column.to_numpy(), dtype="datetime64[ms]")
    if types.is_floating(kind) or types.is_decimal(kind):
        return np.asarray(column.cast(pyarrow.float64()).to_numpy())
    if types.is_integer(kind) and not column.null_count:
        return np.asarray(column.to_numpy())
    if types.is_list(kind) or types.is_large_list(kind):
        return _lists(column)
    if types.is_string(kind) or types.is_large_string(kind):
        return list(column.to_numpy())
    return _plain(column)


def _plain(column: Any) -> list[Any]:
    """Python values; a map is an object, as a struct is, and not a list of pairs."""
    return list(column.to_pylist(maps_as_pydicts="lossy"))


def _lists(column: Any) -> list[Any]:
    """A column of lists, sliced from one flat list: many times faster than `to_pylist`."""
    result: list[Any] = []
    for chunk in column.chunks:
        flat = _plain(chunk.values)
        result += [flat[start:end] for start, end in pairwise(chunk.offsets.to_pylist())]
        for i in np.flatnonzero(chunk.is_null().to_numpy(zero_copy_only=False)):
            result[len(result) - len(chunk) + int(i)] = None
    return result
