"""What is wrong with a file of listings is named by file, row and column."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relevance.dataset import read_listings
from relevance.errors import DataError
from tests.relevance.listings_files import TREE, file


@pytest.mark.parametrize(
    "other", [{}, {"price": 3}, {"description": " "}, {"attributes": {"colour": ""}}, {"image": []}]
)
def test_a_listing_that_says_nothing_is_refused(tmp_path: Path, other: dict[str, Any]) -> None:
    path = file(tmp_path, "listings.jsonl", json.dumps({"listing_id": "1", "title": " "} | other))
    with pytest.raises(DataError, match="row 1, column title: expected some text, found ' ', and no photo, category"):
        read_listings(path, TREE)


HEADER = "listing_id,title,category_id,image,price,latitude,longitude,created_at,attributes\n"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("", "listings.csv: expected at least one row, found none"),
        ("1,A,,,,,,,\n1,B,,,,,,,\n", "row 3, column listing_id: expected each id once, found '1', which row 2 has too"),
        ("1,A,,,,,,,\n,B,,,,,,,\nnan,B,,,,,,,\n", "row 3, column listing_id: expected an id, found ''; 1 more rows: 4"),
        ("1, ,,,,,,,\n", "row 2, column title: expected some text, found ' '"),
        (
            "1,A,car,,,,,,\n",
            "row 2, column category_id: expected a category_id of categories.csv or nothing, found 'car'; close",
        ),
        ("1,A,,../1.jpg,,,,,\n", "row 2, column image: expected paths relative to this file's folder"),
        ("1,A,,/etc/passwd,,,,,\n", "column image: expected paths relative"),
        ("1,A,,,-1,,,,\n", "row 2, column price: expected a price of at least 0, found '-1'"),
        ("1,A,,,inf,,,,\n", "column price: expected a finite number, found 'inf'"),
        ("1,A,,,cheap,,,,\n", "column price: expected a number, found 'cheap'"),
        (
            '1,A,,,12.5,,,,\n2,B,,,cheap,,,,\n3,C,,,"1.250,00 €",,,,\n',
            "column price: expected a number with a decimal",
        ),
        ("1,A,,,,90.5,0,,\n", "column latitude: expected degrees from -90 to 90, found '90.5'"),
        ("1,A,,,,0,-181,,\n", "column longitude: expected degrees from -180 to 180, found '-181'"),
        ("1,A,,,,,4.5,,\n", "column latitude: expected a number, since the row has a longitude, found ''"),
        ("1,A,,,,,,31/05/2024,\n", "column created_at: expected an ISO 8601 time"),
        ("1,A,,,,,,2024,\n", "column created_at: expected an ISO 8601 time"),
        ("1,A,,,,,,99999999999999999999,\n", "column created_at: expected an ISO 8601 time"),
        ("1,A,,,,,,1717243200,\n", "column created_at: expected epoch milliseconds, found '1717243200' (seconds?"),
        ('1,A,,,,,,,"[1]"\n', "column attributes: expected a JSON object, found '[1]'"),
        ("1,A,,,,,,,{\n", "column attributes: expected a JSON object, found '{'"),
        ("1,A,,,,,,\n", "listings.csv, row 2: expected 9 values as the header, found 8"),
        ('1,"A,,,,,,,\n', "malformed CSV: unexpected end of data"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        read_listings(file(tmp_path, "listings.csv", HEADER + rows), TREE)
    assert message in str(error.value)
    assert str(error.value).startswith(str(tmp_path / "listings.csv"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"listing_id": "1", "title": "A"}\n{"listing_id": "2",\n', "row 2: malformed JSON"),
        ('{"listing_id": "1", "title": "A"}\n\n["2"]\n', "row 3: expected a JSON object, found '[\"2\"]'"),
        ('{"listing_id": "1", "title": "\\ud800"}', "row 1: malformed JSON: half of a surrogate pair"),
        ('{"listing_id": "1", "title": "A", "price": Infinity}', "row 1: malformed JSON: Infinity is not JSON"),
        ('{"listing_id": "1", "title": "A", "price": true}', "row 1, column price: expected a number, found True"),
        ('{"listing_id": 1.5, "title": "A"}', "row 1, column listing_id: expected text, found 1.5"),
        ('{"listing_id": NaN, "title": "A"}', "row 1, column listing_id: expected an id, found None"),
        ('{"listing_id": "1", "title": ["A"]}', "row 1, column title: expected text, found ['A']"),
        ('{"listing_id": "1", "title": "A", "image": [3]}', "row 1, column image: expected paths"),
        ('{"listing_id": "1", "title": "A", "latitude": 1}', "expected a column longitude beside latitude, found none"),
        ('{"listing_id": "1", "title": "A", "attributes": 3}', "row 1, column attributes: expected a JSON object"),
        (
            '{"listing_id": "1", "name": "A"}',
            "columns listing_id, title, found listing_id, name; missing: title",
        ),
    ],
)
def test_bad_records_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        read_listings(file(tmp_path, "listings.jsonl", text), TREE)
    assert message in str(error.value)


def test_bad_files_are_named(tmp_path: Path) -> None:
    for name in ("listings.csv", "listings.jsonl", "listings.parquet"):
        with pytest.raises(DataError, match=f"{name}: no such file"):
            read_listings(tmp_path / name, None)
        with pytest.raises(DataError, match="expected a file, found a folder"):
            read_listings(tmp_path, None)
        with pytest.raises(DataError, match=f"{name}: the file is empty"):
            read_listings(file(tmp_path, name, ""), None)
    with pytest.raises(DataError, match=r"listings\.parquet: not a readable Parquet file"):
        read_listings(file(tmp_path, "listings.parquet", "listing_id,title"), None)
    with pytest.raises(DataError, match=r"listings\.csv\.gz: not a whole gzip file"):
        read_listings(file(tmp_path, "listings.csv.gz", "listing_id,title"), None)
    with pytest.raises(DataError, match=r"expected one of .*, found '\.xlsx'"):
        read_listings(file(tmp_path, "listings.xlsx", "x"), None)
    whole = gzip.compress(bytes(range(97, 123)) * 99)
    for broken in (whole[:-9], whole[:20] + b"\xff\xff\xff" + whole[23:]):
        (tmp_path / "cut.csv.gz").write_bytes(broken)
        with pytest.raises(DataError, match=r"cut\.csv\.gz: not a whole gzip file"):
            read_listings(tmp_path / "cut.csv.gz", None)
    latin = "listing_id,title\n1,A\n2,Möbel\n".encode("latin-1")
    checksum_wrong = bytearray(gzip.compress(latin.rstrip()))
    checksum_wrong[-8] ^= 1  # seen at the end of the file, which is where the line of the bad byte ends
    (tmp_path / "latin.csv.gz").write_bytes(checksum_wrong)
    with pytest.raises(DataError, match=r"latin\.csv\.gz: not a whole gzip file"):
        read_listings(tmp_path / "latin.csv.gz", None)
    (tmp_path / "latin.csv").write_bytes(latin)
    with pytest.raises(DataError, match=r"latin\.csv, line 3: expected UTF-8, found the byte 0xf6"):
        read_listings(tmp_path / "latin.csv", None)
    with pytest.raises(DataError, match=r"title.*, separated by commas, semicolons or tabs, found one column 'a\|b'"):
        read_listings(file(tmp_path, "bars.csv", "a|b\n1|2\n"), None)
    with pytest.raises(DataError, match="expected each column once, found title more than once"):
        read_listings(file(tmp_path, "twice.csv", "listing_id,title,title\n1,A,B\n"), None)


@pytest.mark.parametrize("spoilt", [b"Chair", b"title"])
def test_parquet_text_that_is_no_utf_8_is_refused(tmp_path: Path, spoilt: bytes) -> None:
    path = tmp_path / "listings.parquet"
    table = pa.table({"listing_id": ["1"], "title": ["Chair"]})
    pq.write_table(table, path, compression="none", use_dictionary=False)
    path.write_bytes(path.read_bytes().replace(spoilt, b"\xff" + spoilt[1:]))
    with pytest.raises(DataError, match=r"listings\.parquet"):
        read_listings(path, None)


def test_nan_ids_of_a_parquet_file_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"listing_id": [1.0, float("nan")], "title": ["A", "B"]}), tmp_path / "listings.parquet")
    with pytest.raises(DataError, match="row 2, column listing_id: expected an id"):
        read_listings(tmp_path / "listings.parquet", None)


def test_without_pyarrow_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path, "listings.parquet", "x")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match="pip install pyarrow"):
        read_listings(path, None)
