"""The listings written since a snapshot, in memory, searched exactly."""

import json
from collections.abc import Sequence

import numpy as np

from relevance.catalogue import Segment
from relevance.columns import Columns, value_text
from relevance.dataset import listing_text
from relevance.engine import Engine
from relevance.live.encoder import Encoding
from relevance.live.growing import GrowingArray, GrowingCoded
from relevance.live.lexical import FreshLexical
from relevance.live.listing import LiveListing, as_listings
from relevance.live.store import State
from relevance.qualifiers import WORDS, word_rows
from relevance.store import Card, StoredListing
from relevance.towers import listing_words
from relevance.vectors import VectorIndex

_NUMBERS = ("price", "latitude", "longitude")
_INSTANTS = ("created_at", "expires_at")


class FreshStore:
    """What a hit shows, in memory; `first`: the number of the first row."""

    def __init__(self, first: int, listings: list[StoredListing]) -> None:
        self._first, self._listings = first, listings

    def rows(self, rows: Sequence[int]) -> dict[int, StoredListing]:
        """Returns the listings in these rows, by row."""
        return {row: self._listings[row - self._first] for row in rows}

    def cards(self, rows: Sequence[int]) -> dict[int, Card]:
        """Returns what is shown of the listings in these rows, by row."""
        return {row: self._listings[row - self._first].card for row in rows}


class Fresh:
    """The changes since the snapshot of `base`: a new state of a listing is a new row, the old row is removed.

    One thread at a time may `add`; the engines that `engine` gives out never change.
    """

    def __init__(self, base: Engine, change: int = 0) -> None:
        self.base, self.change = base, change
        self._first = base.catalogue.first_fresh
        columns, vectors, visual = base.columns, base.vectors.embeddings, base.visual.embeddings
        self._category = GrowingArray(np.int32)
        self._numbers = {name: GrowingArray(np.float64) for name in _NUMBERS}
        self._instants = {name: GrowingArray("datetime64[ms]") for name in _INSTANTS}
        self._locale = GrowingCoded()
        # The filters are the snapshot's: an attribute that it does not have becomes one with the next build.
        self._attributes = {name: GrowingCoded() for name in columns.attributes}
        self._words = GrowingArray(np.int32, (WORDS,))
        self._vectors = GrowingArray(np.float32, vectors.shape[1:])
        self._visual = GrowingArray(np.float32, visual.shape[1:])
        self._lexical = FreshLexical(base.lexical, self._first)
        self._listings: list[StoredListing] = []
        self._removed = GrowingArray(np.int64)
        self._latest: dict[str, int | None] = {}

    def add(self, states: Sequence[State]) -> None:
        """Takes in states of listings, encoded by the base's models, in the order of their changes."""
        listings: list[LiveListing] = []
        encodings: list[Encoding] = []
        for state in states:
            self._remove(state.listing_id)
            self._latest[state.listing_id] = None
            if state.listing is not None and state.encoding is not None:
                row = self._latest[state.listing_id] = self._first + len(self._listings)
                self._listings.append(_stored(row, state.listing, state.encoding))
                listings.append(state.listing)
                encodings.append(state.encoding)
            self.change = max(self.change, state.change)
        if listings:
            self._write(listings, encodings)

    def engine(self) -> Engine:
        """Returns the base over the catalogue of now."""
        columns = Columns(
            category=self._category.view(),
            **{name: array.view() for name, array in (self._numbers | self._instants).items()},
            locale=self._locale.view(),
            attributes={name: column.view() for name, column in self._attributes.items()},
        )
        segment = Segment(
            columns,
            self._words.view(),
            VectorIndex(self._vectors.view()),
            VectorIndex(self._visual.view()),
            self._lexical.view(),
            FreshStore(self._first, self._listings),
        )
        catalogue = self.base.catalogue.after(segment, self._removed.view(), dict(self._latest))
        return self.base.over(catalogue, self.change)

    def _remove(self, listing_id: str) -> None:
        """Marks the row that a listing has now, if it has one."""
        if listing_id in self._latest:
            row = self._latest[listing_id]
        else:
            stored = self.base.store.find(listing_id)
            row = None if stored is None else stored.row
        if row is not None:
            self._removed.extend([row])

    def _write(self, listings: Sequence[LiveListing], encodings: Sequence[Encoding]) -> None:
        ontology, columns = self.base.ontology, as_listings(listings)
        self._category.extend([ontology.position(encoding.category_id) for encoding in encodings])
        for name, array in (self._numbers | self._instants).items():
            array.extend(getattr(columns, name))
        self._locale.extend(columns.locales)
        for name, coded in self._attributes.items():
            coded.extend([value_text(values.get(name)) for values in columns.attributes])
        paths = [ontology.path_text(ontology.position(encoding.category_id)) for encoding in encodings]
        said = map(listing_words, columns.titles, columns.attributes, paths)
        self._words.extend(word_rows(self.base.towers.featuriser, list(said)))
        self._vectors.extend([encoding.joint for encoding in encodings])
        self._visual.extend([encoding.visual for encoding in encodings])
        texts = zip(columns.titles, columns.descriptions, columns.attributes, strict=True)
        self._lexical.extend([listing_text(*text) for text in texts])


def _stored(row: int, listing: LiveListing, encoding: Encoding) -> StoredListing:
    return StoredListing(
        row=row,
        listing_id=listing.listing_id,
        title=listing.title,
        description=listing.description,
        category_id=encoding.category_id,
        category_source=encoding.source,
        price=listing.price,
        image=listing.image,
        attributes=json.dumps(listing.attributes, ensure_ascii=False),
    )
