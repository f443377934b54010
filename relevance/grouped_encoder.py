"""A classifier in groups: the general model, and behind it one model for the classes under each category of a level.

Mental model: the general model says how probable each group is; within a probable group its own model decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.errors import ArtifactError
from relevance.image_encoder import ENCODER, Encoded, ImageEncoder


@dataclass(frozen=True, eq=False)
class Group:
    """columns: int64 `[c]`, which of all classes are its own, in the order of its encoder's probabilities."""

    columns: NDArray[np.int64]
    encoder: ImageEncoder


class GroupedEncoder(ImageEncoder):
    """p(class) = p(group) · p(class | group), the first from the general model (the sum over the group's classes), the
    second from the group's model.

    A group's model runs on the photos for which p(group) is at least `bound`; elsewhere the general model's
    p(class | group) stays, so that rows sum to 1 whatever the bound. Embeddings and features are the general model's.
    """

    def __init__(self, general: Path, groups: Sequence[Group], bound: float, threads: int = 1) -> None:
        super().__init__(general, threads)
        self._groups, self._bound = groups, bound

    def __call__(self, photos: NDArray[np.uint8]) -> Encoded:
        encoded = super().__call__(photos)
        probabilities = encoded.probabilities.copy()
        for group in self._groups:
            share = encoded.probabilities[:, group.columns].sum(axis=1)
            rows = np.flatnonzero(share >= self._bound)
            within = group.encoder(photos[rows]).probabilities
            probabilities[rows[:, None], group.columns] = share[rows, None] * within
        return encoded._replace(probabilities=probabilities)


def open_grouped(folder: Path, manifest: dict[str, Any], threads: int = 1) -> GroupedEncoder:
    """Opens the models that the manifest's `groups` list; one without `encoder` has a single class and needs none.

    Raises ArtifactError for models that do not fit together.
    """
    column = {class_id: i for i, class_id in enumerate(manifest["class_ids"])}
    groups = [
        Group(np.array([column[name] for name in entry["class_ids"]]), ImageEncoder(folder / entry["encoder"], threads))
        for entry in manifest["groups"]
        if entry["encoder"] is not None
    ]
    encoder = GroupedEncoder(folder / ENCODER, groups, float(manifest["bound"]), threads)
    for group in groups:
        found = (*group.encoder.image_size, group.encoder.classes)
        expected = (*encoder.image_size, len(group.columns))
        if found != expected:
            raise ArtifactError(
                f"{folder}: expected each group's model to take the general model's photos and to tell the group's "
                f"classes (height, width, classes: {expected}), found {found}; make the classifier again"
            )
    return encoder
