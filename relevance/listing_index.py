"""The listing index: what the photos tell of every listing of a dataset, row by row."""

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import read_manifest
from relevance.dataset import Listings
from relevance.errors import ArtifactError, DataWarning
from relevance.ontology import Ontology
from relevance.ontology_change import OntologyChange
from relevance.parquet import import_pyarrow
from relevance.photos.model import AttributeValue
from relevance.placement import TRUSTED

KIND, VERSION = "listing-index", 2
PREDICTIONS, EMBEDDINGS, CATEGORIES = "predictions.parquet", "embeddings.npy", "categories.csv"


@dataclass(frozen=True)
class ListingIndex:
    """Rows in dataset order. predicted: category ids, None without a usable photo; probability: float32 `[n]`;
    embeddings: float32 `[n, visual_dim]`, unit vectors, zero rows without a usable photo; attributes: what the chains
    that its photo triggered say of each listing; class_ids: the category of each probability of the image encoder,
    None where it is gone; classifier: the fingerprint of the one whose embeddings these are, "" without photos."""

    predicted: list[str | None]
    probability: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    attributes: list[dict[str, AttributeValue]]
    class_ids: list[str | None]
    classifier: str = ""

    @classmethod
    def read(cls, path: Path | None, ontology: Ontology, listings: Listings) -> "ListingIndex":
        """Reads the artifact at `path`; None gives the index of a catalogue without photos.

        Where the ontology has changed since, its categories are what became of them (`OntologyChange`), and a
        DataWarning tells it. Raises ArtifactError when it is missing or altered, or made for other listings.
        """
        n = len(listings)
        if path is None:
            return cls([None] * n, np.zeros(n, np.float32), np.zeros((n, 1), np.float32), [{} for _ in range(n)], [])
        manifest = read_manifest(path, KIND, VERSION)
        pyarrow = import_pyarrow()
        table = pyarrow.parquet.read_table(path / PREDICTIONS).to_pydict()
        if table["listing_id"] != listings.ids:
            raise ArtifactError(f"{path}: made for other listings; run `python -m index listings` again")
        now = _ids_now(path, manifest, ontology)
        return cls(
            [now(predicted) for predicted in table["predicted_category_id"]],
            np.array(table["predicted_probability"], np.float32),
            np.load(path / EMBEDDINGS).astype(np.float32),
            [
                _attributes(values, shares)
                for values, shares in zip(table["predicted_attributes"], table["attribute_probabilities"], strict=True)
            ],
            [now(class_id) for class_id in manifest.get("class_ids", [])],
            manifest.get("classifier_fingerprint", ""),
        )

    def categories(self, ontology: Ontology, given: list[str | None]) -> tuple[NDArray[np.int32], list[str]]:
        """Returns each listing's category, int32 position in the ontology or -1, and who told it: "seller", "photo"
        (where the seller did not and the photo tells it with probability ≥ TRUSTED) or "none"."""
        positions = np.full(len(given), -1, np.int32)
        sources = ["none"] * len(given)
        for row, (own, predicted) in enumerate(zip(given, self.predicted, strict=True)):
            if own is not None:
                positions[row], sources[row] = ontology.position(own), "seller"
            elif predicted is not None and self.probability[row] >= TRUSTED:
                positions[row], sources[row] = ontology.position(predicted), "photo"
        return positions, sources


def _ids_now(path: Path, manifest: Mapping[str, Any], ontology: Ontology) -> Callable[[str | None], str | None]:
    """What a category of the index is called in `ontology`."""
    if manifest["ontology_fingerprint"] == ontology.fingerprint:
        return lambda category_id: category_id
    if not (path / CATEGORIES).is_file():
        raise ArtifactError(f"{path}: made for another ontology; run `python -m index listings` again")
    change = OntologyChange(Ontology.read(path / CATEGORIES), ontology)
    warnings.warn(f"{path}: made before the ontology changed: {change}", DataWarning, stacklevel=3)
    return change.id


def _attributes(values: str, shares: str) -> dict[str, AttributeValue]:
    """From two JSON objects: values, and their probabilities."""
    probabilities = json.loads(shares)
    return {name: AttributeValue(value, probabilities[name]) for name, value in json.loads(values).items()}
