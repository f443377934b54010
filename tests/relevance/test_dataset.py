"""Listings: what is written is read back, and what is wrong is named by file, row and column."""

import gzip
import json
import subprocess
import sys
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.dataset import Dataset, Listings, listing_text, read_listings, write_listings
from relevance.errors import DataError, DataWarning
from relevance.ontology import Ontology

TREE = Ontology.from_paths(["cars", "bikes"], [["Cars"], ["Bikes"]])


def same(a: Listings, b: Listings) -> None:
    for field in fields(Listings):
        left, right = getattr(a, field.name), getattr(b, field.name)
        if isinstance(left, np.ndarray):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
        else:
            assert left == right, field.name


def file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAME = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)
VALUE = st.one_of(TEXT, st.integers(-9, 9), st.booleans(), st.lists(TEXT, max_size=2))
TIME = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda t: np.datetime64(t, "ms"))
LISTING = st.tuples(
    NAME.map(lambda name: f"{name}!"),
    NAME | st.just(""),
    TEXT,
    st.sampled_from(["cars", "bikes", None]),
    st.lists(NAME.map(lambda name: f"images/{name}"), max_size=3).map(tuple),
    st.floats(0, 1e9) | st.just(np.nan),
    st.tuples(st.floats(-90, 90), st.floats(-180, 180)) | st.just((np.nan, np.nan)),
    TIME | st.just(np.datetime64("NaT")),
    st.dictionaries(TEXT, VALUE, max_size=3),
)


@given(st.lists(LISTING, min_size=1, max_size=5, unique_by=lambda row: row[0]))
def test_parquet_round_trip(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]) -> None:
    ids, titles, descriptions, categories, images, price, places, times, attributes = map(list, zip(*rows, strict=True))
    listings = Listings(
        ids=ids,
        # A title, or a category in its place.
        titles=[title or ("" if category else "x") for title, category in zip(titles, categories, strict=True)],
        descriptions=[text if text.strip() else "" for text in descriptions],
        category_ids=categories,
        images=images,
        price=np.array(price),
        latitude=np.array([latitude for latitude, _ in places]),
        longitude=np.array([longitude for _, longitude in places]),
        created_at=np.array(times, dtype="datetime64[ms]"),
        expires_at=np.array(times[::-1], dtype="datetime64[ms]"),
        locales=["nl"] * len(ids),
        attributes=attributes,
    )
    path = tmp_path_factory.getbasetemp() / "listings.parquet"
    write_listings(path, listings)
    same(read_listings(path, TREE), listings)


RECORD = {
    "listing_id": "7",
    "title": "Mazda, red",
    "description": 'He said "as new"',
    "category_id": "cars",
    "image": ["images/7a.jpg", "images/7b.jpg"],
    "price": 1500.5,
    "latitude": 52.37,
    "longitude": 4.89,
    "created_at": "2024-05-31T12:00:00Z",
    "expires_at": 1717243200000,
    "locale": "nl",
    "attributes": {"colour": "red", "doors": 5},
}


def check_record(listings: Listings) -> None:
    assert len(listings) == 2
    one = listings.take([1])
    assert (one.ids, one.titles, one.descriptions) == (["7"], ["Mazda, red"], ['He said "as new"'])
    assert one.category_ids == ["cars"]
    assert one.images == [("images/7a.jpg", "images/7b.jpg")]
    assert (one.price.tolist(), one.latitude.tolist(), one.longitude.tolist()) == ([1500.5], [52.37], [4.89])
    assert one.created_at.astype(datetime).tolist() == [datetime(2024, 5, 31, 12)]
    assert one.expires_at.astype(datetime).tolist() == [datetime(2024, 6, 1, 12)]
    assert (one.locales, one.attributes) == (["nl"], [{"colour": "red", "doors": 5}])
    bare = listings.take(np.array([True, False]))
    assert (bare.ids, bare.descriptions, bare.category_ids, bare.images) == (["6"], [""], [None], [()])
    assert np.isnan([bare.price, bare.latitude, bare.longitude]).all()
    assert np.isnat([bare.created_at, bare.expires_at]).all()
    assert (bare.locales, bare.attributes) == ([""], [{}])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_csv(tmp_path: Path, delimiter: str, encoding: str) -> None:
    quoted = {**RECORD, "image": "|".join(RECORD["image"]), "attributes": json.dumps(RECORD["attributes"])}
    cells = ['"' + str(value).replace('"', '""') + '"' for value in quoted.values()]
    lines = [delimiter.join(quoted), delimiter.join(["6", "Fiat"] + [""] * 10), delimiter.join(cells)]
    path = tmp_path / "listings.csv"
    path.write_text("\n".join(lines), encoding=encoding)
    check_record(read_listings(path, TREE))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_jsonl(tmp_path: Path, suffix: str) -> None:
    text = (
        json.dumps({"listing_id": 6, "title": "Fiat", "price": None, "latitude": float("nan")})
        + "\n\n"
        + json.dumps(RECORD)
    )
    path = tmp_path / f"listings.jsonl{suffix}"
    path.write_bytes(gzip.compress(text.encode()) if suffix else text.encode())
    check_record(read_listings(path, TREE))


def test_parquet_of_other_types(tmp_path: Path) -> None:
    """Whole-number ids, dictionary text, zoned and unzoned times, objects, and prices as text."""
    time = datetime(2024, 5, 31, 12, tzinfo=UTC)
    table = pa.table(
        {
            "listing_id": [6, 7],
            "title": pa.array(["Fiat", "Mazda, red"]).dictionary_encode(),
            "description": pa.array([None, 'He said "as new"'], pa.large_string()),
            "category_id": [None, "cars"],
            "image": [None, ["images/7a.jpg", "images/7b.jpg"]],
            "price": [None, "1500.5"],
            "latitude": pa.array([None, 52.37], pa.float64()),
            "longitude": [None, 4.89],
            "created_at": pa.array([None, time], pa.timestamp("ns", "Europe/Amsterdam")),
            "expires_at": pa.array([None, datetime(2024, 6, 1, 12)], pa.timestamp("us")),
            "locale": [None, "nl"],
            "attributes": [None, {"colour": "red", "doors": 5, "roof": None}],
        }
    )
    pq.write_table(table, tmp_path / "listings.parquet")
    check_record(read_listings(tmp_path / "listings.parquet", TREE))


@pytest.mark.parametrize(
    "other",
    [
        {"description": "Mazda, red"},
        {"category_id": "cars"},
        {"category_id": "vans"},  # gone since
        {"image": "images/1.jpg"},
        {"attributes": {"colour": "red"}},
        {"attributes": {"year": 0}},
    ],
)
@pytest.mark.filterwarnings("ignore:.*former category")
@pytest.mark.parametrize("title", ["", " ", None])
def test_a_listing_without_a_title_says_what_it_is_otherwise(
    tmp_path: Path, title: str | None, other: dict[str, Any]
) -> None:
    tree = replace(Ontology.from_paths(["cars"], [["Cars"]]), moved={"vans": None})
    path = file(tmp_path, "listings.jsonl", json.dumps({"listing_id": "1", "title": title} | other))
    assert read_listings(path, tree).titles == [""]


@pytest.mark.parametrize(
    "other", [{}, {"price": 3}, {"description": " "}, {"attributes": {"colour": ""}}, {"image": []}]
)
def test_a_listing_that_says_nothing_is_refused(tmp_path: Path, other: dict[str, Any]) -> None:
    path = file(tmp_path, "listings.jsonl", json.dumps({"listing_id": "1", "title": " "} | other))
    with pytest.raises(DataError, match="row 1, column title: expected some text, found ' ', and no photo, category"):
        read_listings(path, TREE)


def test_photos_outside_the_dataset_are_left_out_and_told(tmp_path: Path) -> None:
    rows = ["1,A,../../etc/passwd", "2,B,images/2.jpg|/etc/passwd", "3,C,images/3.jpg"]
    path = file(tmp_path, "listings.csv", "\n".join(["listing_id,title,image", *rows]) + "\n")
    with pytest.warns(DataWarning, match=r"photos of 2 listings are left out.*row 2: '\.\./\.\./etc/passwd'"):
        found = read_listings(path, TREE)
    assert found.images == [(), ("images/2.jpg",), ("images/3.jpg",)]


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
        ("1,A,,../1.jpg,,,,,\n", "row 2, column image: expected paths relative to the dataset's folder"),
        ("1,A,,/etc/passwd,,,,,\n", "column image: expected paths relative"),
        ("1,A,,,-1,,,,\n", "row 2, column price: expected a price of at least 0, found '-1'"),
        ("1,A,,,inf,,,,\n", "column price: expected a finite number, found 'inf'"),
        ("1,A,,,cheap,,,,\n", "column price: expected a number, found 'cheap'"),
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


def test_categories_are_checked_only_against_an_ontology(tmp_path: Path) -> None:
    path = file(tmp_path, "listings.csv", "listing_id,title,category_id\n1,A,boats\n")
    assert read_listings(path, None).category_ids == ["boats"]


def test_dataset_knows_and_checks_its_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a dataset folder"):
        Dataset.open(tmp_path / "none")
    with pytest.raises(DataError, match=r"a dataset needs categories\.csv"):
        Dataset.open(tmp_path)
    TREE.write(tmp_path / "categories.csv")
    with pytest.raises(
        DataError, match=r"expected one of listings\.parquet, listings\.csv, listings\.jsonl, found none"
    ):
        Dataset.open(tmp_path)
    file(tmp_path, "listings.csv", "listing_id,title,category_id\n1,A,boats\n")
    dataset = Dataset.open(tmp_path)
    assert (dataset.listings_path, dataset.events_path) == (tmp_path / "listings.csv", tmp_path / "events.parquet")
    assert (dataset.images_dir, dataset.truth_dir) == (tmp_path / "images", tmp_path / "truth")
    assert dataset.read_ontology().ids == TREE.ids
    with pytest.raises(DataError, match="column category_id"):
        dataset.read_listings()
    file(tmp_path, "events.jsonl", "")
    assert dataset.events_path == tmp_path / "events.jsonl"
    file(tmp_path, "listings.jsonl", "")
    with pytest.raises(DataError, match=r"found listings\.csv and listings\.jsonl"):
        Dataset.open(tmp_path)


def test_listing_text_holds_the_words_of_all_values() -> None:
    attributes = {"colour": "red", "sizes": ["S", 42], "new": True, "more": {"fabric": "wool"}, "none": None}
    assert listing_text("Coat", "Warm", attributes) == "Coat\nWarm\nred\nS\n42\nwool"
    assert listing_text("Coat", "", {}) == "Coat"


def test_without_pyarrow_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path, "listings.parquet", "x")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match="pip install pyarrow"):
        read_listings(path, None)


def test_reading_csv_loads_neither_pyarrow_nor_pandas(tmp_path: Path) -> None:
    path = file(tmp_path, "listings.csv", "listing_id,title\n1,A\n")
    code = (
        "import sys, pathlib; from relevance.dataset import read_listings; import relevance.events;"
        f"assert len(read_listings(pathlib.Path({str(path)!r}), None)) == 1;"
        "print(sorted({'pyarrow', 'pandas', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"
