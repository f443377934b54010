"""`python -m index dataset`: tables of other shapes become datasets, and nothing is lost silently."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from index.__main__ import app
from index.columns import ColumnNames
from index.dataset import run
from relevance.dataset import Dataset, Listings
from relevance.entry import run as run_command
from relevance.errors import DataError, DataWarning
from relevance.ontology import Ontology

FASHION = ["--title", "name", "--category", "master,sub,type"]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a table of four listings, three categories and two photos."""
    (tmp_path / "shop.csv").write_text(
        "id,name,master,sub,type,colour,year,price\n"
        "1,Red coat,Apparel,Outer,Coats,Red,2011,10\n"
        '2,"Coat, blue",Apparel,Outer,Coats,,2012,\n'
        "3,Watch,Accessories,,ignored,Black,,5.5\n"
        "4,Thing,,,,,,1\n"
    )
    (tmp_path / "images").mkdir()
    for name in ("1", "3"):
        (tmp_path / "images" / f"{name}.jpg").write_bytes(b"photo " + name.encode())
    return tmp_path


def convert(capsys: pytest.CaptureFixture[str], source: Path, *options: str) -> tuple[int, str, str]:
    """Exit code, stdout and the last line of stderr."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["index", "dataset", str(source), "--out", str(source.parent / "out"), *options])
        with pytest.raises(SystemExit) as done:
            run_command(app, "python -m index")
    output = capsys.readouterr()
    return int(done.value.code or 0), output.out, output.err.strip().splitlines()[-1] if output.err.strip() else ""


def read(folder: Path) -> tuple[Ontology, Listings]:
    dataset = Dataset.open(folder / "out")
    return dataset.read_ontology(), dataset.read_listings()


def test_columns_become_a_dataset(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [*FASHION, "--image", "images/{id}.jpg", "--attributes", "colour,year", "--price", "price"]
    code, out, _ = convert(capsys, shop / "shop.csv", "--id", "id", *options)
    assert code == 0
    assert "4 listings, 1 of them without a category" in out
    assert "4 categories, 2 leaves" in out
    assert "2 photos are not there: see missing_photos.csv" in out
    tree, listings = read(shop)
    assert tree.ids == ("Accessories", "Apparel", "Apparel > Outer", "Apparel > Outer > Coats")
    assert listings.ids == ["1", "2", "3", "4"]
    assert listings.titles == ["Red coat", "Coat, blue", "Watch", "Thing"]
    assert listings.category_ids == ["Apparel > Outer > Coats"] * 2 + ["Accessories", None]
    assert listings.attributes == [{"colour": "Red", "year": "2011"}, {"year": "2012"}, {"colour": "Black"}, {}]
    np.testing.assert_array_equal(listings.price, [10, np.nan, 5.5, 1])
    assert listings.images == [("images/1.jpg",), (), ("images/3.jpg",), ()]
    assert (shop / "out" / "images" / "3.jpg").read_bytes() == b"photo 3"
    assert os.path.samefile(shop / "out" / "images" / "3.jpg", shop / "images" / "3.jpg")
    with open(shop / "out" / "missing_photos.csv", newline="") as file:
        assert list(csv.reader(file)) == [["listing_id", "image"], ["2", "images/2.jpg"], ["4", "images/4.jpg"]]


def test_the_same_table_in_every_format(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.read_csv(shop / "shop.csv", dtype={"id": str, "year": str})
    table.to_csv(shop / "a.csv", sep=";", index=False, encoding="utf-8-sig")
    table.to_csv(shop / "b.csv.gz", sep="\t", index=False)
    table.to_json(shop / "c.jsonl", orient="records", lines=True)
    table.to_json(shop / "d.jsonl.gz", orient="records", lines=True)
    table.to_parquet(shop / "e.parquet")
    fingerprints = set()
    for name in ("shop.csv", "a.csv", "b.csv.gz", "c.jsonl", "d.jsonl.gz", "e.parquet"):
        code, _, error = convert(
            capsys, shop / name, "--id", "id", *FASHION, "--attributes", "colour,year", "--price", "price"
        )
        assert (code, error) == (0, error), error
        tree, listings = read(shop)
        content = (listings.ids, listings.titles, listings.category_ids, listings.attributes, listings.price.tolist())
        fingerprints.add((tree.fingerprint, repr(content)))
    assert len(fingerprints) == 1


def test_a_joined_path_and_photos_in_subfolders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train" / "Apple").mkdir(parents=True)
    (tmp_path / "train" / "Apple" / "1.jpg").write_bytes(b"x")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.jpg").write_bytes(b"y")
    (tmp_path / "train.csv").write_text("image,category\ntrain/Apple/1.jpg,Fruit/Apple\nimages/1.jpg,Fruit/ Pear /\n")
    options = ["--id", "image", "--title", "category", "--category", "category", "--separator", "/", "--image", "image"]
    assert convert(capsys, tmp_path / "train.csv", *options)[0] == 0
    tree, listings = read(tmp_path)
    assert [tree.path_text(i) for i in range(len(tree))] == ["Fruit", "Fruit > Apple", "Fruit > Pear"]
    assert listings.category_ids == ["Fruit > Apple", "Fruit > Pear"]
    assert listings.ids == ["train/Apple/1.jpg", "images/1.jpg"]
    assert listings.images == [("images/train/Apple/1.jpg",), ("images/images/1.jpg",)]
    assert [(tmp_path / "out" / paths[0]).read_bytes() for paths in listings.images] == [b"x", b"y"]


def test_nested_attributes_by_name_and_as_a_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"id": 7, "title": "Laptop", "more": {"kind": "Notebook", "ports": {"usb": 2}}, "at": "2009-12-10T00:00:00Z"},
        {"id": 8, "title": "Ink", "more": {"kind": "Supplies"}, "at": None},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    options = ["--id", "id", "--title", "title", "--category", "more.kind", "--created-at", "at", "--attributes"]
    assert convert(capsys, tmp_path / "a.jsonl", *options, "more.kind,more.ports.usb")[0] == 0
    _, listings = read(tmp_path)
    assert listings.attributes == [{"kind": "Notebook", "usb": 2}, {"kind": "Supplies"}]
    assert listings.category_ids == ["Notebook", "Supplies"]
    assert listings.created_at[0] == np.datetime64("2009-12-10")
    assert convert(capsys, tmp_path / "a.jsonl", *options, "more")[0] == 0
    assert read(tmp_path)[1].attributes == [rows[0]["more"], rows[1]["more"]]


def test_categories_of_a_given_ontology_by_path_or_id(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "tree.csv").write_text("category_id,path\nc1,Home\nc2,Home > Lamps\nc3,Cars\n")
    (shop / "t.csv").write_text("id,name,cat\n1,A,Home > Lamps\n2,B,c3\n3,C,\n4,D,Home > Lamp\n")
    options = ["--id", "id", "--title", "name", "--category", "cat", "--ontology", str(shop / "tree.csv")]
    code, _, error = convert(capsys, shop / "t.csv", *options)
    assert code == 2
    assert "row 5, column cat: expected a path or id of the --ontology file or an id of its moved.csv, found" in error
    assert convert(capsys, shop / "t.csv", *options, "--skip-bad-rows")[0] == 0
    tree, listings = read(shop)
    assert tree.ids == ("c3", "c1", "c2")
    assert listings.category_ids == ["c2", "c3", None]


def test_ids_may_hold_the_separator(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As those that this command makes do: a path that has moved since is the id of what it was."""
    (shop / "tree.csv").write_text("category_id,path\nHome > Lamps,Home > Lights\nc3,Cars\n")
    (shop / "moved.csv").write_text("category_id,moved_to\nCars > Old,c3\n")
    (shop / "t.csv").write_text("id,name,cat\n1,A,Home > Lamps\n2,B,Cars > Old\n3,C,Home>Lights\n")
    options = ["--id", "id", "--title", "name", "--category", "cat", "--ontology", str(shop / "tree.csv")]
    assert convert(capsys, shop / "t.csv", *options)[0] == 0
    assert read(shop)[1].category_ids == ["Home > Lamps", "c3", "Home > Lamps"]
    (shop / "t.csv").write_text("id,name,a,b\n1,A,Cars,Old\n")
    options[5] = "a,b"
    assert convert(capsys, shop / "t.csv", *options)[0] == 0
    assert read(shop)[1].category_ids == ["c3"]


def test_infinity_is_no_attribute(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.DataFrame({"id": ["1", "2"], "name": ["A", "B"], "cat": ["X", "X"], "w": [1.5, np.inf]})
    table.to_parquet(tmp_path / "t.parquet")
    options = ["--id", "id", "--title", "name", "--category", "cat", "--attributes", "w"]
    code, _, error = convert(capsys, tmp_path / "t.parquet", *options)
    assert (code, "row 2, column w: expected a finite number or text, found inf" in error) == (2, True)


def test_infinity_inside_an_attribute_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.DataFrame({"id": ["1", "2"], "name": ["A", "B"], "cat": ["X", "X"]})
    table["size"] = [{"w": 1.0, "all": [1.0]}, {"w": 1.0, "all": [2.0, -np.inf]}]
    table.to_parquet(tmp_path / "t.parquet")
    options = ["--id", "id", "--title", "name", "--category", "cat", "--attributes", "size"]
    code, _, error = convert(capsys, tmp_path / "t.parquet", *options)
    assert (code, "row 2, column size: expected a finite number or text" in error) == (2, True)


def test_a_map_of_parquet_is_an_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kind = pa.map_(pa.string(), pa.string())
    given = pa.array([[("colour", "red"), ("size", "5")], None, []], kind)
    inner = pa.array([{"of": [("colour", "blue")]}, {"of": None}, None], pa.struct({"of": kind}))
    columns = {"id": ["1", "2", "3"], "name": ["A", "B", "C"], "cat": ["X"] * 3, "more": given, "inner": inner}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    options = ["--id", "id", "--title", "name", "--category", "cat", "--attributes"]
    assert convert(capsys, tmp_path / "t.parquet", *options, "more")[0] == 0
    assert read(tmp_path)[1].attributes == [{"colour": "red", "size": "5"}, {}, {}]
    assert convert(capsys, tmp_path / "t.parquet", *options, "inner")[0] == 0
    assert read(tmp_path)[1].attributes == [{"of": {"colour": "blue"}}, {}, {}]


def test_what_programs_write_for_nothing_is_no_category(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "t.csv").write_text("id,name,a,b\n1,A,Home,nan\n2,B,None,nan\n3,C,Home,Lamps\n")
    options = ["--id", "id", "--title", "name", "--category"]
    with pytest.warns(DataWarning, match=r"t\.csv: names that are none, so no category: 'nan': 2, 'None': 1"):
        run(shop / "t.csv", shop / "out", ColumnNames("id", "name", ("a", "b")))
    assert read(shop)[1].category_ids == ["Home", None, "Home > Lamps"]
    (shop / "t.csv").write_text("id,name,a\n1,A,nan\n2,B,Home > null\n")
    assert convert(capsys, shop / "t.csv", *options, "a")[0] == 0
    assert read(shop)[1].category_ids == [None, "Home"]
    # Of a given ontology it may be the name of one.
    (shop / "tree.csv").write_text("category_id,path\nc1,Home\nc2,Home > None\n")
    (shop / "t.csv").write_text("id,name,a,b\n1,A,Home,None\n2,B,Home,nan\n")
    assert convert(capsys, shop / "t.csv", *options, "a,b", "--ontology", str(shop / "tree.csv"))[0] == 0
    assert read(shop)[1].category_ids == ["c2", "c1"]


def test_texts_with_markup_are_told(tmp_path: Path) -> None:
    rows = ("1,Lamp &amp; shade,X,<p>old<br/>lamp</p>", "2,Size <M> & up,X,if x<y and y>z", "3,Chair,X,<B>red</B>")
    (tmp_path / "t.csv").write_text("id,name,cat,text\n" + "".join(f"{row}\n" for row in rows))
    names = ColumnNames("id", "name", ("cat",), description="text")
    with pytest.warns(DataWarning, match="texts with HTML, of which every tag counts as a word: name: 1, text: 2"):
        run(tmp_path / "t.csv", tmp_path / "out", names)


def test_what_moved_has_to_be_true_of_the_new_categories(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(capsys, shop / "shop.csv", "--id", "id", *FASHION)[0] == 0
    (shop / "out" / "moved.csv").write_text("category_id,moved_to\nOld,Gone since\n")
    code, _, error = convert(capsys, shop / "shop.csv", "--id", "id", *FASHION)
    assert (code, f"{shop / 'out' / 'moved.csv'}, row 2, column moved_to" in error) == (2, True)


def test_what_moved_is_kept(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(capsys, shop / "shop.csv", "--id", "id", *FASHION)[0] == 0
    (shop / "out" / "moved.csv").write_text("category_id,moved_to\nOld,Apparel\n")
    assert convert(capsys, shop / "shop.csv", "--id", "id", *FASHION)[0] == 0
    assert read(shop)[0].moved == {"Old": "Apparel"}


def test_a_photo_whose_name_is_too_long_is_missing(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "long.csv").write_text(f"id,name,cat,photo\n1,A,X,{'x' * 300}.jpg\n")
    options = ["--id", "id", "--title", "name", "--category", "cat", "--image", "photo"]
    code, out, _ = convert(capsys, shop / "long.csv", *options)
    assert (code, "1 photos are not there" in out) == (0, True)


BAD = (
    "id,name,cat,price,lat,lon\n"
    "1,Good,A,1,,\n"
    ",No id,A,1,,\n"
    "1,Same id,A,1,,\n"
    "4,,,1,,\n"
    "5,Too long,A,1,,,\n"
    "6,Below zero,A,-1,,\n"
    "7,North of the pole,A,1,91,0\n"
    "8,No longitude,A,1,1,\n"
    "9,Good too,B,,52,4.5\n"
)
BAD_COLUMNS = {"id": "id", "title": "name", "category": "cat", "price": "price", "latitude": "lat", "longitude": "lon"}
BAD_OPTIONS = [word for option, column in BAD_COLUMNS.items() for word in (f"--{option}", column)]


def test_bad_rows_are_refused_with_their_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.csv").write_text(BAD)
    code, out, error = convert(capsys, tmp_path / "bad.csv", *BAD_OPTIONS)
    assert (code, out) == (2, "")
    assert error == f"error: {tmp_path / 'bad.csv'}, row 6: expected 6 values as the header, found 7"
    assert os.listdir(tmp_path) == ["bad.csv"]
    (tmp_path / "bad.csv").write_text("id,name,cat,price,lat,lon\n1,,A,1,,\n4,,,1,,\n")
    code, _, error = convert(capsys, tmp_path / "bad.csv", *BAD_OPTIONS)
    assert code == 2
    assert "row 3, column name: expected some text, found '', and no photo, category, description or" in error
    assert error.endswith("; --skip-bad-rows leaves such rows out")


def test_a_listing_that_only_its_missing_photo_shows_is_left_out(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "t.csv").write_text("id,name,cat,photo\n1,,A,gone.jpg\n2,,,gone.jpg\n3,Lamp,,gone.jpg\n")
    options = ["--id", "id", "--title", "name", "--category", "cat", "--image", "photo"]
    code, out, _ = convert(capsys, shop / "t.csv", *options)
    assert code == 0
    assert "1 listings left out: no text, no attribute, no category, and no photo that is there" in out
    listings = read(shop)[1]
    assert (listings.ids, listings.titles) == (["1", "3"], ["", "Lamp"])


def test_bad_rows_are_kept_aside_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.csv").write_text(BAD)
    code, out, _ = convert(capsys, tmp_path / "bad.csv", *BAD_OPTIONS, "--skip-bad-rows")
    assert code == 0
    assert "7 rows left out: see rejected.csv\n" in out
    assert "  1: column price: expected a price of at least 0\n" in out
    assert read(tmp_path)[1].ids == ["1", "9"]
    rejected = pd.read_csv(tmp_path / "out" / "rejected.csv")
    assert rejected.row.tolist() == [3, 4, 5, 6, 7, 8, 9]
    assert [reason.split(":")[0] for reason in rejected.reason] == [
        "column id", "column id", "column name", "expected 6 values as the header, found 7", "column price",
        "column lat", "column lon",
    ]  # fmt: skip
    assert json.loads(rejected.content[4]) == {
        "id": "6",
        "name": "Below zero",
        "cat": "A",
        "price": "-1",
        "lat": "",
        "lon": "",
    }
    assert rejected.content[3] == "5,Too long,A,1,,,"


def test_an_inch_mark_in_quotes_is_one_bad_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ("1,Lamp,X", '2,"19" Monitor",X', "3,Chair,X", f"4,{'x' * 200_000},X", "5,Sofa,X")
    (tmp_path / "t.csv").write_text("id,name,cat\n" + "".join(f"{row}\n" for row in rows))
    options = ["--id", "id", "--title", "name", "--category", "cat"]
    code, _, error = convert(capsys, tmp_path / "t.csv", *options)
    assert (code, "line 3: malformed CSV: ',' expected after '\"'" in error) == (2, True)
    code, out, _ = convert(capsys, tmp_path / "t.csv", *options, "--skip-bad-rows")
    assert (code, "2 rows left out: see rejected.csv" in out) == (0, True)
    assert read(tmp_path)[1].ids == ["1", "3", "5"]
    with open(tmp_path / "out" / "rejected.csv", newline="") as file:
        assert [(row["row"], "malformed CSV" in row["reason"]) for row in csv.DictReader(file)] == [
            ("3", True),
            ("5", True),
        ]
    (tmp_path / "t.csv").write_text('id,name,cat\n1,Lamp,X\n2,"open,X\n3,Chair,X\n')
    code, _, error = convert(capsys, tmp_path / "t.csv", *options, "--skip-bad-rows")
    assert (code, "malformed CSV: unexpected end of data" in error) == (2, True)


def test_nothing_usable_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.csv").write_text("id,name,cat\n,A,B\n")
    code, _, error = convert(
        capsys, tmp_path / "bad.csv", "--id", "id", "--title", "name", "--category", "cat", "--skip-bad-rows"
    )
    assert code == 2
    assert "no row is usable; the last problem:" in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--id", "key", *FASHION], "found id, name, master, sub, type, colour, year, price; missing: key"),
        (["--id", "id", *FASHION, "--image", "{file}.jpg"], "missing: file"),
        (["--id", "id", "--title", "name"], "name their columns by --category, or a file by --ontology"),
        (["--id", "id", *FASHION, "--latitude", "year"], "name them by --latitude and --longitude"),
        (["--id", "id", *FASHION, "--created-at", "year"], "row 2, column year: expected an ISO 8601 time"),
        (["--id", "id", *FASHION, "--attributes", "colour,colour"], "found colour more than once"),
        (["--id", "id", *FASHION, "--image", "../{id}.jpg"], "column ../{id}.jpg: expected paths relative to"),
        (["--id", "id", *FASHION, "--ontology", "none.csv"], "none.csv: no such file"),
        (
            ["--id", "id", "--title", "name", "--category", "type", "--separator", ""],
            "--separator: expected what stands",
        ),
    ],
)
def test_bad_options_are_named(
    shop: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    code, _, error = convert(capsys, shop / "shop.csv", *options)
    assert code == 2
    assert error.startswith("error: ")
    assert message in error
    assert not (shop / "out").exists()


def test_a_category_name_cannot_hold_the_separator_of_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("id,name,a,b\n1,A,X > Y,Z\n")
    code, _, error = convert(capsys, tmp_path / "t.csv", "--id", "id", "--title", "name", "--category", "a,b")
    assert (code, "row 2, column a,b: expected names of categories without ' > '" in error) == (2, True)


def test_events_written_since_are_not_deleted(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(capsys, shop / "shop.csv", "--id", "id", *FASHION)[0] == 0
    (shop / "out" / "events.jsonl").write_text("{}")
    code, _, error = convert(capsys, shop / "shop.csv", "--id", "id", *FASHION)
    assert (code, "holds events.jsonl, which this command did not write" in error) == (2, True)
    assert (shop / "out" / "events.jsonl").read_text() == "{}"


def test_a_source_is_not_replaced_by_what_is_made_of_it(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(capsys, shop / "shop.csv", "--id", "id", *FASHION)[0] == 0
    out = shop / "out"
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(
        DataError, match=r"listings\.parquet: lies in .*, which would be replaced; choose another --out"
    ):
        run(out / "listings.parquet", out, ColumnNames("listing_id", "title"), ontology=out / "categories.csv")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_photos_are_copied_where_they_cannot_be_linked(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("another file system")

    monkeypatch.setattr(os, "link", refuse)
    assert convert(capsys, shop / "shop.csv", "--id", "id", *FASHION, "--image", "images/{id}.jpg")[0] == 0
    assert (shop / "out" / "images" / "1.jpg").read_bytes() == b"photo 1"


def test_an_interrupt_leaves_nothing_and_exits_130(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("index.dataset.write_listings", interrupt)
    assert convert(capsys, shop / "shop.csv", "--id", "id", *FASHION)[0] == 130
    assert sorted(os.listdir(shop)) == ["images", "shop.csv"]


def test_the_real_fashion_catalogue(shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = shared_data / "fashion" / "styles.csv"
    options = ["--id", "id", "--title", "productDisplayName", "--category", "masterCategory,subCategory,articleType"]
    code, out, error = convert(
        capsys, source, *options, "--attributes", "gender,baseColour,season,usage", "--out", str(tmp_path / "fashion")
    )
    assert code == 0, error
    assert "37,347 listings, 0 of them without a category" in out
    expected = pd.read_csv(source, dtype=str, keep_default_na=False)
    listings = Dataset.open(tmp_path / "fashion").read_listings()
    assert listings.ids == expected.id.tolist()
    assert listings.titles == expected.productDisplayName.tolist()
    assert (
        listings.category_ids
        == expected[["masterCategory", "subCategory", "articleType"]].agg(" > ".join, axis=1).tolist()
    )
    assert [row.get("gender") for row in listings.attributes] == expected.gender.tolist()
