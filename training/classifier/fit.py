"""The two phases of training: a new head on frozen features, then the network itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from relevance.errors import TrainingError
from training.classifier.batches import ROUND, Measuring, Order, Training
from training.classifier.checkpoint import Checkpoint, Weights
from training.classifier.distribution import ONE_DEVICE, Distribution
from training.classifier.examples import Examples, Rows
from training.classifier.network import Network, looked_at, training_model
from training.classifier.photos import Photos
from training.classifier.precision import accelerated

_PREDICT_BATCH = 256
Take = Callable[[Rows], Any]
"""Gives a model's inputs for some rows, an array or a dict of arrays."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast. epochs: at most, after warm-up the rate falls along a cosine to nothing; plateau: rounds
    without a better validation loss after which a phase ends early, None for never; averaging: over about which share
    of all steps the moving average of the weights goes that is kept in the end (0: none). last: the last round is kept,
    not that with the best validation loss. seed: order, augmentation, dropout. variation: see :class:`Augment`."""

    epochs: float
    batch: int
    learning_rate: float
    seed: int
    weight_decay: float = 0.01
    averaging: float = 0.0
    plateau: int | None = None
    last: bool = False
    variation: float = 1.0


def train_head(
    network: Network,
    photos: Photos,
    examples: Examples,
    loss: Any,
    schedule: Schedule,
    work: Path,
    key: str,
    devices: Distribution = ONE_DEVICE,
) -> None:
    """First phase: the trunk runs once over each photo, the head trains on what it gives."""
    checkpoint = Checkpoint(work / "head.npz", f"{key} head")
    # A finished head asks for nothing any more.
    take = photos.take if checkpoint.finished() else pooled(network, photos, examples, work, devices)
    model = keras.Model(network.head.input, network.head.output["logits"])
    fit(model, take, examples, loss, schedule, checkpoint, "head", devices)


def train_network(
    network: Network,
    photos: Photos,
    examples: Examples,
    loss: Any,
    schedule: Schedule,
    work: Path,
    key: str,
    devices: Distribution = ONE_DEVICE,
    number: int = 0,
) -> None:
    """Second phase: whatever of the trunk is trainable, and the head, on photos that are changed at each look. number:
    of the phase, where there are several of this kind."""
    with devices.scope():
        model = training_model(network, schedule.seed, schedule.variation)
    phase = f"network-{number}"
    checkpoint = Checkpoint(work / f"{phase}.npz", f"{key} {phase}")
    fit(model, photos.take, examples, loss, schedule, checkpoint, "network", devices)


def pooled(
    network: Network, photos: Photos, examples: Examples, work: Path, devices: Distribution = ONE_DEVICE
) -> Take:
    """The features of the training and validation photos, in half precision; each machine writes the file of its
    share."""
    used = np.sort(np.concatenate([examples.train, examples.validation]))
    index, count = devices.worker
    shares, paths = np.array_split(used, count), [work / f"features-{i}.npy" for i in range(count)]
    shape = (len(shares[index]), network.trunk.output.shape[-1])
    features = np.lib.format.open_memmap(paths[index], mode="w+", dtype=np.float16, shape=shape)
    forward = devices.predict(network.trunk)
    for start in tqdm(range(0, shape[0], _PREDICT_BATCH), "features", unit="batch", disable=not devices.chief):
        batch = photos.take(shares[index][start : start + _PREDICT_BATCH])
        features[start : start + len(batch)] = forward(batch)
    features.flush()
    devices.wait()
    files = [np.load(path, mmap_mode="r") for path in paths]
    return lambda rows: _gathered(files, np.searchsorted(used, rows))


def _gathered(files: Sequence[NDArray[np.float16]], at: Rows) -> NDArray[np.float32]:
    """Rows of several arrays as if they were one."""
    ends = np.cumsum([len(file) for file in files])
    which = np.searchsorted(ends, at, side="right")
    out = np.empty((len(at), files[0].shape[1]), np.float32)
    for i, file in enumerate(files):
        out[which == i] = file[at[which == i] - (ends[i] - len(file))]
    return out


def predict_logits(network: Network, photos: Photos, rows: Rows, views: int = 1) -> NDArray[np.float32]:
    """Logits of the photos at `rows`, `[len(rows), c]`."""
    inputs, outputs = looked_at(network, views)
    model = keras.Model(inputs, outputs["logits"])
    out = np.empty((len(rows), model.output.shape[-1]), np.float32)
    for start in range(0, len(rows), _PREDICT_BATCH):
        out[start : start + _PREDICT_BATCH] = model.predict_on_batch(photos.take(rows[start : start + _PREDICT_BATCH]))
    return out


def fit(
    model: Any,
    take: Take,
    examples: Examples,
    loss: Any,
    schedule: Schedule,
    checkpoint: Checkpoint,
    phase: str,
    devices: Distribution = ONE_DEVICE,
) -> None:
    """AdamW, warm-up then cosine; the model ends with the weights of the round with the best validation loss.

    After each round (an epoch, or ROUND steps of a longer one) the state is written; a run that finds one goes on from
    it, on these or on other devices.
    """
    order = Order(examples.train, devices.shared(schedule.batch, len(examples.train)), schedule.seed)
    steps = min(ROUND, order.steps_per_epoch)
    rounds = max(1, round(schedule.epochs * order.steps_per_epoch / steps))
    model = devices.compile(model, lambda: make_optimizer(schedule, rounds * steps), loss, _compiles())
    keep = _Keep(checkpoint, schedule, rounds, phase, devices.chief)
    first = keep.resume(model)
    labels, held_out = examples.labels, examples.validation
    if first < rounds and not keep.done:
        devices.fit(
            model,
            lambda part: Training(take, labels, order, steps, first, part),
            (lambda part: Measuring(take, labels, held_out, _PREDICT_BATCH * devices.replicas, part))
            if len(held_out) >= devices.replicas
            else None,
            epochs=rounds,
            first=first,
            callbacks=[*([keras.callbacks.SwapEMAWeights()] if schedule.averaging else []), keep],
        )
    model.set_weights(keep.best)


class _Keep(keras.callbacks.Callback):
    """Shows progress, remembers the best weights, saves after each round, ends at a plateau. Of several workers only
    the chief shows and saves."""

    def __init__(self, checkpoint: Checkpoint, schedule: Schedule, rounds: int, phase: str, chief: bool) -> None:
        super().__init__()
        self._checkpoint, self._schedule, self._rounds, self._phase = checkpoint, schedule, rounds, phase
        self._chief = chief
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
        self._progress = tqdm(total=steps, initial=done, desc=self._phase, unit="batch", disable=not self._chief)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._progress.update()

    def on_train_end(self, logs: Any = None) -> None:
        self._progress.close()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        found = {name: float(value) for name, value in (logs or {}).items()}
        if not np.isfinite(list(found.values())).all():
            shown = ", ".join(f"{name} {value}" for name, value in found.items())
            raise TrainingError(
                f"round {epoch + 1} of the {self._phase} ended with {shown}: lower --learning-rate and start again"
            )
        self._history.append(found)
        self._progress.set_postfix({name: f"{value:.3f}" for name, value in found.items()})
        losses = [entry.get("val_loss", entry["loss"]) for entry in self._history]
        best = len(losses) - 1 if self._schedule.last else int(np.argmin(losses))
        if best == len(losses) - 1:
            self.best = self._averaged()
        patience = self._schedule.plateau
        self.done = len(losses) == self._rounds or (patience is not None and len(losses) - 1 - best >= patience)
        if self._chief:
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


def make_optimizer(schedule: Schedule, steps: int) -> Any:
    warm_up = max(1, min(steps // 10, 500))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), alpha=0.01, warmup_target=schedule.learning_rate, warmup_steps=warm_up
    )
    decay = 1 - 1 / max(2.0, schedule.averaging * steps)
    averaging = {"use_ema": True, "ema_momentum": decay} if schedule.averaging else {}
    optimizer = keras.optimizers.AdamW(rate, weight_decay=schedule.weight_decay, **averaging)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _compiles() -> bool | str:
    """XLA pays on an accelerator; on a CPU training was ten times slower with it."""
    return "auto" if accelerated() else False
