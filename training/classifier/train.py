"""One training run, from a dataset folder to a classifier artifact."""

import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import write_manifest, writing
from relevance.classification import scores
from relevance.classifier import ENCODER, KIND, VERSION, ImageEncoder
from relevance.dataset import Dataset, Listings
from relevance.errors import DataError
from relevance.images import Size
from relevance.ontology import Ontology
from training.classifier.backbones import find, resolve_weights
from training.classifier.calibration import fit_temperature
from training.classifier.examples import Examples, make_examples
from training.classifier.export import encode, export, write_json
from training.classifier.fit import Schedule, head_schedule, predict_logits, train_head, train_network
from training.classifier.network import Network, deployable, fine_tune, make_network
from training.classifier.photos import Photos, load_photos, photo_shape


@dataclass(frozen=True)
class Options:
    """What a run may vary; None stands for the backbone's own value. balance: how much of the class frequencies is
    taken out of the probabilities, 0 to 1; at 0.3, rare classes gain and the accuracy over all photos is the same
    within its error."""

    backbone: str
    cache: Path
    weights: str | None = None
    image_size: Size | None = None
    epochs: int | None = None
    min_photos: int = 5
    balance: float = 0.3
    seed: int = 0
    threads: int = 2


def run(dataset: Path, out: Path, options: Options) -> dict[str, Any]:
    """Trains, exports and measures a classifier; returns its metrics.

    Raises DataError for options that do not fit together and for a dataset without enough photos.
    """
    started = time.monotonic()
    keras.utils.set_random_seed(options.seed)
    weights = resolve_weights(options.backbone, options.weights)
    source = Dataset.open(dataset)
    ontology = source.read_ontology()
    listings = _with_photo_and_category(source.read_listings(ontology))
    size = options.image_size or photo_shape(source.root, listings.images, find(options.backbone).image_size)
    photos = load_photos(source.root, listings.images, size, options.cache, options.threads)
    examples = _examples(ontology, listings, photos, options)
    network = make_network(options.backbone, size, weights, examples.prior)
    _train(network, photos.pixels, examples, weights, options)
    temperature = _calibrate(network, photos.pixels, examples, options.balance)
    with writing(out) as folder:
        export(deployable(network, temperature), folder)
        encoder = ImageEncoder(folder / ENCODER, options.threads)
        metrics = {
            **_counts(examples, photos),
            "test": _test_scores(encoder, ontology, photos.pixels, examples),
            "seconds": round(time.monotonic() - started, 1),
        }
        write_json(folder / "metrics.json", metrics)
        _write_bad_photos(folder / "bad_photos.csv", listings, photos)
        write_manifest(
            folder,
            KIND,
            VERSION,
            ontology_fingerprint=ontology.fingerprint,
            image_size=size,
            embedding_dim=encoder.embedding_dim,
            class_ids=[ontology.ids[i] for i in examples.classes],
            backbone=options.backbone,
            temperature=temperature,
            balance=options.balance,
            split_seed=options.seed,
            metrics=metrics,
        )
    return metrics


def _with_photo_and_category(listings: Listings) -> Listings:
    rows = [i for i in range(len(listings)) if listings.images[i] and listings.category_ids[i]]
    if not rows:
        raise DataError("the dataset has no listing with both a photo and a category; a classifier needs them")
    return listings.take(rows)


def _examples(ontology: Ontology, listings: Listings, photos: Photos, options: Options) -> Examples:
    categories = np.array([ontology.position(name) for name in listings.category_ids if name], np.int32)
    return make_examples(listings.titles, categories, photos.usable, options.min_photos, options.seed)


def _train(
    network: Network, pixels: NDArray[np.uint8], examples: Examples, weights: str | None, options: Options
) -> None:
    backbone = find(options.backbone)
    if weights:
        train_head(network, pixels, examples, head_schedule(options.seed))
        fine_tune(network, backbone.fine_tune_from)
    epochs = options.epochs or backbone.epochs
    train_network(network, pixels, examples, Schedule(epochs, backbone.batch, backbone.learning_rate, options.seed))


def _calibrate(network: Network, pixels: NDArray[np.uint8], examples: Examples, balance: float) -> float:
    """Takes `balance` of the class frequencies out of the logits (post-hoc logit adjustment, Menon et al., 2021) and
    returns the temperature that fits what is left."""
    bias = network.head.get_layer("classes").bias
    bias.assign(keras.ops.convert_to_numpy(bias) - balance * np.log(examples.prior))
    logits = predict_logits(network, pixels, examples.validation)
    return fit_temperature(logits, examples.labels[examples.validation])


def _test_scores(
    encoder: ImageEncoder, ontology: Ontology, pixels: NDArray[np.uint8], examples: Examples
) -> dict[str, Any] | None:
    """Measured on the exported encoder: what is served is what is measured."""
    if not len(examples.test):
        return None
    probabilities = encode(encoder, pixels, examples.test)
    return scores(ontology, probabilities, examples.classes, examples.categories[examples.test])


def _counts(examples: Examples, photos: Photos) -> dict[str, Any]:
    return {
        "classes": len(examples.classes),
        "train_photos": len(examples.train),
        "validation_photos": len(examples.validation),
        "test_photos": len(examples.test),
        "test_photos_of_no_class": int((examples.labels[examples.test] < 0).sum()),
        "bad_photos": len(photos.bad),
    }


def _write_bad_photos(path: Path, listings: Listings, photos: Photos) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("listing_id", "image", "reason"))
        writer.writerows((listings.ids[row], image, reason) for row, image, reason in photos.bad)
