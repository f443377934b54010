"""Trains the towers: starting vectors, then epochs of the retrieval model, hard negatives from the second half on."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # before TensorFlow: TensorFlow Recommenders needs tf-keras
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray
from tqdm import tqdm

from relevance.artifacts import write_manifest, writing
from relevance.errors import DataError
from relevance.text import Featuriser
from relevance.towers import TowerLayout
from training.towers.corpus import Corpus, read_corpus
from training.towers.examples import Examples, feature_arrays, fit_featuriser, make_examples, session_sentences
from training.towers.export import export_listing, export_query
from training.towers.metrics import held_out_metrics
from training.towers.model import Features, RetrievalModel, Towers
from training.towers.negatives import hard_negatives
from training.towers.vectors import starting_table


@dataclass(frozen=True)
class Options:
    """What a training run may vary; the defaults are what the demo and the fashion catalogue use."""

    dim: int = 64
    epochs: int = 8
    batch: int = 512
    excerpts: int = 3
    temperature: float = 0.07
    learning_rate: float = 0.003
    seed: int = 0
    hard: bool = True
    fasttext: bool = True
    threads: int = 2


def run(dataset: Path, listing_index: Path | None, out: Path, options: Options) -> dict[str, Any]:
    """Trains on the first 70 % of the behaviour and writes a towers artifact; returns its metrics."""
    tf_keras.utils.disable_interactive_logging()
    tf_keras.utils.set_random_seed(options.seed)
    tf.config.experimental.enable_op_determinism()
    rng = np.random.default_rng(options.seed)
    corpus = read_corpus(dataset, listing_index)
    if not len(corpus.train):
        raise DataError(
            f"{dataset}: no click or message that follows a query; towers cannot be trained without behaviour"
        )
    examples = make_examples(corpus, options.excerpts, rng)
    featuriser = fit_featuriser(corpus, examples.queries)
    towers = Towers(_table(corpus, featuriser, options))
    arrays = feature_arrays(corpus, examples, featuriser)
    model = RetrievalModel(towers, Features(arrays, featuriser.first_ngram), options.temperature)
    fit(model, examples, arrays, options, rng)
    return write(out, corpus, featuriser, model, options)


def _table(corpus: Corpus, featuriser: Featuriser, options: Options) -> NDArray[np.float32]:
    if options.fasttext:
        return starting_table(featuriser, session_sentences(corpus), options.dim, options.seed)
    noise = np.random.default_rng(options.seed).normal(0, options.dim**-0.5, (featuriser.size, options.dim))
    noise[0] = 0
    return noise.astype(np.float32)


def fit(
    model: RetrievalModel,
    examples: Examples,
    arrays: dict[str, NDArray[Any]],
    options: Options,
    rng: np.random.Generator,
) -> None:
    """Runs the epochs; the learning rate falls along a half cosine."""
    batch = min(options.batch, len(examples.listing))
    steps = len(examples.listing) // batch
    schedule = tf_keras.optimizers.schedules.CosineDecay(options.learning_rate, steps * options.epochs, alpha=0.02)
    model.compile(optimizer=tf_keras.optimizers.Adam(schedule))
    progress = tqdm(range(options.epochs), desc="towers", unit="epoch")
    hard: NDArray[np.int32] | None = None
    for epoch in progress:
        if options.hard and epoch >= options.epochs // 2:
            hard = _mine(model, arrays, examples, rng)
        batches = _batches(examples, hard, batch, rng)
        history = model.fit(batches, epochs=1, verbose=0)
        progress.set_postfix(loss=f"{history.history['loss'][-1] / batch:.3f}")


def _batches(examples: Examples, hard: NDArray[np.int32] | None, batch: int, rng: np.random.Generator) -> Any:
    query, listing, weight = examples.epoch(rng)
    uniform = rng.integers(0, len(examples.probability), len(query)).astype(np.int32)
    data = {"query": query, "listing": listing, "weight": weight, "uniform": uniform}
    if hard is not None:
        data["hard"] = hard[query]
    probability = tf.constant(examples.probability, tf.float32)

    def finish(rows: dict[str, Any]) -> dict[str, Any]:
        half = rows.pop("uniform")[: batch // 2]
        negative = tf.concat([half, rows.pop("hard")[: batch // 2]], axis=0) if "hard" in rows else half
        candidates = tf.concat([rows["listing"], negative], axis=0)
        # The candidates come from a mixture: positives as often as they are chosen, and all alike.
        share = batch / (batch + batch // 2)
        mixture = share * tf.gather(probability, candidates) + (1 - share) / len(examples.probability)
        return {**rows, "negative": negative, "probability": mixture}

    batches = tf.data.Dataset.from_tensor_slices(data).batch(batch, drop_remainder=True)
    return batches.map(finish).prefetch(4)


def _mine(
    model: RetrievalModel, arrays: dict[str, NDArray[Any]], examples: Examples, rng: np.random.Generator
) -> NDArray[np.int32]:
    positive = np.full(len(examples.queries), -2, np.int32)
    category = arrays["listing_category"][examples.listing]
    positive[examples.variants] = category[:, None]
    queries = encode(model, "query", len(examples.queries))
    listings = encode(model, "listing", len(examples.probability))
    return hard_negatives(queries, listings, positive, arrays["listing_category"], rng)


def encode(model: RetrievalModel, tower: str, n: int) -> NDArray[np.float32]:
    """Returns the unit vectors of all n queries or listings, float32 `[n, dim]`."""
    step = model.encode_queries if tower == "query" else model.encode_listings
    parts = [step(tf.range(i, min(i + 1024, n))).numpy() for i in range(0, n, 1024)]
    return np.concatenate(parts)


def write(out: Path, corpus: Corpus, featuriser: Featuriser, model: RetrievalModel, options: Options) -> dict[str, Any]:
    """Writes the artifact and returns the metrics on the pairs of the calibration span."""
    features = model.features
    categories = model.towers.category(features.category_ids, features.category_weights).numpy()
    listings = encode(model, "listing", len(corpus.listings.ids))
    with writing(out) as folder:
        layout = TowerLayout(folder)
        featuriser.write(layout.text)
        np.save(layout.categories, categories.astype(np.float32))
        export_query(model.towers, layout.query)
        export_listing(model.towers, corpus.visual.shape[1], layout.listing)
        metrics = held_out_metrics(folder, corpus, listings)
        write_manifest(
            folder,
            "towers",
            1,
            ontology_fingerprint=corpus.ontology.fingerprint,
            dim=options.dim,
            visual_dim=int(corpus.visual.shape[1]),
            temperature=options.temperature,
            options=vars(options),
            metrics=metrics,
        )
    return metrics
