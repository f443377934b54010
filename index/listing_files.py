"""The files of a listing index, written chunk by chunk: memory does not grow with the catalogue."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from index.chunks import Chunk, Chunks
from relevance.dataset import Listings
from relevance.listing_index import EMBEDDINGS, PREDICTIONS
from relevance.parquet import import_pyarrow
from relevance.photos.model import PhotoModel


def write_listing_files(folder: Path, listings: Listings, chunks: Chunks, model: PhotoModel) -> dict[str, int]:
    """Writes predictions.parquet, embeddings.npy (float16 `[n, dim]`: half the bytes, and a cosine is off by less than
    0.001) and bad_photos.csv; returns counts."""
    pyarrow: Any = import_pyarrow()
    shape = (len(listings), model.classifier.encoder.embedding_dim)
    embeddings = np.lib.format.open_memmap(folder / EMBEDDINGS, mode="w+", dtype=np.float16, shape=shape)
    class_ids = [model.ontology.ids[position] for position in model.classifier.class_positions]
    test = model.classifier.test_part(listings.split_by)
    schema = _schema(pyarrow)
    usable = bad = described = 0
    with (
        pyarrow.parquet.ParquetWriter(folder / PREDICTIONS, schema) as predictions,
        open(folder / "bad_photos.csv", "w", encoding="utf-8", newline="") as file,
    ):
        refused = csv.writer(file)
        refused.writerow(("listing_id", "image", "reason"))
        for rows in chunks.parts():
            chunk = chunks.load(rows)
            embeddings[rows] = chunk.embeddings
            columns = {
                "listing_id": listings.ids[rows],
                "category_id": listings.category_ids[rows],
                **_predicted(chunk, class_ids),
                **_answered(chunk, model.ontology.ids),
                "test": test[rows],
            }
            predictions.write_table(pyarrow.table(columns, schema))
            refused.writerows((listings.ids[row], image, reason) for row, image, reason in chunk.bad)
            usable += int((chunk.best >= 0).sum())
            bad += len(chunk.bad)
            described += sum(map(bool, chunk.attributes))
    embeddings.flush()
    return {
        "listings": len(listings),
        "with_photo": sum(map(bool, listings.images)),
        "with_usable_photo": usable,
        "with_predicted_attributes": described,
        "bad_photos": bad,
        "without_category": listings.category_ids.count(None),
    }


def _schema(pyarrow: Any) -> Any:
    text = pyarrow.string()
    return pyarrow.schema(
        {
            "listing_id": text,
            "category_id": text,
            "predicted_category_id": text,
            "predicted_probability": pyarrow.float32(),
            "answer_category_id": text,
            "answer_probability": pyarrow.float32(),
            "predicted_attributes": text,
            "attribute_probabilities": text,
            "test": pyarrow.bool_(),
        }
    )


def _answered(chunk: Chunk, ids: Sequence[str]) -> dict[str, Any]:
    """The category to act on: a class or an ancestor, so that as few are wrong as was stated at training."""
    return {
        "answer_category_id": [ids[node] if node >= 0 else None for node in chunk.answer.tolist()],
        "answer_probability": chunk.answer_probability,
    }


def _predicted(chunk: Chunk, class_ids: Sequence[str]) -> dict[str, Any]:
    """The columns made from photos; attributes and their probabilities are JSON objects."""
    values = [{name: answer.value for name, answer in row.items()} for row in chunk.attributes]
    shares = [{name: round(answer.probability, 4) for name, answer in row.items()} for row in chunk.attributes]
    return {
        "predicted_category_id": [class_ids[i] if i >= 0 else None for i in chunk.best.tolist()],
        "predicted_probability": chunk.probability,
        "predicted_attributes": [json.dumps(row, ensure_ascii=False) for row in values],
        "attribute_probabilities": [json.dumps(row, ensure_ascii=False) for row in shares],
    }
