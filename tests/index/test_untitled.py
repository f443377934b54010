"""Listings without a title: trained on, indexed and found by what else they say."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.build import run as build
from relevance.dataset import Dataset, Listings, write_listings
from relevance.engine import MAX_K, Engine
from training.towers.options import Options
from training.towers.train import run as train

WORD = "flibberwock"


@pytest.fixture(scope="module")
def untitled(tiny_chain: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, dict[str, str]]:
    """A bundle of a catalogue with listings that have one thing only, and their ids by it."""
    root = tmp_path_factory.mktemp("untitled")
    shutil.copytree(tiny_chain / "dataset", root / "dataset")
    listings, ids = _with_one_thing(Dataset.open(root / "dataset").read_listings())
    write_listings(root / "dataset" / "listings.parquet", listings)
    options = Options(epochs=1, batch=128, excerpts=2, composed=1, hard=False)
    train(root / "dataset", tiny_chain / "listings", root / "towers", options)
    build(root / "dataset", tiny_chain / "listings", root / "towers", root / "bundle")
    return Engine(root / "bundle"), ids


def _with_one_thing(listings: Listings) -> tuple[Listings, dict[str, str]]:
    columns = {name: list(getattr(listings, name)) for name in ("titles", "descriptions", "category_ids", "attributes")}
    images = list(listings.images)
    both = [row for row in range(len(listings)) if images[row] and columns["category_ids"][row]]
    rows = dict(zip(("category", "photo", "description", "attributes"), both[:: len(both) // 4], strict=False))
    for thing, row in rows.items():
        columns["titles"][row] = ""
        columns["descriptions"][row] = f"a {WORD} for sale" if thing == "description" else ""
        columns["attributes"][row] = {"colour": "red"} if thing == "attributes" else {}
        columns["category_ids"][row] = columns["category_ids"][row] if thing == "category" else None
        images[row] = images[row] if thing == "photo" else ()
    return replace(listings, **columns, images=images), {thing: listings.ids[row] for thing, row in rows.items()}


def test_each_has_a_place(untitled: tuple[Engine, dict[str, str]]) -> None:
    engine, ids = untitled
    assert len(ids) == 4
    for listing_id in ids.values():
        stored = engine.store.find(listing_id)
        assert stored is not None
        assert stored.title == ""
        vector = np.asarray(engine.vectors.embeddings[stored.row], np.float32)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-2)


def test_each_is_found_by_what_it_says(untitled: tuple[Engine, dict[str, str]]) -> None:
    engine, ids = untitled
    assert [(hit.listing_id, hit.title) for hit in engine.lexical_search(WORD)] == [(ids["description"], "")]
    assert ids["attributes"] in [hit.listing_id for hit in engine.lexical_search("red", MAX_K)]
    assert len(engine.similar(ids["photo"], k=3)) == 3


def test_a_category_alone_is_kept(untitled: tuple[Engine, dict[str, str]], tiny_chain: Path) -> None:
    engine, ids = untitled
    stored, before = (one.store.find(ids["category"]) for one in (engine, Engine(tiny_chain / "bundle")))
    assert stored is not None
    assert before is not None
    assert (stored.category_id, stored.category_source) == (before.category_id, "seller")
    assert engine.ontology.ids[engine.columns.category[stored.row]] == stored.category_id
