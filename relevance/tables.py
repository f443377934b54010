"""Reading records from CSV, JSON lines or Parquet into columns, with the row numbers people see."""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataError

Column = list[Any] | NDArray[Any]
FORMATS = ".parquet, .csv, .jsonl (the last two also .gz)"


@dataclass(frozen=True)
class Table:
    """Columns of equal length, by name: lists of Python values, or arrays where the file has a numeric type.

    `rows[i]` is the number a person finds record i under: the line of a JSONL file, the row of a spreadsheet
    for a CSV (its header is row 1), the record's number from 1 for Parquet. `header` holds every column of
    the file.
    """

    path: Path
    header: tuple[str, ...]
    columns: dict[str, Column]
    rows: Sequence[int]

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, i: int) -> int:
        """The number a person finds record i under."""
        return self.rows[i]

    def take(self, records: NDArray[Any]) -> Table:
        """The records at these positions, with their row numbers."""
        rows = [self.rows[i] for i in records.tolist()]
        return Table(self.path, self.header, take(self.columns, records), rows)


def take(columns: Mapping[str, Column], rows: NDArray[Any]) -> dict[str, Any]:
    """The records at `rows` (positions) of each column."""
    order = rows.tolist()
    return {
        name: column[rows] if isinstance(column, np.ndarray) else [column[i] for i in order]
        for name, column in columns.items()
    }


def read_table(
    path: Path, required: Sequence[str], optional: Sequence[str] = (), nested: bool = False
) -> Table:
    """Read the columns `required` and `optional`; the others are ignored.

    With `nested`, a name such as `a.b` is found as a column `a.b` and inside objects alike. Raises DataError
    for a missing or empty file, another format, bytes that are not UTF-8, malformed rows and missing required
    columns.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise DataError(
            f"{path}: the file is empty; expected the columns {', '.join(required) or optional[0]}"
        )
    wanted = (*required, *optional)
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    if suffix == ".csv":
        table = _read_csv(path, wanted)
    elif suffix == ".jsonl":
        table = _read_jsonl(path, wanted, nested)
    elif path.suffix == ".parquet":
        table = _read_parquet(path, wanted, nested)
    else:
        raise DataError(f"{path}: expected one of {FORMATS}, found {path.suffix or 'no suffix'!r}")
    missing = [name for name in required if name not in table.columns]
    if missing:
        raise DataError(
            f"{path}: expected the columns {', '.join(required)} (optional: {', '.join(optional)}), "
            f"found {', '.join(table.header)}; missing: {', '.join(missing)}"
        )
    if not len(table):
        raise DataError(f"{path}: expected at least one row, found none")
    return table


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """The file as text; what goes wrong while it is read becomes a DataError."""
    opener: Any = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        _refuse_encoding(path, opener, error)
    except (gzip.BadGzipFile, EOFError) as error:
        raise DataError(f"{path}: not a whole gzip file: {error}") from None


def _refuse_encoding(path: Path, opener: Any, error: UnicodeDecodeError) -> NoReturn:
    with opener(path, "rb") as file:
        for line, content in enumerate(file, start=1):
            try:
                content.decode("utf-8")
            except UnicodeDecodeError as bad:
                byte = content[bad.start]
                raise DataError(
                    f"{path}, line {line}: expected UTF-8, found the byte 0x{byte:02x} "
                    f"at position {bad.start + 1} of the line; save the file as UTF-8"
                ) from None
    raise DataError(f"{path}: expected UTF-8: {error.reason}")


def _read_csv(path: Path, wanted: Sequence[str]) -> Table:
    with _opened(path) as file:
        reader = csv.reader(file, strict=True)
        records: list[list[str]] = []
        rows: list[int] = []
        try:
            header = tuple(name.strip() for name in next(reader, []))
            for row, record in enumerate(reader, start=2):
                if not record:
                    continue  # a blank line
                if len(record) != len(header):
                    raise DataError(
                        f"{path}, row {row}: expected {len(header)} values as the header, found {len(record)}"
                    )
                records.append(record)
                rows.append(row)
        except csv.Error as error:
            raise DataError(f"{path}, line {reader.line_num}: malformed CSV: {error}") from None
    doubled = {name for name in header if header.count(name) > 1 and name in wanted}
    if doubled:
        raise DataError(
            f"{path}: expected each column once, found {', '.join(sorted(doubled))} more than once"
        )
    columns: dict[str, Column] = {
        name: [record[k] for record in records] for k, name in enumerate(header) if name in wanted
    }
    return Table(path, header, columns, rows)


def _read_jsonl(path: Path, wanted: Sequence[str], nested: bool) -> Table:
    records: list[dict[str, Any]] = []
    rows: list[int] = []
    header: dict[str, None] = {}
    with _opened(path) as file:
        for row, line in enumerate(file, start=1):
            if line.strip():
                record = _json_record(line, path, row)
                header.update(dict.fromkeys(record))
                records.append(_flat(record) if nested else record)
                rows.append(row)
    present = {name for record in records for name in record} if nested else header
    columns: dict[str, Column] = {
        name: [record.get(name) for record in records] for name in wanted if name in present
    }
    return Table(path, tuple(header), columns, rows)


def _json_record(line: str, path: Path, row: int) -> dict[str, Any]:
    try:
        record = parse_json(line)
        if "\\u" in line:
            json.dumps(record, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except UnicodeEncodeError:
        raise DataError(
            f"{path}, line {row}: expected valid Unicode, found half of a surrogate pair"
        ) from None
    except ValueError as error:
        raise DataError(f"{path}, line {row}: malformed JSON: {error}") from None
    if not isinstance(record, dict):
        raise DataError(f"{path}, line {row}: expected a JSON object, found {line.strip()[:40]!r}")
    return record


def parse_json(text: str) -> Any:
    """`json.loads` with NaN read as null and Infinity refused (ValueError): neither is JSON."""
    return json.loads(text, parse_constant=_constant)


def _constant(name: str) -> None:
    if name != "NaN":
        raise ValueError(f"{name} is not JSON")


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"a": {"b": 1}}` as `{"a.b": 1}`."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat


def _read_parquet(path: Path, wanted: Sequence[str], nested: bool) -> Table:
    pyarrow = import_pyarrow()
    try:
        file = pyarrow.parquet.ParquetFile(path)
        header = tuple(file.schema_arrow.names)
        content = file.read(columns=None if nested else [name for name in header if name in wanted])
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file: {error}") from None
    while nested and any(pyarrow.types.is_struct(field.type) for field in content.schema):
        content = content.flatten()
    columns = {
        name: _values(content.column(name), pyarrow) for name in content.column_names if name in wanted
    }
    return Table(path, header, columns, range(1, content.num_rows + 1))


def import_pyarrow() -> Any:
    """pyarrow with pyarrow.parquet; it is not among the runtime's dependencies, and only Parquet needs it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DataError("reading and writing Parquet needs pyarrow: pip install pyarrow") from None
    return pyarrow


def _values(column: Any, pyarrow: Any) -> Column:
    """A Parquet column: an array where it is numeric (null as NaN or NaT), else a list (null as None)."""
    types = pyarrow.types
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if types.is_timestamp(kind) or types.is_date(kind):
        zone = getattr(kind, "tz", None)
        column = column.cast(pyarrow.timestamp("ms", zone and "UTC"), safe=False)
        return np.asarray(column.to_numpy(), dtype="datetime64[ms]")
    if (
        types.is_floating(kind)
        or types.is_decimal(kind)
        or (types.is_integer(kind) and not column.null_count)
    ):
        target = column if types.is_integer(kind) else column.cast(pyarrow.float64())
        return np.asarray(target.to_numpy())
    if types.is_string(kind) or types.is_large_string(kind):
        strings: list[Any] = column.to_numpy().tolist()
        return strings
    if types.is_list(kind) or types.is_large_list(kind):
        return _lists(column)
    values: list[Any] = column.to_pylist()
    return values


def _lists(column: Any) -> list[Any]:
    """A column of lists, sliced from one flat list: many times faster than `to_pylist`."""
    result: list[Any] = []
    for chunk in column.chunks:
        flat = chunk.values.to_pylist()
        offsets = chunk.offsets.to_pylist()
        result += [flat[start:end] for start, end in pairwise(offsets)]
        for i in np.flatnonzero(chunk.is_null().to_numpy(zero_copy_only=False)):
            result[len(result) - len(chunk) + int(i)] = None
    return result


def is_missing(value: Any) -> bool:
    """None, an empty or blank string, NaN."""
    return (
        value is None
        or (isinstance(value, str) and not value.strip())
        or (isinstance(value, float) and math.isnan(value))
    )
