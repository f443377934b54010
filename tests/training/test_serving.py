"""The SavedModel against the runtime: the same answers from the same files, and no photo harms another."""

import functools
import json
import shutil
import subprocess
import sys
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
from relevance.images import Size, load_photo
from relevance.photos.model import PhotoModel
from tests.colours import ENCODER, write_attributes, write_classifier, write_dataset
from tests.photos import encoded, jpeg, png, quadrants, turned
from training.__main__ import app
from training.litert import to_litert
from training.serving.decoding import MAX_HELD_PIXELS, MAX_UNSCALED_PIXELS, decode_batch, orientation_of
from training.serving.export import run
from training.serving.predictions import BAD_PHOTO

SIZE = (48, 32)


def picture(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """Soft shapes with a little noise, as photos have them."""
    draw = np.random.default_rng(seed)
    soft = Image.fromarray(draw.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((width, height), Image.BICUBIC)
    noisy = np.asarray(soft).astype(int) + draw.integers(-12, 13, (height, width, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def clear(image: Image.Image) -> Image.Image:
    """Clear at the top, solid at the bottom."""
    image = image.copy()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


PALETTE = picture(9).convert("P", palette=Image.Palette.ADAPTIVE)
TWO = picture(9).convert("P", palette=Image.Palette.ADAPTIVE, colors=2)
EXACT = {
    "jpeg": encoded(picture(1, 320, 240), "JPEG", quality=85),
    "tall jpeg": encoded(picture(1, 240, 320), "JPEG", quality=85),
    "flat jpeg": encoded(picture(1, 900, 200), "JPEG", quality=85),
    "large jpeg": encoded(picture(2, 1999, 1501), "JPEG"),
    "small jpeg": encoded(picture(3, 20, 15), "JPEG"),
    "one pixel": encoded(Image.new("RGB", (1, 1), (9, 99, 199)), "JPEG"),
    "grey jpeg": encoded(picture(4).convert("L"), "JPEG"),
    "cmyk": encoded(picture(5).convert("CMYK"), "JPEG"),
    "progressive": encoded(picture(6), "JPEG", progressive=True),
    **{f"turned {i}": turned(picture(i, 300, 200), i, quality=90) for i in range(1, 9)},
    "turned png": turned(picture(7), 6, "PNG"),
    "turned webp": turned(picture(7), 8, "WEBP"),
    "png": encoded(picture(8)),
    "16 bits": encoded(Image.fromarray(np.asarray(picture(8).convert("L")).astype(np.uint16) * 257)),
    "palette": encoded(PALETTE),
    "webp": encoded(picture(9), "WEBP"),
    "gif": encoded(picture(9), "GIF"),
    "animated gif": encoded(picture(9), "GIF", save_all=True, append_images=[picture(10)]),
    "animated png": encoded(picture(9), save_all=True, append_images=[picture(10)]),
    "bmp": encoded(picture(9), "BMP"),
}  # fmt: skip
ROUGH = {
    "two colours": encoded(TWO),
    "one bit": encoded(picture(9).convert("1")),
    "clear png": encoded(clear(picture(9))),
    "clear webp": encoded(clear(picture(9)), "WEBP"),
    "clear palette": encoded(PALETTE, transparency=3),
    "clear colour of two": encoded(TWO, transparency=1),
}
"""Steep edges: here the one rounds between its steps and the other does not."""

BAD = {
    "empty": b"",
    "text": b"a photo of a chair",
    "truncated jpeg": EXACT["jpeg"][:3000],
    "truncated png": EXACT["png"][:3000],
    "signature of a png": b"\x89PNG",
    "signature of a bmp": b"BM",
    "signature of a gif": b"GIF89a",
    "signature of a webp": b"RIFF\0\0\0\0WEBP",
    "20,000 x 20,000": png(20_000, 20_000, pixels=bytes(10**6)),
    "60,000 x 60,000": jpeg(60_000, 600).replace(b"\x02\x58\xea\x60", b"\xea\x60\xea\x60"),
    "avif": encoded(picture(9), "AVIF"),
    # TensorFlow writes it beyond the end of its memory.
    "animated webp": encoded(picture(9), "WEBP", save_all=True, append_images=[picture(10)]),
    "bmp with a palette": encoded(PALETTE, "BMP"),
}


@functools.cache
def decoder(size: Size) -> Any:
    return tf.function(lambda files: decode_batch(files, size), input_signature=[tf.TensorSpec([None], tf.string)])


def decoded(photos: list[bytes], size: Size = SIZE) -> tuple[np.ndarray, np.ndarray]:
    pixels, usable = decoder(size)(tf.constant(photos, tf.string))
    return pixels.numpy(), usable.numpy()


def test_pixels_are_the_runtimes_within_rounding() -> None:
    for size in (SIZE, (40, 40)):
        pixels, usable = decoded([*EXACT.values(), *ROUGH.values()], size)
        assert usable.all()
        for i, (kind, photo) in enumerate((EXACT | ROUGH).items()):
            gap = np.abs(load_photo(photo, size).astype(int) - pixels[i])
            most, mean = (3, 0.5) if kind in EXACT else (16, 4)
            assert gap.max() <= most, (kind, gap.max())
            assert gap.mean() <= mean, (kind, gap.mean())


@pytest.mark.parametrize("byte_order", ["MM", "II"])
def test_orientation(byte_order: str) -> None:
    little = byte_order == "II"
    tags = [(0x010F, 2, 6, 200), (0x0112, 3, 1, 6 if little else 6 << 16), (0x011A, 5, 1, 220)]
    order: Any = "little" if little else "big"
    entries = b"".join(
        tag.to_bytes(2, order) + kind.to_bytes(2, order) + n.to_bytes(4, order) + value.to_bytes(4, order)
        for tag, kind, n, value in tags
    )
    directory = byte_order.encode() + (42).to_bytes(2, order) + (8).to_bytes(4, order) + (3).to_bytes(2, order)
    photo = encoded(quadrants(), "JPEG", exif=b"Exif\0\0" + directory + entries + bytes(4))
    assert int(orientation_of(tf.constant(photo))) == 6
    assert int(orientation_of(tf.constant(encoded(quadrants(), "JPEG")))) == 1


def test_bad_photos_cost_the_others_nothing() -> None:
    kinds = [*BAD, "png"]
    pixels, usable = decoded([*BAD.values(), EXACT["png"]])
    assert [kind for kind, fine in zip(kinds, usable, strict=True) if fine] == ["png"]
    assert (pixels[-1] == decoded([EXACT["png"]])[0][0]).all()
    assert not pixels[:-1].any()
    assert decoded([b"no"])[1].tolist() == [False]
    assert decoded([])[0].shape == (0, *SIZE, 3)


@pytest.mark.parametrize(
    ("kind", "largest", "options"),
    [
        ("PNG", MAX_UNSCALED_PIXELS, {}),
        ("WEBP", MAX_UNSCALED_PIXELS, {"quality": 1, "method": 0}),
        ("WEBP", MAX_UNSCALED_PIXELS, {"lossless": True, "quality": 0, "method": 0}),
        ("JPEG", MAX_HELD_PIXELS, {"progressive": True}),
    ],
    ids=["png", "webp", "lossless webp", "progressive jpeg"],
)
def test_large_photos_are_refused_before_they_take_memory(kind: str, largest: int, options: dict[str, Any]) -> None:
    sides = (4000, largest // 4000)
    fits, too_large = (Image.new("RGB", (sides[0], sides[1] + more), (200, 30, 60)) for more in (0, 1))
    pixels, usable = decoded([encoded(fits, kind, **options), encoded(too_large, kind, **options)])
    assert usable.tolist() == [True, False]
    assert np.abs(pixels[0].astype(int) - (200, 30, 60)).max() <= 3


def test_a_large_jpeg_of_one_pass_is_shrunk() -> None:
    image = Image.new("RGB", (4000, MAX_HELD_PIXELS // 4000 + 1), (200, 30, 60))
    assert decoded([encoded(image, "JPEG")])[1].tolist() == [True]


def test_one_photo_takes_little_memory() -> None:
    """In a process of its own, whose highest mark is before and after."""
    script = Path(__file__).with_name("decoding_memory.py")
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    taken = json.loads(ran.stdout.splitlines()[-1])
    assert set(taken) == {"png", "clear png", "webp", "lossless webp", "jpeg", "progressive jpeg"}
    assert max(taken.values()) <= 200, taken


def test_damaged_photos_are_decoded_or_refused() -> None:
    draw = np.random.default_rng(0)
    photos = []
    for photo in [*EXACT.values(), *ROUGH.values()] * 4:
        damaged = bytearray(photo)
        for at in draw.integers(0, min(len(photo), 400), 4):
            damaged[at] = draw.integers(256)
        photos.append(bytes(damaged))
    pixels, usable = decoded(photos)
    assert pixels.shape == (len(photos), *SIZE, 3)
    assert 0 < usable.sum() < len(photos)


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
