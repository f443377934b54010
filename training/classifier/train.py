"""One training run, from a dataset folder to a classifier artifact."""

import csv
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from relevance.artifacts import refuse_foreign, write_manifest, writing
from relevance.classification import scores
from relevance.classifier import CATEGORIES, ENCODER, KIND, VERSION, ImageEncoder
from training.classifier.answers import read_calibration, stated_answers
from training.classifier.backbones import Backbone, find, resolve_weights
from training.classifier.calibration import fit_temperature
from training.classifier.checkpoint import Weights
from training.classifier.clicks import train_clicks
from training.classifier.distribution import ONE_DEVICE, Distribution, open_distribution
from training.classifier.examples import Rows
from training.classifier.export import encode, export, write_json
from training.classifier.fit import Schedule, predict_logits, train_head, train_network
from training.classifier.losses import TreeCrossEntropy, levels_above
from training.classifier.material import Material, read_material
from training.classifier.network import (
    Network,
    blocks,
    deployable,
    fine_tune,
    make_network,
    refuse_unknown_layer,
)
from training.classifier.options import Options
from training.classifier.precision import choose_precision, training_in
from training.fingerprint import fingerprint

__all__ = ["Options", "run"]


def run(dataset: Path, out: Path, options: Options) -> dict[str, Any] | None:
    """Trains, exports and measures a classifier; returns its metrics. Run again after an interruption with the same
    options and data, it goes on from the last finished round.

    Of several workers, which have to see the same folders, only the chief exports; the others return None.

    Raises DataError for options that do not fit together and for a dataset without enough photos.
    """
    refuse_foreign(out, KIND)
    devices = open_distribution(options.distribute)
    return train_classifier(read_material(dataset, options, devices.worker), out, options, devices)


def train_classifier(
    material: Material, out: Path, options: Options, devices: Distribution = ONE_DEVICE
) -> dict[str, Any] | None:
    """What :func:`run` does once the dataset is read."""
    started = time.monotonic()
    known = read_calibration(options.calibration, material)
    work = out.with_name(f".{out.name}.unfinished")
    work.mkdir(parents=True, exist_ok=True)
    key = fingerprint([options.stated(), material.fingerprint])
    network = trained(material, options, work, key, devices)
    if not devices.chief:
        devices.wait()
        return None
    if material.clicks is not None:
        train_clicks(
            network, material.photos, material.examples, material.clicks, _loss(material, options), options, work, key
        )
    temperature = known["temperature"] if known else fitted_temperature(network, material, options.views)
    with writing(out, KIND) as folder:
        export(deployable(network, temperature, options.views), folder)
        material.ontology.write(folder / CATEGORIES)
        encoder = ImageEncoder(folder / ENCODER, options.threads)
        metrics = {
            **material.counts(),
            "validation": scores_on(encoder, material, material.examples.validation),
            "test": scores_on(encoder, material, material.examples.test),
            "seconds": round(time.monotonic() - started, 1),
        }
        write_json(folder / "metrics.json", metrics)
        write_bad_photos(folder / "bad_photos.csv", material)
        write_manifest(
            folder,
            KIND,
            VERSION,
            ontology_fingerprint=material.ontology.fingerprint,
            image_size=material.size,
            embedding_dim=encoder.embedding_dim,
            class_ids=material.class_ids,
            temperature=temperature,
            answers=known["answers"] if known else stated_answers(encoder, material, options.error_rate),
            split_seed=options.seed,
            test_share=options.test_share,
            options=options.stated(),
            metrics=metrics,
        )
    devices.wait()
    shutil.rmtree(work)
    return metrics


def trained(
    material: Material,
    options: Options,
    work: Path,
    key: str,
    devices: Distribution = ONE_DEVICE,
    trunk: Weights | None = None,
) -> Network:
    """Returns the trained network, on one device and in single precision.

    work: folder for what an interrupted run of the same `key` has done; trunk: weights to start from, instead of those
    that the options name.
    """
    keras.utils.set_random_seed(options.seed)
    weights = None if trunk else resolve_weights(options.backbone, options.weights)
    precision = choose_precision(options.precision)
    prior = material.examples.prior
    with devices.scope(), training_in(precision):
        network = make_network(options.backbone, material.size, weights, prior, options.seed)
    if trunk:
        network.trunk.set_weights(trunk)
    _train(network, material, options, bool(weights or trunk), work, key, devices)
    if not devices.several and precision == "float32":
        return network
    alone = make_network(options.backbone, material.size, None, prior, options.seed)
    alone.trunk.set_weights(network.trunk.get_weights())
    alone.head.set_weights(network.head.get_weights())
    return alone


def _train(
    network: Network,
    material: Material,
    options: Options,
    pretrained: bool,
    work: Path,
    key: str,
    devices: Distribution,
) -> None:
    backbone, photos, examples = find(options.backbone), material.photos, material.examples
    loss = _loss(material, options)
    schedule = _schedule(options, backbone, pretrained)
    if not pretrained:
        train_network(network, photos, examples, loss, schedule, work, key, devices)
        return
    first = _first(options, backbone)
    refuse_unknown_layer(network, first)
    head = Schedule(epochs=20, batch=64, learning_rate=2e-3, seed=options.seed, plateau=2)
    train_head(network, photos, examples, loss, head, work, key, devices)
    if not schedule.epochs:
        return
    parts = blocks(network, first) if options.block_by_block else [first]
    for number, part in enumerate(parts):
        fine_tune(network, part)
        shortened = replace(schedule, epochs=schedule.epochs / len(parts))
        train_network(network, photos, examples, loss, shortened, work, key, devices, number)


def _loss(material: Material, options: Options) -> TreeCrossEntropy:
    levels = levels_above(material.ontology, material.examples.classes)
    prior = material.examples.prior
    return TreeCrossEntropy(prior, levels, options.adjustment, options.hierarchy, options.smoothing)


def _first(options: Options, backbone: Backbone) -> str:
    return backbone.fine_tune_from if options.fine_tune_from is None else options.fine_tune_from


def _schedule(options: Options, backbone: Backbone, pretrained: bool) -> Schedule:
    return Schedule(
        epochs=backbone.epochs if options.epochs is None else options.epochs,
        batch=backbone.batch if options.batch is None else options.batch,
        learning_rate=backbone.learning_rate if options.learning_rate is None else options.learning_rate,
        seed=options.seed,
        # From nothing, batch statistics are still learned, and those of averaged weights are not known.
        averaging=options.averaging if pretrained else 0.0,
        last=options.calibration is not None,
        variation=options.variation,
    )


def fitted_temperature(network: Network, material: Material, views: int) -> float:
    """See :func:`fit_temperature`; on the validation photos."""
    rows = material.examples.validation
    logits = predict_logits(network, material.photos, rows, views)
    return fit_temperature(logits, material.examples.labels[rows])


def scores_on(encoder: ImageEncoder, material: Material, rows: Rows) -> dict[str, Any] | None:
    """Measured on the exported encoder: what is served is what is measured. None without photos."""
    if not len(rows):
        return None
    examples = material.examples
    probabilities = encode(encoder, material.photos, rows)
    return scores(material.ontology, probabilities, examples.classes, examples.categories[rows])


def write_bad_photos(path: Path, material: Material) -> None:
    """A table of the photos that were refused, and why."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("listing_id", "image", "reason"))
        writer.writerows((material.listings.ids[row], image, reason) for row, image, reason in material.photos.bad)
