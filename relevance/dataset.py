"""The dataset folder (categories, listings, photos, behaviour) and its listings, checked while read."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataError, DataWarning, quoted
from relevance.fields import instants, numbers, objects, refuse, texts, unique_ids
from relevance.ontology import Ontology
from relevance.parquet import import_pyarrow, write_parquet
from relevance.tables import Table, is_missing, read_table, take

KIND = "dataset"
REQUIRED = ("listing_id", "title")
OPTIONAL = (
    "description", "category_id", "image", "price", "latitude", "longitude", "created_at", "expires_at",
    "locale", "attributes",
)  # fmt: skip
LISTING_FILES = (
    "listings.parquet",
    "listings.csv",
    "listings.jsonl",
    "listings.csv.gz",
    "listings.jsonl.gz",
)
_MOVED_TOLD = 5
_INSIDE = "paths relative to this file's folder and inside it"
_EVENT_FILES = ("events.parquet", "events.jsonl", "events.jsonl.gz")


@dataclass(frozen=True, eq=False)
class Listings:
    """Listings as columns, all of length n, in the order of their file.

    `titles`, `descriptions` and `locales` are "" and `category_ids` None where not given; `images` are paths
    relative to the dataset's folder, () without a photo. `price`, `latitude`, `longitude` are float64 `[n]` with NaN,
    `created_at` and `expires_at` datetime64[ms] `[n]` in UTC with NaT. `attributes` hold JSON values. A listing has a
    title, or something else that says what is offered (`told`).
    """

    ids: list[str]
    titles: list[str]
    descriptions: list[str]
    category_ids: list[str | None]
    images: list[tuple[str, ...]]
    price: NDArray[np.float64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    created_at: NDArray[np.datetime64]
    expires_at: NDArray[np.datetime64]
    locales: list[str]
    attributes: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def split_by(self) -> list[str]:
        """By what photos are split, so that near-identical ones stay together: the title; where no listing has one, as
        in a folder of photos, the id."""
        return self.titles if any(self.titles) else self.ids

    def take(self, rows: Sequence[int] | NDArray[Any]) -> Listings:
        """The listings at `rows` (positions, or a boolean mask `[n]`), in that order."""
        positions = np.asarray(rows)
        positions = np.flatnonzero(positions) if positions.dtype == np.bool_ else positions.astype(np.int64)
        return Listings(**take({field.name: getattr(self, field.name) for field in fields(self)}, positions))


@dataclass(frozen=True)
class Dataset:
    """A dataset folder: knows its paths, reads its parts."""

    root: Path

    @staticmethod
    def open(root: Path) -> Dataset:
        """Check that the folder holds categories.csv and one listings file; raises DataError."""
        root = Path(root)
        if not root.is_dir():
            raise DataError(f"{root}: expected a dataset folder, found {'a file' if root.exists() else 'nothing'}")
        if not (root / "categories.csv").is_file():
            raise DataError(f"{root}: a dataset needs categories.csv, found none")
        found = [name for name in LISTING_FILES if (root / name).is_file()]
        if len(found) != 1:
            raise DataError(
                f"{root}: expected one of {', '.join(LISTING_FILES[:3])}, found {' and '.join(found) or 'none'}"
            )
        return Dataset(root)

    @property
    def categories_path(self) -> Path:
        return self.root / "categories.csv"

    @property
    def listings_path(self) -> Path:
        return _first_of(self.root, LISTING_FILES)

    @property
    def events_path(self) -> Path:
        """The events file; `events.parquet` where there is none yet. Raises DataError where there are several: which
        of them is meant nobody knows."""
        found = [name for name in _EVENT_FILES if (self.root / name).is_file()]
        if len(found) > 1:
            raise DataError(f"{self.root}: expected one of {', '.join(_EVENT_FILES)}, found {' and '.join(found)}")
        return _first_of(self.root, _EVENT_FILES)

    @property
    def images_dir(self) -> Path:
        return self.root / "images"

    @property
    def truth_dir(self) -> Path:
        return self.root / "truth"

    def read_ontology(self) -> Ontology:
        """The category tree."""
        return Ontology.read(self.categories_path)

    def read_listings(self, ontology: Ontology | None = None) -> Listings:
        """The listings, their categories checked against `ontology` (by default the dataset's own)."""
        return read_listings(self.listings_path, ontology or self.read_ontology())


def _first_of(folder: Path, names: Sequence[str]) -> Path:
    return next((folder / name for name in names if (folder / name).is_file()), folder / names[0])


def read_listings(path: Path, ontology: Ontology | None) -> Listings:
    """Read and check a listings file: Parquet, CSV or JSON lines.

    In a CSV, `image` may hold several paths joined by `|` and `attributes` is the text of a JSON object.
    Times are ISO 8601 (UTC without a zone) or epoch milliseconds. Raises one DataError for the first kind of
    problem, with file, column, and every row that has it. With `ontology` None the categories are not
    checked; else a category that moved is read as what it is now, one that is gone as none, and a DataWarning
    tells how many.
    """
    table = read_table(Path(path), REQUIRED, OPTIONAL)
    listings = parse_listings(table, ontology)
    _tell_moved(Path(path), texts(table, "category_id"), listings.category_ids)
    return listings


def _tell_moved(path: Path, written: Sequence[str], read: Sequence[str | None]) -> None:
    moved = Counter((old, new) for old, new in zip(written, read, strict=True) if old and old != new)
    if moved:
        told = [f"{old} {f'-> {new}' if new else 'is gone'}: {n:,}" for (old, new), n in moved.most_common(_MOVED_TOLD)]
        more = f" and {len(moved) - len(told)} more" if len(moved) > len(told) else ""
        gone = sum(n for (_, new), n in moved.items() if new is None)
        text = (
            f"{path}: {moved.total():,} listings name a former category, {gone:,} of them one that is gone and so none"
        )
        warnings.warn(f"{text} ({', '.join(told)}{more})", DataWarning, stacklevel=3)


def parse_listings(table: Table, ontology: Ontology | None) -> Listings:
    """Check a table with the columns of a listings file; raises RowsError for the first kind of problem. Former
    categories of `ontology` are read as what they are now."""
    latitude, longitude = _coordinates(table)
    listings = Listings(
        ids=unique_ids(table, "listing_id"),
        titles=[title if title.strip() else "" for title in texts(table, "title")],
        descriptions=texts(table, "description"),
        category_ids=_categories(table, ontology),
        images=_images(table),
        price=_bounded(table, "price", 0.0, np.inf, "a price of at least 0"),
        latitude=latitude,
        longitude=longitude,
        created_at=instants(table, "created_at"),
        expires_at=instants(table, "expires_at"),
        locales=texts(table, "locale"),
        attributes=objects(table, "attributes"),
    )
    # A category that is gone since counts: an ontology that changes is not to make a file unreadable.
    categorised = np.array([bool(category) for category in texts(table, "category_id")], dtype=np.bool_)
    silent = np.flatnonzero(~told(listings) & ~categorised)
    if len(silent):
        refuse(table, "title", silent, "some text", ", and no photo, category, description or attribute in its place")
    return listings


def told(listings: Listings) -> NDArray[np.bool_]:
    """Which listings say what is offered, bool `[n]`: by a text, an attribute, a category or a photo."""
    columns = (listings.titles, listings.category_ids, listings.images, listings.descriptions, listings.attributes)
    said = (
        bool(title or category or images or listing_text(title, description, attributes).strip())
        for title, category, images, description, attributes in zip(*columns, strict=True)
    )
    return np.fromiter(said, dtype=np.bool_, count=len(listings))


def _bounded(table: Table, name: str, low: float, high: float, expected: str) -> NDArray[np.float64]:
    values = numbers(table, name)
    outside = np.flatnonzero((values < low) | (values > high))
    if len(outside):
        refuse(table, name, outside, expected)
    return values


def _coordinates(table: Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    latitude = _bounded(table, "latitude", -90.0, 90.0, "degrees from -90 to 90")
    longitude = _bounded(table, "longitude", -180.0, 180.0, "degrees from -180 to 180")
    for name, other, half in (
        ("latitude", "longitude", ~np.isnan(longitude) & np.isnan(latitude)),
        ("longitude", "latitude", ~np.isnan(latitude) & np.isnan(longitude)),
    ):
        if half.any() and name not in table.columns:
            raise DataError(f"{table.path}: expected a column {name} beside {other}, found none")
        if half.any():
            refuse(table, name, np.flatnonzero(half), f"a number, since the row has a {other}")
    return latitude, longitude


def _categories(table: Table, ontology: Ontology | None) -> list[str | None]:
    given: list[str | None] = [category or None for category in texts(table, "category_id")]
    if ontology is None:
        return given
    now = {category: ontology.get(category) for category in set(given) if category}
    unknown = {category for category, position in now.items() if position is None and category not in ontology.moved}
    bad = [i for i, category in enumerate(given) if category in unknown] if unknown else []
    if bad:
        hint = f"{ontology.close_matches(str(given[bad[0]]))}; where a former one went is for moved.csv to tell"
        refuse(table, "category_id", bad, "a category_id of categories.csv or nothing", hint)
    ids = {category: None if position is None else ontology.ids[position] for category, position in now.items()}
    return [ids[category] if category else None for category in given]


def _images(table: Table) -> list[tuple[str, ...]]:
    values = table.columns.get("image")
    if values is None:
        return [()] * len(table)
    images = [image_paths(value) for value in values]
    leaving = [i for i, paths in enumerate(images) if paths and any(map(leaves_folder, paths))]
    inside = [tuple(path for path in paths or () if not leaves_folder(path)) for paths in images]
    bad = [i for i, paths in enumerate(images) if paths is None]
    if bad or (leaving and not any(inside)):
        refuse(table, "image", bad or leaving, f"{_INSIDE}, such as images/1.jpg")
    if leaving:
        warnings.warn(
            f"{table.path}: photos of {len(leaving):,} listings are left out, since these are to be {_INSIDE}; "
            f"the first in row {table.row(leaving[0])}: {quoted(values[leaving[0]])}",
            DataWarning,
            stacklevel=2,
        )
    return inside


def image_paths(value: Any) -> tuple[str, ...] | None:
    """The photos of one listing, as its column `image` holds them: text with `|` between paths, a list of paths, or
    nothing. None where the value is neither text nor a list of text."""
    if isinstance(value, str):
        return (value,) if "|" not in value and value else tuple(filter(None, value.split("|")))
    if isinstance(value, (list, tuple)) and all(isinstance(path, str) for path in value):
        return tuple(filter(None, value))
    return () if is_missing(value) else None


def leaves_folder(path: str) -> bool:
    """Whether a photo's path leads out of the folder that it is relative to; such a photo is not looked at."""
    return path.startswith(("/", "\\")) or (".." in path and ".." in PurePosixPath(path.replace("\\", "/")).parts)


def write_listings(path: Path, listings: Listings) -> None:
    """Write Parquet, atomically; `read_listings` gives the same listings back."""
    pyarrow = import_pyarrow()
    text, number, instant = pyarrow.string(), pyarrow.float64(), pyarrow.timestamp("ms", "UTC")
    columns = {
        "listing_id": pyarrow.array(listings.ids, text),
        "title": pyarrow.array(listings.titles, text),
        "description": pyarrow.array(listings.descriptions, text),
        "category_id": pyarrow.array(listings.category_ids, text),
        "image": pyarrow.array([list(paths) for paths in listings.images], pyarrow.list_(text)),
        "price": pyarrow.array(listings.price, number, from_pandas=True),
        "latitude": pyarrow.array(listings.latitude, number, from_pandas=True),
        "longitude": pyarrow.array(listings.longitude, number, from_pandas=True),
        "created_at": pyarrow.array(listings.created_at.astype("datetime64[ms]"), instant),
        "expires_at": pyarrow.array(listings.expires_at.astype("datetime64[ms]"), instant),
        "locale": pyarrow.array(listings.locales, text),
        "attributes": pyarrow.array([json.dumps(a, ensure_ascii=False) for a in listings.attributes], text),
    }
    write_parquet(Path(path), pyarrow.table(columns))


def listing_text(title: str, description: str, attributes: dict[str, Any]) -> str:
    """The text that the lexical engine indexes: title, description and the values of the attributes."""
    return "\n".join(part for part in (title, description, *_words(attributes)) if part)


def _words(value: Any) -> Iterator[str]:
    """Texts and numbers inside a JSON value; true, false and null are no words of a listing."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _words(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _words(item)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)
