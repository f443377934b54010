"""What a classifier is trained on: a dataset's photos and which of them teach what."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.dataset import Dataset, Listings
from relevance.errors import DataError
from relevance.images import Size
from relevance.ontology import Ontology
from relevance.photos.batches import files_fingerprint
from training.classifier.backbones import find, resolve_weights
from training.classifier.clicks import find_co_clicks, read_events
from training.classifier.co_clicks import CoClicks
from training.classifier.examples import Examples, make_examples
from training.classifier.options import Options
from training.classifier.photos import Photos, open_photos, photo_shape
from training.classifier.precision import choose_precision
from training.fingerprint import fingerprint


@dataclass(frozen=True)
class Material:
    """listings: those with a photo and a category; photos and examples have one row for each. size: of the photos.
    files: changes with the photos' files. clicks: which of them were chosen together, where training is to learn from
    that."""

    ontology: Ontology
    listings: Listings
    photos: Photos
    size: Size
    examples: Examples
    files: str
    clicks: CoClicks | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the photos and their size, the categories, the listings, and what each photo teaches."""
        listings, examples = self.listings, self.examples
        texts = [listings.ids, listings.titles, listings.category_ids, listings.images]
        parts = (examples.train, examples.validation, examples.test, examples.classes, examples.labels)
        return fingerprint([self.size, self.files, self.ontology.fingerprint, *texts], [self.photos.usable, *parts])

    @property
    def class_ids(self) -> list[str]:
        """Category ids of the classes."""
        return [self.ontology.ids[i] for i in self.examples.classes]

    def counts(self) -> dict[str, Any]:
        """How many classes and photos there are, for the metrics."""
        examples = self.examples
        return {
            "classes": len(examples.classes),
            "train_photos": len(examples.train),
            "validation_photos": len(examples.validation),
            "test_photos": len(examples.test),
            "test_photos_of_no_class": int((examples.labels[examples.test] < 0).sum()),
            "bad_photos": len(self.photos.bad),
        }


def read_material(dataset: Path, options: Options, worker: tuple[int, int] = (0, 1)) -> Material:
    """Reads a dataset and decodes its photos. worker: see :func:`open_photos`.

    Raises DataError for a dataset without enough photos and for options that will not do, before the photos are read.
    """
    choose_precision(options.precision)
    if options.views not in (1, 2, 4):
        raise DataError(f"--views: expected 1, 2 or 4, found {options.views}")
    pretrained = resolve_weights(options.backbone, options.weights)
    if options.epochs == 0 and not pretrained:
        raise DataError("--epochs 0: expected pretrained --weights, whose new head alone is trained, found none")
    source = Dataset.open(dataset)
    ontology = source.read_ontology()
    every = source.read_listings(ontology)
    behaviour = read_events(source.root, every.ids) if options.clicks else None
    listings = _with_photo_and_category(every)
    validation = _validation(listings, options)
    size = options.image_size or photo_shape(source.root, listings.images, find(options.backbone).image_size)
    photos = open_photos(source.root, listings.images, size, options.cache, options.threads, worker)
    _refuse_none_usable(source.root, photos)
    categories = np.array([ontology.position(name) for name in listings.category_ids if name], np.int32)
    split_by = dict(zip(every.ids, every.split_by, strict=True))
    examples = make_examples(
        [split_by[listing] for listing in listings.ids],
        categories,
        photos.usable,
        options.min_photos,
        options.seed,
        options.test_share,
        validation,
    )
    clicks = None if behaviour is None else find_co_clicks(behaviour, source.root, listings, examples)
    files = files_fingerprint(source.root, listings.images)
    return Material(ontology, listings, photos, size, examples, files, clicks)


def _validation(listings: Listings, options: Options) -> NDArray[np.bool_] | None:
    """Which listings to validate on, bool `[n]`; None for a share of the titles."""
    if options.calibration is not None:
        if options.validation is not None:
            raise DataError("--calibration: all photos are learned from; leave --validation out")
        return np.zeros(len(listings), np.bool_)
    if options.validation is None:
        return None
    name, _, value = options.validation.partition("=")
    found = np.array([str(attributes.get(name)) == value for attributes in listings.attributes], np.bool_)
    if not found.any() or found.all():
        raise DataError(
            f"--validation {options.validation}: expected NAME=VALUE of an attribute that some listings have and some "
            f"do not, found it in {int(found.sum())} of {len(found)} listings with a photo and a category"
        )
    return found


def _refuse_none_usable(root: Path, photos: Photos) -> None:
    if not photos.usable.any():
        reasons = Counter(reason for _, _, reason in photos.bad)
        found = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
        raise DataError(f"{root}: expected photos that can be used, found none: {found}, such as {photos.bad[0][1]}")


def _with_photo_and_category(listings: Listings) -> Listings:
    rows = [i for i in range(len(listings)) if listings.images[i] and listings.category_ids[i]]
    if not rows:
        raise DataError("the dataset has no listing with both a photo and a category; a classifier needs them")
    return listings.take(rows)
