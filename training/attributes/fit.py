"""Training the head on features that were computed once."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.attributes.examples import Examples, Rows
from training.classifier.batches import Measuring, Order, Training

LEARNING_RATE, WEIGHT_DECAY, PLATEAU = 2e-3, 0.05, 6
SMALLEST_BATCH, LARGEST_BATCH, STEPS = 16, 256, 50
_PREDICT_BATCH = 1024


def fit_head(model: Any, features: NDArray[np.float32], examples: Examples, loss: Any, epochs: int, seed: int) -> None:
    """AdamW with a rate that falls along a cosine over `epochs`; ends after PLATEAU epochs without a better validation
    loss, with the weights of the best one."""
    # STEPS or more an epoch, also for the few photos of a small category.
    batch = min(max(len(examples.train) // STEPS, SMALLEST_BATCH), LARGEST_BATCH)
    order, labels = Order(examples.train, batch, seed), examples.labels
    steps = epochs * order.steps_per_epoch
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps, alpha=0.01)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY), loss, jit_compile=False)
    held_out = Measuring(features.__getitem__, labels, examples.validation, _PREDICT_BATCH)
    with tqdm(total=epochs, desc="attributes", unit="epoch") as progress:
        model.fit(
            Training(features.__getitem__, labels, order, order.steps_per_epoch),
            epochs=epochs,
            validation_data=held_out if len(examples.validation) else None,
            callbacks=[_best(bool(len(examples.validation))), _report(progress)],
            shuffle=False,
            verbose=0,
        )


def predict(model: Any, inputs: NDArray[np.float32], rows: Rows) -> dict[str, NDArray[np.float32]]:
    """What the model gives for `rows` of its inputs, float32 `[len(rows), values]` an attribute."""
    parts = [
        model.predict_on_batch(inputs[rows[at : at + _PREDICT_BATCH]]) for at in range(0, len(rows), _PREDICT_BATCH)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())}


def _best(held_out: bool) -> Any:
    watched = "val_loss" if held_out else "loss"
    return keras.callbacks.EarlyStopping(watched, mode="min", patience=PLATEAU, restore_best_weights=True)


def _report(progress: Any) -> Any:
    def show(_: int, logs: dict[str, float]) -> None:
        progress.update()
        progress.set_postfix({name: f"{value:.3f}" for name, value in logs.items() if name != "learning_rate"})

    return keras.callbacks.LambdaCallback(on_epoch_end=show)
