"""The two phases of training: a new head on frozen features, then the network itself."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.classifier.augment import augment
from training.classifier.examples import Examples, Rows
from training.classifier.network import Network, training_model

BATCH = 64
HEAD_EPOCHS = 10
HEAD_RATE = 2e-3
WEIGHT_DECAY = 0.01
_PREDICT_BATCH = 256


class Batches(keras.utils.PyDataset):
    """(inputs, labels) of `rows`, a batch at a time. With a seed: for training, in another order each epoch, photos
    changed by :func:`augment`."""

    def __init__(self, inputs: NDArray[Any], labels: NDArray[np.int32], rows: Rows, seed: int | None = None) -> None:
        super().__init__()
        self._inputs, self._labels, self._rows = inputs, labels, rows
        self._seed, self._epoch = seed, 0
        self._shuffle()

    def __len__(self) -> int:
        return -(-len(self._rows) // BATCH)

    def __getitem__(self, index: int) -> tuple[NDArray[Any], NDArray[np.int32]]:
        rows = np.sort(self._rows[index * BATCH : (index + 1) * BATCH])  # sorted: one pass over the file
        inputs = self._inputs[rows]
        if self._seed is not None and inputs.dtype == np.uint8:
            # A generator of its own for every batch: the next ones may be asked for ahead of time.
            inputs = augment(inputs, np.random.default_rng((self._seed, self._epoch, index)))
        return inputs, self._labels[rows]

    def on_epoch_end(self) -> None:
        self._epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        if self._seed is not None:
            self._rows = np.random.default_rng((self._seed, self._epoch)).permutation(self._rows)


def train_head(network: Network, pixels: NDArray[np.uint8], examples: Examples, seed: int) -> None:
    """First phase: the trunk runs once over each photo, the head trains on what it gives."""
    features = np.zeros((len(pixels), network.trunk.output.shape[-1]), np.float32)
    used = np.concatenate([examples.train, examples.validation])
    for start in tqdm(range(0, len(used), _PREDICT_BATCH), "features", unit="batch"):
        rows = used[start : start + _PREDICT_BATCH]
        features[rows] = network.trunk.predict_on_batch(pixels[rows])
    model = keras.Model(network.head.input, network.head.output["logits"])
    _fit(model, features, examples, HEAD_EPOCHS, HEAD_RATE, seed, "head")


def train_network(
    network: Network, pixels: NDArray[np.uint8], examples: Examples, epochs: int, rate: float, seed: int
) -> None:
    """Second phase: whatever of the trunk is trainable, and the head, on augmented photos."""
    _fit(training_model(network), pixels, examples, epochs, rate, seed, "network")


def predict_logits(network: Network, pixels: NDArray[np.uint8], rows: Rows) -> NDArray[np.float32]:
    """Logits of the photos at `rows`, `[len(rows), c]`."""
    model = training_model(network)
    out = np.empty((len(rows), model.output.shape[-1]), np.float32)
    for start in range(0, len(rows), _PREDICT_BATCH):
        out[start : start + _PREDICT_BATCH] = model.predict_on_batch(pixels[rows[start : start + _PREDICT_BATCH]])
    return out


def _fit(model: Any, inputs: NDArray[Any], examples: Examples, epochs: int, rate: float, seed: int, phase: str) -> None:
    """AdamW, warm-up then cosine, the weights of the epoch with the best validation accuracy."""
    train = Batches(inputs, examples.labels, examples.train, seed)
    steps = len(train) * epochs
    warm_up = max(1, min(steps // 10, 500))
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), alpha=0.01, warmup_target=rate, warmup_steps=warm_up
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    held_out = Batches(inputs, examples.labels, examples.validation) if len(examples.validation) else None
    callbacks = [_keep_best("val_accuracy" if held_out else "accuracy", epochs)]
    with tqdm(total=steps, desc=phase, unit="batch") as progress:
        callbacks.append(_report(progress))
        model.fit(train, epochs=epochs, validation_data=held_out, callbacks=callbacks, shuffle=False, verbose=0)


def _keep_best(metric: str, epochs: int) -> Any:
    return keras.callbacks.EarlyStopping(metric, mode="max", patience=epochs, restore_best_weights=True)


def _report(progress: Any) -> Any:
    def show(epoch: int, logs: dict[str, float]) -> None:
        progress.set_postfix({name: f"{value:.3f}" for name, value in logs.items() if name != "learning_rate"})

    return keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: progress.update(), on_epoch_end=show)
