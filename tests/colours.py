"""A catalogue of plain-coloured photos, and a classifier artifact that tells their colours exactly.

`data/colour_encoder.tflite` takes photos uint8 [b, 8, 8, 3]; with mean colour m (float32 [3]) its probabilities are
softmax(m / 32), its embedding is m / |m| and its features are m. Converted from a tf.function of those three lines.
`data/colour_attributes.tflite` takes features m; its first attribute (tone: light, dark) is softmax([mean(m) / 32, 4]),
its second (paint: ruby, lime, navy) softmax(m / 16).
"""

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from relevance.artifacts import write_manifest
from relevance.dataset import Dataset

ENCODER = Path(__file__).parent / "data" / "colour_encoder.tflite"
ATTRIBUTES = Path(__file__).parent / "data" / "colour_attributes.tflite"
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
CATEGORIES = {"red": "warm > red", "green": "cold > green", "blue": "cold > blue"}


def write_photo(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (24, 16)) -> None:
    """One colour with a little noise, so that files differ."""
    noise = np.random.default_rng(sum(path.name.encode())).integers(-8, 9, (size[1], size[0], 3))
    pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=90)


def write_dataset(root: Path, rows: Sequence[tuple[str, str, str, str]]) -> Dataset:
    """rows: listing_id, title, category_id, image; the photos have to be written apart."""
    root.mkdir(parents=True, exist_ok=True)
    _write_csv(root / "categories.csv", [("category_id", "path"), *CATEGORIES.items()])
    _write_csv(root / "listings.csv", [("listing_id", "title", "category_id", "image"), *rows])
    return Dataset.open(root)


def write_classifier(folder: Path, dataset: Dataset, split_seed: int = 0, **fields: object) -> Path:
    """A classifier artifact whose classes are the three colours, red first (the encoder's order)."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ENCODER, folder / "image_encoder.tflite")
    ontology = dataset.read_ontology()
    ontology.write(folder / "categories.csv")
    described = {
        "ontology_fingerprint": ontology.fingerprint,
        "image_size": [8, 8],
        "embedding_dim": 3,
        "class_ids": list(COLOURS),
        "split_seed": split_seed,
        "test_share": 0.15,
        **fields,
    }
    write_manifest(folder, "classifier", 2, **described)
    return folder


def write_attributes(folder: Path, classifier: Path, under: str | None = None, **fields: object) -> Path:
    """An attributes artifact over the fake model, made for the classifier in that folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ATTRIBUTES, folder / "attributes.tflite")
    general = json.loads((classifier / "manifest.json").read_text(encoding="utf-8"))
    described = {
        "under": under,
        "threshold": 0.5,
        "reads": "features",
        "attributes": [
            {"name": "tone", "values": ["light", "dark"]},
            {"name": "paint", "values": ["ruby", "lime", "navy"]},
        ],
        "classifier_fingerprint": general["files"]["image_encoder.tflite"],
        "ontology_fingerprint": general["ontology_fingerprint"],
        **fields,
    }
    write_manifest(folder, "attributes", 1, **described)
    return folder


def _write_csv(path: Path, rows: Sequence[Sequence[str]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
