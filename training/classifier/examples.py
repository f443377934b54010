"""What the classifier learns from: which photos, which classes, which part of the split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relevance.classifier import TEST_SHARE, in_test_part
from relevance.errors import DataError
from relevance.splits import group_split
from relevance.text import normalise

VALIDATION_SHARE = 0.10
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """Rows of usable photos in the three parts, and the classes.

    classes: int32 `[c]`, ontology positions, ascending; labels: int32 `[n]`, the class of each photo, -1 where its
    category is no class (such photos are in no part but the test); categories: int32 `[n]`, ontology positions.
    """

    train: Rows
    validation: Rows
    test: Rows
    classes: NDArray[np.int32]
    labels: NDArray[np.int32]
    categories: NDArray[np.int32]

    @property
    def prior(self) -> NDArray[np.float64]:
        """Share of each class among the training photos, `[c]`."""
        return np.bincount(self.labels[self.train], minlength=len(self.classes)) / len(self.train)


def make_examples(
    titles: Sequence[str],
    categories: NDArray[np.int32],
    usable: NDArray[np.bool_],
    min_photos: int,
    seed: int,
    test_share: float = TEST_SHARE,
    validation: NDArray[np.bool_] | None = None,
) -> Examples:
    """Splits n photos by title (`test_share` test, then 10 % validation) and makes a class of every category, leaf or
    inner, with at least `min_photos` training photos. validation: bool `[n]`, where it is not left to the titles.
    Raises DataError with fewer than two classes."""
    test = in_test_part(titles, seed, test_share) & usable
    if validation is None:
        # Another seed, or the validation titles would be those with the lowest hash, which are test already.
        validation = group_split([normalise(title) for title in titles], VALIDATION_SHARE, seed + 1)
    learn = usable & ~test
    names, counts = np.unique(categories[learn & ~validation], return_counts=True)
    classes = names[counts >= min_photos].astype(np.int32)
    if len(classes) < 2:
        raise DataError(
            f"expected at least two categories with {min_photos} or more training photos, found {len(classes)} among "
            f"{int(usable.sum())} usable photos; add photos or lower --min-photos"
        )
    column = np.searchsorted(classes, categories).clip(max=len(classes) - 1)
    labels = np.where(classes[column] == categories, column, -1).astype(np.int32)
    known = learn & (labels >= 0)
    return Examples(
        train=np.flatnonzero(known & ~validation),
        validation=np.flatnonzero(known & validation),
        test=np.flatnonzero(test),
        classes=classes,
        labels=labels,
        categories=categories,
    )
