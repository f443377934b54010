"""The listing index of a catalogue of plain colours, whose encodings can be worked out by hand."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from index.listings import run
from relevance.artifacts import read_manifest
from relevance.classifier import test_part as part_of_test
from relevance.errors import ArtifactError, DataError
from relevance.listing_index import ListingIndex
from tests.colours import COLOURS, write_classifier, write_dataset, write_photo

ROWS = [
    ("r", "red thing", "red", "images/r.jpg"),
    ("bare", "no photo", "green", ""),
    ("b", "blue thing", "", "images/b.jpg"),
    ("lost", "photo is missing", "blue", "images/lost.jpg"),
    ("second", "first photo is empty", "red", "images/empty.jpg|images/g.jpg"),
]


@pytest.fixture
def built(tmp_path: Path) -> Path:
    dataset = write_dataset(tmp_path / "dataset", ROWS)
    for name in "rgb":
        colour = {"r": "red", "g": "green", "b": "blue"}[name]
        write_photo(dataset.images_dir / f"{name}.jpg", COLOURS[colour])
    (dataset.images_dir / "empty.jpg").touch()
    classifier = write_classifier(tmp_path / "classifier", dataset)
    run(dataset.root, classifier, tmp_path / "listings", threads=2)
    return tmp_path


def test_rows_are_in_dataset_order(built: Path) -> None:
    table = pyarrow.parquet.read_table(built / "listings" / "predictions.parquet").to_pydict()
    assert table["listing_id"] == [row[0] for row in ROWS]
    assert table["category_id"] == ["red", "green", None, "blue", "red"]
    assert table["predicted_category_id"] == ["red", None, "blue", None, "green"]
    # Red is (255, 0, 0): softmax of 255 / 32 against two zeros.
    assert table["predicted_probability"][0] == pytest.approx(np.exp(7.97) / (np.exp(7.97) + 2), abs=2e-3)
    assert table["predicted_probability"][1] == 0
    assert table["test"] == part_of_test([row[1] for row in ROWS], 0).tolist()


def test_embeddings_have_length_one_or_are_zero(built: Path) -> None:
    embeddings = np.load(built / "listings" / "embeddings.npy")
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), [1, 0, 1, 0, 1], atol=1e-5)
    np.testing.assert_allclose(embeddings[0], [1, 0, 0], atol=0.05)


def test_bad_photos_are_listed(built: Path) -> None:
    with open(built / "listings" / "bad_photos.csv", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["listing_id", "image", "reason"],
            ["lost", "images/lost.jpg", "missing"],
            ["second", "images/empty.jpg", "empty"],
        ]


def test_manifest_tells_what_it_was_made_of(built: Path) -> None:
    manifest = read_manifest(built / "listings", "listing-index", 1)
    classifier = json.loads((built / "classifier" / "manifest.json").read_text())
    assert manifest["classifier_fingerprint"] == classifier["files"]["image_encoder.tflite"]
    assert manifest["files"]["image_encoder.tflite"] == manifest["classifier_fingerprint"]
    assert manifest["embedding_dim"] == 3
    assert manifest["counts"] == {
        "listings": 5, "with_photo": 4, "with_usable_photo": 3, "bad_photos": 2, "without_category": 1,
    }  # fmt: skip


def test_the_runtime_reads_it(built: Path) -> None:
    dataset = write_dataset(built / "dataset", ROWS)
    ontology = dataset.read_ontology()
    listings = dataset.read_listings(ontology)
    index = ListingIndex.read(built / "listings", ontology, listings)
    assert index.predicted == ["red", None, "blue", None, "green"]


def test_a_batch_is_the_same_as_single_photos(tmp_path: Path) -> None:
    rows = [(str(i), f"thing {i}", "red", f"images/{i}.jpg") for i in range(70)]
    dataset = write_dataset(tmp_path / "dataset", rows)
    rng = np.random.default_rng(0)
    for i in range(70):
        write_photo(dataset.images_dir / f"{i}.jpg", tuple(rng.integers(10, 240, 3)))
    classifier = write_classifier(tmp_path / "classifier", dataset)
    run(dataset.root, classifier, tmp_path / "all")
    write_dataset(tmp_path / "dataset", rows[65:])
    run(dataset.root, classifier, tmp_path / "last")
    together, alone = np.load(tmp_path / "all/embeddings.npy"), np.load(tmp_path / "last/embeddings.npy")
    np.testing.assert_allclose(together[65:], alone, atol=1e-6)


def test_a_catalogue_without_photos(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "dataset", [("1", "red thing", "red", "")])
    classifier = write_classifier(tmp_path / "classifier", dataset)
    assert run(dataset.root, classifier, tmp_path / "listings")["with_usable_photo"] == 0
    assert not np.load(tmp_path / "listings" / "embeddings.npy").any()


def test_what_does_not_fit_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "dataset", ROWS)
    classifier = write_classifier(tmp_path / "classifier", dataset, ontology_fingerprint="0" * 64)
    with pytest.raises(ArtifactError, match="trained on another ontology"):
        run(dataset.root, classifier, tmp_path / "listings")
    with pytest.raises(ArtifactError, match="no such folder"):
        run(dataset.root, tmp_path / "absent", tmp_path / "listings")
    with pytest.raises(DataError, match="expected a dataset folder"):
        run(tmp_path / "absent", classifier, tmp_path / "listings")
    assert not (tmp_path / "listings").exists()
