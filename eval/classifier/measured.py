"""What the classifier says of the photos it was not trained on, and what they really show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.inputs import positions, title_clusters
from relevance.classification import Floats, Hits, label_ranks, level_probabilities
from relevance.classifier import Classifier, encode_photos
from relevance.dataset import Dataset, Listings
from relevance.decisions import TreeDecider
from relevance.errors import DataError
from relevance.fields import ids, texts
from relevance.ontology import Ontology
from relevance.photos.batches import BadPhoto
from relevance.tables import read_table

Positions = NDArray[np.int32]


class Collapsed(NamedTuple):
    """Photos at a level of the tree. best: int32 `[n]`, the most probable category; confidence: float32 `[n]`, its
    probability; labels: int32 `[n]`."""

    best: Positions
    confidence: Floats
    labels: Positions

    @property
    def hits(self) -> Hits:
        return np.asarray(self.best == self.labels)


@dataclass(frozen=True, eq=False)
class Predictions:
    """For n ≥ 1 photos. classes: int32 `[c]` and labels: int32 `[n]`, ontology positions; probabilities: float32
    `[n, c]`; titles `[n]`, see `title_clusters`: photos of one title are one cluster of every bootstrap."""

    ontology: Ontology
    classes: Positions
    probabilities: Floats
    labels: Positions
    titles: Sequence[str]

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def best(self) -> Positions:
        """The most probable class of each photo, int32 `[n]`, ontology positions."""
        return np.asarray(self.classes[self.probabilities.argmax(axis=1)])

    @cached_property
    def confidence(self) -> Floats:
        """Its probability, float32 `[n]`."""
        return np.asarray(self.probabilities.max(axis=1))

    @property
    def hits(self) -> Hits:
        """Whether it is the label, bool `[n]`."""
        return np.asarray(self.best == self.labels)

    @cached_property
    def ranks(self) -> NDArray[np.int64]:
        """How many classes come before the label, int64 `[n]`."""
        return label_ranks(self.probabilities, self.classes, self.labels)

    @cached_property
    def decider(self) -> TreeDecider:
        return TreeDecider(self.ontology, self.classes)

    @property
    def levels(self) -> range:
        """The levels that labels lie on, and those above."""
        return range(1, int(self.ontology.depth[self.labels].max()) + 1)

    def collapsed(self, level: int) -> Collapsed:
        """The same at a level above, the probabilities of the classes under one category added."""
        nodes, probabilities = level_probabilities(self.ontology, self.probabilities, self.classes, level)
        # Rounding of a sum may leave a little more than 1.
        confidence = np.minimum(probabilities.max(axis=1), np.float32(1))
        return Collapsed(nodes[probabilities.argmax(axis=1)], confidence, self.ontology.ancestor_at(level)[self.labels])

    def take(self, rows: NDArray[np.int64]) -> Predictions:
        """Those of some photos."""
        titles = [self.titles[row] for row in rows.tolist()]
        return Predictions(self.ontology, self.classes, self.probabilities[rows], self.labels[rows], titles)


@dataclass(frozen=True, eq=False)
class TestPhotos:
    """The photos behind n predictions. rows: int64 `[n]`, listings; images `[n]`: the photo that was looked at, in the
    dataset's folder; refused: (listing row, path, reason) of every photo that could not be used; without: how many
    listings of the test part have no photo that can."""

    __test__ = False  # for pytest, which takes the name for its own

    rows: NDArray[np.int64]
    images: list[str]
    refused: list[BadPhoto]
    without: int


def read_labels(source: Dataset, ontology: Ontology, listings: Listings) -> tuple[Positions, str]:
    """Returns each listing's category, int32 `[n]`, -1 where it is not known, and where that comes from: "truth" for a
    simulated dataset, where also wrongly filed listings are known, else "given"."""
    path = source.truth_dir / "listings.parquet"
    if not path.is_file():
        return positions(ontology, listings.category_ids), "given"
    table = read_table(path, ("listing_id", "category_id"))
    truth = dict(zip(ids(table, "listing_id"), texts(table, "category_id"), strict=True))
    return positions(ontology, [truth.get(listing) for listing in listings.ids]), "truth"


def with_photo(listings: Listings, labels: Positions) -> NDArray[np.bool_]:
    """Returns which listings have a photo and a category, bool `[n]`."""
    return np.array([bool(images) for images in listings.images], np.bool_) & (labels >= 0)


def measure(
    classifier: Classifier,
    root: Path,
    listings: Listings,
    labels: Positions,
    threads: int,
    everything: bool = False,
) -> tuple[Predictions, TestPhotos]:
    """Runs the classifier over the photos of its test part, or over all where it was trained on `everything` but these.
    Raises DataError where there is no usable photo."""
    measured = np.ones(len(listings), np.bool_) if everything else classifier.test_part(listings.split_by)
    rows = np.flatnonzero(measured & with_photo(listings, labels))
    batches = list(encode_photos(classifier.encoder, root, (listings.images[row] for row in rows), threads))
    refused, done = [], 0
    for batch in batches:
        refused += [(int(rows[row]), path, reason) for row, path, reason in batch.bad]
        done += batch.seen
    used = rows[np.concatenate([batch.rows for batch in batches])] if batches else rows
    if not len(used):
        raise DataError(_nothing(root, len(rows), refused, everything))
    bad = {(row, path) for row, path, _ in refused}
    images = [next(image for image in listings.images[row] if (row, image) not in bad) for row in used]
    predictions = Predictions(
        classifier.ontology,
        classifier.class_positions,
        np.concatenate([batch.encoded.probabilities for batch in batches]),
        labels[used],
        title_clusters(listings.take(used.tolist())),
    )
    return predictions, TestPhotos(used, images, refused, len(rows) - len(used))


def _nothing(root: Path, listings: int, refused: Sequence[BadPhoto], everything: bool) -> str:
    reasons = Counter(reason for _, _, reason in refused)
    found = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "none"
    return (
        f"{root}: expected a usable photo{'' if everything else ' in the part that the classifier keeps for tests'}, "
        f"found {listings} listings there with a category and a photo, and of their photos unusable: {found}"
        + ("" if everything else "; if it was trained on none of these listings, --all measures on all of them")
    )
