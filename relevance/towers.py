"""What the towers read and how they run: the same code feeds them in training, in index building and in serving."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import read_manifest
from relevance.featuriser import Featuriser, Widths
from relevance.models import Model

KIND, VERSION = "towers", 2

QUERY_WIDTHS = Widths(pieces=16, features=80)
TEXT_WIDTHS = Widths(pieces=24, features=48, spelt=True)
PATH_WIDTHS = Widths(pieces=16, features=48, spelt=True)
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
    text_ids, text_weights = featuriser.batch(texts, TEXT_WIDTHS)
    path_ids, path_weights = path_arrays(featuriser, paths)
    return {
        "category_ids": path_ids,
        "category_weights": path_weights,
        "price": price_array(price),
        "text_ids": text_ids,
        "text_weights": text_weights,
        "visual": visual.astype(np.float32),
    }


def price_array(price: NDArray[np.float64]) -> NDArray[np.float32]:
    """Returns what the listing tower reads of prices `[n]` (NaN when there is none), float32 `[n, 2]`."""
    known = np.isfinite(price)
    return np.stack([np.where(known, np.log1p(np.where(known, price, 0.0)) / 10, 0.0), known], axis=1).astype(
        np.float32
    )


def path_arrays(featuriser: Featuriser, paths: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Returns the features of category paths, each computed once."""
    distinct = list(dict.fromkeys(paths))
    rows = {path: row for row, path in enumerate(distinct)}
    ids, weights = featuriser.batch([leaf_first(path) for path in distinct], PATH_WIDTHS)
    order = [rows[path] for path in paths]
    return ids[order], weights[order]


def leaf_first(path: str) -> str:
    """Returns the text by which the towers know a category: a long path loses its root and not its leaf."""
    return " ".join(reversed(path.split(" > ")))


def listing_words(title: str, attributes: dict[str, Any], path: str) -> str:
    """Returns all by which a listing can be asked for word by word: title, attribute values, category path."""
    return f"{tower_text(title, attributes)} {path}"


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

    @property
    def category(self) -> Path:
        """The category tower, for another ontology than the one trained on; not part of a bundle."""
        return self.root / "category.tflite"

    @property
    def ontology(self) -> Path:
        """The categories trained on; a bundle has its own."""
        return self.root / "categories.csv"

    @property
    def absent(self) -> Path:
        """Words to calibrate with: a bundle keeps them for its next calibration."""
        return self.root / "absent_words.json"

    def files(self) -> tuple[Path, ...]:
        return self.text, self.query, self.listing, self.categories


class Towers:
    """Trained towers, run by LiteRT. Think `text -> unit vector`."""

    def __init__(self, root: Path, threads: int = 1) -> None:
        layout = TowerLayout(root)
        self.featuriser = Featuriser.read(layout.text)
        places: NDArray[np.float32] = np.load(layout.categories)
        # The last place is that of queries which nothing answers.
        self.category_embeddings, self.nothing = places[:-1], places[-1]
        self._query = Model(layout.query, threads)
        self._listing = Model(layout.listing, threads)

    @classmethod
    def open(cls, artifact: Path, threads: int = 1) -> "Towers":
        """Opens a towers artifact; raises ArtifactError when it is missing, altered or of another version."""
        read_manifest(artifact, KIND, VERSION)
        return cls(artifact, threads)

    @property
    def dim(self) -> int:
        return int(self.category_embeddings.shape[1])

    @property
    def visual_dim(self) -> int:
        """Dimensions of the photo embeddings that the listing tower reads."""
        return next(spec.shape[-1] for spec in self._listing.inputs if spec.name == "visual")

    def query(self, text: str) -> NDArray[np.float32]:
        """Returns the unit vector of one query, float32 `[dim]`."""
        return np.asarray(self._query(*self.featuriser.batch([text], QUERY_WIDTHS))[0][0], np.float32)

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns the unit vectors of queries, float32 `[len(texts), dim]`."""
        parts = [
            self._query(*self.featuriser.batch(texts[i : i + _BATCH], QUERY_WIDTHS))[0]
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
