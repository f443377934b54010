"""`python -m eval classifier`: how well photos tell the category, on listings the classifier has not seen."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from eval.bootstrap import CONFIDENCE, RESAMPLES, Estimate, estimates
from eval.inputs import positions
from eval.textable import text_table
from relevance.artifacts import write_text_atomic
from relevance.classification import expected_calibration_error, level_hits, macro, top_k_hits
from relevance.classifier import Classifier, encode_photos
from relevance.dataset import Dataset, Listings
from relevance.errors import DataError
from relevance.fields import ids, texts
from relevance.ontology import Ontology
from relevance.tables import read_table
from relevance.text import normalise

TOP = (1, 3, 5)


@dataclass(frozen=True)
class Measured:
    """Photos of the test part. probabilities: float32 `[n, classes]`; labels: int32 `[n]`, ontology positions; titles
    `[n]`, as one spelling; bad: how many listings of the part have no usable photo."""

    probabilities: NDArray[np.float32]
    labels: NDArray[np.int32]
    titles: list[str]
    bad: int


def command(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder with photos.")],
    classifier: Annotated[Path, typer.Option(help="Classifier made by `python -m training classifier`.")],
    out: Annotated[Path, typer.Option(help="Folder for classifier.json and the plots.")],
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Measure the photo classifier at every level of the category tree."""
    from eval.classifier_plots import plot

    source = Dataset.open(dataset)
    ontology = source.read_ontology()
    listings = source.read_listings(ontology)
    opened = Classifier.open(classifier, ontology)
    labels, origin = read_labels(source, ontology, listings)
    measured = measure(opened, source.root, listings, labels, threads)
    result = {"kind": "classifier", "labels": origin, "seed": seed} | evaluate(
        ontology, opened.class_positions, measured, seed
    )
    write_text_atomic(out / "classifier.json", json.dumps(result, indent=1, default=Estimate.to_dict) + "\n")
    shown = labels[[bool(images) for images in listings.images] & (labels >= 0)]
    confidence, hits = best(measured, opened.class_positions)
    plot(out, np.unique(shown, return_counts=True)[1], confidence, hits)
    typer.echo(report(result))


def read_labels(source: Dataset, ontology: Ontology, listings: Listings) -> tuple[NDArray[np.int32], str]:
    """Returns each listing's category, int32 `[n]`, -1 where it is not known, and where that comes from: "truth" for a
    simulated dataset, where also wrongly filed listings are known, else "given"."""
    path = source.truth_dir / "listings.parquet"
    if not path.is_file():
        return positions(ontology, listings.category_ids), "given"
    table = read_table(path, ("listing_id", "category_id"))
    truth = dict(zip(ids(table, "listing_id"), texts(table, "category_id"), strict=True))
    return positions(ontology, [truth.get(listing) for listing in listings.ids]), "truth"


def measure(
    classifier: Classifier, root: Path, listings: Listings, labels: NDArray[np.int32], threads: int
) -> Measured:
    """Runs the classifier over the photos of its test part. Raises DataError where that part has no usable photo."""
    test = classifier.test_part(listings.titles)
    rows = np.array([row for row in np.flatnonzero(test & (labels >= 0)) if listings.images[row]], np.int64)
    images = (listings.images[row] for row in rows)
    batches = list(encode_photos(classifier.encoder, root, images, threads))
    used = rows[np.concatenate([batch.rows for batch in batches])] if batches else rows
    if not len(used):
        raise DataError(f"{root}: no listing of the classifier's test part has a category and a usable photo")
    probabilities = np.concatenate([batch.encoded.probabilities for batch in batches])
    titles = [normalise(listings.titles[row]) for row in used]
    return Measured(probabilities, labels[used], titles, len(rows) - len(used))


def evaluate(ontology: Ontology, classes: NDArray[np.int32], measured: Measured, seed: int = 0) -> dict[str, Any]:
    """Returns the figures, ready for JSON but for the estimates. Photos of one title are one cluster of the
    bootstrap."""
    hits = {f"top_{k}": top_k_hits(measured.probabilities, classes, measured.labels, k) for k in TOP}
    levels: dict[str, dict[str, Any]] = {}
    for level in range(1, int(ontology.depth[measured.labels].max()) + 1):
        own, truth = level_hits(ontology, measured.probabilities, classes, measured.labels, level)
        hits[f"level_{level}"] = own
        levels[str(level)] = {"macro": round(macro(own, truth), 6), "categories": len(np.unique(truth))}
    columns = {name: values.astype(np.float64) for name, values in hits.items()}
    figures = estimates(columns, measured.titles, seed=seed)
    return {
        "photos": len(measured.labels),
        "without_usable_photo": measured.bad,
        "of_no_class": int((~np.isin(measured.labels, classes)).sum()),
        "classes": len(classes),
        **{f"top_{k}": figures[f"top_{k}"] for k in TOP},
        "macro": round(macro(hits["top_1"], measured.labels), 6),
        "levels": {level: {"micro": figures[f"level_{level}"], **own} for level, own in levels.items()},
        "expected_calibration_error": round(expected_calibration_error(*best(measured, classes)), 6),
    }


def best(measured: Measured, classes: NDArray[np.int32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Returns the probability of each photo's best category, float32 `[n]`, and whether it is the right one."""
    return (
        measured.probabilities.max(axis=1),
        classes[measured.probabilities.argmax(axis=1)] == measured.labels,
    )


def report(result: dict[str, Any]) -> str:
    """Returns the figures as a table: the categories themselves, then collapsed to every level."""
    categories = max(own["categories"] for own in result["levels"].values())
    rows = [[f"top {k}", str(categories), result[f"top_{k}"].text(), ""] for k in TOP]
    rows[0][-1] = f"{result['macro']:.3f}"
    rows += [
        [f"level {level}", str(own["categories"]), own["micro"].text(), f"{own['macro']:.3f}"]
        for level, own in result["levels"].items()
    ]
    return "\n".join(
        (
            text_table(["accuracy", "categories", "of photos", "of categories"], rows),
            f"{result['photos']} test photos, labels: {result['labels']}; "
            f"calibration error {result['expected_calibration_error']:.3f}",
            f"in brackets: {CONFIDENCE:.0%} bootstrap intervals over titles ({RESAMPLES} resamples)",
        )
    )
