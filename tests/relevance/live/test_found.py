"""A listing that was written is found at once, by every way of asking."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from relevance import Filters, LiveEngine, NewListing
from relevance.dataset import Listings
from relevance.engine import MAX_K
from relevance.store import StoredListing
from tests.live_engines import WORD, a_leaf, ids_of


def _bundled(engine: LiveEngine) -> dict[int, StoredListing]:
    return engine.current.store.rows(range(len(engine.current.columns)))


def test_a_new_listing_is_found_by_its_words(engine: LiveEngine) -> None:
    before = len(engine)
    result = engine.upsert([NewListing("new", f"{WORD} lamp", price=12.5, category_id=a_leaf(engine))])
    assert (result.accepted, result.rejected, result.ignored) == (1, (), ())
    assert len(engine) == before + 1
    for hits in (engine.search(WORD, MAX_K).hits, engine.lexical_search(WORD)):
        hit = next(hit for hit in hits if hit.listing_id == "new")
        assert (hit.title, hit.price, hit.category_id) == (f"{WORD} lamp", 12.5, a_leaf(engine))
        assert hit.source == "lexical"
    assert engine.search(WORD).versions["change"] == "1"


def test_a_new_listing_lies_where_index_building_puts_it(engine: LiveEngine, listings: Listings) -> None:
    """A listing's twin is written: it gets the vector that the listing has in the bundle, and is as near to a query."""
    looks = {listing.listing_id: engine.current.visual.embeddings[row] for row, listing in _bundled(engine).items()}
    at = next(i for i, own in enumerate(listings.ids) if listings.category_ids[i] and not looks[own].any())
    price = None if np.isnan(listings.price[at]) else float(listings.price[at])
    twin = NewListing("twin", listings.titles[at], category_id=listings.category_ids[at], price=price)
    engine.upsert([replace(twin, attributes=listings.attributes[at])])
    now = engine.current
    own, new = now.store.find(listings.ids[at]), now.catalogue.find("twin")
    assert own is not None
    assert new is not None
    vector = now.catalogue.embeddings(np.array([new.row]))[0]
    np.testing.assert_allclose(vector, now.vectors.embeddings[own.row], atol=1e-5)
    mask = now.catalogue.mask(Filters(), np.datetime64("now", "ms"))
    rows, scores = now.catalogue.nearest(vector, 5, mask)
    assert new.row in rows.tolist()
    assert scores[0] == pytest.approx(1.0, abs=1e-4)
    assert np.all(np.diff(scores) <= 0)


def test_a_new_listing_is_found_by_filters(engine: LiveEngine) -> None:
    columns = engine.current.columns
    name, coded = next((name, coded) for name, coded in columns.attributes.items() if len(coded.values) > 1)
    new = NewListing(
        "new",
        WORD,
        price=1e6,
        latitude=-60.0,
        longitude=100.0,
        created_at=np.datetime64("now", "ms").item(),
        expires_at="2999-01-01",
        locale="xx-YY",
        category_id=a_leaf(engine),
        attributes={name: "unheard of"},
    )
    engine.upsert([new])
    parent = engine.current.ontology.ids[
        int(engine.current.ontology.parent[engine.current.ontology.position(a_leaf(engine))])
    ]
    passing = [
        Filters(price=(1e6, None)),
        Filters(near=(-60.0, 100.0, 1.0)),
        Filters(max_age_days=1),
        Filters(locale="xx-YY"),
        Filters(category=parent),
        Filters(attributes={name: "unheard of"}),
    ]
    for filters in passing:
        assert ids_of(engine.lexical_search(WORD, filters=filters)) == ["new"]
    for filters in (Filters(price=(None, 999)), Filters(near=(60.0, 100.0, 1.0)), Filters(locale="en"),
                    Filters(attributes={name: coded.values[0]})):  # fmt: skip
        assert engine.lexical_search(WORD, filters=filters) == ()


def test_a_new_listing_is_found_within_its_category(engine: LiveEngine) -> None:
    ontology = engine.current.ontology
    engine.upsert(
        [NewListing("in", WORD, category_id=a_leaf(engine)), NewListing("out", WORD, category_id=ontology.ids[-1])]
    )
    now = engine.current
    position = ontology.position(a_leaf(engine))
    mask = now.catalogue.mask(Filters(), np.datetime64("now", "ms"))
    rows, _ = now.catalogue.nearest(now.read(WORD).embedding, MAX_K, mask, [(position, int(ontology.end[position]))])
    found = {listing.listing_id for listing in now.catalogue.listings(rows.tolist()).values()}
    assert "in" in found
    assert "out" not in found
    assert set(now.catalogue.category(rows).tolist()) == {position}


def test_a_new_photo_is_found_by_look_and_tells_the_category(engine: LiveEngine, photo: bytes) -> None:
    engine.upsert([NewListing("seen", WORD, image=photo), NewListing("unseen", WORD)])
    assert engine.similar(image=photo, k=5)[0].score == pytest.approx(1.0, abs=1e-3)
    assert "seen" in ids_of(engine.similar(image=photo, k=MAX_K))
    assert "unseen" not in ids_of(engine.similar(image=photo, k=MAX_K))
    assert engine.similar("unseen") == ()
    assert "seen" not in ids_of(engine.similar("seen", k=MAX_K))
    seen, unseen = engine.get("seen"), engine.get("unseen")
    assert seen is not None
    assert unseen is not None
    assert seen.category_source in ("photo", "text")
    assert (unseen.category_source, unseen.image) == ("text", None)
    assert engine.photo("seen") == photo
    assert (seen.image, engine.photo("unseen")) == ("live:seen", None)


def test_a_kept_photo_tells_the_category_again(
    engine: LiveEngine, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relevance.live.encoder.TRUSTED", 0.0)  # whatever it looks like
    ontology = engine.current.ontology
    engine.upsert([NewListing("seen", WORD, image=photo)])
    first = engine.get("seen")
    assert first is not None
    assert first.category_source == "photo"
    other = next(own for own in ontology.ids if own != first.category_id)
    engine.upsert([NewListing("seen", WORD, category_id=other)])
    engine.upsert([NewListing("seen", WORD)])
    again = engine.get("seen")
    assert again is not None
    assert (again.category_id, again.category_source) == (first.category_id, "photo")


def test_a_word_that_only_new_listings_have_corrects_a_query(engine: LiveEngine) -> None:
    now = engine.current
    known = now.towers.featuriser.words
    absent = next(word for word in known if len(word) > 6 and word.isalpha() and not now.lexical.count(word))
    typed = absent[:-2] + absent[-1] + absent[-2]
    assert now.read(typed).reading.corrected != absent
    engine.upsert([NewListing("new", absent)])
    assert engine.current.read(typed).reading.corrected == absent  # nothing is remembered of the catalogue before


def test_results_are_plain(engine: LiveEngine) -> None:
    engine.upsert([NewListing("a", WORD, price=3)])
    json.dumps(engine.search(WORD).to_dict(), allow_nan=False)
    status = engine.status()
    assert (status.change, status.fresh, status.removed) == (1, 1, 0)
    assert status.rows == len(engine)
