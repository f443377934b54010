"""A chain's second model: what a photo tells of a listing once the classifier has told its category.

Mental model: ``model.predict(features)["gender"]`` is one row of probabilities a photo, over
``model.values["gender"]``, for the photos for which ``model.triggered(probabilities)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import read_manifest
from relevance.classifier import Classifier
from relevance.errors import ArtifactError
from relevance.models import Model
from relevance.ontology import Ontology

KIND, VERSION = "attributes", 1
MODEL = "attributes.tflite"


def output_name(i: int) -> str:
    """The name of attribute i's output in the model; names sort as their numbers do."""
    return f"attribute_{i:03d}"


@dataclass(frozen=True, eq=False)
class AttributeModel:
    """An attributes artifact, opened beside the classifier it was trained on.

    `under`: ontology position of the category that triggers it, None for every photo. `threshold`: the probability of
    that category from which it does. `values`: the values of each attribute, in the order of its probabilities.
    `reads_photos`: whether the model has a network of its own, or reads the classifier's features.
    """

    name: str
    under: int | None
    threshold: float
    values: dict[str, tuple[str, ...]]
    reads_photos: bool
    manifest: dict[str, Any]
    _member: NDArray[np.float32]
    _model: Model

    @classmethod
    def open(cls, folder: Path, classifier: Classifier, threads: int = 1) -> AttributeModel:
        """Raises ArtifactError when a file is missing or altered, or it was made for another classifier or ontology."""
        manifest = read_manifest(folder, KIND, VERSION)
        _refuse_other(folder, manifest, classifier)
        model = Model(folder / MODEL, threads)
        values = {entry["name"]: tuple(entry["values"]) for entry in manifest["attributes"]}
        reads_photos = manifest["reads"] == "photos"
        _refuse_misfit(folder, model, values, reads_photos, classifier)
        ontology, under = classifier.ontology, manifest["under"]
        position = None if under is None else _triggering(folder, ontology, under)
        member = np.ones(len(classifier.class_positions), np.float32)
        if position is not None:
            member = ontology.is_under(classifier.class_positions, position).astype(np.float32)
        return cls(str(folder), position, manifest["threshold"], values, reads_photos, manifest, member, model)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the model."""
        return str(self.manifest["files"][MODEL])

    def category_probability(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sums the classifier's probabilities, `[n, classes]`, over the classes under the category, float32 `[n]`."""
        return np.asarray(probabilities @ self._member)

    def triggered(self, probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
        """For which photos the chain goes on, bool `[n]`, given the classifier's probabilities `[n, classes]`."""
        if self.under is None:
            return np.ones(len(probabilities), np.bool_)
        return np.asarray(self.category_probability(probabilities) >= self.threshold)

    def predict(self, inputs: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Probabilities of each attribute's values, float32 `[n, values]`.

        inputs: what the classifier's encoder made of the photos, float32 `[n, features]`; where the model
        `reads_photos`, the photos themselves, uint8 `[n, height, width, 3]`.
        """
        if not len(inputs):
            return {name: np.empty((0, len(values)), np.float32) for name, values in self.values.items()}
        return dict(zip(self.values, self._model(np.ascontiguousarray(inputs)), strict=True))


def _triggering(folder: Path, ontology: Ontology, under: str) -> int:
    position = ontology.get(under)
    if position is None:
        raise ArtifactError(
            f"{folder}: is triggered by the category {under!r}, which this ontology does not have"
            f"{ontology.close_matches(under)}; leave it out, or tell in moved.csv where that went"
        )
    return position


def _refuse_other(folder: Path, manifest: dict[str, Any], classifier: Classifier) -> None:
    trained = (classifier.manifest["ontology_fingerprint"], classifier.ontology.fingerprint)
    for what, expected in (("classifier", (classifier.fingerprint,)), ("ontology", trained)):
        found = manifest[f"{what}_fingerprint"]
        if found not in expected:
            raise ArtifactError(
                f"{folder}: trained for another {what} ({found[:12]}) than the one beside it ({expected[0][:12]}); "
                "train it again with `python -m training attributes`"
            )


def _refuse_misfit(
    folder: Path, model: Model, values: dict[str, tuple[str, ...]], reads_photos: bool, classifier: Classifier
) -> None:
    """The model's tensors have to be those that the manifest tells of."""
    encoder = classifier.encoder
    shape = (*encoder.image_size, 3) if reads_photos else (encoder.feature_dim,)
    expected = [(output_name(i), len(names)) for i, names in enumerate(values.values())]
    found = [(spec.name, spec.shape[-1]) for spec in model.outputs]
    if [spec.shape[1:] for spec in model.inputs] != [shape] or found != expected:
        raise ArtifactError(
            f"{folder / MODEL}: expected one input {[-1, *shape]} and the outputs {expected}, "
            f"found {[list(spec.shape) for spec in model.inputs]} and {found}"
        )
