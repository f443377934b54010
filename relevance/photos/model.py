"""What a photo tells, general and special, in one pass: the classifier, then the chains that its category triggers.

Mental model: ``PhotoModel.open(folder)(photos).attributes[0]`` is ``{"gender": AttributeValue("Women", 0.97)}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.attributes import AttributeModel
from relevance.classifier import Classifier
from relevance.errors import ArtifactError
from relevance.images import Size
from relevance.ontology import Ontology


class AttributeValue(NamedTuple):
    """The most probable value of an attribute, and its probability given that the photo shows the chain's category."""

    value: str
    probability: float


@dataclass(frozen=True, eq=False)
class PhotoPredictions:
    """For n photos. probabilities: float32 `[n, classes]`; embeddings: float32 `[n, dim]`, unit length; attributes: one
    dict a photo, empty where no chain was triggered."""

    probabilities: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    attributes: list[dict[str, AttributeValue]]


@dataclass(frozen=True, eq=False)
class PhotoModel:
    """A classifier and its attribute models; any number of threads may call one.

    Where several chains are triggered that tell the same attribute, the one of the deepest category is believed.
    """

    classifier: Classifier
    chains: tuple[AttributeModel, ...]

    @classmethod
    def open(
        cls,
        classifier: Path,
        ontology: Ontology | None = None,
        attributes: Sequence[Path] = (),
        threads: int = 1,
    ) -> PhotoModel:
        """Opens a classifier folder and any number of attribute folders; `ontology` None means the classifier's own.

        Raises ArtifactError for what cannot be read, was not trained together, or answers the same question twice.
        """
        general = Classifier.open(classifier, ontology, threads)
        chains = [AttributeModel.open(folder, general, threads) for folder in attributes]
        _refuse_doubles(chains)
        return cls(general, tuple(chains))

    @property
    def image_size(self) -> Size:
        """Height and width of the photos it takes (see `relevance.images.load_photo`)."""
        return self.classifier.encoder.image_size

    @property
    def ontology(self) -> Ontology:
        """The categories that the classes are part of."""
        return self.classifier.ontology

    def __call__(self, photos: NDArray[np.uint8]) -> PhotoPredictions:
        """photos: uint8 `[n, height, width, 3]`."""
        encoded = self.classifier.encoder(photos)
        answers = _Answers(len(photos))
        for chain in self.chains:
            rows = np.flatnonzero(chain.triggered(encoded.probabilities))
            inputs = photos if chain.reads_photos else encoded.features
            answers.add(chain, rows, self._rank(chain, encoded.probabilities[rows]), chain.predict(inputs[rows]))
        return PhotoPredictions(encoded.probabilities, encoded.embeddings, answers.attributes)

    def _rank(self, chain: AttributeModel, probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
        """Float64 `[n]`: a chain overrules those of lower rank, which is the depth of its category and, between
        categories of one depth, the category's probability."""
        if chain.under is None:
            return np.zeros(len(probabilities))
        depth = int(self.ontology.depth[chain.under])
        return depth + chain.category_probability(probabilities).astype(np.float64)


class _Answers:
    """Collects what the chains say of n photos."""

    def __init__(self, n: int) -> None:
        self.attributes: list[dict[str, AttributeValue]] = [{} for _ in range(n)]
        self._rank: list[dict[str, float]] = [{} for _ in range(n)]

    def add(
        self,
        chain: AttributeModel,
        rows: NDArray[np.int64],
        rank: NDArray[np.float64],
        predicted: dict[str, NDArray[np.float32]],
    ) -> None:
        """rows: the photos that triggered the chain, `[m]`; rank: `[m]`; predicted: `[m, values]` an attribute."""
        for name, probabilities in predicted.items():
            values, best, highest = chain.values[name], probabilities.argmax(axis=1), probabilities.max(axis=1)
            for row, own, i, p in zip(rows.tolist(), rank.tolist(), best.tolist(), highest.tolist(), strict=True):
                if own >= self._rank[row].get(name, 0.0):
                    self._rank[row][name] = own
                    self.attributes[row][name] = AttributeValue(values[i], p)


def _refuse_doubles(chains: Sequence[AttributeModel]) -> None:
    for one, other in combinations(chains, 2):
        shared = sorted(one.values.keys() & other.values.keys())
        if one.under == other.under and shared:
            raise ArtifactError(
                f"{other.name}: tells {', '.join(shared)} of the same category as {one.name}; leave one of them out"
            )
