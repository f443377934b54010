"""A bundle of as many listings as asked for, made up from those of another: what a larger catalogue costs can so be
measured without having one.

Mental model: every listing again and again, its vector with noise and its title with words of others of its category.
So the words' posting lists, the categories and the neighbourhoods of the vectors grow as the catalogue does; the
vocabulary, the ontology and the models stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from tqdm import tqdm

from eval.benchmarks.made_up import origins, varied
from relevance.artifacts import link_or_copy, write_manifest, writing
from relevance.bundle import KIND, VERSION, BundleLayout, open_manifest
from relevance.codes import write_codes
from relevance.columns import Coded, Columns
from relevance.dataset import listing_text
from relevance.featuriser import Featuriser
from relevance.lexical import LexicalIndex
from relevance.ontology import Ontology
from relevance.qualifiers import word_rows
from relevance.store import ListingStore, StoredListing
from relevance.towers import listing_words

BORROWED = 0.5
"""The share of a title's words that come from other listings of its category."""

_OF_LISTINGS = ("vectors", "visual", "words", "listings", "columns", "lexical")
_OWN = ("created_at", "files", "kind", "version", "listings", "live")
_CHUNK = 50_000
_ASKED = 10_000


def command(
    bundle: Annotated[Path, typer.Option(help="Bundle made by `python -m index build`.")],
    listings: Annotated[int, typer.Option(min=100, help="Listings, made up from the bundle's.")],
    out: Annotated[Path, typer.Option(help="Folder of the bundle to write.")],
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Make a bundle of more listings, to measure with the other benchmarks."""
    enlarge(bundle, listings, out, seed)
    typer.echo(f"wrote {out}: {listings:,} listings, made up from those of {bundle}")


def enlarge(bundle: Path, count: int, out: Path, seed: int = 0) -> None:
    """Writes the bundle `out` of `count` listings made up from those of `bundle`, whose models it keeps."""
    manifest, source = open_manifest(bundle), BundleLayout(bundle)
    rng = np.random.default_rng(seed)
    real: NDArray[np.float32] = np.load(source.vectors)
    rows = origins(real, count, rng)
    with writing(out, KIND) as temporary:
        layout = BundleLayout(temporary)
        for name in manifest["files"]:
            if name.split("/")[0].split(".")[0] not in _OF_LISTINGS:
                link_or_copy(bundle / name, temporary / name)
        np.save(layout.vectors, varied(real, rows, rng))
        np.save(layout.visual, np.load(source.visual)[rows])
        for path in (layout.vectors, layout.visual):
            write_codes(path)
        columns = Columns.open(source.columns)
        _repeated(columns, rows).write(layout.columns)
        _write_texts(source, layout, columns.category, rows, rng)
        fields = {name: value for name, value in manifest.items() if name not in _OWN}
        write_manifest(temporary, KIND, VERSION, **fields, listings=count)


def _repeated(columns: Columns, rows: NDArray[np.int64]) -> Columns:
    arrays = ("category", "price", "latitude", "longitude", "created_at", "expires_at")

    def coded(column: Coded) -> Coded:
        return replace(column, codes=column.codes[rows])

    return Columns(
        **{name: getattr(columns, name)[rows] for name in arrays},
        locale=coded(columns.locale),
        attributes={name: coded(column) for name, column in columns.attributes.items()},
    )


def _write_texts(
    source: BundleLayout,
    layout: BundleLayout,
    category: NDArray[np.int32],
    rows: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    """Writes what is read of the listings: the store, the lexical index and the words. category: int32 `[n]`, of the
    bundle's own."""
    listings = _read(ListingStore(source.store), len(category))
    titles = _titles([listing.title for listing in listings], category, rows, rng)
    made = list(_listings(listings, titles, rows))
    ListingStore.build(layout.store, made)
    said = ((each.title, each.description, json.loads(each.attributes)) for each in tqdm(made, "lexical index"))
    LexicalIndex.build((listing_text(*each) for each in said), layout.lexical)
    ontology, featuriser = Ontology.read(layout.categories), Featuriser.read(layout.towers.text)
    paths = [ontology.path_text(position) for position in category[rows].tolist()]
    words = [
        word_rows(
            featuriser,
            [
                listing_words(each.title, json.loads(each.attributes), path)
                for each, path in zip(made[start : start + _CHUNK], paths[start : start + _CHUNK], strict=True)
            ],
        )
        for start in tqdm(range(0, len(made), _CHUNK), "words")
    ]
    np.save(layout.words, np.concatenate(words))


def _read(store: ListingStore, count: int) -> list[StoredListing]:
    found: dict[int, StoredListing] = {}
    for start in range(0, count, _ASKED):
        found |= store.rows(range(start, min(start + _ASKED, count)))
    return [found[row] for row in range(count)]


def _titles(
    titles: list[str], category: NDArray[np.int32], rows: NDArray[np.int64], rng: np.random.Generator
) -> Iterator[str]:
    """The title of each of `rows`, whose listing is one of `titles`: the first time as it is, then with BORROWED of its
    words drawn from those of all titles of its category, each as often as it occurs there."""
    words = [title.split() for title in titles]
    of_category: dict[int, list[str]] = {}
    for own, position in zip(words, category.tolist(), strict=True):
        of_category.setdefault(position, []).extend(own)
    before = -1
    for row in rows.tolist():
        if row == before:
            own, others = words[row], of_category[int(category[row])]
            drawn, swapped = rng.integers(len(others) or 1, size=len(own)), rng.random(len(own)) < BORROWED
            yield " ".join(others[at] if new else word for word, at, new in zip(own, drawn, swapped, strict=True))
        else:
            yield titles[row]
        before = row


def _listings(listings: list[StoredListing], titles: Iterator[str], rows: NDArray[np.int64]) -> Iterator[StoredListing]:
    for number, (row, title) in enumerate(zip(rows.tolist(), titles, strict=True)):
        own = listings[row]
        yield own._replace(row=number, listing_id=f"{own.listing_id}-{number}", title=title)
