"""The listing index of a catalogue of plain colours, whose encodings can be worked out by hand."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from index.chunks import unfinished
from index.listings import run
from relevance.artifacts import read_manifest
from relevance.classifier import in_test_part
from relevance.errors import ArtifactError, DataError
from relevance.listing_index import ListingIndex
from relevance.photos.model import AttributeValue
from tests.colours import COLOURS, write_attributes, write_classifier, write_dataset, write_photo

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
    assert table["answer_category_id"] == table["predicted_category_id"]  # plain colours leave no doubt
    assert table["test"] == in_test_part([row[1] for row in ROWS], 0).tolist()


def test_photos_without_any_title_are_split_one_by_one(tmp_path: Path) -> None:
    ids = [str(i) for i in range(40)]
    dataset = write_dataset(tmp_path / "dataset", [(name, "", "red", "images/r.jpg") for name in ids])
    write_photo(dataset.images_dir / "r.jpg", COLOURS["red"])
    run(dataset.root, write_classifier(tmp_path / "classifier", dataset), tmp_path / "listings", threads=1)
    tested = pyarrow.parquet.read_table(tmp_path / "listings" / "predictions.parquet")["test"].to_pylist()
    assert tested == in_test_part(ids, 0).tolist()
    assert 0 < sum(tested) < 40


def test_what_is_not_sure_enough_is_answered_further_up(tmp_path: Path) -> None:
    rows = [("teal", "t", "green", "images/t.png"), ("grey", "g", "green", "images/g.png")]
    dataset = write_dataset(tmp_path / "dataset", [*rows, ("bare", "b", "green", "")])
    write_photo(dataset.images_dir / "t.png", (0, 200, 200))
    write_photo(dataset.images_dir / "g.png", (120, 120, 120))
    classifier = write_classifier(tmp_path / "classifier", dataset, answers={"threshold": 0.9})
    run(dataset.root, classifier, tmp_path / "listings", threads=1)
    table = pyarrow.parquet.read_table(tmp_path / "listings" / "predictions.parquet").to_pydict()
    # Half green, half blue is surely cold; of grey a third is warm, and nothing is told.
    assert table["answer_category_id"] == ["path:cold", None, None]
    assert table["answer_probability"] == [pytest.approx(1, abs=0.01), 0, 0]
    assert table["predicted_category_id"][2] is None
    assert None not in table["predicted_category_id"][:2]


def test_embeddings_have_length_one_or_are_zero(built: Path) -> None:
    embeddings = np.load(built / "listings" / "embeddings.npy")
    assert embeddings.dtype == np.float16
    np.testing.assert_allclose(np.linalg.norm(embeddings.astype(float), axis=1), [1, 0, 1, 0, 1], atol=1e-3)
    np.testing.assert_allclose(embeddings[0], [1, 0, 0], atol=0.05)


def test_bad_photos_are_listed(built: Path) -> None:
    with open(built / "listings" / "bad_photos.csv", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["listing_id", "image", "reason"],
            ["lost", "images/lost.jpg", "missing"],
            ["second", "images/empty.jpg", "empty"],
        ]


def test_manifest_tells_what_it_was_made_of(built: Path) -> None:
    manifest = read_manifest(built / "listings", "listing-index", 2)
    classifier = json.loads((built / "classifier" / "manifest.json").read_text())
    assert manifest["classifier_fingerprint"] == classifier["files"]["image_encoder.tflite"]
    assert manifest["files"]["image_encoder.tflite"] == manifest["classifier_fingerprint"]
    assert manifest["embedding_dim"] == 3
    assert manifest["counts"] == {
        "listings": 5, "with_photo": 4, "with_usable_photo": 3, "with_predicted_attributes": 0, "bad_photos": 2,
        "without_category": 1,
    }  # fmt: skip


def test_the_runtime_reads_it(built: Path) -> None:
    dataset = write_dataset(built / "dataset", ROWS)
    ontology = dataset.read_ontology()
    listings = dataset.read_listings(ontology)
    index = ListingIndex.read(built / "listings", ontology, listings)
    assert index.predicted == ["red", None, "blue", None, "green"]
    assert index.embeddings.dtype == np.float32
    assert index.attributes == [{}] * 5


def test_chains_run_in_the_same_pass(built: Path) -> None:
    dataset = write_dataset(built / "dataset", ROWS)
    cold = write_attributes(built / "cold", built / "classifier", "path:cold")
    made = run(dataset.root, built / "classifier", built / "listings", [cold])
    assert made.counts["with_predicted_attributes"] == 2
    table = pyarrow.parquet.read_table(built / "listings" / "predictions.parquet").to_pydict()
    found = [json.loads(text) for text in table["predicted_attributes"]]
    assert found == [{}, {}, {"tone": "dark", "paint": "navy"}, {}, {"tone": "dark", "paint": "lime"}]
    shares = [json.loads(text) for text in table["attribute_probabilities"]]
    # Blue is (0, 0, 255): its mean is 85, and dark has softmax([85 / 32, 4])[1].
    assert shares[2]["tone"] == pytest.approx(1 / (1 + np.exp(85 / 32 - 4)), abs=0.01)
    ontology = dataset.read_ontology()
    index = ListingIndex.read(built / "listings", ontology, dataset.read_listings(ontology))
    assert index.attributes[2]["paint"] == AttributeValue("navy", pytest.approx(1, abs=1e-3))
    manifest = read_manifest(built / "listings", "listing-index", 2)
    assert manifest["attribute_fingerprints"] == [read_manifest(cold, "attributes", 1)["files"]["attributes.tflite"]]


def test_a_photo_outside_the_dataset_is_skipped_and_listed(built: Path) -> None:
    write_photo(built / "elsewhere.jpg", COLOURS["red"])
    photo = built / "dataset" / "images" / "r.jpg"
    photo.unlink()
    photo.symlink_to(built / "elsewhere.jpg")
    run(built / "dataset", built / "classifier", built / "listings")
    with open(built / "listings" / "bad_photos.csv", encoding="utf-8", newline="") as file:
        assert ["r", "images/r.jpg", "outside the dataset"] in list(csv.reader(file))
    write_dataset(built / "dataset", [("up", "path upwards", "red", "images/../../elsewhere.jpg")])
    with pytest.raises(DataError, match=r"listings\.csv, .*row 2.* image: expected paths .* inside it"):
        run(built / "dataset", built / "classifier", built / "listings")


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """70 listings: every tenth has a broken photo, every seventh none."""
    images = ["" if i % 7 == 3 else f"images/{i}.jpg" for i in range(70)]
    dataset = write_dataset(tmp_path / "dataset", [(str(i), f"thing {i}", "red", images[i]) for i in range(70)])
    rng = np.random.default_rng(0)
    for i in range(70):
        write_photo(dataset.images_dir / f"{i}.jpg", tuple(rng.integers(10, 240, 3)))
        if i % 10 == 5:
            (dataset.images_dir / f"{i}.jpg").write_bytes(b"broken")
    write_attributes(tmp_path / "attributes", write_classifier(tmp_path / "classifier", dataset))
    return tmp_path


def files(folder: Path) -> dict[str, str]:
    return dict(json.loads((folder / "manifest.json").read_text())["files"])


KILLED_IN_THE_FOURTH_CHUNK = """
import os, signal, sys
from pathlib import Path
import index.chunks
from index.chunks import unfinished
from index.listings import run

saved = index.chunks.Chunks.save
def save(self, part, chunk):
    if part.start == 48:
        (self.folder / f"{part.start:012d}.npz").write_bytes(b"PK half a file")
        os.kill(os.getpid(), signal.SIGKILL)
    saved(self, part, chunk)
index.chunks.Chunks.save = save
root = Path(sys.argv[1])
run(root / "dataset", root / "classifier", root / "killed", [root / "attributes"], chunk=16)
"""


def test_a_killed_run_is_gone_on_with(many: Path) -> None:
    arguments = many / "dataset", many / "classifier"
    chains = [many / "attributes"]
    run(*arguments, many / "whole", chains, chunk=16)
    command = [sys.executable, "-c", KILLED_IN_THE_FOURTH_CHUNK, str(many)]
    killed = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert not (many / "killed").exists()
    made = run(*arguments, many / "killed", chains, chunk=16)
    left = [i for i in range(48, 70) if i % 7 != 3 and i % 10 != 5]
    assert made.pace.photos == len(left)
    assert files(many / "killed") == files(many / "whole")
    assert not list(many.glob(".killed*"))


def test_unfinished_work_of_another_run_is_not_used(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("index.listings.write_listing_files", stop)
        with pytest.raises(KeyboardInterrupt):
            run(many / "dataset", many / "classifier", many / "out", chunk=16)
    write_photo(many / "dataset" / "images" / "0.jpg", COLOURS["blue"])
    made = run(many / "dataset", many / "classifier", many / "out", chunk=16)
    assert made.pace.photos == made.counts["with_usable_photo"]
    np.testing.assert_allclose(np.load(many / "out" / "embeddings.npy")[0], [0, 0, 1], atol=0.05)


def test_two_runs_towards_one_folder_are_refused(many: Path) -> None:
    with unfinished(many / "out", "key", 70, 16), pytest.raises(ArtifactError, match="another process is making it"):
        run(many / "dataset", many / "classifier", many / "out")


def test_the_result_does_not_depend_on_the_threads(many: Path) -> None:
    for threads in (1, 3):
        run(many / "dataset", many / "classifier", many / f"by{threads}", [many / "attributes"], threads)
    assert files(many / "by1") == files(many / "by3")


def test_a_folder_that_may_not_be_replaced_is_refused_at_once(many: Path) -> None:
    (many / "mine").mkdir()
    (many / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(ArtifactError, match="holds files that this program did not write"):
        run(many / "dataset", many / "classifier", many / "mine")
    assert not list(many.glob(".mine*"))


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
    assert run(dataset.root, classifier, tmp_path / "listings").counts["with_usable_photo"] == 0
    assert not np.load(tmp_path / "listings" / "embeddings.npy").any()


def test_what_does_not_fit_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "dataset", ROWS)
    classifier = write_classifier(tmp_path / "classifier", dataset)
    (dataset.root / "categories.csv").write_text("category_id,path\nbooks,Books\n")
    with pytest.raises(ArtifactError, match="on another ontology, of whose 3 classes this dataset's has none"):
        run(dataset.root, classifier, tmp_path / "listings")
    with pytest.raises(ArtifactError, match="no such folder"):
        run(dataset.root, tmp_path / "absent", tmp_path / "listings")
    with pytest.raises(DataError, match="expected a dataset folder"):
        run(tmp_path / "absent", classifier, tmp_path / "listings")
    assert not (tmp_path / "listings").exists()
