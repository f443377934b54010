"""What the models make of a live listing: the same as index building makes of one in a dataset."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.catalogue import Catalogue
from relevance.engine import Engine
from relevance.live.listing import LiveListing, as_listings
from relevance.placement import TRUSTED, place
from relevance.store import StoredListing

_UNTOLD = -1


class Look(NamedTuple):
    """What a photo tells. embedding: float32 `[visual_dim]`, a unit vector, zeros without a usable photo; category: a
    position in the ontology, -1 where it does not tell."""

    embedding: NDArray[np.float32]
    category: int


class Encoding(NamedTuple):
    """category_id: the seller's, else the photo's, else the text's, as `source` ("seller", "photo", "text") says;
    joint: float32 `[dim]`, visual: float32 `[visual_dim]`."""

    category_id: str
    source: str
    joint: NDArray[np.float32]
    visual: NDArray[np.float32]


class ListingEncoder:
    """The models of one bundle. `key` names them: encodings of another key mean nothing here."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ontology = engine.ontology
        image_encoder = engine.manifest["files"].get("image_encoder.tflite", "")
        self.key = hashlib.sha256(f"{engine.manifest['fingerprint']} {image_encoder}".encode()).hexdigest()
        # A bundle of before this was kept tells categories by text alone.
        class_ids = engine.manifest.get("class_ids") or []
        self._classes = np.array(
            [_UNTOLD if name is None else self._ontology.position(name) for name in class_ids], np.int64
        )
        self.blind = Look(np.zeros(engine.visual.embeddings.shape[1], np.float32), _UNTOLD)

    @property
    def reads_photos(self) -> bool:
        """Whether the bundle has an image encoder."""
        return self._engine.reads_photos

    def look(self, photo: bytes | None) -> Look:
        """Returns what the bytes of a photo tell, nothing for None; raises PhotoError for bytes that are no photo."""
        if not photo or not self.reads_photos:
            return self.blind
        encoded = self._engine.encode_photo(photo)
        if not len(self._classes):
            return Look(encoded.embeddings[0], _UNTOLD)
        # Classes that were merged since training count together, those that are gone as none.
        left = self._classes >= 0
        shares = np.bincount(self._classes[left], encoded.probabilities[0, left], minlength=1)
        best = int(shares.argmax())
        return Look(encoded.embeddings[0], best if shares[best] >= TRUSTED else _UNTOLD)

    def kept_look(self, listing_id: str) -> Look:
        """Returns what the bundle has of a listing's photo, nothing where it has none."""
        listing = self._engine.store.find(listing_id)
        return self.blind if listing is None else self.look_of(self._engine.catalogue, listing)

    def look_of(self, catalogue: Catalogue, listing: StoredListing) -> Look:
        """Returns what the photo of a listing of `catalogue` told when it was encoded, by these models."""
        embedding = catalogue.looks(np.array([listing.row]))[0]
        return self._told(listing.category_source, listing.category_id, embedding)

    def look_in(self, encoding: Encoding) -> Look:
        """Returns what the photo told of a listing that these models encoded."""
        return self._told(encoding.source, encoding.category_id, encoding.visual)

    def _told(self, source: str, category_id: str | None, embedding: NDArray[np.float32]) -> Look:
        told = source == "photo" and category_id is not None
        return Look(embedding, self._ontology.position(str(category_id)) if told else _UNTOLD)

    def encode(self, listings: Sequence[LiveListing], looks: Sequence[Look]) -> list[Encoding]:
        """Returns an encoding for each listing. A seller's category that this bundle does not know counts as none."""
        if not listings:
            return []
        positions = [self._ontology.get(listing.category_id or "") for listing in listings]
        told = [look.category if own is None else own for own, look in zip(positions, looks, strict=True)]
        visual = np.stack([look.embedding for look in looks])
        category, joint = place(
            self._engine.towers, self._ontology, as_listings(listings), np.array(told, np.int32), visual
        )
        sources = [
            "seller" if own is not None else "photo" if at >= 0 else "text"
            for own, at in zip(positions, told, strict=True)
        ]
        ids = [self._ontology.ids[position] for position in category.tolist()]
        return [Encoding(*fields) for fields in zip(ids, sources, joint, visual, strict=True)]
