"""A trained photo classifier, as index building, evaluation and serving use it."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import read_manifest
from relevance.decisions import Answers, TreeDecider
from relevance.errors import ArtifactError, DataWarning
from relevance.grouped_encoder import open_grouped
from relevance.image_encoder import ENCODER, Encoded, ImageEncoder, MergedEncoder
from relevance.ontology import Ontology
from relevance.ontology_change import OntologyChange
from relevance.photos.batches import BadPhoto, map_batches, photo_batches
from relevance.splits import group_split
from relevance.text import normalise

__all__ = ["ENCODER", "Classifier", "Encoded", "EncodedBatch", "ImageEncoder", "encode_photos", "in_test_part"]

KIND, VERSION = "classifier", 2
CATEGORIES = "categories.csv"
TEST_SHARE = 0.15
UNSTATED = 0.5
"""How sure an answer has to be where training had too few photos to keep a stated rate of errors."""


@dataclass(frozen=True, eq=False)
class EncodedBatch:
    """The next `seen` listings. rows: int64 `[b]`, those with a usable photo; encoded: theirs; bad: (row, path, reason)
    of every refused photo."""

    seen: int
    rows: NDArray[np.int64]
    encoded: Encoded
    bad: list[BadPhoto]


def encode_photos(
    encoder: ImageEncoder, root: Path, images: Iterable[Sequence[str]], threads: int
) -> Iterator[EncodedBatch]:
    """Encodes the first usable photo of each listing, given its paths in the dataset folder `root`; rows count from 0.
    `threads` photos are encoded at a time, so the encoder itself should have one thread."""
    batches = photo_batches(root, images, encoder.image_size, threads)
    for batch, encoded, _ in map_batches(batches, encoder, threads):
        yield EncodedBatch(batch.seen, batch.rows, encoded, batch.bad)


@dataclass(frozen=True, eq=False)
class Classifier:
    """A classifier artifact and the ontology it was trained on.

    `class_positions` int32 `[classes]`: the ontology position of each class, ascending. `output_positions` int32
    `[outputs]`: of each probability of the network, which are the classes unless the ontology has changed since; -1
    where nothing is left of a class.
    """

    encoder: ImageEncoder
    ontology: Ontology
    class_positions: NDArray[np.int32]
    output_positions: NDArray[np.int32]
    manifest: dict[str, Any]

    @classmethod
    def open(cls, folder: Path, ontology: Ontology | None = None, threads: int = 1) -> Classifier:
        """`ontology` is a dataset's, which positions are of; None takes the artifact's own. Where it is not the one
        trained on, classes are what became of their categories since (`OntologyChange`), and a DataWarning tells it.

        Raises ArtifactError when a file is missing or altered, or when nothing is left of any class.
        """
        manifest = read_manifest(folder, KIND, VERSION)
        trained = Ontology.read(folder / CATEGORIES)
        own = trained if ontology is None else ontology
        encoder = (
            open_grouped(folder, manifest, threads) if "groups" in manifest else ImageEncoder(folder / ENCODER, threads)
        )
        outputs = np.array([trained.position(name) for name in manifest["class_ids"]], np.int32)
        if own.fingerprint == trained.fingerprint:
            return cls(encoder, own, outputs, outputs, manifest)
        change = OntologyChange(trained, own)
        outputs = change.positions[outputs]
        classes = np.unique(outputs[outputs >= 0])
        if not len(classes):
            raise ArtifactError(
                f"{folder}: trained on another ontology, of whose {len(outputs)} classes this dataset's has none; "
                "train one with `python -m training classifier`, or tell in moved.csv where they went"
            )
        warnings.warn(f"{folder}: trained before the ontology changed: {change}", DataWarning, stacklevel=2)
        columns = np.where(outputs >= 0, np.searchsorted(classes, outputs), -1)
        return cls(MergedEncoder(encoder, columns, len(classes)), own, classes, outputs, manifest)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the image encoder; of one in groups, over those of all its models."""
        files = self.manifest["files"]
        encoders = sorted(name for name in files if Path(name).name == ENCODER)
        if encoders == [ENCODER]:
            return str(files[ENCODER])
        return hashlib.sha256("".join(files[name] for name in encoders).encode()).hexdigest()

    @property
    def answer_threshold(self) -> float:
        """How sure an answer has to be for the error rate that was stated at training (see `TreeDecider.hedged`)."""
        return float(self.manifest.get("answers", {"threshold": UNSTATED})["threshold"])

    @cached_property
    def _decider(self) -> TreeDecider:
        return TreeDecider(self.ontology, self.class_positions)

    def answers(self, probabilities: NDArray[np.float32], threshold: float | None = None) -> Answers:
        """The category to act on for each photo, a class or an ancestor of classes that cannot be told apart, or none.

        probabilities: float32 `[n, classes]`; threshold: None takes `answer_threshold`.
        """
        return self._decider.hedged(probabilities, self.answer_threshold if threshold is None else threshold)

    def test_part(self, titles: Sequence[str]) -> NDArray[np.bool_]:
        """Which listings the classifier was neither trained nor tuned on, bool `[n]`; titles: `Listings.split_by`."""
        return in_test_part(titles, int(self.manifest["split_seed"]), float(self.manifest["test_share"]))


def in_test_part(titles: Sequence[str], seed: int, share: float = TEST_SHARE) -> NDArray[np.bool_]:
    """The test part of a catalogue, bool `[n]`: a share of the titles, so that one title's photos are on one side."""
    return group_split([normalise(title) for title in titles], share, seed)
