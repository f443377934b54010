"""The benchmark of image encoders: all runtimes agree on a tiny network, and the figures are what they say."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.benchmarks.encoder import Passes, agreement, catalogue_pass, decoded, measure, report
from eval.benchmarks.runtimes import Runtime, keras_from_files, not_installed, runtimes
from relevance.classifier import Classifier, Encoded
from relevance.errors import DataError
from tests.colours import COLOURS, write_classifier, write_dataset, write_photo


def encoded(embeddings: list[list[float]], probabilities: list[list[float]]) -> Encoded:
    return Encoded(np.array(probabilities), np.array(embeddings), np.zeros((len(embeddings), 1)))


def test_agreement_is_the_worst_photos() -> None:
    one = encoded([[1, 0], [0.6, 0.8]], [[0.5, 0.5], [0.9, 0.1]])
    other = encoded([[0.6, 0.8], [0.6, 0.8]], [[0.5, 0.5], [0.7, 0.3]])
    assert agreement(one, other) == (pytest.approx(0.6), pytest.approx(0.2))
    assert agreement(one, one) == (pytest.approx(1.0), 0.0)


def test_ratios_are_taken_within_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    result = encoded([[1, 0]], [[1.0]])
    ways = [Runtime("keras.predict", 32, 1, 2, lambda _: result), Runtime("LiteRT", 8, 2, 1, lambda _: result)]
    monkeypatch.setattr("eval.benchmarks.runtimes.runtimes", lambda *_: iter(ways))
    # Three rounds, the machine slower in each: the second way takes a quarter of the first's time throughout.
    clock = iter([(4.0, 6.0), (1.0, 2.0), (8.0, 6.0), (2.0, 2.0), (40.0, 8.0), (10.0, 2.0)])
    monkeypatch.setattr("eval.benchmarks.encoder.timed", lambda _: next(clock))
    first, second = measure(Path("unused"), np.zeros((80, 4, 4, 3), np.uint8), rounds=3, threads=2)
    assert (first.ratio, first.photos_per_second) == (1.0, 10.0)
    assert (second.ratio, second.photos_per_second) == (4.0, 40.0)
    assert (second.processor_ratio, second.processor_ms) == (3.0, 25.0)
    lines = report([first, second], 80, 0.001, Passes(35.0, 8.75, 4.0)).splitlines()
    assert lines[1].split()[:8] == ["LiteRT", "8", "2", "1", "40", "4.00", "25.00", "3.00"]  # the cheapest first
    # 25 ms a photo for the model, 1 ms for decoding.
    assert "decoding takes 1.00 ms of processor time a photo, 4% of a catalogue pass" in lines[-2]
    expected = "35 photos/s, 4.00 times keras.predict behind tf.data (9), 3.50 times keras.predict without decoding"
    assert expected in lines[-1]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "tf2onnx" else object())
    assert not_installed() == {"tf2onnx"}


def test_every_runtime_gives_what_keras_gives(tmp_path: Path) -> None:
    import keras
    from keras import layers

    from training.litert import to_litert

    keras.utils.set_random_seed(0)
    photos = keras.Input((8, 8, 3), dtype="uint8", name="photos")
    maps = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(photos))
    features = layers.Activation("linear", name="features")(layers.GlobalAveragePooling2D()(maps))
    outputs = {
        "embedding": layers.UnitNormalization(name="embedding")(layers.Dense(6)(features)),
        "features": features,
        "probabilities": layers.Dense(5, "softmax", name="probabilities")(features),
    }
    model = keras.Model(photos, outputs)
    model.save(tmp_path / "model.keras")
    (tmp_path / "image_encoder.tflite").write_bytes(to_litert(model))
    pixels = np.random.default_rng(0).integers(0, 256, (70, 8, 8, 3), np.uint8)
    expected = model.predict_on_batch(pixels)
    names = set()
    for way in runtimes(tmp_path, threads=2):
        found = way.run(pixels)
        names.add(way.name)
        tolerance = 1e-5 if way.name != "OpenVINO" else 2e-2  # 16 bits where the processor has them
        np.testing.assert_allclose(found.probabilities, expected["probabilities"], atol=tolerance)
        np.testing.assert_allclose(found.embeddings, expected["embedding"], atol=tolerance)
        np.testing.assert_allclose(found.features, expected["features"], atol=tolerance)
    assert {"keras.predict", "tf.function", "LiteRT"} <= names


def test_photos_are_decoded_once(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "dataset", [("1", "red thing", "red", "images/1.jpg")])
    model = Classifier.open(write_classifier(tmp_path / "classifier", dataset))
    with pytest.raises(DataError, match="no listing has a usable photo"):
        decoded(dataset.root, [("images/1.jpg",)], model)
    write_photo(dataset.images_dir / "1.jpg", COLOURS["red"])
    pixels, seconds = decoded(dataset.root, [("images/1.jpg",), ("images/absent.jpg",)], model)
    assert pixels.shape == (1, 8, 8, 3)
    assert 0 < seconds < 1


def test_passes_are_compared_within_a_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = write_dataset(tmp_path / "dataset", [("1", "red thing", "red", "images/1.jpg")])
    write_photo(dataset.images_dir / "1.jpg", COLOURS["red"])
    classifier = write_classifier(tmp_path / "classifier", dataset)
    monkeypatch.setattr("eval.benchmarks.runtimes.keras_from_files", lambda *_: lambda: None)
    # Three rounds, the machine slower in each: Keras takes five times as long throughout.
    clock = iter([(seconds, 0.0) for slow in (1, 2, 4) for seconds in (slow * 1.0, slow * 5.0)])
    monkeypatch.setattr("eval.benchmarks.encoder.timed", lambda _: next(clock))
    passed = catalogue_pass(classifier, dataset.root, [("images/1.jpg", "images/2.jpg")] * 20, rounds=3, threads=2)
    assert passed == pytest.approx(Passes(ours=10.0, keras=2.0, ratio=5.0))


def test_keras_reads_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[np.ndarray] = []

    class Spy:
        def predict(self, batches: Iterable[Any], verbose: int) -> None:
            read.extend(np.asarray(batch) for batch in batches)

    monkeypatch.setattr("eval.benchmarks.runtimes._keras", lambda _: Spy())
    for name, colour in COLOURS.items():
        write_photo(tmp_path / f"{name}.jpg", colour)
    (tmp_path / "text.jpg").write_text("no photo")
    files = [str(tmp_path / name) for name in ("red.jpg", "text.jpg", "blue.jpg", "absent.jpg")]
    keras_from_files(tmp_path, files, (8, 12))()
    (photos,) = read
    assert (photos.shape, photos.dtype) == ((2, 8, 12, 3), np.uint8)
    means = photos.mean((1, 2))
    assert means == pytest.approx(np.array([COLOURS["red"], COLOURS["blue"]]), abs=12)


def test_json_has_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from eval.__main__ import app
    from relevance.entry import run

    dataset = write_dataset(tmp_path / "dataset", [("1", "red thing", "red", "images/1.jpg")])
    write_photo(dataset.images_dir / "1.jpg", COLOURS["red"])
    classifier = write_classifier(tmp_path / "classifier", dataset)
    model = Classifier.open(classifier).encoder
    ways = [Runtime("keras.predict", 32, 1, 2, model), Runtime("LiteRT", 8, 2, 1, model)]
    monkeypatch.setattr("eval.benchmarks.runtimes.runtimes", lambda *_: iter(ways))
    monkeypatch.setattr("eval.benchmarks.runtimes.keras_from_files", lambda *_: lambda: None)
    out = str(tmp_path / "figures.json")
    given = ["bench", "encoder", "--classifier", str(classifier), "--dataset", str(dataset.root), "--out", out]
    monkeypatch.setattr("sys.argv", ["eval", *given])
    with pytest.raises(SystemExit) as caught:
        run(app, "python -m eval")
    assert caught.value.code in (0, None)
    figures = json.loads(Path(out).read_text())
    assert figures["photos"] == 1
    assert [row["name"] for row in figures["runtimes"]] == ["keras.predict", "LiteRT"]
    assert figures["runtimes"][1]["cosine"] == pytest.approx(1, abs=1e-6)
    assert figures["catalogue_pass"].keys() == {"ours", "keras", "ratio"}
    assert "catalogue pass, decoding included" in capsys.readouterr().out
