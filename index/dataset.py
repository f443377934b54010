"""`python -m index dataset`: any CSV, JSON lines or Parquet file becomes a dataset, by naming its columns."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index.columns import ColumnNames, catalogue_table, tell_markup, tell_unnamed
from index.photos import link_photos
from relevance.artifacts import refuse_foreign, writing
from relevance.dataset import KIND, Listings, parse_listings, told, write_listings
from relevance.errors import DataError, RowsError
from relevance.moved import NAME as MOVED
from relevance.moved import read_moved
from relevance.ontology import Ontology
from relevance.tables import BadRow, Table, read_table

_WRITTEN = frozenset({"categories.csv", MOVED, "listings.parquet", "images", "rejected.csv", "missing_photos.csv"})
_REASONS_TOLD = 5


@dataclass(frozen=True)
class Summary:
    """What was written; `str` gives it to a person. rejected: how many rows were left out for each reason."""

    listings: int
    categories: int
    leaves: int
    uncategorised: int
    photos: int
    missing_photos: int
    silent: int
    rejected: Counter[str]

    def __str__(self) -> str:
        lines = [
            f"{self.listings:,} listings, {self.uncategorised:,} of them without a category",
            f"{self.categories:,} categories, {self.leaves:,} leaves",
            f"{self.photos:,} listings with a photo",
        ]
        if self.missing_photos:
            lines.append(f"{self.missing_photos:,} photos are not there: see missing_photos.csv")
        if self.silent:
            lines.append(
                f"{self.silent:,} listings left out: no text, no attribute, no category, and no photo that is there"
            )
        if self.rejected:
            lines.append(f"{self.rejected.total():,} rows left out: see rejected.csv")
            lines += [f"  {count:,}: {reason}" for reason, count in self.rejected.most_common(_REASONS_TOLD)]
        return "\n".join(lines)


def run(
    source: Path,
    out: Path,
    names: ColumnNames,
    separator: str = ">",
    ontology: Path | None = None,
    skip_bad_rows: bool = False,
) -> Summary:
    """Write the dataset folder `out`, atomically.

    Without `ontology` the tree is made of the categories that the rows name, a category's id being its path;
    with it a row names a category of that file by path or id. Photos lie in the folder of `source` and are
    linked. Raises DataError for the first kind of bad row; with `skip_bad_rows` such rows go to
    `rejected.csv` instead.
    """
    if source.resolve().is_relative_to(out.resolve()):
        raise DataError(f"{source}: lies in {out}, which would be replaced; choose another --out")
    refuse_foreign(out, KIND, _WRITTEN)  # a dataset that has got events or a truth since
    if not names.category and ontology is None:
        raise DataError("a dataset needs categories: name their columns by --category, or a file by --ontology")
    if (names.latitude is None) != (names.longitude is None):
        raise DataError("a place needs two columns: name them by --latitude and --longitude")
    known = Ontology.read(ontology) if ontology else None
    rejected: list[BadRow] = []
    table = read_table(source, names.needed(), nested=True, malformed=rejected if skip_bad_rows else None)
    while True:
        try:
            catalogue, tree = catalogue_table(table, names, separator, known)
            listings = parse_listings(catalogue, tree)
            break
        except RowsError as error:
            if not skip_bad_rows:
                raise DataError(f"{error}; --skip-bad-rows leaves such rows out") from None
            rejected += [BadRow(table.row(i), error.reason, _content(table, i)) for i in error.records]
            table = table.take(np.setdiff1d(np.arange(len(table)), error.records))
            if not len(table):
                raise DataError(f"{source}: no row is usable; the last problem: {error}") from None
    tell_unnamed(table, names.category, separator, known)
    tell_markup(table, names)
    return _write(out, source.parent, tree, listings, sorted(rejected))


def _content(table: Table, i: int) -> str:
    row = {name: column[i] for name, column in table.columns.items()}
    return json.dumps(row, ensure_ascii=False, default=str)


def _write(out: Path, photos: Path, tree: Ontology, listings: Listings, rejected: Sequence[BadRow]) -> Summary:
    with writing(out, KIND, _WRITTEN) as folder:
        tree.write(folder / "categories.csv")
        if (out / MOVED).is_file() and not (folder / MOVED).exists():
            read_moved(out / MOVED, set(tree.ids))  # it has to be true of these categories, or nobody could read them
            shutil.copyfile(out / MOVED, folder / MOVED)  # somebody has put it there
        listings, missing = link_photos(photos, listings, folder)
        says = told(listings)
        listings = listings.take(says)
        write_listings(folder / "listings.parquet", listings)
        if missing:
            _write_csv(folder / "missing_photos.csv", ("listing_id", "image"), missing)
        if rejected:
            _write_csv(folder / "rejected.csv", BadRow._fields, rejected)
    return Summary(
        listings=len(listings),
        categories=len(tree),
        leaves=int(tree.is_leaf.sum()),
        uncategorised=listings.category_ids.count(None),
        photos=sum(map(bool, listings.images)),
        missing_photos=len(missing),
        silent=int((~says).sum()),
        rejected=Counter(row.reason for row in rejected),
    )


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
