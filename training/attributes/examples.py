"""What an attribute model learns from: which listings, which values, which part of the classifier's split."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.classifier import Classifier
from relevance.columns import value_text
from relevance.dataset import Listings
from relevance.errors import DataError
from relevance.ontology import SEPARATOR, Ontology
from relevance.splits import group_split
from relevance.text import normalise
from training.classifier.examples import VALIDATION_SHARE

Rows = NDArray[np.int64]
ABSENT, RARE = -1, -2


@dataclass(frozen=True)
class Attribute:
    """One attribute of n listings. classes: the values that are told apart, ascending; labels: int32 `[n]`, the number
    of the value in `classes`, ABSENT where the listing does not give it, RARE where its value is no class; texts: the
    given values, "" where absent."""

    name: str
    classes: tuple[str, ...]
    labels: NDArray[np.int32]
    texts: NDArray[np.str_]


@dataclass(frozen=True)
class Examples:
    """Rows of the listings in the three parts, and their attributes."""

    train: Rows
    validation: Rows
    test: Rows
    attributes: list[Attribute]

    @property
    def labels(self) -> NDArray[np.int32]:
        """Int32 `[n, attributes]`; negative where there is nothing to learn."""
        return np.stack([attribute.labels for attribute in self.attributes], axis=1)


def category_named(ontology: Ontology, text: str) -> int | None:
    """Position of the category with that id, or that path (names joined by ` > `); None for "". Raises DataError."""
    if not text:
        return None
    found = ontology.get(text)
    if found is not None:
        return found
    names = tuple(name.strip() for name in text.split(SEPARATOR.strip()))
    if names in ontology.paths:
        return ontology.paths.index(names)
    raise DataError(f"--under: expected the id or the path of a category, found {text!r}{ontology.close_matches(text)}")


def listings_under(ontology: Ontology, listings: Listings, under: int | None, names: Sequence[str]) -> Rows:
    """Rows with a photo and at least one of the attributes, and, with `under`, a category in that subtree."""
    inside = np.ones(len(listings), np.bool_)
    if under is not None:
        given = [-1 if category is None else ontology.position(category) for category in listings.category_ids]
        inside = ontology.is_under(np.array(given), under)
    return np.array(
        [
            row
            for row in np.flatnonzero(inside).tolist()
            if listings.images[row] and any(_single(listings.attributes[row].get(name)) for name in names)
        ],
        np.int64,
    )


def make_examples(
    listings: Listings,
    usable: NDArray[np.bool_],
    classifier: Classifier,
    names: Sequence[str],
    min_photos: int,
) -> Examples:
    """Splits the listings with a usable photo as the classifier did, so that no test photo was ever trained on, and
    makes the classes of each attribute. Raises DataError where an attribute has fewer than two."""
    test = classifier.test_part(listings.split_by)
    seed = int(classifier.manifest["split_seed"])
    validation = group_split([normalise(title) for title in listings.split_by], VALIDATION_SHARE, seed + 1)
    train = np.flatnonzero(usable & ~test & ~validation)
    return Examples(
        train=train,
        validation=np.flatnonzero(usable & ~test & validation),
        test=np.flatnonzero(usable & test),
        attributes=[make_attribute(name, listings, train, min_photos) for name in names],
    )


def make_attribute(name: str, listings: Listings, train: Rows, min_photos: int) -> Attribute:
    """Makes a class of every value with at least `min_photos` training photos. A listing with several values at once
    counts as one that does not give it. Raises DataError with fewer than two classes."""
    texts = np.array([_single(attributes.get(name)) for attributes in listings.attributes])
    values, counts = np.unique([text for text in texts[train] if text], return_counts=True)
    classes = tuple(values[counts >= min_photos].tolist())
    if len(classes) < 2:
        raise DataError(
            f"--attributes {name}: expected at least two values with {min_photos} or more training photos, found "
            f"{len(classes)}{_known(listings, name)}; leave it out or lower --min-photos"
        )
    numbers = {text: number for number, text in enumerate(classes)} | {"": ABSENT}
    return Attribute(name, classes, np.array([numbers.get(text, RARE) for text in texts.tolist()], np.int32), texts)


def _single(value: Any) -> str:
    """The value as text, "" for none or several."""
    text = (value_text(value) or "").strip()
    return "" if "\n" in text else text


def _known(listings: Listings, name: str) -> str:
    names = {key for given in listings.attributes for key in given}
    return "" if name in names else f" (no listing has it; known: {', '.join(sorted(names)[:20]) or 'none'})"
