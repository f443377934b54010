"""Reading records from CSV, JSON lines or Parquet into columns, with the row numbers people see."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count, islice
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataError, listed, quoted
from relevance.parquet import Column, read_parquet

_DELIMITERS = ",;\t"
_BARS = re.compile(r"[|^~]")
"""What separates columns elsewhere."""

_OPEN = "unexpected end of data"
"""What Python's CSV reader says of a quote that nothing closes."""

_PART = ".part"
"""At the end of the name of a file that is still being written."""

_FORMATS = ".parquet, .csv, .jsonl (the last two also .gz)"


class BadRow(NamedTuple):
    """A row that is left out: its number, why, and what it holds."""

    row: int
    reason: str
    content: str


@dataclass(frozen=True)
class Table:
    """Columns of equal length, by name: lists of Python values, or arrays where the file has a numeric type.

    `rows[i]` is the number a person finds record i under: the line of a JSONL file, the row of a spreadsheet
    for a CSV (its header is row 1), the record's number from 1 for Parquet. `header` holds every column of
    the file; `labels` what messages call a column that has another name here than in the file.
    """

    path: Path
    header: tuple[str, ...]
    columns: dict[str, Column]
    rows: Sequence[int]
    labels: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, i: int) -> int:
        """The number a person finds record i under."""
        return self.rows[i]

    def take(self, records: NDArray[Any]) -> Table:
        """The records at these positions, with their row numbers."""
        rows = [self.rows[i] for i in records.tolist()]
        return replace(self, columns=take(self.columns, records), rows=rows)


def take(columns: Mapping[str, Column], rows: NDArray[Any]) -> dict[str, Any]:
    """The records at `rows` (positions) of each column."""
    order = rows.tolist()
    return {
        name: column[rows] if isinstance(column, np.ndarray) else [column[i] for i in order]
        for name, column in columns.items()
    }


def read_table(
    path: Path,
    required: Sequence[str],
    optional: Sequence[str] = (),
    nested: bool = False,
    malformed: list[BadRow] | None = None,
    may_be_empty: bool = False,
) -> Table:
    """Read the columns `required` and `optional` of a .parquet, .csv or .jsonl file; the others are ignored.

    A CSV is separated by commas, semicolons or tabs. With `nested`, a name such as `a.b` is found as a column
    `a.b` and inside objects alike. With `malformed`, rows that cannot be parsed are added to it and left out.
    With `may_be_empty` a header alone will do.
    Raises DataError for a missing or empty file, another format, bytes that are not UTF-8, malformed rows and
    missing required columns.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: {'expected a file, found a folder' if path.is_dir() else 'no such file'}")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty; expected the columns {', '.join(required) or optional[0]}")
    wanted = (*required, *optional)
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    if suffix == ".csv":
        table = _read_csv(path, wanted, malformed)
    elif suffix == ".jsonl":
        table = _read_jsonl(path, wanted, nested, malformed)
    elif path.suffix == ".parquet":
        header, columns, count = read_parquet(path, wanted, nested)
        table = Table(path, header, columns, range(1, count + 1))
    else:
        raise DataError(f"{path}: expected one of {_FORMATS}, found {path.suffix or 'no suffix'!r}")
    _refuse_missing(table, required)
    if not len(table) and not may_be_empty:
        raise DataError(f"{path}: expected at least one row, found none")
    return table


def read_lines(path: Path, required: Sequence[str], optional: Sequence[str], size: int) -> Iterator[Table]:
    """Reads a .jsonl file as `read_table` does with `nested`, in tables of `size` records, so that no more of them are
    in memory; none where the file holds no record. Of a file that is still being written, .jsonl.part, it reads the
    whole lines, also where it has lost `.part` by now."""
    if path.suffix != _PART and not path.is_file():
        raise DataError(f"{path}: no such file")
    numbered = _jsonl_records(path, None)
    while part := list(islice(numbered, size)):
        rows, records = zip(*part, strict=True)
        table = records_table(path, records, rows, (*required, *optional), nested=True)
        _refuse_missing(table, required)
        yield table


def _refuse_missing(table: Table, required: Sequence[str]) -> None:
    missing = [name for name in required if name not in table.columns]
    if missing:
        raise DataError(
            f"{table.path}: expected the columns {', '.join(required)}, found {listed(table.header)}; "
            f"missing: {', '.join(missing)}"
        )


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """The file as text; what goes wrong while it is read becomes a DataError."""
    opener: Any = {".gz": gzip.open, _PART: _open_whole_lines}.get(path.suffix, open)
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            try:
                yield file
            except UnicodeDecodeError as error:
                _refuse_encoding(path, opener, error)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f"{path}: not a whole gzip file: {error}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None


def _open_whole_lines(path: Path, mode: str, **options: Any) -> IO[Any]:
    """Opens what of a file is written whole by now; nothing where it was empty and is gone."""
    content = b""
    for name in (path, path.with_suffix("")):
        with suppress(FileNotFoundError):
            content = name.read_bytes()
            break
    lines = io.BytesIO(content[: content.rfind(b"\n") + 1])
    return lines if "b" in mode else io.TextIOWrapper(lines, **options)


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


def _read_csv(path: Path, wanted: Sequence[str], malformed: list[BadRow] | None) -> Table:
    records: list[list[str]] = []
    rows: list[int] = []
    delimiter = _delimiter(path, wanted)
    with _opened(path) as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            header = tuple(name.strip() for name in next(reader, []))
            if len(header) == 1 and _BARS.search(header[0]):
                expected = f"columns {listed(wanted)}, separated by commas, semicolons or tabs"
                raise DataError(f"{path}: expected {expected}, found one column {quoted(header[0])}")
            for row, record in enumerate(_records(path, reader, malformed), start=2):
                if len(record) == len(header):
                    records.append(record)
                    rows.append(row)
                elif record:  # a blank line is none
                    reason = f"expected {len(header)} values as the header, found {len(record)}"
                    _set_aside(path, BadRow(row, reason, delimiter.join(record)), malformed)
        except csv.Error as error:
            raise DataError(f"{path}, line {reader.line_num}: malformed CSV: {error}") from None
    doubled = sorted({name for name in header if header.count(name) > 1 and name in wanted})
    if doubled:
        raise DataError(f"{path}: expected each column once, found {listed(doubled)} more than once")
    columns: dict[str, Column] = {
        name: [record[k] for record in records] for k, name in enumerate(header) if name in wanted
    }
    return Table(path, header, columns, rows)


def _records(path: Path, reader: Any, malformed: list[BadRow] | None) -> Iterator[list[str]]:
    """The records of a CSV; [] in place of one that cannot be parsed, where such are set aside. Where quotes are left
    open to the end nobody knows where the records are."""
    for row in count(2):
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if malformed is None or str(error) == _OPEN:
                raise
            malformed.append(BadRow(row, f"malformed CSV in line {reader.line_num}: {error}", ""))
            yield []


def _delimiter(path: Path, wanted: Sequence[str]) -> str:
    """Comma, semicolon or tab: the one that finds most of the wanted columns in the header."""
    with _opened(path) as file:
        first = file.readline()

    def found(mark: str) -> int:
        return sum(name.strip(' "\r\n') in wanted for name in first.split(mark))

    return max(_DELIMITERS, key=found)


def _set_aside(path: Path, bad: BadRow, malformed: list[BadRow] | None) -> None:
    if malformed is None:
        raise DataError(f"{path}, row {bad.row}: {bad.reason}")
    malformed.append(bad)


def _read_jsonl(path: Path, wanted: Sequence[str], nested: bool, malformed: list[BadRow] | None) -> Table:
    numbered = list(_jsonl_records(path, malformed))
    return records_table(path, [record for _, record in numbered], [row for row, _ in numbered], wanted, nested)


def _jsonl_records(path: Path, malformed: list[BadRow] | None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each record with the number of its line."""
    with _opened(path) as file:
        for row, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield row, _json_record(line)
            except ValueError as error:
                _set_aside(path, BadRow(row, str(error), line.rstrip()), malformed)


def records_table(
    path: Path, records: Sequence[dict[str, Any]], rows: Sequence[int], wanted: Sequence[str], nested: bool
) -> Table:
    """The columns `wanted` of JSON objects; `path` and `rows` are where messages say that they come from."""
    if nested:
        records = [_flat(record, wanted) for record in records]
    header = dict.fromkeys(name for record in records for name in record)
    columns: dict[str, Column] = {name: [record.get(name) for record in records] for name in wanted if name in header}
    return Table(path, tuple(header), columns, rows)


def _json_record(line: str) -> dict[str, Any]:
    try:
        record = parse_json(line)
    except ValueError as error:
        raise ValueError(f"malformed JSON: {error}") from None
    if not isinstance(record, dict):
        raise ValueError(f"expected a JSON object, found {quoted(line.strip())}")
    return record


def parse_json(text: str) -> Any:
    """`json.loads` that reads NaN as null, and refuses (ValueError) what has no place in a file of UTF-8 or JSON:
    Infinity, half of a surrogate pair, an object nested beyond Python's limit."""
    try:
        value = json.loads(text, parse_constant=_constant)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _constant(name: str) -> None:
    if name != "NaN":
        raise ValueError(f"{name} is not JSON")


def _flat(record: dict[str, Any], wanted: Sequence[str], prefix: str = "") -> dict[str, Any]:
    """`{"a": {"b": 1}}` as `{"a.b": 1}`; an object that is wanted itself stays beside its parts."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat.update(_flat(value, wanted, f"{prefix}{name}."))
        if not isinstance(value, dict) or prefix + name in wanted:
            flat[prefix + name] = value
    return flat


def is_missing(value: Any) -> bool:
    """None, an empty or blank string, NaN."""
    return (
        value is None
        or (isinstance(value, str) and not value.strip())
        or (isinstance(value, float) and math.isnan(value))
    )
