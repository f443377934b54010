"""The SavedModel against the runtime: the same answers from the same files."""

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from PIL import Image

from relevance.artifacts import read_manifest, write_manifest
from relevance.classifier import ImageEncoder
from relevance.entry import run as run_command
from relevance.images import load_photo
from relevance.photos.model import PhotoModel
from tests.colours import ENCODER, write_attributes, write_classifier, write_dataset
from tests.photos import encoded
from tests.training.pictures import EXACT, SIZE
from training.__main__ import app
from training.litert import to_litert
from training.serving.export import run
from training.serving.predictions import BAD_PHOTO


def colour_network() -> Any:
    """The fake classifier of tests/colours.py in Keras."""
    photos = keras.Input((8, 8, 3), dtype="uint8", name="photos")
    mean = layers.Activation("linear", name="features")(layers.GlobalAveragePooling2D()(layers.Rescaling(1.0)(photos)))
    outputs = {
        "embedding": layers.UnitNormalization()(mean),
        "features": mean,
        "probabilities": layers.Softmax()(layers.Rescaling(1 / 32)(mean)),
    }
    return keras.Model(photos, outputs)


def cold_network() -> Any:
    """The network of the group of cold colours, `data/cold_encoder.tflite`, in Keras."""
    photos = keras.Input((8, 8, 3), dtype="uint8", name="photos")
    mean = layers.Activation("linear", name="features")(layers.GlobalAveragePooling2D()(layers.Rescaling(1.0)(photos)))
    cold = layers.Dense(2, use_bias=False)
    outputs = {"embedding": mean, "features": mean, "probabilities": layers.Softmax()(cold(mean))}
    cold.set_weights([np.array([[0, 0], [1, 0], [0, 1]]) / 16])
    return keras.Model(photos, outputs)


def attribute_network() -> Any:
    """The fake attribute model of tests/colours.py in Keras."""
    mean = keras.Input((3,), name="features")
    tone, paint = layers.Dense(2), layers.Dense(3)
    outputs = {"attribute_000": layers.Softmax()(tone(mean)), "attribute_001": layers.Softmax()(paint(mean))}
    tone.set_weights([np.repeat([[1 / 96, 0.0]], 3, axis=0), np.array([0.0, 4.0])])
    paint.set_weights([np.eye(3) / 16, np.zeros(3)])
    return keras.Model(mean, outputs)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The colours' classifier, and two attribute models that both tell `tone`: of all photos, and of cold ones."""
    root = tmp_path_factory.mktemp("chain")
    classifier = write_classifier(root / "classifier", write_dataset(root / "dataset", [("1", "a", "red", "")]))
    colour_network().save(classifier / "model.keras")
    other = [{"name": "tone", "values": ["bright", "dull"]}, {"name": "Größe (cm)", "values": ["S", "M", "L"]}]
    write_attributes(root / "all", classifier, attributes=other)
    write_attributes(root / "cold", classifier, under="path:cold")
    for name in ("all", "cold"):
        attribute_network().save(root / name / "attributes.keras")
    return root


@pytest.fixture(scope="module")
def saved(chain: Path) -> Path:
    return run(chain / "classifier", chain / "saved", [chain / "all", chain / "cold"], k=2)


def answers(version: Path, photos: list[bytes]) -> dict[str, Any]:
    """What a loaded SavedModel says; text decoded."""
    serve = tf.saved_model.load(str(version)).signatures["serving_default"]
    found = serve(photo_bytes=tf.constant(photos, tf.string))
    return {
        name: np.char.decode(o.numpy().astype(bytes)) if o.dtype == tf.string else o.numpy()
        for name, o in found.items()
    }


PHOTOS = {
    "red": Image.new("RGB", (9, 8), (255, 0, 0)),
    "teal": Image.new("RGB", (9, 8), (0, 230, 250)),
    "dark": Image.new("RGB", (8, 9), (0, 20, 30)),
    "blue": Image.new("RGB", (9, 8), (20, 30, 250)),
}


def test_names_and_attributes_are_the_runtimes(chain: Path, saved: Path) -> None:
    photos = [encoded(photo) for photo in PHOTOS.values()]
    model = PhotoModel.open(chain / "classifier", attributes=[chain / "all", chain / "cold"])
    expected = model(np.stack([load_photo(photo, (8, 8)) for photo in photos]))
    found = answers(saved, photos)
    assert found["categories"][:, 0].tolist() == ["red", "blue", "blue", "blue"]
    assert found["paths"][0].tolist()[0] == "warm > red"
    assert found["probabilities"] == pytest.approx(-np.sort(-expected.probabilities)[:, :2], abs=1e-4)
    assert found["embedding"] == pytest.approx(expected.embeddings, abs=1e-4)
    for name in ("tone", "paint", "Größe (cm)"):
        for row, told in enumerate(expected.attributes):
            value, probability = told.get(name, ("", 0.0))
            assert found[f"attribute_value_{name}"][row] == value, (name, row)
            assert found[f"attribute_probability_{name}"][row] == pytest.approx(probability, abs=1e-4)
    assert found["attribute_value_tone"].tolist()[:2] == ["dull", "light"]  # red: the general model; teal: the cold one
    assert found["attribute_value_paint"][0] == ""  # not triggered
    assert found["error"].tolist() == [""] * 4


def test_a_bad_photo_is_told_and_empty(saved: Path) -> None:
    found = answers(saved, [b"no photo", encoded(PHOTOS["blue"]), b""])
    assert found["error"].tolist() == [BAD_PHOTO, "", BAD_PHOTO]
    assert found["categories"][:, 0].tolist() == ["", "blue", ""]
    for name, output in found.items():
        if name != "error":
            assert not output[[0, 2]].any() if output.dtype.kind == "f" else (output[[0, 2]] == "").all(), name
    assert answers(saved, [])["embedding"].shape == (0, 3)


def test_signature_is_what_tensorflow_serving_needs(saved: Path) -> None:
    signature = tf.saved_model.load(str(saved)).signatures["serving_default"]
    ((_, inputs),) = [signature.structured_input_signature]
    assert {name: (spec.dtype, spec.shape.as_list()) for name, spec in inputs.items()} == {
        "photo_bytes": (tf.string, [None])
    }
    assert all(name.endswith("_bytes") for name in inputs)  # so that {"b64": ...} is read as bytes
    outputs = {name: spec.shape.as_list() for name, spec in signature.structured_outputs.items()}
    assert outputs["paths"] == outputs["categories"] == [None, 2]
    assert all(shape[0] is None for shape in outputs.values())


def test_groups_decide_as_in_the_runtime(tmp_path: Path) -> None:
    group = tmp_path / "classifier" / "groups" / "0"
    group.mkdir(parents=True)
    shutil.copyfile(ENCODER.with_name("cold_encoder.tflite"), group / "image_encoder.tflite")
    cold_network().save(group / "model.keras")
    cold = {"category_id": "path:cold", "class_ids": ["green", "blue"], "encoder": "groups/0/image_encoder.tflite"}
    warm = {"category_id": "path:warm", "class_ids": ["red"], "encoder": None}
    dataset = write_dataset(tmp_path / "dataset", [("1", "a", "red", "")])
    classifier = write_classifier(tmp_path / "classifier", dataset, groups=[warm, cold], bound=0.2)
    colour_network().save(classifier / "model.keras")
    colours = [(144, 80, 70), (250, 10, 5), (0, 150, 160), (120, 110, 100)]
    files = [encoded(Image.new("RGB", (9, 8), colour)) for colour in colours]
    model = PhotoModel.open(classifier)
    expected = model(np.stack([load_photo(file, (8, 8)) for file in files])).probabilities
    ungrouped = ImageEncoder(ENCODER)(np.stack([load_photo(file, (8, 8)) for file in files])).probabilities
    assert (np.abs(expected - ungrouped).max(axis=1) > 0.01).tolist() == [False, False, True, True]
    found = answers(run(classifier, tmp_path / "saved", k=3), files)
    assert found["probabilities"] == pytest.approx(-np.sort(-expected), abs=1e-4)
    assert found["categories"].tolist() == np.array(["red", "green", "blue"])[np.argsort(-expected)].tolist()


def test_versions_are_added(chain: Path, saved: Path) -> None:
    assert saved == chain / "saved" / "1"
    assert (saved / "saved_model.pb").is_file()
    again = run(chain / "classifier", chain / "saved")
    assert again == chain / "saved" / "2"
    assert saved.is_dir()
    manifest = read_manifest(again, "saved_model", 1)
    assert manifest["attributes"] == []
    assert len(read_manifest(saved, "saved_model", 1)["attributes"]) == 2


def test_answers_of_a_convolutional_network_agree(tmp_path: Path) -> None:
    """Cosine of embeddings and the best class, over photos of every kind, against LiteRT on the runtime's pixels."""
    classifier = write_classifier(tmp_path / "c", write_dataset(tmp_path / "d", [("1", "a", "red", "")]))
    keras.utils.set_random_seed(0)
    photos = keras.Input((*SIZE, 3), dtype="uint8", name="photos")
    x = layers.Conv2D(16, 5, strides=3, activation="relu")(layers.Rescaling(1 / 127.5, offset=-1.0)(photos))
    features = layers.Activation("linear", name="features")(layers.GlobalAveragePooling2D()(layers.Conv2D(24, 3)(x)))
    outputs = {
        "embedding": layers.UnitNormalization(name="embedding")(layers.Dense(12)(features)),
        "features": features,
        "probabilities": layers.Softmax(name="probabilities")(layers.Rescaling(40.0)(layers.Dense(3)(features))),
    }
    network = keras.Model(photos, outputs)
    network.save(classifier / "model.keras")
    (classifier / "image_encoder.tflite").write_bytes(to_litert(network))
    described = json.loads((classifier / "manifest.json").read_text())
    kept = {name: value for name, value in described.items() if name not in ("kind", "version", "created_at", "files")}
    write_manifest(classifier, "classifier", 2, **kept)
    found = answers(run(classifier, tmp_path / "saved"), list(EXACT.values()))
    expected = PhotoModel.open(classifier)(np.stack([load_photo(photo, SIZE) for photo in EXACT.values()]))
    assert (found["embedding"] * expected.embeddings).sum(axis=1).min() > 0.999
    best = np.array(["red", "green", "blue"])[expected.probabilities.argmax(axis=1)]
    assert len(set(best)) > 1
    assert found["categories"][:, 0].tolist() == best.tolist()


@pytest.mark.parametrize(
    ("missing", "stage"), [("classifier/model.keras", "classifier"), ("cold/attributes.keras", "attributes")]
)
def test_a_missing_network_is_named(
    chain: Path, missing: str, stage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", str(chain / "classifier"), "--out", str(chain / "new"), "--attributes", str(chain / "cold")]
    monkeypatch.setattr("sys.argv", ["training", *command])
    kept = (chain / missing).rename(chain / "kept")
    with pytest.raises(SystemExit) as stopped:
        run_command(app, "python -m training")
    kept.rename(chain / missing)
    assert stopped.value.code == 2
    expected = f"error: {chain / missing}: no such file; train it again with `python -m training {stage}`\n"
    assert capsys.readouterr().err.endswith(expected)
    assert not (chain / "new").exists()
