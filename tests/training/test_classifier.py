"""Training the photo classifier: one small run from photos to the artifact, interrupted and not."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relevance.artifacts import read_manifest
from relevance.classifier import ImageEncoder, in_test_part
from relevance.errors import DataError
from relevance.images import load_photo
from tests.training.shapes import write_shapes
from training.classifier.calibration import fit_temperature, negative_log_likelihood
from training.classifier.examples import make_examples


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shapes(tmp_path_factory.mktemp("data") / "shapes")


@pytest.fixture(scope="module")
def trained(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from training.classifier.train import run

    out = tmp_path_factory.mktemp("build") / "classifier"
    run(dataset, out, options(out.parent / "cache", epochs=12))
    return out


def options(cache: Path, **stated: Any) -> Any:
    from training.classifier.train import Options

    return Options("small", cache, image_size=(32, 32), averaging=0.9, **stated)


def photos_of(dataset: Path, n: int) -> np.ndarray:
    return np.stack([load_photo(path, (32, 32)) for path in sorted((dataset / "images").glob("*-*.jpg"))[:n]])


def test_it_learns(trained: Path) -> None:
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["test"]["top_1"] > 0.6  # by chance: 0.17
    assert metrics["test"]["levels"]["1"]["micro"] >= metrics["test"]["top_1"]
    assert metrics["classes"] == 6
    assert metrics["bad_photos"] == 1
    assert (trained / "bad_photos.csv").read_text().splitlines()[1] == "broken,images/broken.jpg,not an image"


def test_the_manifest_describes_the_encoder(dataset: Path, trained: Path) -> None:
    manifest = read_manifest(trained, "classifier", 2)
    encoder = ImageEncoder(trained / "image_encoder.tflite")
    assert manifest["class_ids"] == [
        "bar-blue", "bar-red", "cross-blue", "cross-red", "disc-blue", "disc-red",
    ]  # fmt: skip
    assert (
        (tuple(manifest["image_size"]), manifest["embedding_dim"])
        == (encoder.image_size, encoder.embedding_dim)
        == ((32, 32), 64)
    )
    assert encoder.classes == 6
    assert manifest["answers"]["photos"] == manifest["metrics"]["validation_photos"]
    assert 0.5 <= manifest["answers"]["threshold"] <= 1
    encoded = encoder(photos_of(dataset, 5))
    np.testing.assert_allclose(encoded.probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(encoded.embeddings, axis=1), 1, atol=1e-5)


def test_litert_agrees_with_keras(dataset: Path, trained: Path) -> None:
    import keras

    photos = photos_of(dataset, 50)
    encoded = ImageEncoder(trained / "image_encoder.tflite", threads=2)(photos)
    expected = keras.saving.load_model(trained / "model.keras").predict_on_batch(photos)
    np.testing.assert_allclose(encoded.probabilities, expected["probabilities"], atol=1e-4)
    np.testing.assert_allclose(encoded.embeddings, expected["embedding"], atol=1e-4)


def test_training_goes_on_after_a_kill_as_if_nothing_had_happened(dataset: Path, tmp_path: Path) -> None:
    """And one seed gives one encoder: the other one was trained without a break."""

    def arguments(out: Path) -> list[str]:
        words = [sys.executable, "-m", "training", "classifier", str(dataset), "--out", str(out)]
        return [*words, "--image-size", "32", "--epochs", "6", "--cache", str(tmp_path / "cache")]

    environment = os.environ | {"TQDM_DISABLE": "1"}
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(arguments(tmp_path / "killed"), cwd=root, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not (saved := list(tmp_path.glob(".killed.unfinished/network-*.npz"))) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert saved
    assert not (tmp_path / "killed").exists()
    with np.load(saved[0]) as state:
        assert 1 <= len(json.loads(str(state["note"]))["history"]) < 6
    for name in ("killed", "whole"):
        subprocess.run(arguments(tmp_path / name), cwd=root, env=environment, check=True, capture_output=True)
    photos = photos_of(dataset, 20)
    one, two = (ImageEncoder(tmp_path / name / "image_encoder.tflite")(photos) for name in ("killed", "whole"))
    np.testing.assert_array_equal(one.probabilities, two.probabilities)
    np.testing.assert_array_equal(one.embeddings, two.embeddings)
    assert not list(tmp_path.glob(".*.unfinished"))
    assert len(list((tmp_path / "cache").iterdir())) == 1  # decoded once


def test_each_block_has_unfinished_work_of_its_own(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also two with as many weights: where the first layer to train is the first of a block."""
    from training.classifier import train
    from training.classifier.distribution import ONE_DEVICE
    from training.classifier.material import read_material
    from training.classifier.network import make_network

    stated = options(tmp_path / "cache", epochs=2, block_by_block=True)
    material = read_material(dataset, stated)
    network = make_network("small", (32, 32), None, material.examples.prior, 0)
    begun: list[Any] = []
    monkeypatch.setattr(train, "blocks", lambda *_: ["", ""])
    monkeypatch.setattr("training.classifier.fit.pooled", lambda *_: None)
    monkeypatch.setattr("training.classifier.fit.fit", lambda *given: begun.append(vars(given[5])))
    train._train(network, material, stated, True, tmp_path, "key", ONE_DEVICE)
    assert len({one["_path"] for one in begun}) == len({one["_key"] for one in begun}) == len(begun) == 3


def test_a_learning_rate_of_nothing_is_one() -> None:
    from training.classifier.backbones import find
    from training.classifier.train import Options, _schedule

    backbone = find("small")
    rates = [
        _schedule(Options("small", None, learning_rate=rate), backbone, True).learning_rate for rate in (None, 0.0)
    ]
    assert rates == [backbone.learning_rate, 0.0]


def test_half_precision_trains_what_is_deployed_in_single(dataset: Path, tmp_path: Path) -> None:
    """The weights are the same numbers; only what is computed with them in training has fewer bits."""
    from training.classifier.train import run

    metrics = run(dataset, tmp_path / "half", options(tmp_path / "cache", epochs=8, precision="bfloat16"))
    assert metrics is not None
    assert metrics["test"]["top_1"] > 0.4  # by chance: 0.17
    encoded = ImageEncoder(tmp_path / "half" / "image_encoder.tflite")(photos_of(dataset, 5))
    assert {array.dtype for array in encoded} == {np.dtype(np.float32)}
    with pytest.raises(DataError, match="--precision: expected one of auto, float32, bfloat16, found 'half'"):
        run(dataset, tmp_path / "half", options(tmp_path / "cache", precision="half"))


def test_unfinished_work_of_other_options_is_not_gone_on_with(dataset: Path, tmp_path: Path) -> None:
    import keras

    from training.classifier.checkpoint import Checkpoint

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    Checkpoint(tmp_path / "state.npz", "one").write(model, model.get_weights(), [{"loss": 1.0}], done=False)
    trained = [weight.copy() for weight in model.get_weights()]
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    assert Checkpoint(tmp_path / "state.npz", "two").read(model) is None
    assert Checkpoint(tmp_path / "absent.npz", "one").read(model) is None
    best, history, done = Checkpoint(tmp_path / "state.npz", "one").read(model) or ([], [], True)
    assert (history, done) == ([{"loss": 1.0}], False)
    for got, kept, expected in zip(model.get_weights(), best, trained, strict=True):
        np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(kept, expected)
    assert int(model.optimizer.iterations) == 1


@pytest.mark.parametrize("change", ["nothing", "a photo", "a broken photo", "an attribute", "the test part"])
def test_unfinished_work_of_other_photos_or_parts_is_not_gone_on_with(tmp_path: Path, change: str) -> None:
    """Each changes what is learned, and none of them the listings' ids, titles, categories and photos' paths."""
    from training.classifier.material import read_material

    dataset = write_shapes(tmp_path / "shapes")
    listings = dataset / "listings.csv"
    head, *rows = listings.read_text().splitlines()

    def write_parts(taken: int) -> None:
        given = ['"{""part"": ""val""}"' if i % 10 == taken else "" for i in range(len(rows))]
        table = [f"{head},attributes", *map(",".join, zip(rows, given, strict=True))]
        listings.write_text("\n".join(table) + "\n")

    def key(**stated: Any) -> str:
        return read_material(dataset, options(tmp_path / "cache", validation="part=val", **stated)).fingerprint

    write_parts(0)
    before = key()
    photo = dataset / "images" / "disc-red-1.jpg"
    if change == "a photo":
        photo.write_bytes((dataset / "images" / "bar-red-1.jpg").read_bytes())
    if change == "a broken photo":
        photo.write_bytes(b"no photo")
    if change == "an attribute":
        write_parts(1)
    after = key(test_share=0.3) if change == "the test part" else key()
    assert (after == before) == (change == "nothing")


def test_a_folder_of_photos_without_titles_has_all_parts(tmp_path: Path) -> None:
    from training.classifier.material import read_material

    dataset = write_shapes(tmp_path / "shapes")
    head, *rows = (dataset / "listings.csv").read_text().splitlines()
    untitled = [",".join([name, "", *rest]) for name, _, *rest in (row.split(",") for row in rows)]
    (dataset / "listings.csv").write_text("\n".join([head, *untitled]) + "\n")
    counts = read_material(dataset, options(tmp_path / "cache")).counts()
    assert counts["train_photos"] > 150
    assert counts["validation_photos"] > 10
    assert counts["test_photos"] > 10


@pytest.mark.parametrize(
    ("backbone", "weights", "message"),
    [
        ("Smal", None, "--backbone: expected one of small, MobileNetV2, .*, found 'Smal'"),
        ("small", "imagenet", "--weights: small has no pretrained weights"),
        ("MobileNetV2", "absent.h5", "--weights: expected none, imagenet or a file, found 'absent.h5'"),
    ],
)
def test_options_that_do_not_fit_are_refused(backbone: str, weights: str | None, message: str) -> None:
    from training.classifier.backbones import resolve_weights

    with pytest.raises(DataError, match=message):
        resolve_weights(backbone, weights)


@pytest.mark.parametrize("cached", [True, False])
def test_why_no_photo_can_be_used_is_told(tmp_path: Path, cached: bool) -> None:
    from training.classifier.train import run

    root = write_shapes(tmp_path / "shapes")
    (root / "images").rename(root / "pictures")
    cache = tmp_path / "cache" if cached else None
    with pytest.raises(DataError, match=r"shapes: expected photos .* none: 242 missing, such as images/"):
        run(root, tmp_path / "out", options(cache))


def test_a_head_alone_needs_a_network_under_it(dataset: Path, tmp_path: Path) -> None:
    from training.classifier.train import run

    with pytest.raises(DataError, match=r"--epochs 0: expected pretrained --weights, .* found none"):
        run(dataset, tmp_path / "head", options(tmp_path / "cache", epochs=0))


def test_what_cannot_be_used_in_the_end_is_refused_at_once(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from relevance.errors import ArtifactError
    from training.classifier import train

    def training(*_: object) -> None:
        raise AssertionError("trained before it was looked at")

    monkeypatch.setattr(train, "trained", training)
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "letter.txt").write_text("dear")
    with pytest.raises(ArtifactError, match="holds files that this program did not write"):
        train.run(dataset, tmp_path / "foreign", options(tmp_path / "cache"))
    with pytest.raises(ArtifactError, match="absent"):
        train.run(dataset, tmp_path / "out", options(tmp_path / "cache", calibration=str(tmp_path / "absent")))


def test_a_loss_that_is_no_number_ends_it(dataset: Path, tmp_path: Path) -> None:
    from relevance.errors import TrainingError
    from training.classifier.train import run

    with pytest.raises(TrainingError, match=r"round \d+ of the network ended with [^;]*nan[^;]*: lower --learning"):
        run(dataset, tmp_path / "out", options(tmp_path / "cache", learning_rate=1e30, epochs=3))
    assert not (tmp_path / "out").exists()


def test_a_failed_download_says_how_to_give_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    from training.classifier.backbones import build

    def unreachable(**_: object) -> None:
        raise Exception("URL fetch failure on https://example.org/weights.h5: None -- unreachable\nmore")

    monkeypatch.setattr(keras.applications, "MobileNetV2", unreachable)
    with pytest.raises(DataError, match=r"could not be downloaded \(URL fetch failure .* --weights PATH") as caught:
        build("MobileNetV2", (96, 96), "imagenet")
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Skipping nested")
def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    from training.classifier.backbones import build, small

    path = str(tmp_path / "small.weights.h5")
    small((32, 32)).save_weights(path)
    with pytest.raises(DataError, match="expected the weights of MobileNetV2 without its top"):
        build("MobileNetV2", (32, 32), path)
    (tmp_path / "text.weights.h5").write_text("no weights")
    with pytest.raises(DataError, match=r"text\.weights\.h5: "):
        build("MobileNetV2", (32, 32), str(tmp_path / "text.weights.h5"))
    with pytest.raises(DataError, match="--image-size 40x40: does not fit InceptionResNetV2"):
        build("InceptionResNetV2", (40, 40), None)


def test_the_command_line_answers_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from relevance.entry import run
    from training.__main__ import app

    monkeypatch.setattr(
        "sys.argv", ["training", "classifier", str(tmp_path / "absent"), "--out", str(tmp_path / "out")]
    )
    with pytest.raises(SystemExit) as caught:
        run(app, "python -m training")
    assert caught.value.code == 2
    message = capsys.readouterr().err.splitlines()
    assert len(message) == 1
    assert message[0].startswith(f"error: {tmp_path / 'absent'}")


def test_parts_do_not_share_titles() -> None:
    titles = [f"title {i % 300}" for i in range(1200)]
    categories = np.arange(1200, dtype=np.int32) % 4
    usable = np.arange(1200) % 11 != 0
    examples = make_examples(titles, categories, usable, 5, seed=1)
    sides = [{titles[row] for row in part} for part in (examples.train, examples.validation, examples.test)]
    assert sum(map(len, sides)) == len(set.union(*sides))
    rows = np.concatenate([examples.train, examples.validation, examples.test])
    assert sorted(rows) == np.flatnonzero(usable).tolist()
    assert 0.05 < len(examples.validation) / len(examples.train) < 0.2
    assert set(examples.test) == set(np.flatnonzero(in_test_part(titles, 1) & usable))


def test_validation_photos_may_be_named() -> None:
    categories = np.arange(100, dtype=np.int32) % 2
    named = np.arange(100) >= 80
    examples = make_examples([f"title {i}" for i in range(100)], categories, np.arange(100) != 99, 5, 0, 0.0, named)
    assert examples.train.tolist() == list(range(80))
    assert examples.validation.tolist() == list(range(80, 99))
    assert not len(examples.test)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"validation": "part=val"}, "--validation part=val: expected NAME=VALUE .* found it in 0 of 242 listings"),
        ({"validation": "part=val", "calibration": "x"}, "--calibration: all photos are learned from"),
        ({"views": 3}, "--views: expected 1, 2 or 4, found 3"),
    ],
)
def test_options_that_the_data_does_not_suit(
    dataset: Path, tmp_path: Path, stated: dict[str, Any], message: str
) -> None:
    from training.classifier.train import run

    with pytest.raises(DataError, match=message):
        run(dataset, tmp_path / "out", options(tmp_path / "cache", **stated))
    assert not (tmp_path / "cache").exists()  # told before the photos are decoded


def test_rare_categories_are_no_class() -> None:
    categories = np.array([7] * 60 + [3] * 60 + [5] * 3, np.int32)
    examples = make_examples([f"title {i}" for i in range(123)], categories, np.ones(123, np.bool_), 5, seed=0)
    assert examples.classes.tolist() == [3, 7]
    assert (examples.labels[:120] == np.repeat([1, 0], 60)).all()
    assert (examples.labels[120:] == -1).all()
    assert examples.train.max() < 120
    assert examples.prior.sum() == pytest.approx(1)
    with pytest.raises(DataError, match="at least two categories with 70 or more"):
        make_examples([f"title {i}" for i in range(123)], categories, np.ones(123, np.bool_), 70, seed=0)


def test_temperature_is_found_again() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 10)).astype(np.float32)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(10, p=row / row.sum()) for row in shares.astype(float)], np.int32)
    for temperature in (0.5, 1.0, 3.0):
        assert fit_temperature(logits * temperature, labels) == pytest.approx(temperature, rel=0.1)
    assert fit_temperature(logits[:0], labels[:0]) == 1.0
    assert negative_log_likelihood(np.zeros((2, 4), np.float32), np.array([1, 3])) == pytest.approx(np.log(4))
