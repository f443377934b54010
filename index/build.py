"""`python -m index build`: dataset, listing index and towers become a bundle that the runtime opens."""

import json
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.calibrate import FEWEST_QUERIES, calibrate, provisional
from index.install_towers import install_towers
from index.profile import calibrated_on
from index.related import searched_together
from index.words import learn_words
from index.written import most_written
from relevance import placement
from relevance.absent import AbsentWords
from relevance.artifacts import read_manifest, write_manifest, writing
from relevance.bundle import KIND, VERSION, BundleLayout, fingerprint
from relevance.codes import write_codes
from relevance.columns import Coded, Columns, attribute_columns
from relevance.dataset import Dataset, Listings, listing_text
from relevance.engine import Engine
from relevance.errors import DataError, DataWarning
from relevance.events import Behaviour, find_behaviour, tell_left_out
from relevance.featuriser import Featuriser
from relevance.lexical import LexicalIndex
from relevance.listing_index import ListingIndex
from relevance.ontology import Ontology
from relevance.qualifiers import qualifiers, word_rows
from relevance.related import write_related
from relevance.seen import write_seen
from relevance.splits import CALIBRATION, TRAIN, tell_empty_parts, time_split
from relevance.store import ListingStore, StoredListing
from relevance.towers import Towers, listing_words, tower_text
from relevance.wanted import WantedValues, write_wanted
from relevance.written import write_written


@dataclass(frozen=True)
class Placed:
    """category: int32 `[n]`, position in the ontology; source: "seller", "photo" or "text" for each listing; joint:
    float32 `[n, dim]`; visual: float32 `[n, visual_dim]`."""

    category: NDArray[np.int32]
    source: list[str]
    joint: NDArray[np.float32]
    visual: NDArray[np.float32]


def run(dataset: Path, listings: Path | None, towers: Path, out: Path) -> dict[str, Any]:
    """Builds, calibrates on the calibration span of the behaviour, and writes the bundle; returns its manifest.
    `listings` is None for a catalogue without photos. DataWarnings tell which behaviour was left out, and where there
    was too little to calibrate on."""
    folder = Dataset.open(dataset)
    ontology = folder.read_ontology()
    catalogue = folder.read_listings(ontology)
    index = ListingIndex.read(listings, ontology, catalogue)
    with writing(out, KIND) as temporary:
        layout = BundleLayout(temporary)
        trained = install_towers(towers, ontology, temporary)
        _check_photos(listings, index, trained)
        read_by = Towers(temporary, threads=2)
        placed = place(ontology, catalogue, index, read_by)
        order = np.argsort(placed.category, kind="stable")
        _write_data(layout, ontology, catalogue, placed, order)
        _write_words(layout, ontology, catalogue, placed, order, read_by.featuriser)
        if listings is not None:
            shutil.copy(listings / "image_encoder.tflite", layout.image_encoder)
        provisional(ontology, trained["temperature"]).write(layout.calibration)
        write_seen(layout.seen, {}, 1.0)
        write_wanted(layout.wanted, {})
        rows = {catalogue.ids[at]: row for row, at in enumerate(order.tolist())}
        behaviour = find_behaviour(dataset, rows.keys())
        tell_left_out(dataset, behaviour)
        _write_written(layout, ontology, catalogue, behaviour, read_by.featuriser)
        _write_manifest(temporary, ontology, len(catalogue.ids), index.class_ids)
        learned = _learn(layout, dataset, behaviour, rows)
        _write_manifest(temporary, ontology, len(catalogue.ids), index.class_ids, learned)
    return read_manifest(out, KIND, VERSION)


def _check_photos(listings: Path | None, index: ListingIndex, trained: Mapping[str, Any]) -> None:
    """Refuses photo embeddings of another classifier than that of the towers' training: they mean nothing to them."""
    learned = trained.get("classifier_fingerprint", index.classifier)  # not kept by earlier releases
    if listings is None and learned:
        warnings.warn(
            "the towers were trained with photos, and without --listings none counts", DataWarning, stacklevel=3
        )
    elif index.classifier != learned and learned:
        raise DataError(
            f"--listings {listings}: its photos were encoded by another classifier than those that the towers were "
            "trained with; give the listing index of their training, or train them again with this one"
        )


def _learn(layout: BundleLayout, dataset: Path, behaviour: Behaviour, rows: dict[str, int]) -> dict[str, Any]:
    """Puts what behaviour tells in the place of what the bundle starts with; returns what the manifest says of it.
    rows: of each listing id."""
    engine, span = Engine(layout.root), time_split(behaviour.query_times)
    tell_empty_parts(dataset, behaviour.query_times, span)
    learned = learn_words(engine, behaviour, span == TRAIN, rows)
    later = learn_words(engine, behaviour, (span == TRAIN) | (span == CALIBRATION), rows)
    engine.reader.learn(wanted=WantedValues(learned.wanted), qualifies=learned.qualifies)
    done = calibrate(engine, behaviour, span, rows, AbsentWords.read(layout.towers.absent))
    if done is None:
        warnings.warn(
            f"fewer than {FEWEST_QUERIES} queries with a click to calibrate on: no category filter, and "
            "relevance is provisional",
            DataWarning,
            stacklevel=3,
        )
    else:
        done.calibration.write(layout.calibration)
        write_seen(layout.seen, done.seen, done.prior)
    together = searched_together(behaviour, span <= CALIBRATION)
    vectors = engine.towers.queries(together.queries)
    shown = {query: together.typed.get(query, engine.written.shown(query)) for query in together.queries}
    differs = {query: text for query, text in shown.items() if text != query}
    write_related(layout.related, layout.related_embeddings, together.queries, vectors, together.rows, differs)
    write_wanted(layout.wanted, later.wanted)
    np.save(layout.qualifiers, later.qualifies)
    return calibrated_on(engine, behaviour, span)


def place(ontology: Ontology, catalogue: Listings, index: ListingIndex, towers: Towers) -> Placed:
    """Returns where each listing lies: in the ontology (as the seller said, else by its photo, else by its text) and
    in the joint and the visual space."""
    category, source = index.categories(ontology, catalogue.category_ids)
    visual = _as_trained(index.embeddings, towers)
    category, joint = placement.place(towers, ontology, catalogue, category, visual)
    return Placed(category, ["text" if who == "none" else who for who in source], joint, visual)


def _as_trained(visual: NDArray[np.float32], towers: Towers) -> NDArray[np.float32]:
    """Photo embeddings of as many dimensions as the towers were trained with, none for listings without a photo."""
    if visual.shape[1] == towers.visual_dim:
        return visual
    if visual.any():
        raise DataError(
            f"--listings: expected photo embeddings of {towers.visual_dim} dimensions, as in the towers' training, "
            f"found {visual.shape[1]}; give the listing index they were trained with, or train them again with this one"
        )
    return np.zeros((len(visual), towers.visual_dim), np.float32)


def _write_data(
    layout: BundleLayout, ontology: Ontology, catalogue: Listings, placed: Placed, order: NDArray[np.int64]
) -> None:
    """Writes what is known of the listings, rows in ontology order."""
    ontology.write(layout.categories)
    np.save(layout.vectors, placed.joint[order])
    np.save(layout.visual, placed.visual[order])
    for path in (layout.vectors, layout.visual):
        write_codes(path)
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


def _write_words(
    layout: BundleLayout,
    ontology: Ontology,
    catalogue: Listings,
    placed: Placed,
    order: NDArray[np.int64],
    featuriser: Featuriser,
) -> None:
    paths = (ontology.path_text(position) for position in placed.category.tolist())
    said = list(map(listing_words, catalogue.titles, catalogue.attributes, paths))
    rows = word_rows(featuriser, [said[at] for at in order.tolist()])
    np.save(layout.words, rows)
    names = [ontology.name(position) for position in range(len(ontology))]
    np.save(layout.qualifiers, qualifiers(featuriser, rows, placed.category[order], names))


def _write_written(
    layout: BundleLayout, ontology: Ontology, catalogue: Listings, behaviour: Behaviour, featuriser: Featuriser
) -> None:
    """Learns how words are written from the listings, the categories' names and what was searched."""
    searched = np.flatnonzero(time_split(behaviour.query_times) <= CALIBRATION).tolist()
    texts = chain(
        map(tower_text, catalogue.titles, catalogue.attributes),
        (ontology.name(position) for position in range(len(ontology))),
        (behaviour.queries[row] for row in searched),
    )
    write_written(layout.written, most_written(texts, featuriser.knows))


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


def _write_manifest(
    folder: Path,
    ontology: Ontology,
    listings: int,
    class_ids: list[str | None],
    behaviour: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    write_manifest(
        folder,
        KIND,
        VERSION,
        fingerprint=fingerprint(folder, ontology.fingerprint),
        ontology_fingerprint=ontology.fingerprint,
        listings=listings,
        categories=len(ontology),
        class_ids=class_ids,
        **behaviour,
    )
