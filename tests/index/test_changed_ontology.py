"""The categories change after training: what was made for the old ones is mapped or told, and nothing is lost."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import index.build
import relevance
from index.listings import run as index_listings
from index.promote import promote
from relevance import Filters, LiveEngine, NewListing
from relevance.artifacts import write_manifest
from relevance.classifier import Classifier
from relevance.dataset import Dataset
from relevance.engine import Engine
from relevance.errors import ArtifactError, DataError, DataWarning
from relevance.featuriser import Featuriser
from relevance.listing_index import ListingIndex
from relevance.live.encoder import ListingEncoder
from relevance.models import Model
from relevance.towers import KIND, VERSION, TowerLayout, path_arrays
from tests.colours import COLOURS, write_attributes, write_classifier, write_dataset, write_photo


def _write_csv(path: Path, rows: list[tuple[str, ...]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


# Photos: green and blue were merged into teal; red vanished, and "warm" above it is there still.


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    rows = [(name, f"{name} thing", "", f"images/{name}.jpg") for name in COLOURS]
    dataset = write_dataset(tmp_path / "dataset", rows)
    for name, colour in COLOURS.items():
        write_photo(dataset.images_dir / f"{name}.jpg", colour)
    classifier = write_classifier(tmp_path / "classifier", dataset)
    write_attributes(tmp_path / "under_green", classifier, "green")
    write_attributes(tmp_path / "under_red", classifier, "red")
    index_listings(dataset.root, classifier, tmp_path / "before")
    _write_csv(
        dataset.root / "categories.csv", [("category_id", "path"), ("teal", "cold > teal"), ("o", "warm > orange")]
    )
    _write_csv(dataset.root / "moved.csv", [("category_id", "moved_to"), ("green", "teal"), ("blue", "teal")])
    return tmp_path


def _softmax(logits: list[float]) -> np.ndarray:
    return np.exp(logits) / np.exp(logits).sum()


CHANGED = (
    r"2 new \(cold > teal, warm > orange\); 2 moved \(blue -> teal, green -> teal\); "
    r"1 vanished, counted as what is above \(red -> path:warm\)"
)


def test_a_classifier_tells_what_became_of_its_classes(colours: Path) -> None:
    ontology = Dataset.open(colours / "dataset").read_ontology()
    with pytest.warns(DataWarning, match=f"trained before the ontology changed: {CHANGED}"):
        opened = Classifier.open(colours / "classifier", ontology)
    assert [ontology.ids[position] for position in opened.class_positions] == ["teal", "path:warm"]
    assert [ontology.ids[position] for position in opened.output_positions] == ["path:warm", "teal", "teal"]
    photo = np.full((1, 8, 8, 3), (64, 32, 0), np.uint8)
    red, green, blue = _softmax([64 / 32, 32 / 32, 0])
    found = opened.encoder(photo)
    np.testing.assert_allclose(found.probabilities, [[green + blue, red]], atol=1e-3)
    assert opened.answers(found.probabilities, 0.5).nodes.tolist() == [ontology.position("path:warm")]


def test_photos_are_indexed_by_an_older_classifier_and_its_chains(colours: Path) -> None:
    out, dataset = colours / "after", colours / "dataset"
    with pytest.warns(DataWarning):
        index_listings(dataset, colours / "classifier", out, [colours / "under_green"])
    table = pq.read_table(out / "predictions.parquet").to_pydict()
    assert table["predicted_category_id"] == ["path:warm", "teal", "teal"]
    # The chain of green things goes on for what green things are now.
    assert [bool(json.loads(said)) for said in table["predicted_attributes"]] == [False, True, True]
    assert json.loads((out / "manifest.json").read_text())["class_ids"] == ["path:warm", "teal", "teal"]
    with pytest.warns(DataWarning), pytest.raises(ArtifactError, match="category 'red', which this ontology does not"):
        index_listings(dataset, colours / "classifier", out, [colours / "under_red"])


def test_an_older_listing_index_is_read(colours: Path) -> None:
    dataset = Dataset.open(colours / "dataset")
    ontology = dataset.read_ontology()
    with pytest.warns(DataWarning, match=f"made before the ontology changed: {CHANGED}"):
        found = ListingIndex.read(colours / "before", ontology, dataset.read_listings(ontology))
    assert found.predicted == ["path:warm", "teal", "teal"]
    assert found.class_ids == ["path:warm", "teal", "teal"]
    other = dataset.read_listings(ontology).take([0, 1])
    with pytest.raises(ArtifactError, match="made for other listings"):
        ListingIndex.read(colours / "before", ontology, other)


def test_a_live_photo_counts_merged_classes_together(colours: Path) -> None:
    ontology = Dataset.open(colours / "dataset").read_ontology()

    class Bundle:
        reads_photos = True

        def __init__(self, shares: list[float]) -> None:
            class_ids = ["path:warm", "teal", "teal", None]
            self.manifest = {"files": {}, "fingerprint": "x", "class_ids": class_ids}
            self.ontology, self.shares = ontology, np.array([shares], np.float32)
            self.visual = type("Visual", (), {"embeddings": np.zeros((1, 2), np.float32)})()

        def encode_photo(self, photo: bytes) -> object:
            return type("Encoded", (), {"probabilities": self.shares, "embeddings": np.ones((1, 2), np.float32)})()

    def told(shares: list[float]) -> int:
        return ListingEncoder(Bundle(shares)).look(b"photo").category  # type: ignore[arg-type]

    assert told([0.35, 0.2, 0.25, 0.2]) == ontology.position("teal")
    assert told([0.5, 0.2, 0.2, 0.1]) == ontology.position("path:warm")
    assert told([0.1, 0.1, 0.1, 0.7]) == -1


# A whole bundle: of the three categories with the most listings one is renamed, one merged into it, one is gone.


@pytest.fixture(scope="module")
def changed(tiny_chain: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with `dataset` and `bundle`, and the ids: kept, merged, gone, new."""
    root = tmp_path_factory.mktemp("changed")
    dataset = root / "dataset"
    dataset.mkdir()
    source = Dataset.open(tiny_chain / "dataset")
    ontology = source.read_ontology()
    given = [name for name in source.read_listings().category_ids if name and ontology.is_leaf[ontology.position(name)]]
    kept, merged, gone = sorted(set(given), key=lambda name: (-given.count(name), name))[:3]
    new = "sport-and-hobby/model-trains"
    rows = {name: ontology.path_text(i) for i, name in enumerate(ontology.ids) if name not in (merged, gone)}
    rows[kept] += " and more"
    rows[new] = "Toys > Model trains"
    _write_csv(dataset / "categories.csv", [("category_id", "path"), *rows.items()])
    _write_csv(dataset / "moved.csv", [("category_id", "moved_to"), (merged, kept), (gone, "")])
    table = pq.read_table(source.listings_path)
    first = table["listing_id"][0].as_py()
    categories = [new if i == 0 else name for i, name in enumerate(table["category_id"].to_pylist())]
    at = table.schema.get_field_index("category_id")
    pq.write_table(table.set_column(at, "category_id", pa.array(categories)), dataset / "listings.parquet")
    shutil.copy(source.events_path, dataset)
    with pytest.warns(DataWarning) as told:
        index.build.run(dataset, tiny_chain / "listings", tiny_chain / "towers", root / "bundle")
    (root / "told").write_text("\n".join(str(one.message) for one in told))
    return root, {"kept": kept, "merged": merged, "gone": gone, "new": new, "first": first}


def test_an_index_is_built_with_older_towers_and_says_so(changed: tuple[Path, dict[str, str]]) -> None:
    root, ids = changed
    told = (root / "told").read_text()
    assert "towers: trained before the ontology changed: 2 new (" in told  # model trains and the toys above them
    assert "listings: made before the ontology changed: " in told
    assert f"1 moved ({ids['merged']} -> {ids['kept']}); 1 under another path ({ids['kept']})" in told
    assert f"1 vanished, counted as what is above ({ids['gone']} -> {ids['gone'].rpartition('/')[0]})" in told
    assert f"{ids['merged']} -> {ids['kept']}: " in told
    assert f"{ids['gone']} is gone: " in told


def test_every_listing_is_somewhere(tiny_chain: Path, changed: tuple[Path, dict[str, str]]) -> None:
    root, ids = changed
    before = Dataset.open(tiny_chain / "dataset").read_listings()
    engine = Engine(root / "bundle")
    assert sorted(engine.store.ids()) == sorted(before.ids)
    for listing_id, category in zip(before.ids, before.category_ids, strict=True):
        found = engine.store.find(listing_id)
        assert found is not None
        assert found.category_id in engine.ontology.ids
        if listing_id == ids["first"]:
            assert (found.category_id, found.category_source) == (ids["new"], "seller")
        elif category == ids["gone"] or category is None:
            assert found.category_source in ("photo", "text")
        else:
            assert found.category_source == "seller"
            assert found.category_id == {ids["merged"]: ids["kept"]}.get(category, category)


def test_a_category_has_the_vector_of_its_paths_words(tiny_chain: Path, changed: tuple[Path, dict[str, str]]) -> None:
    root, ids = changed
    layout = TowerLayout(tiny_chain / "towers")
    trained = Dataset.open(tiny_chain / "dataset").read_ontology()
    engine = Engine(root / "bundle")
    new, ontology = engine.towers.category_embeddings, engine.ontology
    old = np.load(layout.categories)
    np.testing.assert_array_equal(engine.towers.nothing, old[-1])
    same = [name for name in trained.ids if ontology.get(name) is not None and name not in (ids["kept"], ids["merged"])]
    assert len(same) > 300
    # LiteRT's sums are not TensorFlow's to the last bit.
    np.testing.assert_allclose(
        new[[ontology.position(name) for name in same]], old[[trained.position(name) for name in same]], atol=1e-5
    )
    arrays = path_arrays(Featuriser.read(layout.text), ["Toys > Model trains"])
    place = new[ontology.position(ids["new"])]
    np.testing.assert_allclose(place, Model(layout.category)(*arrays)[0][0], atol=1e-6)
    assert np.linalg.norm(place) == pytest.approx(1, abs=1e-4)


def test_former_ids_go_on_working(changed: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    root, ids = changed
    with relevance.open(root / "bundle", live=tmp_path / "live") as engine:
        found = engine.search("thing", k=100, filters=Filters(category=ids["merged"])).hits
        assert {hit.category_id for hit in found} <= {ids["kept"]}
        with pytest.raises(DataError, match=r"is gone, and moved\.csv names none in its place"):
            engine.search("thing", filters=Filters(category=ids["gone"]))
        written = [
            NewListing("new-1", "Something", category_id=ids["merged"]),
            NewListing("new-2", "Something", category_id=ids["gone"]),
        ]
        assert engine.upsert(written).accepted == 2
        one, two = engine.get("new-1"), engine.get("new-2")
        assert one is not None
        assert two is not None
        assert (one.category_id, one.category_source) == (ids["kept"], "seller")
        assert two.category_source == "text"


def test_live_listings_of_lost_categories_are_told_at_promotion(
    tiny_bundle: Path, changed: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    root, ids = changed
    with LiveEngine(tiny_bundle, live=tmp_path / "live") as engine:
        engine.upsert(
            [NewListing(f"n{i}", "Thing", category_id=ids[name]) for i, name in enumerate(("merged", "gone"))]
        )
    done = promote(root / "bundle", tmp_path / "serving", live=tmp_path / "live")
    said = f"live listings of categories that this bundle does not have: 1 ({ids['gone']}: 1)"
    assert any(line.startswith(said) for line in done.checks)
    with relevance.open(done.bundle) as engine:
        moved = engine.get("n0")
        assert moved is not None
        assert moved.category_id == ids["kept"]
        assert engine.get("n1") is not None


def test_towers_that_cannot_follow_are_refused(
    tiny_chain: Path, changed: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    root, _ = changed
    earlier = tmp_path / "towers"
    shutil.copytree(tiny_chain / "towers", earlier)
    fields = json.loads((earlier / "manifest.json").read_text())
    fields = {name: value for name, value in fields.items() if name not in ("kind", "version", "created_at", "files")}
    (earlier / "category.tflite").unlink()
    write_manifest(earlier, KIND, VERSION, **fields)
    with (
        pytest.warns(DataWarning),
        pytest.raises(ArtifactError, match="keeps no category tower; train the towers again"),
    ):
        index.build.run(root / "dataset", None, earlier, tmp_path / "bundle")
    other = tmp_path / "other"
    other.mkdir()
    _write_csv(other / "categories.csv", [("category_id", "path"), ("x", "X")])
    _write_csv(other / "listings.csv", [("listing_id", "title"), ("1", "A thing")])
    with pytest.raises(ArtifactError, match="of which this dataset's has no category"):
        index.build.run(other, None, tiny_chain / "towers", tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
