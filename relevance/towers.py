"""What the towers read and how they run: the same code feeds them in training, in index building and in serving."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import read_manifest
from relevance.models import Model
from relevance.text import Featuriser

QUERY_FEATURES = 48
TEXT_FEATURES = 56
PATH_FEATURES = 64
_BATCH = 256

Arrays = dict[str, NDArray[Any]]


def listing_arrays(
    featuriser: Featuriser,
    titles: Sequence[str],
    attributes: Sequence[dict[str, Any]],
    paths: Sequence[str],
    visual: NDArray[np.float32],
    price: NDArray[np.float64],
) -> Arrays:
    """Returns the inputs of the listing tower for n listings, by name.

    paths: category path texts, "" where neither the seller nor the photo tells the category; visual: float32
    `[n, visual_dim]`, zero rows without a photo; price: `[n]`, NaN when there is none.
    """
    texts = [tower_text(title, values) for title, values in zip(titles, attributes, strict=True)]
    text_ids, text_weights = featuriser.batch(texts, TEXT_FEATURES)
    path_ids, path_weights = path_arrays(featuriser, paths)
    known = np.isfinite(price)
    price_features = np.stack([np.where(known, np.log1p(np.where(known, price, 0.0)) / 10, 0.0), known], axis=1)
    return {
        "category_ids": path_ids,
        "category_weights": path_weights,
        "price": price_features.astype(np.float32),
        "text_ids": text_ids,
        "text_weights": text_weights,
        "visual": visual.astype(np.float32),
    }


def path_arrays(featuriser: Featuriser, paths: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Returns the features of category paths, leaf first, so that a long path loses its root and not its leaf."""
    distinct = list(dict.fromkeys(paths))
    rows = {path: row for row, path in enumerate(distinct)}
    leaf_first = [" ".join(reversed(path.split(" > "))) for path in distinct]
    ids, weights = featuriser.batch(leaf_first, PATH_FEATURES)
    order = [rows[path] for path in paths]
    return ids[order], weights[order]


def tower_text(title: str, attributes: dict[str, Any]) -> str:
    """Returns the text by which the listing tower knows a listing: its title and its attribute values."""
    return " ".join([title, *(str(value) for value in attributes.values() if value not in (None, ""))])


@dataclass(frozen=True)
class TowerLayout:
    """The files of a towers artifact, and of the part of a bundle that comes from it."""

    root: Path

    @property
    def text(self) -> Path:
        return self.root / "text.json"

    @property
    def query(self) -> Path:
        return self.root / "query.tflite"

    @property
    def listing(self) -> Path:
        return self.root / "listing.tflite"

    @property
    def categories(self) -> Path:
        return self.root / "category_embeddings.npy"

    def files(self) -> tuple[Path, ...]:
        return self.text, self.query, self.listing, self.categories


class Towers:
    """Trained towers, run by LiteRT. Think `text -> unit vector`."""

    def __init__(self, root: Path, threads: int = 1) -> None:
        layout = TowerLayout(root)
        self.featuriser = Featuriser.read(layout.text)
        self.category_embeddings: NDArray[np.float32] = np.load(layout.categories)
        self._query = Model(layout.query, threads)
        self._listing = Model(layout.listing, threads)

    @classmethod
    def open(cls, artifact: Path, threads: int = 1) -> "Towers":
        """Opens a towers artifact; raises ArtifactError when it is missing, altered or of another version."""
        read_manifest(artifact, "towers", 1)
        return cls(artifact, threads)

    @property
    def dim(self) -> int:
        return int(self.category_embeddings.shape[1])

    def query(self, text: str) -> NDArray[np.float32]:
        """Returns the unit vector of one query, float32 `[dim]`."""
        return np.asarray(self._query(*self.featuriser.batch([text], QUERY_FEATURES))[0][0], np.float32)

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns the unit vectors of queries, float32 `[len(texts), dim]`."""
        parts = [
            self._query(*self.featuriser.batch(texts[i : i + _BATCH], QUERY_FEATURES))[0]
            for i in range(0, len(texts), _BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.dim), np.float32)

    def listings(self, arrays: Arrays) -> NDArray[np.float32]:
        """Returns the unit vectors of listings, float32 `[n, dim]`, from the inputs that `listing_arrays` makes."""
        inputs = [arrays[name] for name in sorted(arrays)]
        parts = [
            self._listing(*(values[i : i + _BATCH] for values in inputs))[0] for i in range(0, len(inputs[0]), _BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.dim), np.float32)
