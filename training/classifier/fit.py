"""The two phases of training: a new head on frozen features, then the network itself."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.classifier.batches import Batches
from training.classifier.examples import Examples, Rows
from training.classifier.network import Network, training_model

WEIGHT_DECAY = 0.01
_PREDICT_BATCH = 256


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: epochs, photos a step, highest learning rate; the seed gives order and augmentation."""

    epochs: int
    batch: int
    learning_rate: float
    seed: int


def head_schedule(seed: int) -> Schedule:
    """What suits a head on frozen features, whatever the backbone."""
    return Schedule(epochs=10, batch=64, learning_rate=2e-3, seed=seed)


def train_head(network: Network, pixels: NDArray[np.uint8], examples: Examples, schedule: Schedule) -> None:
    """First phase: the trunk runs once over each photo, the head trains on what it gives."""
    features = np.zeros((len(pixels), network.trunk.output.shape[-1]), np.float32)
    used = np.concatenate([examples.train, examples.validation])
    for start in tqdm(range(0, len(used), _PREDICT_BATCH), "features", unit="batch"):
        rows = used[start : start + _PREDICT_BATCH]
        features[rows] = network.trunk.predict_on_batch(pixels[rows])
    model = keras.Model(network.head.input, network.head.output["logits"])
    _fit(model, features, examples, schedule, "head")


def train_network(network: Network, pixels: NDArray[np.uint8], examples: Examples, schedule: Schedule) -> None:
    """Second phase: whatever of the trunk is trainable, and the head, on augmented photos."""
    _fit(training_model(network), pixels, examples, schedule, "network")


def predict_logits(network: Network, pixels: NDArray[np.uint8], rows: Rows) -> NDArray[np.float32]:
    """Logits of the photos at `rows`, `[len(rows), c]`."""
    model = training_model(network)
    out = np.empty((len(rows), model.output.shape[-1]), np.float32)
    for start in range(0, len(rows), _PREDICT_BATCH):
        out[start : start + _PREDICT_BATCH] = model.predict_on_batch(pixels[rows[start : start + _PREDICT_BATCH]])
    return out


def _fit(model: Any, inputs: NDArray[Any], examples: Examples, schedule: Schedule, phase: str) -> None:
    """AdamW, warm-up then cosine, the weights of the epoch with the best validation accuracy."""
    train = Batches(inputs, examples.labels, examples.train, schedule.batch, schedule.seed)
    steps = len(train) * schedule.epochs
    optimizer = keras.optimizers.AdamW(_learning_rate(schedule.learning_rate, steps), weight_decay=WEIGHT_DECAY)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    held_out = (
        Batches(inputs, examples.labels, examples.validation, _PREDICT_BATCH) if len(examples.validation) else None
    )
    best = keras.callbacks.EarlyStopping(
        "val_accuracy" if held_out else "accuracy", mode="max", patience=schedule.epochs, restore_best_weights=True
    )
    with tqdm(total=steps, desc=phase, unit="batch") as progress:
        model.fit(
            train,
            epochs=schedule.epochs,
            validation_data=held_out,
            callbacks=[best, _report(progress)],
            shuffle=False,
            verbose=0,
        )


def _learning_rate(highest: float, steps: int) -> Any:
    warm_up = max(1, min(steps // 10, 500))
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), alpha=0.01, warmup_target=highest, warmup_steps=warm_up
    )


def _report(progress: Any) -> Any:
    def show(epoch: int, logs: dict[str, float]) -> None:
        progress.set_postfix({name: f"{value:.3f}" for name, value in logs.items() if name != "learning_rate"})

    return keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: progress.update(), on_epoch_end=show)
