"""`python -m index build`: dataset, listing index and towers become a bundle that the runtime opens."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from index.calibrate import calibrate, provisional
from relevance.artifacts import read_manifest, write_manifest, writing
from relevance.bundle import KIND, VERSION, BundleLayout, fingerprint
from relevance.columns import Coded, Columns, attribute_columns
from relevance.dataset import Dataset, Listings, listing_text
from relevance.engine import Engine
from relevance.errors import ArtifactError
from relevance.events import read_behaviour
from relevance.lexical import LexicalIndex
from relevance.ontology import Ontology
from relevance.store import ListingStore, StoredListing
from relevance.towers import TowerLayout, Towers, listing_arrays

TRUSTED_PHOTO = 0.3
"""A photo's predicted category is used from this probability on; below, the listing's text decides."""


@dataclass(frozen=True)
class Placed:
    """category: int32 `[n]`, position in the ontology; source: "seller", "photo" or "text" for each listing; joint:
    float32 `[n, dim]`; visual: float32 `[n, visual_dim]`."""

    category: NDArray[np.int32]
    source: list[str]
    joint: NDArray[np.float32]
    visual: NDArray[np.float32]


def run(dataset: Path, listings: Path, towers: Path, out: Path) -> dict[str, Any]:
    """Builds, calibrates on the calibration span of the behaviour, and writes the bundle; returns its manifest."""
    folder = Dataset.open(dataset)
    ontology = folder.read_ontology()
    catalogue = folder.read_listings(ontology)
    _check_fit(ontology, dataset, listings, towers)
    placed = place(ontology, catalogue, listings, Towers.open(towers, threads=2))
    order = np.argsort(placed.category, kind="stable")
    with writing(out) as temporary:
        layout = BundleLayout(temporary)
        _write_data(layout, ontology, catalogue, placed, order)
        for path in TowerLayout(towers).files():
            shutil.copy(path, temporary / path.name)
        shutil.copy(listings / "image_encoder.tflite", layout.image_encoder)
        provisional(ontology, read_manifest(towers, "towers", 1)["temperature"]).write(layout.calibration)
        _write_manifest(temporary, ontology, len(catalogue.ids))
        rows = {catalogue.ids[at]: row for row, at in enumerate(order.tolist())}
        calibrate(Engine(temporary), read_behaviour(dataset, rows.keys()), rows).write(layout.calibration)
        _write_manifest(temporary, ontology, len(catalogue.ids))
    return read_manifest(out, KIND, VERSION)


def place(ontology: Ontology, catalogue: Listings, listing_index: Path, towers: Towers) -> Placed:
    """Returns where each listing lies: in the ontology (as the seller said, else by its photo, else by its text) and
    in the joint and the visual space."""
    predictions = pq.read_table(listing_index / "predictions.parquet").to_pydict()
    if predictions["listing_id"] != catalogue.ids:
        raise ArtifactError(f"{listing_index}: other listings than the dataset; run `python -m index listings` again")
    visual = np.load(listing_index / "embeddings.npy").astype(np.float32)
    chosen, source = _known_categories(catalogue, predictions)
    paths = ["" if name is None else ontology.path_text(ontology.position(name)) for name in chosen]
    arrays = listing_arrays(
        towers.featuriser, catalogue.titles, catalogue.attributes, paths, visual, catalogue.price
    )
    joint = towers.listings(arrays)
    # Where nothing tells the category, the joint space does.
    by_text = (joint @ towers.category_embeddings.T).argmax(axis=1)
    category = [by_text[i] if name is None else ontology.position(name) for i, name in enumerate(chosen)]
    return Placed(np.array(category, np.int32), source, joint, visual)


def _known_categories(
    catalogue: Listings, predictions: dict[str, list[Any]]
) -> tuple[list[str | None], list[str]]:
    chosen: list[str | None] = []
    source: list[str] = []
    pairs = zip(predictions["predicted_category_id"], predictions["predicted_probability"], strict=True)
    for given, (predicted, probability) in zip(catalogue.category_ids, pairs, strict=True):
        if given is not None:
            chosen.append(given)
            source.append("seller")
        elif predicted is not None and probability >= TRUSTED_PHOTO:
            chosen.append(predicted)
            source.append("photo")
        else:
            chosen.append(None)
            source.append("text")
    return chosen, source


def _write_data(
    layout: BundleLayout, ontology: Ontology, catalogue: Listings, placed: Placed, order: NDArray[np.int64]
) -> None:
    """Writes what is known of the listings, rows in ontology order."""
    ontology.write(layout.categories)
    np.save(layout.vectors, placed.joint[order])
    np.save(layout.visual, placed.visual[order])
    ordered = catalogue.take(order)
    category = placed.category[order]
    Columns(
        category=category,
        price=ordered.price,
        latitude=ordered.latitude,
        longitude=ordered.longitude,
        created_at=ordered.created_at,
        expires_at=ordered.expires_at,
        locale=Coded.encode(ordered.locales),
        attributes=attribute_columns(ordered.attributes),
    ).write(layout.columns)
    texts = zip(ordered.titles, ordered.descriptions, ordered.attributes, strict=True)
    LexicalIndex.build((listing_text(*text) for text in texts), layout.lexical)
    ListingStore.build(
        layout.store,
        (_stored(ordered, row, ontology.ids[category[row]], placed.source[order[row]]) for row in range(len(order))),
    )


def _stored(listings: Listings, row: int, category_id: str, source: str) -> StoredListing:
    price = float(listings.price[row])
    images = listings.images[row]
    return StoredListing(
        row=row,
        listing_id=listings.ids[row],
        title=listings.titles[row],
        description=listings.descriptions[row],
        category_id=category_id,
        category_source=source,
        price=None if np.isnan(price) else price,
        image=images[0] if images else None,
        attributes=json.dumps(listings.attributes[row], ensure_ascii=False),
    )


def _check_fit(ontology: Ontology, dataset: Path, listings: Path, towers: Path) -> None:
    for path, kind in ((listings, "listing-index"), (towers, "towers")):
        found = read_manifest(path, kind, 1)["ontology_fingerprint"]
        if found != ontology.fingerprint:
            raise ArtifactError(
                f"{path}: made for the ontology {found[:12]}, {dataset} has {ontology.fingerprint[:12]}; make it again"
            )


def _write_manifest(folder: Path, ontology: Ontology, listings: int) -> None:
    write_manifest(
        folder,
        KIND,
        VERSION,
        fingerprint=fingerprint(folder, ontology.fingerprint),
        ontology_fingerprint=ontology.fingerprint,
        listings=listings,
        categories=len(ontology),
    )
