"""The bundle: rows in ontology order, every listing in it once, with a category and its own vectors."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.build import place, run
from relevance.dataset import Dataset
from relevance.engine import Engine
from relevance.errors import DataError, DataWarning
from relevance.listing_index import ListingIndex
from relevance.towers import Towers


def test_rows_lie_in_ontology_order_and_hold_every_listing(tiny_chain: Path) -> None:
    engine = Engine(tiny_chain / "bundle")
    listings = Dataset.open(tiny_chain / "dataset").read_listings()
    category = np.asarray(engine.columns.category)
    assert (np.diff(category) >= 0).all()
    stored = engine.store.rows(range(len(engine)))
    assert sorted(stored[row].listing_id for row in range(len(engine))) == sorted(listings.ids)
    given = dict(zip(listings.ids, listings.category_ids, strict=True))
    for row in range(len(engine)):
        listing = stored[row]
        assert listing.category_id == engine.ontology.ids[category[row]]
        if given[listing.listing_id] is not None:
            assert (listing.category_id, listing.category_source) == (given[listing.listing_id], "seller")
        else:
            assert listing.category_source in ("photo", "text")


def test_each_row_has_its_listings_own_vectors(tiny_chain: Path) -> None:
    engine = Engine(tiny_chain / "bundle")
    dataset = Dataset.open(tiny_chain / "dataset")
    ontology = dataset.read_ontology()
    listings = dataset.read_listings(ontology)
    index = ListingIndex.read(tiny_chain / "listings", ontology, listings)
    placed = place(ontology, listings, index, Towers.open(tiny_chain / "towers"))
    np.testing.assert_allclose(np.linalg.norm(placed.joint, axis=1), 1, atol=1e-4)
    for at in range(0, len(listings), 17):
        found = engine.store.find(listings.ids[at])
        assert found is not None
        np.testing.assert_array_equal(engine.vectors.embeddings[found.row], placed.joint[at])
        np.testing.assert_array_equal(engine.visual.embeddings[found.row], index.embeddings[at])


def test_a_catalogue_without_photos_needs_no_listing_index(tiny_chain: Path) -> None:
    dataset = Dataset.open(tiny_chain / "dataset")
    ontology = dataset.read_ontology()
    listings = dataset.read_listings(ontology)
    index = ListingIndex.read(None, ontology, listings)
    assert index.embeddings.shape == (len(listings), 1)
    category, source = index.categories(ontology, listings.category_ids)
    assert {"seller", "none"} == set(source)
    assert all(
        (position < 0) == (given is None) for position, given in zip(category, listings.category_ids, strict=True)
    )
    towers = Towers.open(tiny_chain / "towers")  # trained with photos
    placed = place(ontology, listings, index, towers)
    assert placed.visual.shape == (len(listings), towers.visual_dim)
    assert not placed.visual.any()
    other = replace(index, embeddings=np.ones((len(listings), towers.visual_dim + 1), np.float32))
    with pytest.raises(DataError, match=rf"--listings: expected photo embeddings of {towers.visual_dim} dimensions"):
        place(ontology, listings, other, towers)


def test_photos_of_another_classifier_are_refused(tiny_chain: Path, tmp_path: Path) -> None:
    towers = tmp_path / "towers"
    shutil.copytree(tiny_chain / "towers", towers)
    manifest = json.loads((towers / "manifest.json").read_text())
    own = json.loads((tiny_chain / "listings" / "manifest.json").read_text())["classifier_fingerprint"]
    assert manifest["classifier_fingerprint"] == own
    (towers / "manifest.json").write_text(json.dumps({**manifest, "classifier_fingerprint": "another"}))
    with pytest.raises(DataError, match="encoded by another classifier than those that the towers were trained with"):
        run(tiny_chain / "dataset", tiny_chain / "listings", towers, tmp_path / "bundle")
    with pytest.warns(DataWarning, match="the towers were trained with photos, and without --listings none counts"):
        run(tiny_chain / "dataset", None, towers, tmp_path / "bundle")


def test_too_little_to_calibrate_on_and_what_is_left_out_are_told(tiny_chain: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "dataset"
    shutil.copytree(tiny_chain / "dataset", dataset)
    (dataset / "events.parquet").unlink()
    same = {"query_id": "q", "timestamp": 1714557600000}
    records = [same | {"user_query": "sofa"}, same | {"action_name": "click"}]
    (dataset / "events.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    with pytest.warns(DataWarning) as told:
        run(dataset, tiny_chain / "listings", tiny_chain / "towers", tmp_path / "bundle")
    assert [str(warning.message) for warning in told if warning.category is DataWarning] == [
        f"{dataset}: left out: 1 events on no listing",
        f"{dataset}: 1 queries, distinct times: 1; as those of one time stay together, none is left to learn from and "
        "none to calibrate on; wait for more",
        "fewer than 30 queries with a click to calibrate on: no category filter, and relevance is provisional",
    ]
    engine = Engine(tmp_path / "bundle")
    title = engine.store.rows([0])[0].title
    assert engine.category_filter(title).mode == "none"
    assert engine.search(title).hits[0].title == title
