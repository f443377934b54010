"""The classifier's report, on colours that the encoder tells exactly and labels that are wrong on purpose."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import typer
from typer.testing import CliRunner

from eval.classifier.command import command
from eval.classifier.evaluate import evaluate
from eval.classifier.gallery import Example
from eval.classifier.html import gallery
from eval.classifier.measured import measure, read_labels
from eval.classifier.run import run
from relevance.classifier import Classifier, in_test_part
from relevance.dataset import Dataset
from relevance.errors import ArtifactError, DataError
from tests.colours import COLOURS, write_classifier, write_dataset, write_photo

TITLES = [f"thing {i}" for i in range(300)]
IN_TEST = np.flatnonzero(in_test_part(TITLES, 0)).tolist()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds `dataset`, `classifier` and, once measured, `report`."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def dataset(home: Path) -> Dataset:
    """Every fifth listing lies in the wrong category; every thirtieth has no photo."""
    rows = []
    for i, title in enumerate(TITLES):
        colour = list(COLOURS)[i % 3]
        given = "blue" if i % 5 == 0 else colour
        rows.append((str(i), title, given, "" if i % 30 == 7 else f"images/{colour}{i % 6}.jpg"))
    write_photos(home)
    return write_dataset(home / "dataset", rows)


@pytest.fixture(scope="module")
def given(home: Path, dataset: Dataset) -> tuple[dict[str, Any], str]:
    """Its figures, and what was printed."""
    return measured(home, dataset)


def write_photos(folder: Path) -> None:
    for colour, pixel in COLOURS.items():
        for i in range(6):
            write_photo(folder / "dataset" / "images" / f"{colour}{i}.jpg", pixel)


def measured(tmp_path: Path, dataset: Dataset, *options: str) -> tuple[dict[str, Any], str]:
    """The figures of a report in `tmp_path`, and what was printed."""
    app = typer.Typer()
    app.command()(command)
    classifier = write_classifier(tmp_path / "classifier", dataset)
    arguments = [str(dataset.root), "--classifier", str(classifier), "--out", str(tmp_path / "report"), *options]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads((tmp_path / "report" / "classifier.json").read_text(encoding="utf-8")), result.output


def few(tmp_path: Path, *rows: tuple[str, str, str]) -> Dataset:
    """A dataset of listings in the test part: title or "", category, image."""
    listings = [(str(i), title or TITLES[IN_TEST[i]], *own) for i, (title, *own) in enumerate(rows)]
    write_photos(tmp_path)
    return write_dataset(tmp_path / "dataset", listings)  # type: ignore[arg-type]


def test_given_labels(given: tuple[dict[str, Any], str]) -> None:
    result, output = given
    used = [i for i in IN_TEST if i % 30 != 7]
    right = np.mean([i % 5 != 0 or i % 3 == 2 for i in used])
    assert result["labels"] == "given"
    assert result["photos"] == len(used)
    assert result["top_1"]["value"] == pytest.approx(right, abs=1e-6)
    assert result["top_1"]["low"] < right < result["top_1"]["high"]
    assert result["top_3"]["value"] == 1
    # Green filed as blue is still "cold".
    cold = np.mean([i % 5 != 0 or i % 3 != 0 for i in used])
    assert result["levels"]["1"]["micro"]["value"] == pytest.approx(cold, abs=1e-6)
    assert result["levels"]["1"]["categories"] == 2
    assert result["levels"]["2"]["micro"]["value"] == result["top_1"]["value"]
    assert result["confused"][0]["truth"] == "cold > blue"
    for words in ("top 1", "level 1", f"{right:.3f}", "index.html"):
        assert words in output


def test_the_truth_is_used_where_there_is_one(tmp_path: Path) -> None:
    source = few(tmp_path, ("", "blue", "images/red0.jpg"), ("", "", "images/green0.jpg"))
    source.truth_dir.mkdir()
    truth = {"listing_id": ["0", "1"], "category_id": ["red", "green"], "attributes": ["{}"] * 2}
    pyarrow.parquet.write_table(pyarrow.table(truth), source.truth_dir / "listings.parquet")
    labels, origin = read_labels(source, source.read_ontology(), source.read_listings())
    assert origin == "truth"
    assert [source.read_ontology().ids[label] for label in labels] == ["red", "green"]


@pytest.mark.usefixtures("given")
def test_every_category_in_a_table(home: Path) -> None:
    with open(home / "report" / "categories.csv", encoding="utf-8", newline="") as file:
        rows = {row["category_id"]: row for row in csv.DictReader(file)}
    assert sorted(rows) == sorted(COLOURS)
    used = [i for i in IN_TEST if i % 30 != 7]
    filed_as_blue = [i for i in used if i % 5 == 0 or i % 3 == 2]
    assert int(rows["blue"]["test_photos"]) == len(filed_as_blue)
    assert float(rows["blue"]["top_1"]) == pytest.approx(np.mean([i % 3 == 2 for i in filed_as_blue]), abs=1e-4)
    assert (rows["red"]["top_1"], rows["red"]["taken_for"]) == ("1.0", "")
    assert rows["blue"]["taken_for"] in ("red", "green")
    photos = sum(i % 30 != 7 and (i % 5 == 0 or i % 3 == 2) for i in range(300))
    assert int(rows["blue"]["photos"]) == photos


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and value:
                self.links.append(value)
            if name == "id" and value:
                self.ids.append(value)


def read_page(folder: Path) -> tuple[_Page, str]:
    text = (folder / "index.html").read_text(encoding="utf-8")
    parser = _Page()
    parser.feed(text)
    return parser, text


@pytest.mark.usefixtures("given")
def test_the_page_stands_alone(home: Path) -> None:
    parser, text = read_page(home / "report")
    assert "script" not in parser.tags
    assert parser.tags.count("svg") == 8
    assert len(parser.ids) == len(set(parser.ids))
    assert not re.search(r"@import|url\((?!#)", text)
    inside = {link[1:] for link in parser.links if link.startswith("#")}
    assert inside <= set(parser.ids)
    for link in parser.links:
        assert link.startswith("#") or (home / "report" / link).is_file()
    assert any(link.startswith("../dataset/images/") for link in parser.links)


@pytest.mark.usefixtures("given")
def test_the_same_twice(home: Path, dataset: Dataset) -> None:
    before = {path.name: path.read_bytes() for path in (home / "report").iterdir()}
    measured(home, dataset)
    assert before == {path.name: path.read_bytes() for path in (home / "report").iterdir()}
    assert len(before) == 5


def test_titles_are_no_markup() -> None:
    parser = _Page()
    text = gallery([Example('a"b?.jpg', "<script>1</script> &", "<b>x", "<i>y", 0.5)], "../data set")
    parser.feed(text)
    assert parser.tags == ["ul", "li", "img", "div", "small", "br"]
    assert parser.links == ["../data%20set/a%22b%3F.jpg"]
    assert "&lt;script&gt;1&lt;/script&gt; &amp;" in text


def test_bad_photos_are_listed_with_their_reasons(tmp_path: Path) -> None:
    source = few(
        tmp_path,
        ("", "red", "images/red0.jpg"),
        ("", "green", "images/cut.jpg|images/green1.jpg"),
        ("", "blue", "images/text.jpg"),
        ("", "blue", "images/none.jpg"),
        ("", "blue", "images/empty.jpg"),
    )
    write_photo(source.images_dir / "cut.jpg", COLOURS["green"], (240, 160))
    whole = (source.images_dir / "cut.jpg").read_bytes()
    (source.images_dir / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (source.images_dir / "text.jpg").write_text("not a photo")
    (source.images_dir / "empty.jpg").touch()
    result, output = measured(tmp_path, source)
    assert (result["photos"], result["without_usable_photo"], result["top_1"]["value"]) == (2, 3, 1)
    assert {reason: own["photos"] for reason, own in result["refused"].items()} == {
        "truncated": 1, "not an image": 1, "missing": 1, "empty": 1,
    }  # fmt: skip
    assert "1 truncated" in output
    listed = (tmp_path / "report" / "bad_photos.csv").read_text(encoding="utf-8").splitlines()
    assert listed[0] == "listing_id,image,reason"
    assert "1,images/cut.jpg,truncated" in listed
    parser, text = read_page(tmp_path / "report")
    assert "images/none.jpg" in text
    # What is shown is the photo that was looked at.
    assert "../dataset/images/green1.jpg" in parser.links
    assert "../dataset/images/cut.jpg" not in parser.links


def test_one_photo(tmp_path: Path) -> None:
    """One category with one photo, two without any, and a level with one category."""
    result, _ = measured(tmp_path, few(tmp_path, ("", "red", "images/red0.jpg")))
    assert result["top_1"] == {"value": 1, "low": 1, "high": 1, "n": 1}
    assert result["levels"]["1"]["categories"] == 1
    assert result["photos_per_category"] == [1]
    assert result["mistakes"]["argmax"]["distance_of_mistakes"]["value"] is None
    parser, text = read_page(tmp_path / "report")
    assert "no mistakes" in text
    assert parser.tags.count("svg") == 8


def test_nothing_right(tmp_path: Path) -> None:
    """Every photo is taken for something else, and every category has fewer than three."""
    rows = [("", "blue", "images/red0.jpg"), ("", "green", "images/blue0.jpg"), ("", "red", "images/green0.jpg")]
    result, _ = measured(tmp_path, few(tmp_path, *rows))
    assert result["top_1"]["value"] == 0
    assert result["abstention"]["coverage_at"] == {"0.9": 0, "0.95": 0, "0.99": 0}
    assert len(result["confused"]) == 3


def test_a_category_that_is_no_class(tmp_path: Path) -> None:
    """An inner category holds a listing: its children's photos are beside it, above them it counts."""
    source = few(tmp_path, ("", "red", "images/red0.jpg"), ("", "path:cold", "images/blue0.jpg"))
    listings = source.read_listings()
    opened = Classifier.open(write_classifier(tmp_path / "classifier", source))
    labels, _ = read_labels(source, opened.ontology, listings)
    predictions, photos = measure(opened, source.root, listings, labels, 1)
    assert photos.images == ["images/red0.jpg", "images/blue0.jpg"]
    result = evaluate(predictions, np.bincount(labels, minlength=5))
    assert (result["of_no_class"], result["top_1"].value, result["top_5"].value) == (1, 0.5, 0.5)
    assert result["levels"]["1"]["micro"].value == 1


def test_no_usable_photo_at_all(tmp_path: Path) -> None:
    source = few(tmp_path, ("", "red", "images/none.jpg"), ("", "blue", "images/none.jpg"))
    classifier = write_classifier(tmp_path / "classifier", source)
    with pytest.raises(DataError, match=r"found 2 listings there with a category and a photo.*unusable: 2 missing"):
        run(source.root, classifier, tmp_path / "report", None, 0, 1)
    assert not (tmp_path / "report").exists()


def test_no_listing_in_the_test_part(tmp_path: Path) -> None:
    learned = next(title for i, title in enumerate(TITLES) if i not in IN_TEST)
    source = few(tmp_path, (learned, "red", "images/red0.jpg"))
    with pytest.raises(DataError, match="found 0 listings there"):
        run(source.root, write_classifier(tmp_path / "classifier", source), tmp_path / "report", None, 0, 1)


def test_all_listings_where_none_was_trained_on(tmp_path: Path, dataset: Dataset) -> None:
    result, _ = measured(tmp_path, dataset, "--all")
    usable = [i for i in range(len(TITLES)) if i % 30 != 7]
    right = [i for i in usable if i % 5 or i % 3 == list(COLOURS).index("blue")]
    assert result["photos"] == len(usable)
    assert result["top_1"]["value"] == pytest.approx(len(right) / len(usable))


def test_photos_without_a_title_stand_each_for_itself(tmp_path: Path) -> None:
    write_photos(tmp_path)
    rows = [(str(i), "", "blue" if i % 5 == 0 else "red", f"images/red{i % 6}.jpg") for i in range(40)]
    result, _ = measured(tmp_path, write_dataset(tmp_path / "dataset", rows), "--all")
    assert result["top_1"]["low"] < result["top_1"]["value"] == 0.8 < result["top_1"]["high"]


def test_nothing_was_kept_for_tests(tmp_path: Path) -> None:
    learned = next(title for i, title in enumerate(TITLES) if i not in IN_TEST)
    source = few(tmp_path, (learned, "red", "images/red0.jpg"))
    classifier = write_classifier(tmp_path / "classifier", source)
    with pytest.raises(DataError, match=r"the part that the classifier keeps for tests.*--all measures on all"):
        run(source.root, classifier, tmp_path / "report", None, 0, 1)
    assert run(source.root, classifier, tmp_path / "report", None, 0, 1, everything=True)["photos"] == 1


def test_beside_another_classifier(tmp_path: Path, dataset: Dataset) -> None:
    """The same encoder whose classes are named in another order takes every red for green and every green for red."""
    other = write_classifier(tmp_path / "swapped", dataset, class_ids=["green", "red", "blue"])
    result, output = measured(tmp_path, dataset, "--compare", str(other))
    compared = result["comparison"]
    assert compared["photos"] == result["photos"]
    top_1 = compared["metrics"]["top_1"]
    assert top_1["this"] == result["top_1"]
    used = [i for i in IN_TEST if i % 30 != 7]
    assert top_1["other"]["value"] == pytest.approx(np.mean([i % 3 == 2 for i in used]), abs=1e-6)
    assert top_1["difference"]["value"] == pytest.approx(top_1["this"]["value"] - top_1["other"]["value"], abs=1e-5)
    assert top_1["difference"]["low"] > 0
    assert compared["metrics"]["macro"]["this"] == result["macro"]
    assert f"against {other}" in output
    assert "better" in output
    parser, text = read_page(tmp_path / "report")
    assert "comparison" in parser.ids
    assert str(other) in text


def test_another_classifier_that_has_seen_the_photos(tmp_path: Path, dataset: Dataset) -> None:
    classifier = write_classifier(tmp_path / "classifier", dataset)
    for fields in ({"split_seed": 1}, {"test_share": 0.0}):
        other = write_classifier(tmp_path / "other", dataset, **fields)
        with pytest.raises(ArtifactError, match=r"found another test part \(\d+ of 300 listings"):
            run(dataset.root, classifier, tmp_path / "report", other, 0, 1)
