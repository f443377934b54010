"""`python -m index listings`: every listing's photo becomes a predicted category and a visual embedding."""

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from relevance.artifacts import write_manifest, writing
from relevance.classifier import ENCODER, Classifier, ImageEncoder, encode_photos
from relevance.dataset import Dataset, Listings
from relevance.listing_index import KIND, VERSION
from relevance.parquet import import_pyarrow


@dataclass(frozen=True)
class Encodings:
    """One row a listing. best: int64 `[n]`, the most probable class, -1 without a usable photo; probability: float32
    `[n]` of that class; embeddings: float32 `[n, dim]`; bad: (row, path, reason) of every refused photo. Rows without a
    usable photo are zero."""

    best: NDArray[np.int64]
    probability: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    bad: list[tuple[int, Path, str]]


def run(dataset: Path, classifier: Path, out: Path, threads: int = 2) -> dict[str, int]:
    """Encodes a dataset's photos and writes a listing index; returns its counts.

    Raises DataError for a dataset, and ArtifactError for a classifier, that cannot be read or do not fit together.
    """
    source = Dataset.open(dataset)
    ontology = source.read_ontology()
    model = Classifier.open(classifier, ontology, threads)
    listings = source.read_listings(ontology)
    encodings = encode(model.encoder, source.root, listings, threads)
    counts = _counts(listings, encodings)
    with writing(out) as folder:
        shutil.copyfile(classifier / ENCODER, folder / ENCODER)
        np.save(folder / "embeddings.npy", encodings.embeddings)
        class_ids = [ontology.ids[position] for position in model.class_positions]
        _write_predictions(folder / "predictions.parquet", listings, encodings, class_ids, model)
        _write_bad_photos(folder / "bad_photos.csv", source.root, listings, encodings)
        write_manifest(
            folder,
            KIND,
            VERSION,
            ontology_fingerprint=ontology.fingerprint,
            classifier_fingerprint=model.fingerprint,
            embedding_dim=model.encoder.embedding_dim,
            counts=counts,
        )
    return counts


def encode(encoder: ImageEncoder, root: Path, listings: Listings, threads: int) -> Encodings:
    """Runs the encoder over the first usable photo of every listing."""
    n = len(listings)
    best, probability = np.full(n, -1, np.int64), np.zeros(n, np.float32)
    embeddings = np.zeros((n, encoder.embedding_dim), np.float32)
    bad: list[tuple[int, Path, str]] = []
    paths = ([root / image for image in images] for images in listings.images)
    with tqdm(total=n, desc="listings", unit="listing") as progress:
        for batch in encode_photos(encoder, paths, threads):
            best[batch.rows] = batch.encoded.probabilities.argmax(axis=1)
            probability[batch.rows] = batch.encoded.probabilities.max(axis=1)
            embeddings[batch.rows] = batch.encoded.embeddings
            bad += batch.bad
            progress.update(batch.seen)
    return Encodings(best, probability, embeddings, bad)


def _counts(listings: Listings, encodings: Encodings) -> dict[str, int]:
    return {
        "listings": len(listings),
        "with_photo": sum(1 for images in listings.images if images),
        "with_usable_photo": int((encodings.best >= 0).sum()),
        "bad_photos": len(encodings.bad),
        "without_category": sum(1 for category in listings.category_ids if not category),
    }


def _write_predictions(
    path: Path, listings: Listings, encodings: Encodings, class_ids: list[str], model: Classifier
) -> None:
    pyarrow: Any = import_pyarrow()
    text = pyarrow.string()
    predicted = [class_ids[i] if i >= 0 else None for i in encodings.best.tolist()]
    columns = {
        "listing_id": pyarrow.array(listings.ids, text),
        "category_id": pyarrow.array(listings.category_ids, text),
        "predicted_category_id": pyarrow.array(predicted, text),
        "predicted_probability": pyarrow.array(encodings.probability),
        "test": pyarrow.array(model.test_part(listings.titles)),
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def _write_bad_photos(path: Path, root: Path, listings: Listings, encodings: Encodings) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("listing_id", "image", "reason"))
        for row, image, reason in encodings.bad:
            writer.writerow((listings.ids[row], image.relative_to(root).as_posix(), reason))
