"""Training the head, or head and network, of an attribute model; and what the trained model gives."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.attributes.examples import Examples, Rows
from training.classifier.batches import Measuring, Order, Training
from training.classifier.fit import Schedule, make_optimizer

SMALLEST_BATCH, LARGEST_BATCH, STEPS = 16, 256, 50
_PREDICT_BATCH = 256
Take = Callable[[Rows], NDArray[Any]]
"""The inputs of rows: features `[b, f]`, or photos."""


def head_schedule(photos: int, epochs: int, seed: int) -> Schedule:
    """What suits a head: STEPS or more an epoch also for the few photos of a small category."""
    batch = min(max(photos // STEPS, SMALLEST_BATCH), LARGEST_BATCH)
    return Schedule(epochs=epochs, batch=batch, learning_rate=2e-3, seed=seed, weight_decay=0.05, plateau=6)


def fit(model: Any, take: Take, examples: Examples, loss: Any, schedule: Schedule, phase: str) -> None:
    """AdamW, warm-up then cosine; the model ends with the weights of the epoch with the best validation loss."""
    order, labels = Order(examples.train, schedule.batch, schedule.seed), examples.labels
    epochs, steps = int(schedule.epochs), order.steps_per_epoch
    model.compile(make_optimizer(schedule, epochs * steps), loss, jit_compile=False)
    held_out = Measuring(take, labels, examples.validation, _PREDICT_BATCH) if len(examples.validation) else None
    best = keras.callbacks.EarlyStopping(
        "val_loss" if held_out else "loss", mode="min", patience=schedule.plateau or epochs, restore_best_weights=True
    )
    with tqdm(total=epochs * steps, desc=phase, unit="batch") as progress:
        model.fit(
            Training(take, labels, order, steps),
            epochs=epochs,
            validation_data=held_out,
            callbacks=[best, _report(progress)],
            shuffle=False,
            verbose=0,
        )


def predict(model: Any, take: Take, rows: Rows) -> dict[str, NDArray[np.float32]]:
    """What the model gives for rows, float32 `[len(rows), values]` an attribute."""
    parts = [model.predict_on_batch(take(rows[at : at + _PREDICT_BATCH])) for at in range(0, len(rows), _PREDICT_BATCH)]
    return {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())}


def _report(progress: Any) -> Any:
    def show(_: int, logs: dict[str, float]) -> None:
        progress.set_postfix({name: f"{value:.3f}" for name, value in logs.items() if name != "learning_rate"})

    return keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: progress.update(), on_epoch_end=show)
