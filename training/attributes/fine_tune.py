"""A network of its own for an attribute model: it starts as the classifier's and is trained end to end."""

from pathlib import Path
from typing import Any

import keras
from keras import layers

from relevance.classifier import Classifier
from relevance.errors import DataError
from training.attributes.examples import Examples
from training.attributes.fit import Take, fit
from training.attributes.network import joined
from training.classifier.augment import Augment
from training.classifier.backbones import find
from training.classifier.fit import Schedule
from training.classifier.network import Network, fine_tune

MODEL = "model.keras"
LEARNING_RATE = 3e-4
"""Low whatever the backbone: the network was trained before, and the photos of one category are few."""


def refuse_without_network(folder: Path) -> None:
    """Raises DataError where the folder does not hold the classifier as it was trained."""
    if not (folder / MODEL).is_file():
        raise DataError(f"--fine-tune: {folder} has no {MODEL} to start from; leave --fine-tune out")


def own_network(folder: Path, general: Classifier, head: Any) -> Network:
    """The classifier's trunk, from photos to features, and `head` on it."""
    trunk = keras.saving.load_model(folder / MODEL).get_layer("trunk")
    return Network(
        general.manifest["options"]["backbone"], trunk, head, trunk.get_layer("base"), general.encoder.image_size
    )


def train_network(
    network: Network, general: Classifier, take: Take, examples: Examples, loss: Any, epochs: int, seed: int
) -> None:
    """Trains as much of the network as the classifier's backbone trains, and the head, on photos that are changed at
    each look; take: the photos of rows, uint8 `[b, height, width, 3]`."""
    backbone = find(general.manifest["options"]["backbone"])
    fine_tune(network, backbone.fine_tune_from)
    photos = network.trunk.input
    changed = Augment(seed, dtype="float32")(layers.Rescaling(1.0, dtype="float32")(photos))
    model = joined(network.head, photos, network.trunk(changed))
    schedule = Schedule(epochs=epochs, batch=backbone.batch, learning_rate=LEARNING_RATE, seed=seed)
    fit(model, take, examples, loss, schedule, "network")
