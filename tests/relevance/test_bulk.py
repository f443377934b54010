"""The bulk export: two lines a listing, which a search engine can take as they are."""

import json

import numpy as np
import pytest

from relevance.bulk import lines
from relevance.engine import Engine, utc_now


def test_every_listing_once_with_its_categories_from_the_root(engine: Engine) -> None:
    found = [json.loads(line) for line in lines(engine, "products", embeddings=False)]
    actions, bodies = found[::2], found[1::2]
    assert {action["update"]["_index"] for action in actions} == {"products"}
    ids = [action["update"]["_id"] for action in actions]
    assert len(ids) == len(set(ids)) == int(engine.catalogue.online(utc_now()).sum())
    for listing_id, body in zip(ids, bodies, strict=True):
        listing = engine.store.find(listing_id)
        assert listing is not None
        document = body["doc"]
        assert body["doc_as_upsert"] is True
        assert (document["category_id"], document["category_source"]) == (listing.category_id, listing.category_source)
        paths = [engine.ontology.path_text(engine.ontology.position(name)) for name in document["category_ids"]]
        names = document["category_path"].split(" > ")
        assert paths == [" > ".join(names[: i + 1]) for i in range(len(names))]


def test_embeddings_are_the_bundles(engine: Engine) -> None:
    found = [json.loads(line) for line in lines(engine, "products")]
    for action, body in list(zip(found[::2], found[1::2], strict=True))[:20]:
        listing = engine.store.find(action["update"]["_id"])
        assert listing is not None
        assert body["doc"]["embedding"] == pytest.approx(engine.vectors.embeddings[listing.row].tolist(), abs=1e-6)
        assert np.linalg.norm(body["doc"]["embedding"]) == pytest.approx(1.0, abs=1e-4)
