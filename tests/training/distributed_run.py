"""One process of a training on one device, on two devices or on two machines; run by `test_distribution.py`.

`python distributed_run.py none|mirrored|workers WORK` trains a tiny network in the folder WORK and prints its history,
round by round of one step each, and a sum over its weights, as JSON.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.update(CUDA_VISIBLE_DEVICES="-1", TF_CPP_MIN_LOG_LEVEL="3", TF_NUM_INTRAOP_THREADS="1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from training.classifier import fit as module
from training.classifier.checkpoint import Checkpoint
from training.classifier.distribution import Distribution, open_distribution
from training.classifier.examples import Examples
from training.classifier.fit import Schedule, fit, train_head
from training.classifier.network import Network

CLASSES, SIZE = 3, (6, 5)


class Noise:
    """Photos of noise, brighter for a higher class."""

    def __init__(self, labels: Any) -> None:
        rng = np.random.default_rng(0)
        self._photos = (rng.integers(0, 96, (len(labels), *SIZE, 3)) + 75 * labels[:, None, None, None]).astype(
            np.uint8
        )

    def take(self, rows: Any) -> Any:
        return self._photos[rows]


def examples(labels: Any) -> Examples:
    """53 training photos, which no number of devices divides, and 23 for validation."""
    n = len(labels)
    parts = (np.arange(0, 53), np.arange(53, n), np.arange(0))
    return Examples(*parts, np.arange(CLASSES, dtype=np.int32), labels, labels)


def network() -> Network:
    photos = keras.Input((*SIZE, 3), dtype="uint8")
    x = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(photos))
    trunk = keras.Model(photos, layers.GlobalAveragePooling2D()(x))
    pooled = keras.Input((4,))
    logits = layers.Dense(CLASSES)(layers.BatchNormalization(momentum=0.9)(pooled))
    return Network("small", trunk, keras.Model(pooled, {"logits": logits}), trunk, SIZE)


def train(devices: Distribution, work: Path, seed: int) -> list[list[float]]:
    """Both phases, the second without changed photos; returns the final weights of each."""
    keras.utils.set_random_seed(seed)
    labels = np.random.default_rng(1).integers(0, CLASSES, 76).astype(np.int32)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with devices.scope():
        made = network()
    head = Schedule(epochs=1, batch=16, learning_rate=0.01, seed=0)
    train_head(made, Noise(labels), examples(labels), loss, head, work, "key", devices)
    model = keras.Model(made.trunk.input, made.head(made.trunk.output)["logits"])
    whole = Schedule(epochs=2, batch=16, learning_rate=0.05, seed=0, averaging=0.9)
    checkpoint = Checkpoint(work / "whole.npz", "key")
    fit(model, Noise(labels).take, examples(labels), loss, whole, checkpoint, "whole", devices)
    return [np.concatenate([w.ravel() for w in part.get_weights()]).tolist() for part in (made.trunk, made.head)]


def history(path: Path) -> Any:
    with np.load(path) as state:
        return json.loads(str(state["note"]))["history"]


if __name__ == "__main__":
    mode, work = sys.argv[1], Path(sys.argv[2])
    if mode == "mirrored":
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)
    module.ROUND = 1
    devices = open_distribution(mode)
    weights = train(devices, work, seed=0)
    # Other starting values: what comes out is what the finished phases' files hold.
    again = train(devices, work, seed=1)
    devices.wait()
    rounds = {name: history(work / f"{name}.npz") for name in ("head", "whole")}
    print(json.dumps({"replicas": devices.replicas, "rounds": rounds, "weights": weights, "again": again}))
