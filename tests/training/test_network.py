"""The network: its stages, what is trained of it, and that no backend is built in."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PRIOR = np.array([0.5, 0.3, 0.2])
SIZE = (64, 32)


def mobilenet(first: str) -> tuple[list[str], list[str]]:
    """Names of the base's layers with trained and with frozen weights, after `fine_tune(network, first)`."""
    from training.classifier.network import fine_tune, make_network

    network = make_network("MobileNetV2", SIZE, None, PRIOR, seed=0)
    network.base.trainable = False
    for layer in network.base.layers:
        layer.trainable = False  # what once kept everything frozen for good
    fine_tune(network, first)
    own = [layer for layer in network.base.layers if layer.weights]
    return (
        [layer.name for layer in own if layer.trainable_weights],
        [layer.name for layer in own if not layer.trainable_weights],
    )


def test_all_but_the_batch_statistics_is_trained() -> None:
    trained, frozen = mobilenet("")
    assert len(trained) == 52  # MobileNetV2: 1 + 2 + 16 times 3 + 1 convolutions
    assert all("bn" in name.lower() for name in frozen)


def test_lower_layers_stay() -> None:
    trained, frozen = mobilenet("block_6_")
    assert len(trained) == 11 * 3 + 1
    assert {"Conv1", "block_1_expand", "block_5_project"} <= set(frozen)
    assert {"block_6_expand", "block_16_project", "Conv_1"} <= set(trained)
    with pytest.raises(ValueError, match="no layer whose name starts with 'block_99'"):
        mobilenet("block_99")


def test_blocks_begin_where_the_resolution_changes() -> None:
    from training.classifier.network import blocks, make_network

    network = make_network("MobileNetV2", SIZE, None, PRIOR, seed=0)
    assert blocks(network, "block_5_") == ["block_13_pad", "block_6_pad", "block_5_"]
    assert len(blocks(network, "")) == 5


def test_features_come_from_three_resolutions() -> None:
    from training.classifier.backbones import build
    from training.classifier.network import make_network, stage_ends

    base = build("MobileNetV2", SIZE, None)
    ends = stage_ends(base)
    assert ends == [*(f"block_{i}_expand_relu" for i in (1, 3, 6, 13)), "out_relu"]
    network = make_network("MobileNetV2", SIZE, None, PRIOR, seed=0)
    assert network.trunk.output.shape == (None, 192 + 576 + 1280)


def test_two_views_do_not_tell_a_photo_from_its_mirror_image() -> None:
    from training.classifier.network import deployable, make_network

    network = make_network("small", (32, 32), None, PRIOR, seed=0)
    photos = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    one, two = (deployable(network, 1.0, views) for views in (1, 2))
    for name in ("embedding", "features", "probabilities"):
        there, back = (np.asarray(two(given)[name]) for given in (photos, photos[:, :, ::-1]))
        np.testing.assert_allclose(there, back, atol=1e-5)
    plain, mirrored = (np.asarray(one(given)["features"]) for given in (photos, photos[:, :, ::-1]))
    np.testing.assert_allclose(np.asarray(two(photos)["features"]), (plain + mirrored) / 2, atol=1e-5)


def test_four_views_are_of_two_sizes(tmp_path: Path) -> None:
    import keras

    from training.classifier.network import deployable, make_network, smaller

    assert smaller((224, 224)) == (160, 160)
    assert smaller((128, 96)) == (96, 64)
    network = make_network("small", (96, 64), None, PRIOR, seed=0)
    assert smaller((96, 64)) == (64, 32)
    # Even bands of grey, so that a photo of half the size is the same photo, drawn again.
    grey = np.random.default_rng(0).integers(0, 256, (3, 4, 1, 1), dtype=np.uint8)
    large, small = (np.broadcast_to(np.repeat(grey, n, axis=1), (3, 4 * n, m, 3)) for n, m in ((24, 64), (16, 32)))
    four = deployable(network, 1.0, 4)
    found = np.asarray(four(large)["features"])
    again = make_network("small", (64, 32), None, PRIOR, seed=0)
    again.trunk.set_weights(network.trunk.get_weights())
    at_full, at_half = np.asarray(network.trunk(large)), np.asarray(again.trunk(small))
    np.testing.assert_allclose(found, (at_full + at_half) / 2, atol=0.1 * np.abs(at_full - at_half).max())
    four.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(np.asarray(loaded(large)["features"]), found, atol=1e-5)
    assert loaded.get_layer("trunk").input_shape[1:3] == (96, 64)


def test_two_sizes_of_a_network_with_networks_inside() -> None:
    from training.classifier.network import deployable, make_network, smaller

    network = make_network("ConvNeXtTiny", (64, 64), None, PRIOR, seed=0)
    photos = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    assert smaller((64, 64)) == (32, 32)
    assert np.asarray(deployable(network, 1.0, 4)(photos)["probabilities"]).sum(axis=1) == pytest.approx(1)


@pytest.mark.filterwarnings("ignore:Skipping nested")
def test_the_first_efficientnets_are_what_keras_has_whatever_their_weights_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras makes another network for "imagenet" than for a file; ours is the first, and can be made again."""
    import keras
    from keras.src.applications import efficientnet

    from training.classifier.network import make_network

    raw = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(*SIZE, 3))
    normalisation = next(layer for layer in raw.layers if layer.name.startswith("normalization"))
    deviations = np.array([0.229, 0.224, 0.225])
    normalisation.set_weights([np.array([0.485, 0.456, 0.406]), deviations**2, np.array(0)])
    path = str(tmp_path / "efficientnetb0.weights.h5")
    raw.save_weights(path)
    monkeypatch.setattr(efficientnet.file_utils, "get_file", lambda *_, **__: path)
    photos = np.random.default_rng(0).integers(0, 256, (2, *SIZE, 3), dtype=np.uint8)
    known = keras.applications.EfficientNetB0(include_top=False, weights="imagenet", input_shape=(*SIZE, 3))
    expected = np.asarray(known(photos.astype(np.float32))).mean(axis=(1, 2))
    for weights in ("imagenet", path):
        network = make_network("EfficientNetB0", SIZE, weights, PRIOR, seed=0)
        again = make_network("EfficientNetB0", SIZE, None, PRIOR, seed=0)
        again.trunk.set_weights(network.trunk.get_weights())
        for made in (network, again):
            found = np.asarray(made.trunk(photos))[:, -expected.shape[1] :]
            np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())


def test_an_unknown_layer_is_refused_before_training() -> None:
    from relevance.errors import DataError
    from training.classifier.network import make_network, refuse_unknown_layer

    network = make_network("MobileNetV2", SIZE, None, PRIOR, seed=0)
    refuse_unknown_layer(network, "")
    refuse_unknown_layer(network, "block_6_")
    with pytest.raises(DataError, match=r"--fine-tune-from: .*such as block_1_expand_relu, .*; found 'blok_6'"):
        refuse_unknown_layer(network, "blok_6")


def test_the_head_starts_from_how_often_classes_occur() -> None:
    """With what the photo tells taken out, the probabilities are the prior."""
    from training.classifier.network import make_network

    network = make_network("small", (32, 32), None, PRIOR, seed=0)
    classes = network.head.get_layer("classes")
    classes.kernel.assign(np.zeros(classes.kernel.shape))
    logits = np.asarray(network.head(np.ones((1, network.trunk.output.shape[-1])))["logits"])
    np.testing.assert_allclose(np.exp(logits) / np.exp(logits).sum(), PRIOR[None], rtol=1e-5)


JAX_STEP = """
import random
import numpy as np, keras
from training.classifier.fit import Schedule, make_optimizer
from training.classifier.losses import TreeCrossEntropy
from training.classifier.network import make_network, training_model
assert keras.backend.backend() == "jax"
random.seed(0)  # where Keras takes its seeds from; its own function would load TensorFlow
prior = np.array([0.5, 0.3, 0.2])
network = make_network("small", (32, 32), None, prior, seed=0)
model = training_model(network, seed=0)
loss = TreeCrossEntropy(prior, [np.array([0, 0, 1], np.int32)], 0.25, 0.3, 0.1)
model.compile(make_optimizer(Schedule(1, 8, 1e-2, 0, averaging=0.9), 20), loss, metrics=["accuracy"])
photos = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
labels = np.array([0, 1, 2, 0, 1, 2, 0, 1], np.int32)
# Each step's loss depends on how its photos were augmented; several together do not.
losses = model.fit(photos, labels, epochs=24, batch_size=8, verbose=0).history["loss"]
import sys
assert "tensorflow" not in sys.modules, "TensorFlow was loaded"
print(np.mean(losses[:6]), np.mean(losses[-6:]))
"""


def test_it_trains_on_jax_without_tensorflow() -> None:
    """Every operation of the model, its augmentation and its loss belongs to Keras, not to one backend."""
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", JAX_STEP], cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    first, last = map(float, done.stdout.split())
    assert last < first
