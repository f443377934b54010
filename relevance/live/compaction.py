"""The next snapshot: a bundle with the listings of a catalogue as it is, changes included, by the same models."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import link_or_copy, write_manifest, writing
from relevance.bundle import KIND, VERSION, BundleLayout
from relevance.catalogue import Catalogue, Segment
from relevance.codes import write_codes
from relevance.columns import Coded, Columns
from relevance.dataset import listing_text
from relevance.engine import Engine
from relevance.errors import DataError
from relevance.lexical import LexicalIndex
from relevance.store import ListingStore, StoredListing
from relevance.vectors import Rows

_CHUNK = 10_000
_WRITTEN = (
    "vectors.npy",
    "visual.npy",
    "vectors.codes",
    "visual.codes",
    "words.npy",
    "listings.sqlite",
    "columns",
    "lexical",
)
_OWN = ("created_at", "files", "kind", "version", "listings", "live")


def compact(engine: Engine, out: Path, now: np.datetime64, store_id: str) -> int:
    """Writes `engine`'s catalogue less what has expired at `now` as the bundle `out`; returns its number of listings.

    store_id: the live store whose changes the catalogue holds. Those after its last change stay in that store and are
    fresh over the new bundle too. Written whole or not at all.
    """
    catalogue = engine.catalogue
    kept = _kept(catalogue, now)
    if not len(kept):
        raise DataError(f"{engine.root}: nothing is left to write; every listing was deleted or has expired")
    with writing(out, KIND) as temporary:
        layout = BundleLayout(temporary)
        for name in engine.manifest["files"]:
            if name.split("/")[0] not in _WRITTEN:
                link_or_copy(engine.root / name, temporary / name)
        _write_vectors(catalogue, kept, layout)
        _columns(catalogue, kept).write(layout.columns)
        ListingStore.build(layout.store, _listings(catalogue, kept))
        LexicalIndex.build(map(_text, _listings(catalogue, kept)), layout.lexical)
        fields = {name: value for name, value in engine.manifest.items() if name not in _OWN}
        fields.setdefault("built_at", engine.manifest["created_at"])
        live = {"store": store_id, "change": int(engine.versions.get("change", 0))}
        write_manifest(temporary, KIND, VERSION, **fields, listings=len(kept), live=live)
    return len(kept)


def _kept(catalogue: Catalogue, now: np.datetime64) -> Rows:
    """The rows to write, in ontology order; equal categories keep the order they have."""
    rows = np.flatnonzero(catalogue.online(now))
    return rows[np.argsort(catalogue.category(rows), kind="stable")]


def _write_vectors(catalogue: Catalogue, kept: Rows, layout: BundleLayout) -> None:
    gathers = (
        (layout.vectors, catalogue.embeddings),
        (layout.visual, catalogue.looks),
        (layout.words, catalogue.words),
    )
    for path, gather in gathers:
        first = gather(kept[:1])
        array = np.lib.format.open_memmap(path, mode="w+", dtype=first.dtype, shape=(len(kept), first.shape[1]))
        for start in range(0, len(kept), _CHUNK):
            array[start : start + _CHUNK] = gather(kept[start : start + _CHUNK])
        array.flush()
    for path in (layout.vectors, layout.visual):
        write_codes(path)


def _columns(catalogue: Catalogue, kept: Rows) -> Columns:
    names = ("category", "price", "latitude", "longitude", "created_at", "expires_at")

    def array(name: str) -> NDArray[Any]:
        return catalogue.gather(kept, lambda segment: getattr(segment.columns, name))

    attributes = catalogue.snapshot.columns.attributes
    return Columns(
        **{name: array(name) for name in names},
        locale=_coded(catalogue, kept, None),
        attributes={name: _coded(catalogue, kept, name) for name in attributes},
    )


def _coded(catalogue: Catalogue, kept: Rows, attribute: str | None) -> Coded:
    """The codes of both segments over one list of values."""

    def column(segment: Segment) -> Coded:
        return segment.columns.locale if attribute is None else segment.columns.attributes[attribute]

    segments = [catalogue.snapshot] if catalogue.fresh is None else [catalogue.snapshot, catalogue.fresh]
    values = sorted({value for segment in segments for value in column(segment).values})
    numbers = {value: code for code, value in enumerate(values)}

    def codes(segment: Segment) -> NDArray[np.int32]:
        own = column(segment)
        anew = np.array([*(numbers[value] for value in own.values), -1], np.int32)
        return anew[own.codes]  # -1, none, is the last one

    return Coded(tuple(values), catalogue.gather(kept, codes))


def _listings(catalogue: Catalogue, kept: Rows) -> Iterator[StoredListing]:
    for start in range(0, len(kept), _CHUNK):
        rows = kept[start : start + _CHUNK].tolist()
        found = catalogue.listings(rows)
        for number, row in enumerate(rows, start=start):
            yield found[row]._replace(row=number)


def _text(listing: StoredListing) -> str:
    return listing_text(listing.title, listing.description, json.loads(listing.attributes))
