"""The two phases of training: a new head on frozen features, then the network itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.classifier.batches import ROUND, Measuring, Order, Training
from training.classifier.checkpoint import Checkpoint, Weights
from training.classifier.examples import Examples, Rows
from training.classifier.network import Network, training_model
from training.classifier.photos import Photos

_PREDICT_BATCH = 256
Take = Callable[[Rows], NDArray[Any]]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast. epochs: at most, after warm-up the rate falls along a cosine to nothing; plateau: rounds
    without a better validation loss after which a phase ends early, None for never; averaging: the decay of the moving
    average of the weights, which is what is kept (0: none). seed: order, augmentation, dropout."""

    epochs: float
    batch: int
    learning_rate: float
    seed: int
    weight_decay: float = 0.01
    averaging: float = 0.0
    plateau: int | None = None


def train_head(
    network: Network, photos: Photos, examples: Examples, loss: Any, schedule: Schedule, work: Path, key: str
) -> None:
    """First phase: the trunk runs once over each photo, the head trains on what it gives."""
    take = _pooled(network, photos, examples, work / "features.npy", key)
    model = keras.Model(network.head.input, network.head.output["logits"])
    fit(model, take, examples, loss, schedule, Checkpoint(work / "head.npz", f"{key} head"), "head")


def train_network(
    network: Network, photos: Photos, examples: Examples, loss: Any, schedule: Schedule, work: Path, key: str
) -> None:
    """Second phase: whatever of the trunk is trainable, and the head, on photos that are changed at each look."""
    model = training_model(network, schedule.seed)
    phase = f"network-{len(model.trainable_variables)}"
    fit(model, photos.take, examples, loss, schedule, Checkpoint(work / f"{phase}.npz", f"{key} {phase}"), "network")


def _pooled(network: Network, photos: Photos, examples: Examples, path: Path, key: str) -> Take:
    """The features of the training and validation photos, in half precision in a file."""
    used = np.sort(np.concatenate([examples.train, examples.validation]))
    shape = (len(used), network.trunk.output.shape[-1])
    features = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
    for start in tqdm(range(0, len(used), _PREDICT_BATCH), "features", unit="batch"):
        batch = photos.take(used[start : start + _PREDICT_BATCH])
        features[start : start + len(batch)] = network.trunk.predict_on_batch(batch)
    return lambda rows: np.asarray(features[np.searchsorted(used, rows)], np.float32)


def predict_logits(network: Network, photos: Photos, rows: Rows) -> NDArray[np.float32]:
    """Logits of the photos at `rows`, `[len(rows), c]`."""
    out = np.empty((len(rows), network.head.output["logits"].shape[-1]), np.float32)
    for start in range(0, len(rows), _PREDICT_BATCH):
        batch = photos.take(rows[start : start + _PREDICT_BATCH])
        out[start : start + len(batch)] = network.head.predict_on_batch(network.trunk.predict_on_batch(batch))["logits"]
    return out


def fit(
    model: Any, take: Take, examples: Examples, loss: Any, schedule: Schedule, checkpoint: Checkpoint, phase: str
) -> None:
    """AdamW, warm-up then cosine; the model ends with the weights of the round with the best validation loss.

    After each round (an epoch, or ROUND steps of a longer one) the state is written; a run that finds one goes on from
    it.
    """
    order = Order(examples.train, schedule.batch, schedule.seed)
    steps = min(ROUND, order.steps_per_epoch)
    rounds = max(1, round(schedule.epochs * order.steps_per_epoch / steps))
    model.compile(_optimizer(schedule, rounds * steps), loss, metrics=["accuracy"], jit_compile=_compiles())
    model.optimizer.build(model.trainable_variables)
    keep = _Keep(checkpoint, schedule, rounds, phase)
    first = keep.resume(model)
    if first < rounds and not keep.done:
        model.fit(
            Training(take, examples.labels, order, steps, first),
            epochs=rounds,
            initial_epoch=first,
            validation_data=(
                Measuring(take, examples.labels, examples.validation, _PREDICT_BATCH)
                if len(examples.validation)
                else None
            ),
            callbacks=[*([keras.callbacks.SwapEMAWeights()] if schedule.averaging else []), keep],
            shuffle=False,
            verbose=0,
        )
    model.set_weights(keep.best)


class _Keep(keras.callbacks.Callback):
    """Shows progress, remembers the best weights, saves after each round, ends at a plateau."""

    def __init__(self, checkpoint: Checkpoint, schedule: Schedule, rounds: int, phase: str) -> None:
        super().__init__()
        self._checkpoint, self._schedule, self._rounds, self._phase = checkpoint, schedule, rounds, phase
        self._history: list[dict[str, float]] = []
        self._progress: Any = None
        self.best: Weights = []
        self.done = False

    def resume(self, model: Any) -> int:
        """Returns how many rounds are done."""
        found = self._checkpoint.read(model)
        if found is None:
            return 0
        self.best, self._history, self.done = found
        return len(self._history)

    def on_train_begin(self, logs: Any = None) -> None:
        steps = self._rounds * self.params["steps"]
        done = len(self._history) * self.params["steps"]
        self._progress = tqdm(total=steps, initial=done, desc=self._phase, unit="batch")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._progress.update()

    def on_train_end(self, logs: Any = None) -> None:
        self._progress.close()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        found = {name: float(value) for name, value in (logs or {}).items()}
        self._history.append(found)
        self._progress.set_postfix({name: f"{value:.3f}" for name, value in found.items()})
        losses = [entry.get("val_loss", entry["loss"]) for entry in self._history]
        best = int(np.argmin(losses))
        if best == len(losses) - 1:
            self.best = self._averaged()
        patience = self._schedule.plateau
        self.done = len(losses) == self._rounds or (patience is not None and len(losses) - 1 - best >= patience)
        self._checkpoint.write(self.model, self.best, self._history, self.done)
        if self.done:
            self.model.stop_training = True

    def _averaged(self) -> Weights:
        """The weights as they are measured: averaged where averaging is on."""
        weights: Weights = self.model.get_weights()
        if not self._schedule.averaging:
            return weights
        self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
        averaged: Weights = self.model.get_weights()
        self.model.set_weights(weights)
        return averaged


def _optimizer(schedule: Schedule, steps: int) -> Any:
    warm_up = max(1, min(steps // 10, 500))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), alpha=0.01, warmup_target=schedule.learning_rate, warmup_steps=warm_up
    )
    averaging = {"use_ema": True, "ema_momentum": schedule.averaging} if schedule.averaging else {}
    optimizer = keras.optimizers.AdamW(rate, weight_decay=schedule.weight_decay, **averaging)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _compiles() -> bool | str:
    """XLA pays on an accelerator; on a CPU training was ten times slower with it."""
    return "auto" if _accelerated() else False


def _accelerated() -> bool:
    return any(not name.lower().startswith("cpu") for name in keras.distribution.list_devices())
