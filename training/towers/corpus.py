"""Gathers what the towers learn from: catalogue, predictions from photos, behaviour before the cut."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from relevance.artifacts import read_manifest
from relevance.dataset import Dataset, Listings
from relevance.errors import ArtifactError
from relevance.events import Behaviour, read_behaviour
from relevance.ontology import Ontology
from relevance.splits import time_split
from relevance.interactions import Interactions, interactions


@dataclass(frozen=True)
class Corpus:
    """category: int32 `[listings]`, position in the ontology (given, else predicted from the photo, else -1);
    visual: float32 `[listings, visual_dim]`; train and held: pairs before the cut and in the calibration span."""

    ontology: Ontology
    listings: Listings
    category: NDArray[np.int32]
    visual: NDArray[np.float32]
    behaviour: Behaviour
    selected: NDArray[np.bool_]
    train: Interactions
    held: Interactions


def read_corpus(dataset: Path, listing_index: Path, *, rewrites: bool = True) -> Corpus:
    """Reads a dataset and its listing index; raises DataError or ArtifactError when they do not fit together."""
    folder = Dataset.open(dataset)
    ontology = folder.read_ontology()
    listings = folder.read_listings(ontology)
    manifest = read_manifest(listing_index, "listing-index", 1)
    if manifest["ontology_fingerprint"] != ontology.fingerprint:
        raise ArtifactError(
            f"{listing_index}: made for another ontology than {dataset}; run `python -m index listings` again"
        )
    predictions = pd.read_parquet(listing_index / "predictions.parquet")
    if predictions["listing_id"].tolist() != listings.ids:
        raise ArtifactError(
            f"{listing_index}: other listings than {dataset}; run `python -m index listings` again"
        )
    rows = {listing: row for row, listing in enumerate(listings.ids)}
    behaviour = read_behaviour(dataset, rows.keys())
    span = time_split(behaviour.query_times)
    return Corpus(
        ontology=ontology,
        listings=listings,
        category=_categories(ontology, listings, predictions),
        visual=np.load(listing_index / "embeddings.npy"),
        behaviour=behaviour,
        selected=span == 0,
        train=interactions(behaviour, span == 0, rows, rewrites=rewrites),
        held=interactions(behaviour, span == 1, rows, rewrites=rewrites),
    )


def _categories(ontology: Ontology, listings: Listings, predictions: Any) -> NDArray[np.int32]:
    predicted = predictions["predicted_category_id"].astype(object).where(predictions["predicted_category_id"].notna(), None)
    chosen = [given or guess for given, guess in zip(listings.category_ids, predicted, strict=True)]
    return np.array([-1 if name is None else ontology.position(name) for name in chosen], np.int32)
