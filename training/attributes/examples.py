"""What an attribute model learns from: which listings, which values, which part of the classifier's split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relevance.classifier import test_part
from relevance.columns import value_text
from relevance.dataset import Listings
from relevance.errors import DataError
from relevance.ontology import SEPARATOR, Ontology
from relevance.splits import group_split
from relevance.text import normalise
from training.classifier.examples import VALIDATION_SHARE

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Attribute:
    """One attribute of n listings. classes: the values that are told apart, ascending; labels: int32 `[n]`, the number
    of the value in `classes`, ABSENT where the listing does not give it, RARE where its value is no class; texts: the
    given values, "" where absent."""

    name: str
    classes: tuple[str, ...]
    labels: NDArray[np.int32]
    texts: tuple[str, ...]


ABSENT, RARE = -1, -2


@dataclass(frozen=True)
class Parts:
    """Rows of the listings in the three parts."""

    train: Rows
    validation: Rows
    test: Rows


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
    rows = []
    for row, (category, images, given) in enumerate(
        zip(listings.category_ids, listings.images, listings.attributes, strict=True)
    ):
        inside = under is None or (category is not None and ontology.is_under(ontology.position(category), under))
        if inside and images and any(value_text(given.get(name)) for name in names):
            rows.append(row)
    return np.array(rows, np.int64)


def split(titles: Sequence[str], usable: NDArray[np.bool_], seed: int) -> Parts:
    """The classifier's own split (`seed`: its split seed), so that no test photo was ever trained on."""
    test = test_part(titles, seed)
    validation = group_split([normalise(title) for title in titles], VALIDATION_SHARE, seed + 1)
    return Parts(
        train=np.flatnonzero(usable & ~test & ~validation),
        validation=np.flatnonzero(usable & ~test & validation),
        test=np.flatnonzero(usable & test),
    )


def make_attribute(name: str, listings: Listings, train: Rows, min_photos: int) -> Attribute:
    """Makes a class of every value with at least `min_photos` training photos. A listing with several values at once is
    one that does not give it. Raises DataError with fewer than two classes."""
    texts = [value_text(given.get(name)) or "" for given in listings.attributes]
    texts = ["" if "\n" in text else text.strip() for text in texts]
    values, counts = np.unique([texts[row] for row in train if texts[row]], return_counts=True)
    classes = tuple(values[counts >= min_photos].tolist())
    if len(classes) < 2:
        raise DataError(
            f"attribute {name!r}: expected at least two values with {min_photos} or more training photos, found "
            f"{len(classes)}{_known(listings, name)}; leave it out of --attributes or lower --min-photos"
        )
    numbers = {text: number for number, text in enumerate(classes)} | {"": ABSENT}
    return Attribute(name, classes, np.array([numbers.get(text, RARE) for text in texts], np.int32), tuple(texts))


def _known(listings: Listings, name: str) -> str:
    names = {key for given in listings.attributes for key in given}
    return "" if name in names else f" (no listing has it; known: {', '.join(sorted(names)[:20]) or 'none'})"
