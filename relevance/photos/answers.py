"""What is answered about a photo: categories, attributes and embedding, under their names instead of as arrays.

Mental model: ``PhotoReader.open("model")(photos)[0].answer.path`` is "Furniture > Chairs".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.decisions import ROOT
from relevance.images import Size
from relevance.ontology import Ontology
from relevance.photos.model import PhotoModel, PhotoPredictions
from relevance.results import CategoryScore

MOST_CATEGORIES = 20
"""Categories of an answer, at most."""

_DIGITS = 6


@dataclass(frozen=True)
class AttributeScore:
    """The most probable value of an attribute, and its probability given that the photo shows the chain's category."""

    value: str
    probability: float


@dataclass(frozen=True)
class PhotoAnswer:
    """What one photo shows.

    categories: the most probable classes, best first. answer: the category to act on, a class or an ancestor of
    classes that cannot be told apart; None where nothing is sure enough. attributes: by name, of the chains that were
    triggered. embedding: unit length, for comparing photos; None where it was not asked for.
    """

    categories: tuple[CategoryScore, ...]
    answer: CategoryScore | None
    attributes: dict[str, AttributeScore]
    embedding: list[float] | None


@dataclass(frozen=True, eq=False)
class PhotoReader:
    """A photo model that answers in names. threshold: how sure an answer has to be, None for what was chosen at
    training (see `Classifier.answers`)."""

    model: PhotoModel
    threshold: float | None

    @classmethod
    def open(
        cls, folder: Path, attributes: Sequence[Path] = (), threshold: float | None = None, threads: int = 1
    ) -> PhotoReader:
        """`folder` is a classifier, or holds one in `classifier/` and any number of attribute models in `attributes*/`.

        `attributes` are more attribute models. Raises ArtifactError for what cannot be read or is not of one training.
        """
        found = sorted(folder.glob("attributes*/")) if (folder / "classifier").is_dir() else []
        classifier = folder / "classifier" if (folder / "classifier").is_dir() else folder
        model = PhotoModel.open(classifier, attributes=[*found, *attributes], threads=threads)
        return cls(model, threshold)

    @property
    def image_size(self) -> Size:
        """Height and width of the photos it takes (see `relevance.images.load_photo`)."""
        return self.model.image_size

    def __call__(self, photos: NDArray[np.uint8]) -> list[PhotoAnswer]:
        """photos: uint8 `[n, height, width, 3]`, n ≥ 1; answers with `MOST_CATEGORIES` categories."""
        predictions = self.model(photos)
        answers = self.model.classifier.answers(predictions.probabilities, self.threshold)
        chosen = zip(answers.nodes.tolist(), answers.probabilities.tolist(), strict=True)
        decided = [None if node == ROOT else _score(self.model.ontology, node, p) for node, p in chosen]
        return [self._answer(predictions, row, answer) for row, answer in enumerate(decided)]

    def _answer(self, predictions: PhotoPredictions, row: int, answer: CategoryScore | None) -> PhotoAnswer:
        probabilities = predictions.probabilities[row]
        best = np.argsort(-probabilities, kind="stable")[:MOST_CATEGORIES]
        nodes = self.model.classifier.class_positions[best].tolist()
        categories = (
            _score(self.model.ontology, n, p) for n, p in zip(nodes, probabilities[best].tolist(), strict=True)
        )
        attributes = {
            name: AttributeScore(found.value, round(found.probability, _DIGITS))
            for name, found in predictions.attributes[row].items()
        }
        embedding = predictions.embeddings[row].astype(np.float64).round(_DIGITS).tolist()
        return PhotoAnswer(tuple(categories), answer, attributes, embedding)


def to_json(answer: PhotoAnswer, k: int, embedding: bool) -> dict[str, Any]:
    """The answer with its k best categories, and with or without the embedding."""
    return {
        "categories": [vars(category) for category in answer.categories[:k]],
        "answer": None if answer.answer is None else vars(answer.answer),
        "attributes": {name: vars(found) for name, found in answer.attributes.items()},
        **({"embedding": answer.embedding} if embedding else {}),
    }


def _score(ontology: Ontology, node: int, probability: float) -> CategoryScore:
    return CategoryScore(ontology.ids[node], ontology.path_text(node), round(probability, _DIGITS))
