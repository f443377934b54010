"""Files of listings: what is written is read back, whatever kind of file it is and whatever a listing leaves out."""

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

from relevance.dataset import Listings, listing_text, read_listings, write_listings
from relevance.errors import DataWarning
from relevance.ontology import Ontology
from tests.relevance.listings_files import TREE, file


def same(a: Listings, b: Listings) -> None:
    for field in fields(Listings):
        left, right = getattr(a, field.name), getattr(b, field.name)
        if isinstance(left, np.ndarray):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
        else:
            assert left == right, field.name


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


def test_photos_outside_the_dataset_are_left_out_and_told(tmp_path: Path) -> None:
    rows = ["1,A,../../etc/passwd", "2,B,images/2.jpg|/etc/passwd", "3,C,images/3.jpg"]
    path = file(tmp_path, "listings.csv", "\n".join(["listing_id,title,image", *rows]) + "\n")
    with pytest.warns(DataWarning, match=r"photos of 2 listings are left out.*row 2: '\.\./\.\./etc/passwd'"):
        found = read_listings(path, TREE)
    assert found.images == [(), ("images/2.jpg",), ("images/3.jpg",)]


def test_categories_are_checked_only_against_an_ontology(tmp_path: Path) -> None:
    path = file(tmp_path, "listings.csv", "listing_id,title,category_id\n1,A,boats\n")
    assert read_listings(path, None).category_ids == ["boats"]


def test_listing_text_holds_the_words_of_all_values() -> None:
    attributes = {"colour": "red", "sizes": ["S", 42], "new": True, "more": {"fabric": "wool"}, "none": None}
    assert listing_text("Coat", "Warm", attributes) == "Coat\nWarm\nred\nS\n42\nwool"
    assert listing_text("Coat", "", {}) == "Coat"


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
