"""Similar listings by look: of a listing, and of a photo."""

from pathlib import Path

import numpy as np
import pytest

from relevance.engine import Engine
from relevance.errors import DataError
from relevance.images import PhotoError


def test_similar_is_nearest_by_look(engine: Engine, tiny_bundle: Path) -> None:
    visual = np.load(tiny_bundle / "visual.npy").astype(np.float64)
    live = ~(engine.columns.expires_at <= np.datetime64("now", "ms"))
    for row in np.flatnonzero(visual.any(axis=1))[::30].tolist():
        listing_id = engine.store.rows([row])[row].listing_id
        hits = engine.similar(listing_id, k=5)
        cosines = np.where(live, visual @ visual[row], -1.0)
        cosines[row] = -1.0
        expected = np.sort(cosines)[::-1][:5]
        np.testing.assert_allclose([hit.score for hit in hits], expected[expected > 0], atol=1e-5)
        assert listing_id not in {hit.listing_id for hit in hits}
        assert all(hit.source == "visual" and hit.relevance is None for hit in hits)


def test_similar_to_a_photo_finds_its_listing(engine: Engine, tiny_chain: Path) -> None:
    live = ~(engine.columns.expires_at <= np.datetime64("now", "ms"))
    row = int((engine.visual.embeddings.any(axis=1) & live).argmax())
    listing = engine.store.rows([row])[row]
    hits = engine.similar(image=(tiny_chain / "dataset" / str(listing.image)).read_bytes(), k=50)
    own = [hit.score for hit in hits if hit.listing_id == listing.listing_id]
    assert own == pytest.approx([1.0], abs=1e-3)
    assert hits[0].score == pytest.approx(1.0, abs=1e-3)


def test_a_listing_without_a_photo_looks_like_nothing(engine: Engine) -> None:
    rows = np.flatnonzero(~engine.visual.embeddings.any(axis=1))
    assert len(rows), "the generated marketplace has listings without a usable photo"
    assert engine.similar(engine.store.rows([int(rows[0])])[int(rows[0])].listing_id) == ()


def test_similar_refuses_what_it_cannot_compare(engine: Engine) -> None:
    with pytest.raises(DataError, match="no listing with id 'nope'"):
        engine.similar("nope")
    for arguments in ({}, {"listing_id": "a", "image": b"b"}):
        with pytest.raises(DataError, match="either listing_id or image"):
            engine.similar(**arguments)
    for photo, reason in ((b"", "empty"), (b"text", "not an image"), (b"\xff\xd8\xff\xe0", "truncated")):
        with pytest.raises(PhotoError, match=reason):
            engine.similar(image=photo)
