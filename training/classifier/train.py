"""One training run, from a dataset folder to a classifier artifact."""

import csv
import hashlib
import json
import shutil
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from relevance.artifacts import write_manifest, writing
from relevance.classification import scores
from relevance.classifier import ENCODER, KIND, TEST_SHARE, VERSION, ImageEncoder
from relevance.dataset import Dataset, Listings
from relevance.errors import DataError
from relevance.images import Size
from relevance.ontology import Ontology
from training.classifier.backbones import Backbone, find, resolve_weights
from training.classifier.calibration import fit_temperature
from training.classifier.distribution import Distribution, open_distribution
from training.classifier.examples import Examples, make_examples
from training.classifier.export import encode, export, write_json
from training.classifier.fit import Schedule, predict_logits, train_head, train_network
from training.classifier.losses import TreeCrossEntropy, levels_above
from training.classifier.network import Network, blocks, deployable, fine_tune, make_network
from training.classifier.photos import Photos, open_photos, photo_shape
from training.classifier.precision import choose_precision, training_in


@dataclass(frozen=True)
class Options:
    """What a run may vary; None stands for the backbone's own value.

    cache: folder for decoded photos, None to decode them as they are needed. adjustment, hierarchy, smoothing: see
    :class:`TreeCrossEntropy`. test_share: share of the titles kept for measuring; 0 for the model to deploy in the end.
    block_by_block: the last block of the backbone is trained first, then with it the one before, and so on, each for an
    equal part of the epochs. precision: see :func:`choose_precision`. views:
    see :func:`deployable`. distribute: see :func:`open_distribution`.
    """

    backbone: str
    cache: Path | None
    weights: str | None = None
    image_size: Size | None = None
    epochs: float | None = None
    batch: int | None = None
    learning_rate: float | None = None
    fine_tune_from: str | None = None
    min_photos: int = 2
    adjustment: float = 0.25
    hierarchy: float = 0.0
    smoothing: float = 0.0
    averaging: float = 0.08
    block_by_block: bool = False
    precision: str = "auto"
    views: int = 1
    test_share: float = TEST_SHARE
    seed: int = 0
    threads: int = 2
    distribute: str = "none"


def run(dataset: Path, out: Path, options: Options) -> dict[str, Any] | None:
    """Trains, exports and measures a classifier; returns its metrics. Run again after an interruption with the same
    options and data, it goes on from the last finished round.

    Of several workers, which have to see the same folders, only the chief exports; the others return None.

    Raises DataError for options that do not fit together and for a dataset without enough photos.
    """
    started = time.monotonic()
    devices = open_distribution(options.distribute)
    precision = choose_precision(options.precision)
    keras.utils.set_random_seed(options.seed)
    weights = resolve_weights(options.backbone, options.weights)
    source = Dataset.open(dataset)
    ontology = source.read_ontology()
    listings = _with_photo_and_category(source.read_listings(ontology))
    size = options.image_size or photo_shape(source.root, listings.images, find(options.backbone).image_size)
    photos = open_photos(source.root, listings.images, size, options.cache, options.threads, devices.worker)
    categories = np.array([ontology.position(name) for name in listings.category_ids if name], np.int32)
    examples = make_examples(
        listings.titles, categories, photos.usable, options.min_photos, options.seed, options.test_share
    )
    work = out.with_name(f".{out.name}.unfinished")
    work.mkdir(parents=True, exist_ok=True)
    key = _key(options, size, ontology, listings)
    network = _trained(photos, examples, ontology, size, weights, options, work, key, devices, precision)
    if not devices.chief:
        devices.wait()
        return None
    temperature = _temperature(network, photos, examples, options.views)
    with writing(out) as folder:
        export(deployable(network, temperature, options.views), folder)
        ontology.write(folder / "categories.csv")
        encoder = ImageEncoder(folder / ENCODER, options.threads)
        metrics = {
            **_counts(examples, photos),
            "test": _test_scores(encoder, ontology, photos, examples),
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
            temperature=temperature,
            split_seed=options.seed,
            test_share=options.test_share,
            options=_stated(options),
            metrics=metrics,
        )
    devices.wait()
    shutil.rmtree(work)
    return metrics


def _with_photo_and_category(listings: Listings) -> Listings:
    rows = [i for i in range(len(listings)) if listings.images[i] and listings.category_ids[i]]
    if not rows:
        raise DataError("the dataset has no listing with both a photo and a category; a classifier needs them")
    return listings.take(rows)


def _stated(options: Options) -> dict[str, Any]:
    """What decides the result: not where the cache lies, nor how many threads and devices work."""
    return {name: value for name, value in asdict(options).items() if name not in ("cache", "threads", "distribute")}


def _key(options: Options, size: Size, ontology: Ontology, listings: Listings) -> str:
    """Names a run: unfinished work is gone on with only by a run of the same options and data."""
    what = [_stated(options), size, ontology.fingerprint, listings.ids, listings.titles, listings.category_ids]
    return hashlib.sha256(json.dumps([*what, listings.images]).encode()).hexdigest()


def _trained(
    photos: Photos,
    examples: Examples,
    ontology: Ontology,
    size: Size,
    weights: str | None,
    options: Options,
    work: Path,
    key: str,
    devices: Distribution,
    precision: str,
) -> Network:
    """Returns the trained network, on one device and in single precision."""
    backbone = find(options.backbone)
    with devices.scope(), training_in(precision):
        network = make_network(options.backbone, size, weights, examples.prior, options.seed)
    levels = levels_above(ontology, examples.classes)
    loss = TreeCrossEntropy(examples.prior, levels, options.adjustment, options.hierarchy, options.smoothing)
    if weights:
        head = Schedule(epochs=20, batch=64, learning_rate=2e-3, seed=options.seed, plateau=2)
        train_head(network, photos, examples, loss, head, work, key, devices)
    schedule = _schedule(options, backbone, bool(weights))
    if not weights:
        train_network(network, photos, examples, loss, schedule, work, key, devices)
    else:
        first = _first(options, backbone)
        parts = blocks(network, first) if options.block_by_block else [first]
        for part in parts:
            fine_tune(network, part)
            shortened = replace(schedule, epochs=schedule.epochs / len(parts))
            train_network(network, photos, examples, loss, shortened, work, key, devices)
    if not devices.several and precision == "float32":
        return network
    alone = make_network(options.backbone, size, None, examples.prior, options.seed)
    alone.trunk.set_weights(network.trunk.get_weights())
    alone.head.set_weights(network.head.get_weights())
    return alone


def _first(options: Options, backbone: Backbone) -> str:
    return backbone.fine_tune_from if options.fine_tune_from is None else options.fine_tune_from


def _schedule(options: Options, backbone: Backbone, pretrained: bool) -> Schedule:
    return Schedule(
        epochs=options.epochs or backbone.epochs,
        batch=options.batch or backbone.batch,
        learning_rate=options.learning_rate or backbone.learning_rate,
        seed=options.seed,
        # From nothing, batch statistics are still learned, and those of averaged weights are not known.
        averaging=options.averaging if pretrained else 0.0,
    )


def _temperature(network: Network, photos: Photos, examples: Examples, views: int) -> float:
    logits = predict_logits(network, photos, examples.validation, views)
    return fit_temperature(logits, examples.labels[examples.validation])


def _test_scores(
    encoder: ImageEncoder, ontology: Ontology, photos: Photos, examples: Examples
) -> dict[str, Any] | None:
    """Measured on the exported encoder: what is served is what is measured."""
    if not len(examples.test):
        return None
    probabilities = encode(encoder, photos, examples.test)
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
