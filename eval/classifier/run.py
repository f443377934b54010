"""One evaluation, from a dataset and a classifier to a folder with the report."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from eval.bootstrap import Estimate
from eval.classifier.categories import write_categories
from eval.classifier.comparison import compare, on_the_same_photos
from eval.classifier.evaluate import evaluate, refusals
from eval.classifier.gallery import galleries
from eval.classifier.measured import TestPhotos, measure, read_labels, with_photo
from eval.classifier.page import page
from relevance.artifacts import refuse_foreign, writing
from relevance.classifier import Classifier
from relevance.dataset import Dataset, Listings

KIND = "classifier-report"


def run(
    dataset: Path,
    classifier: Path,
    out: Path,
    other: Path | None,
    seed: int,
    threads: int,
    everything: bool = False,
) -> dict[str, Any]:
    """Measures on the listings that the classifier keeps for tests, or on `everything`, where it was trained on none of
    them. Writes `index.html`, `classifier.json`, `categories.csv` and `bad_photos.csv` to `out`; returns the figures.

    Raises DataError where there is nothing to measure, and ArtifactError for a classifier that cannot be read, of
    another ontology, or, as `other`, with another test part.
    """
    refuse_foreign(out, KIND)
    source = Dataset.open(dataset)
    ontology = source.read_ontology()
    listings = source.read_listings(ontology)
    opened = Classifier.open(classifier, ontology)
    labels, origin = read_labels(source, ontology, listings)
    predictions, photos = measure(opened, source.root, listings, labels, threads, everything)
    counts = np.bincount(labels[with_photo(listings, labels)], minlength=len(ontology))
    result: dict[str, Any] = {
        "kind": "classifier",
        "classifier": opened.fingerprint,
        "labels": origin,
        "seed": seed,
        "without_usable_photo": photos.without,
        "refused": refusals(photos.refused),
        **evaluate(predictions, counts, seed),
    }
    if other:
        both = on_the_same_photos(
            other, opened, (predictions, photos), listings, labels, source.root, threads, everything
        )
        result["comparison"] = {"other": str(other), **compare(*both, seed)}
    shown = galleries(predictions, photos, listings)
    with writing(out, KIND) as folder:
        text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False, default=Estimate.to_dict)
        (folder / "classifier.json").write_text(text + "\n", encoding="utf-8")
        write_categories(folder / "categories.csv", predictions, counts)
        _write_bad_photos(folder / "bad_photos.csv", listings, photos)
        html = page(result, shown, source.root.resolve(), out.resolve())
        (folder / "index.html").write_text(html, encoding="utf-8")
    return result


def _write_bad_photos(path: Path, listings: Listings, photos: TestPhotos) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("listing_id", "image", "reason"))
        writer.writerows((listings.ids[row], image, reason) for row, image, reason in photos.refused)
