"""The epochs: batches of rows, hard negatives from the second half on, two optimisers over one falling rate."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras
from numpy.typing import NDArray
from tqdm import tqdm

from training.towers.checkpoint import Checkpoint
from training.towers.examples import Examples
from training.towers.explosion import StopAtNan, check
from training.towers.model import Towers
from training.towers.negatives import hard_negatives
from training.towers.options import Options
from training.towers.retrieval import RetrievalModel

ABSENT_SHARE = 8
"""A batch has this many times fewer queries that nothing answers than others."""


def fit(
    model: RetrievalModel,
    examples: Examples,
    category: NDArray[np.int32],
    options: Options,
    checkpoint: Checkpoint,
    callbacks: Sequence[Any] = (),
) -> None:
    """Runs the epochs that the checkpoint has not behind it; the rates fall along a half cosine. category: int32
    `[listings]`; callbacks: of tf-keras. What is drawn depends on the seed and the epoch alone.

    Raises TrainingError when the loss or the weights are no numbers, naming the epoch; the checkpoint keeps the one
    before.
    """
    batch = min(options.batch, len(examples.listing))
    steps = len(examples.listing) // batch
    uniform = batch // 2 if options.uniform else 0
    model.compile(optimizer=_optimizer(model.towers, options, steps * options.epochs))
    _build(model, examples, batch)
    first = checkpoint.read(model)
    for callback in callbacks:
        callback.set_model(model)  # no step will, where all epochs are done
    progress = tqdm(range(first, options.epochs), desc="towers", unit="epoch", initial=first, total=options.epochs)
    for epoch in progress:
        rng = np.random.default_rng((options.seed, epoch))
        hard = _mine(model, category, examples, rng) if options.hard and epoch >= options.epochs // 2 else None
        batches = _batches(examples, hard, batch, uniform, rng, epoch * steps)
        history = model.fit(batches, epochs=1, verbose=0, callbacks=[StopAtNan(epoch), *callbacks])
        check(model, next(iter(batches)), epoch)
        progress.set_postfix(loss=f"{history.history['loss'][-1] / batch:.3f}")
        checkpoint.write(model, epoch + 1)


def _build(model: RetrievalModel, examples: Examples, batch: int) -> None:
    """Creates the variables of the layers and of the optimisers, by a loss and a step that change nothing."""
    rng = np.random.default_rng(0)
    model.compute_loss(next(iter(_batches(examples, None, batch, batch // 2, rng, 0))), training=True)
    model.optimizer.apply_gradients([(tf.zeros_like(own), own) for own in model.towers.trainable_variables])
    for optimizer in model.optimizer.optimizers:
        optimizer.iterations.assign(0)


def _optimizer(towers: Towers, options: Options, steps: int) -> Any:
    """Adagrad for the table, of which a step touches few rows; Adam for the rest."""

    def falling(rate: float) -> Any:
        return tf_keras.optimizers.schedules.CosineDecay(rate, steps, alpha=0.02)

    def table() -> list[Any]:
        return [towers.text.table]

    def rest() -> list[Any]:
        return [variable for variable in towers.trainable_variables if variable is not towers.text.table]

    optimizers = tf_keras.optimizers.legacy
    return tfrs.experimental.optimizers.CompositeOptimizer(
        [
            (optimizers.Adagrad(falling(options.table_rate)), table),
            (optimizers.Adam(falling(options.learning_rate)), rest),
        ]
    )


def _batches(
    examples: Examples, hard: NDArray[np.int32] | None, batch: int, uniform: int, rng: np.random.Generator, first: int
) -> Any:
    """The batches of an epoch, as `RetrievalModel.compute_loss` reads them; uniform: negatives of a batch that are
    drawn from all listings alike; first: number of the first step."""
    query, listing, weight = examples.epoch(rng)
    n, listings = len(query), len(examples.probability)
    data = {"query": query, "listing": listing, "weight": weight}
    data["uniform"] = rng.integers(0, listings, n).astype(np.int32)
    if hard is not None:
        data["hard"] = hard[query]
    if len(examples.absent):
        data["absent"] = rng.choice(examples.absent, n)
    probability = tf.constant(examples.probability, tf.float32)

    def finish(step: Any, rows: dict[str, Any]) -> dict[str, Any]:
        drawn = rows.pop("uniform")[:uniform]
        negative = tf.concat([drawn, rows.pop("hard")[: batch // 2]], axis=0) if "hard" in rows else drawn
        candidates = tf.concat([rows["listing"], negative], axis=0)
        # The candidates come from a mixture: positives as often as they are chosen, and all alike.
        share = batch / (batch + uniform)
        mixture = share * tf.gather(probability, candidates) + (1 - share) / listings
        absent = rows.pop("absent", rows["query"][:0])[: batch // ABSENT_SHARE]
        return {**rows, "absent": absent, "negative": negative, "probability": mixture, "step": step}

    batches = tf.data.Dataset.from_tensor_slices(data).batch(batch, drop_remainder=True)
    return batches.enumerate(first).map(finish).prefetch(4)


def _mine(
    model: RetrievalModel, category: NDArray[np.int32], examples: Examples, rng: np.random.Generator
) -> NDArray[np.int32]:
    positive = np.full(len(examples.queries), -2, np.int32)
    positive[examples.variants] = category[examples.listing][:, None]
    queries = _encode(model.encode_queries, len(examples.queries))
    listings = _encode(model.encode_listings, len(examples.probability))
    return hard_negatives(queries, listings, positive, category, rng)


def _encode(step: Any, n: int) -> NDArray[np.float32]:
    return np.concatenate([step(tf.range(i, min(i + 1024, n))).numpy() for i in range(0, n, 1024)])
