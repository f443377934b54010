"""A classifier in groups: how the tree is split, and one small run on top of a general model."""

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.artifacts import read_manifest
from relevance.classifier import Classifier, ImageEncoder
from relevance.errors import DataError
from relevance.grouped_encoder import GroupedEncoder
from relevance.images import load_photo
from relevance.ontology import Ontology
from tests.training.shapes import COLOURS, draw
from training.classifier.examples import Examples
from training.classifier.options import Options
from training.groups.split import Group, only, split

# Positions: A 0, B 1, B > C 2, B > D 3, B > D > E 4, B > D > F 5, G 6, G > H 7
TREE = Ontology.from_paths(
    list("abcdefgh"),
    [["A"], ["B"], ["B", "C"], ["B", "D"], ["B", "D", "E"], ["B", "D", "F"], ["G"], ["G", "H"]],
)


def parts(classes: Sequence[int], level: int) -> list[tuple[str, list[int]]]:
    """(category, class positions) of each group."""
    array = np.array(classes, np.int32)
    return [(TREE.ids[group.node], array[group.columns].tolist()) for group in split(TREE, array, level)]


def test_classes_under_one_category_of_the_level_are_a_group() -> None:
    assert parts([0, 2, 4, 5, 7], 1) == [("a", [0]), ("b", [2, 4, 5]), ("g", [7])]
    assert parts([2, 4, 5, 7], 2) == [("c", [2]), ("d", [4, 5]), ("h", [7])]


def test_a_class_above_the_level_is_a_group_of_its_own() -> None:
    assert parts([1, 3, 4, 7], 2) == [("b", [1]), ("d", [3, 4]), ("h", [7])]


@given(st.sets(st.integers(0, 7), min_size=2), st.integers(1, 3))
def test_every_class_is_in_one_group(chosen: set[int], level: int) -> None:
    try:
        found = parts(sorted(chosen), level)
    except DataError:
        return
    assert [position for _, own in found for position in own] == sorted(chosen)
    assert all(TREE.is_under(own, TREE.position(node)).all() for node, own in found)


@pytest.mark.parametrize(
    ("classes", "level", "message"),
    [
        ([0, 4], 4, "--level: expected a level between 1 and 3, the depth of the deepest class, found 4"),
        ([0, 4], 0, "--level: expected a level between 1 and 3, .* found 0"),
        ([4, 5, 2], 1, "--level 1: all 3 classes lie under 'B', and there is nothing to split; try --level 2"),
        ([4, 5], 2, "--level 2: all 2 classes lie under 'B > D', .*; the classifier as it is does the same"),
        ([2, 4, 5], 3, "--level 3: every group has one class, and none needs a model; try --level 2"),
        ([0, 7], 1, "--level 1: every group has one class, .*; the classifier as it is does the same"),
    ],
)
def test_a_level_that_makes_no_groups_is_refused(classes: list[int], level: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parts(sorted(classes), level)


def test_a_group_learns_from_its_own_photos() -> None:
    labels = np.array([0, 1, 2, 3, 1, 2, -1, 2, 1], np.int32)
    rows = (np.array([0, 1, 2, 3]), np.array([4, 5]), np.array([6, 7, 8]))
    examples = Examples(*rows, np.array([2, 4, 5, 7], np.int32), labels, labels)
    own = only(examples, Group(3, slice(1, 3)))
    assert (own.train.tolist(), own.validation.tolist(), own.test.tolist()) == ([1, 2], [4, 5], [7, 8])
    assert own.classes.tolist() == [4, 5]
    assert own.labels.tolist() == [-1, 0, 1, -1, 0, 1, -1, 1, 0]
    np.testing.assert_allclose(own.prior, [0.5, 0.5])


def write_dataset(root: Path) -> Path:
    """Discs in two colours, bars in one; a disc and a cone of which there is no photo."""
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    paths = {"disc-red": "disc > red", "disc-blue": "disc > blue", "bar": "bar"}
    unseen = {"disc-tiny": "disc > tiny", "cone": "cone"}
    rows = []
    for category in paths:
        shape, _, colour = category.partition("-")
        for i in range(40):
            name = f"{category}-{i}"
            draw(shape, COLOURS[colour or "red"], rng).save(root / "images" / f"{name}.jpg", quality=90)
            rows.append((name, f"{category} number {i}", category, f"images/{name}.jpg"))
    for name, header, content in (
        ("categories.csv", ("category_id", "path"), [*paths.items(), *unseen.items()]),
        ("listings.csv", ("listing_id", "title", "category_id", "image"), rows),
    ):
        with open(root / name, "w", newline="") as file:
            csv.writer(file).writerows([header, *content])
    return root


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "shapes")


@pytest.fixture(scope="module")
def general(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier that has hardly learned anything."""
    from training.classifier.train import run

    out = tmp_path_factory.mktemp("general") / "classifier"
    run(dataset, out, Options("small", out.parent / "cache", image_size=(32, 32), epochs=1, seed=3))
    return out


@pytest.fixture(scope="module")
def grouped(dataset: Path, general: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interrupted when the models were trained, and gone on with."""
    from training.groups import train

    out = tmp_path_factory.mktemp("groups") / "classifier"
    options = Options("MobileNetV2", general.parent / "cache", epochs=10, seed=99)

    def fail(*_: Any, **__: Any) -> None:
        raise InterruptedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "assemble", fail)
        with pytest.raises(InterruptedError):
            train.run(dataset, general, out, train.Split(level=1, bound=0.0), options)
        assert not out.exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "trained", fail)  # what is trained is not trained again
        metrics = train.run(dataset, general, out, train.Split(level=1, bound=0.0), options)
    assert metrics is not None
    assert (metrics["groups"], metrics["group_models"], metrics["classes"]) == (2, 1, 3)
    assert [path.name for path in out.parent.iterdir()] == ["classifier"]
    return out


def photos_of(dataset: Path) -> np.ndarray:
    return np.stack([load_photo(path, (32, 32)) for path in sorted((dataset / "images").iterdir())])


def test_the_group_is_told_from_its_own_model(grouped: Path) -> None:
    metrics = json.loads((grouped / "metrics.json").read_text())
    manifest = read_manifest(grouped, "classifier", 2)
    assert [(entry["category_id"], entry["class_ids"]) for entry in manifest["groups"]] == [
        ("bar", ["bar"]),
        ("path:disc", ["disc-blue", "disc-red"]),
    ]
    (bar, disc) = manifest["groups"]
    assert bar["encoder"] is None
    assert disc["encoder"] == "groups/1/image_encoder.tflite"
    assert disc["validation_loss"] < disc["general_validation_loss"]
    assert (grouped / "groups" / "1" / "model.keras").is_file()
    assert metrics["test"]["top_1"] >= metrics["general_test"]["top_1"]
    assert metrics["test"]["levels"]["1"] == metrics["general_test"]["levels"]["1"]


def test_the_options_are_those_of_the_classifier_that_is_split(general: Path, grouped: Path) -> None:
    own, given = (json.loads((folder / "manifest.json").read_text()) for folder in (grouped, general))
    assert own["options"] == {**given["options"], "epochs": 10.0}
    assert [own[name] for name in ("split_seed", "test_share", "class_ids", "image_size")] == [
        given[name] for name in ("split_seed", "test_share", "class_ids", "image_size")
    ]
    assert (own["level"], own["bound"]) == (1, 0.0)


def test_it_opens_like_any_classifier_and_gives_the_product(dataset: Path, general: Path, grouped: Path) -> None:
    opened = Classifier.open(grouped)
    assert isinstance(opened.encoder, GroupedEncoder)
    photos = photos_of(dataset)
    found = opened.encoder(photos)
    first = ImageEncoder(general / "image_encoder.tflite")(photos)
    disc = ImageEncoder(grouped / "groups" / "1" / "image_encoder.tflite")(photos).probabilities
    columns = [read_manifest(grouped, "classifier", 2)["class_ids"].index(name) for name in ("disc-blue", "disc-red")]
    expected = first.probabilities.copy()
    expected[:, columns] = expected[:, columns].sum(axis=1, keepdims=True) * disc
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(found.embeddings, first.embeddings)
    titles = [f"title {i}" for i in range(50)]
    assert (opened.test_part(titles) == Classifier.open(general).test_part(titles)).all()


def test_without_a_classifier_one_is_trained_first(
    dataset: Path, general: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the options given; a run that goes on does not train it again."""
    from training.groups import train

    options = Options("small", general.parent / "cache", image_size=(32, 32), epochs=1, seed=3)
    asked = []

    def train_classifier(material: Any, folder: Path, given: Options, devices: Any) -> None:
        asked.append(given)
        shutil.copytree(general, folder)

    def stop(*_: Any, **__: Any) -> None:
        raise InterruptedError

    monkeypatch.setattr(train, "train_classifier", train_classifier)
    monkeypatch.setattr(train, "trained", stop)
    for _ in range(2):
        with pytest.raises(InterruptedError):
            train.run(dataset, None, tmp_path / "out", train.Split(level=1), options)
    assert asked == [options]


def test_a_classifier_of_other_classes_is_refused(general: Path, tmp_path: Path) -> None:
    """A category has got photos since."""
    from training.groups import train

    changed = write_dataset(tmp_path / "changed")
    rows = [f"n{i},new {i},disc-tiny,images/disc-red-{i}.jpg\n" for i in range(30)]
    with open(changed / "listings.csv", "a") as file:
        file.writelines(rows)
    with pytest.raises(
        DataError, match=r"expected the 4 classes .*, found 3 \(they differ in 'disc > tiny'\)"
    ) as caught:
        train.run(changed, general, tmp_path / "out", train.Split(level=1), Options("small", tmp_path / "cache"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("split", [True, False])
def test_groups_without_validation_photos_are_refused_before_anything_is_trained(
    dataset: Path, general: Path, tmp_path: Path, split: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.groups import train

    def read(*_: object) -> None:
        raise AssertionError("read before it was looked at")

    monkeypatch.setattr(train, "read_material", read)
    shutil.copytree(general, tmp_path / "all")
    manifest = json.loads((tmp_path / "all" / "manifest.json").read_text())
    manifest["options"]["calibration"] = "part"
    (tmp_path / "all" / "manifest.json").write_text(json.dumps(manifest))
    stated = Options("small", tmp_path / "cache", calibration=None if split else "part")
    told = (
        r"--classifier .*all: it was made with --calibration: .* without$" if split else r"--calibration part: .* out$"
    )
    with pytest.raises(DataError, match=told):
        train.run(dataset, tmp_path / "all" if split else None, tmp_path / "out", train.Split(level=1), stated)
    assert not (tmp_path / "out").exists()


def test_a_general_model_that_gives_a_group_nothing_prefers_no_class() -> None:
    from training.groups.assemble import _loss

    labels = np.array([0, 1], np.int32)
    given = np.array([[0.75, 0.25], [0.1, 0.1]], np.float32)
    assert _loss(given, labels) == pytest.approx((np.log(4 / 3) + np.log(2)) / 2)
    given[1] = 0.0
    assert _loss(given, labels) == pytest.approx((np.log(4 / 3) + np.log(2)) / 2)
    assert _loss(np.array([[0.5, 0.0]], np.float32), labels[1:]) == pytest.approx(np.log(1e9))


def test_the_command_takes_the_options_of_the_classifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from relevance.entry import run
    from training.__main__ import app

    given: list[Any] = []
    monkeypatch.setattr("training.groups.train.run", lambda *arguments: given.append(arguments))
    line = (
        "training groups data --level 2 --bound 0.1 --backbone MobileNetV2 --image-size 96x64 --epochs 3 --cache none"
    )
    monkeypatch.setattr("sys.argv", [*line.split(), "--views", "2", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as caught:
        run(app, "python -m training")
    assert caught.value.code == 0
    dataset, classifier, out, where, options = given[0]
    assert (dataset, classifier, out) == (Path("data"), None, tmp_path / "out")
    assert (where.level, where.bound) == (2, 0.1)
    assert options == Options("MobileNetV2", None, image_size=(96, 64), epochs=3.0, views=2)


def test_the_command_line_answers_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from relevance.entry import run
    from training.__main__ import app

    arguments = ["training", "groups", str(tmp_path / "absent"), "--out", str(tmp_path / "out"), "--level", "1"]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as caught:
        run(app, "python -m training")
    assert caught.value.code == 2
    message = capsys.readouterr().err.splitlines()
    assert len(message) == 1
    assert message[0].startswith(f"error: {tmp_path / 'absent'}")
