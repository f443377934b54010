"""One training run, from a dataset and a classifier to an attributes artifact."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import refuse_foreign, write_manifest, writing
from relevance.attributes import KIND, MODEL, VERSION, AttributeModel
from relevance.classifier import Classifier
from relevance.dataset import Dataset, Listings
from relevance.errors import DataError, listed
from training.attributes.examples import Attribute, Examples, category_named, listings_under, make_examples
from training.attributes.features import Features, load_features
from training.attributes.fine_tune import own_network, refuse_without_network, train_network
from training.attributes.fit import Take, fit, head_schedule, predict
from training.attributes.measure import scores
from training.attributes.network import MaskedCrossEntropy, deployable, joined, make_head
from training.classifier.calibration import fit_temperature
from training.classifier.photos import open_photos
from training.litert import to_litert

_PREDICT_BATCH = 64


@dataclass(frozen=True)
class Options:
    """What a run may vary. names: the attributes; under: id or path of the category that triggers the model, "" for
    every photo; threshold: the probability of the category from which it does; min_photos: values with fewer training
    photos are no class; hidden, dropout: of the head; adjustment: see :class:`MaskedCrossEntropy`; epochs: at most;
    fine_tune: epochs of training a network of its own after that, 0 for none."""

    names: tuple[str, ...]
    cache: Path
    under: str = ""
    threshold: float = 0.5
    min_photos: int = 5
    hidden: int = 256
    dropout: float = 0.3
    adjustment: float = 0.0
    epochs: int = 60
    fine_tune: int = 0
    seed: int = 0
    threads: int = 2


@dataclass(frozen=True)
class Learned:
    """head: see :func:`make_head`; inputs, features: the tensors of the whole model that it stands on; take: the inputs
    of rows."""

    head: Any
    inputs: Any
    features: Any
    take: Take


def run(dataset: Path, classifier: Path, out: Path, options: Options) -> dict[str, Any]:
    """Trains, exports and measures a model of several attributes; returns its metrics.

    Raises DataError for options that do not fit the dataset and ArtifactError for a classifier of another dataset.
    """
    started = time.monotonic()
    refuse_foreign(out, KIND)
    keras.utils.set_random_seed(options.seed)
    source = Dataset.open(dataset)
    general = Classifier.open(classifier, source.read_ontology())
    if options.fine_tune:
        refuse_without_network(classifier)
    under = category_named(general.ontology, options.under)
    listings = _listings(source, general, under, options)
    found = load_features(general, source.root, listings.images, options.cache, options.threads)
    examples = make_examples(listings, found.usable, general, options.names, options.min_photos)
    learned = _learn(classifier, general, source.root, listings, found, examples, options)
    logits = keras.Model(learned.inputs, learned.head(learned.features))
    temperatures = _temperatures(logits, learned.take, examples)
    with writing(out, KIND) as folder:
        _export(deployable(learned.head, learned.inputs, learned.features, temperatures), folder)
        description = _description(general, under, examples.attributes, options)
        write_manifest(folder, KIND, VERSION, **description)  # to open it, and measure what will be served
        metrics = {
            "train_photos": len(examples.train),
            "validation_photos": len(examples.validation),
            "test_photos": len(examples.test),
            **_test_scores(AttributeModel.open(folder, general), learned.take, found.probabilities, examples),
            "seconds": round(time.monotonic() - started, 1),
        }
        write_manifest(folder, KIND, VERSION, **description, temperatures=temperatures, metrics=metrics)
    return metrics


def _learn(
    classifier: Path,
    general: Classifier,
    root: Path,
    listings: Listings,
    found: Features,
    examples: Examples,
    options: Options,
) -> Learned:
    """Trains the head on the classifier's features and then, with `fine_tune`, a network of its own under it."""
    priors = [_prior(attribute, examples) for attribute in examples.attributes]
    loss = MaskedCrossEntropy(priors, options.adjustment)
    head = make_head(found.features.shape[1], priors, options.hidden, options.dropout, options.seed)
    take = found.features.__getitem__
    schedule = head_schedule(len(examples.train), options.epochs, options.seed)
    fit(joined(head, head.input, head.input), take, examples, loss, schedule, "attributes")
    if not options.fine_tune:
        return Learned(head, head.input, head.input, take)
    network = own_network(classifier, general, head)
    photos = open_photos(root, listings.images, network.image_size, options.cache, options.threads)
    train_network(network, general, photos.take, examples, loss, options.fine_tune, options.seed)
    return Learned(head, network.trunk.input, network.trunk.output, photos.take)


def _export(model: Any, folder: Path) -> None:
    model.save(folder / "attributes.keras")
    (folder / MODEL).write_bytes(to_litert(model))


def _listings(source: Dataset, general: Classifier, under: int | None, options: Options) -> Listings:
    ontology = general.ontology
    if under is not None and not ontology.is_under(general.class_positions, under).any():
        raise DataError(f"--under: the classifier has no class under {options.under!r}; nothing would ever trigger it")
    listings = source.read_listings(ontology)
    rows = listings_under(ontology, listings, under, options.names)
    if not len(rows):
        known = sorted({name for attributes in listings.attributes for name in attributes})
        raise DataError(
            f"{source.root}: no listing under {options.under or 'any category'!r} has both a photo and one of the "
            f"attributes {', '.join(options.names)}; known: {listed(known) or 'none'}"
        )
    return listings.take(rows)


def _prior(attribute: Attribute, examples: Examples) -> NDArray[np.float64]:
    """Share of each value among the training photos that have one, `[values]`."""
    labels = attribute.labels[examples.train]
    counts = np.bincount(labels[labels >= 0], minlength=len(attribute.classes))
    return np.asarray(counts / counts.sum())


def _temperatures(model: Any, take: Take, examples: Examples) -> list[float]:
    """One an attribute, from the validation photos that have a value; 1 where there are none. model: inputs to
    logits."""
    if not len(examples.validation):
        return [1.0] * len(examples.attributes)
    logits = predict(model, take, examples.validation)
    temperatures = []
    for (_, own), attribute in zip(sorted(logits.items()), examples.attributes, strict=True):
        labels = attribute.labels[examples.validation]
        temperatures.append(fit_temperature(own[labels >= 0], labels[labels >= 0]))
    return temperatures


def _description(
    general: Classifier, under: int | None, attributes: Sequence[Attribute], options: Options
) -> dict[str, Any]:
    """What the manifest tells, but for the figures."""
    ontology = general.ontology
    return {
        "under": None if under is None else ontology.ids[under],
        "threshold": options.threshold,
        "reads": "photos" if options.fine_tune else "features",
        "attributes": [{"name": attribute.name, "values": attribute.classes} for attribute in attributes],
        "classifier_fingerprint": general.fingerprint,
        "ontology_fingerprint": ontology.fingerprint,
        "split_seed": general.manifest["split_seed"],
        "seed": options.seed,
    }


def _test_scores(
    model: AttributeModel, take: Take, probabilities: NDArray[np.float32], examples: Examples
) -> dict[str, Any]:
    """triggered: the share of the test photos, all of the category, that set the model off; probabilities: the
    classifier's, `[n, classes]`."""
    test = examples.test
    parts = [test[at : at + _PREDICT_BATCH] for at in range(0, len(test), _PREDICT_BATCH)]
    triggered = [model.triggered(probabilities[rows]) for rows in parts]
    predicted = [model.predict(take(rows)) for rows in parts]
    return {
        "triggered": float(np.concatenate(triggered).mean()) if parts else None,
        "test": {
            attribute.name: scores(
                attribute, examples.train, test, np.concatenate([part[attribute.name] for part in predicted])
            )
            for attribute in examples.attributes
            if parts
        },
    }
