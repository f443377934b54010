"""The columns of any table, brought into the columns of a listings file."""

from __future__ import annotations

import json
import math
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np

from relevance.errors import DataError, DataWarning, listed, quoted
from relevance.fields import NOT_IDS, refuse, texts
from relevance.ontology import SEPARATOR, Names, Ontology
from relevance.parquet import Column
from relevance.tables import Table, is_missing

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_MARKUP = re.compile(r"</?(?:p|br|b|i|u|a|em|strong|span|div|font|ul|ol|li|h\d)\b[^<>]*>|&(?:[a-z]{2,6}|#\d+);", re.I)


@dataclass(frozen=True)
class ColumnNames:
    """Which columns of a table hold what; a name with dots (`a.b`) reaches into objects.

    `category` is one column with a joined path, or several, one a level. `image` is a column, or a template
    with columns in braces, such as `images/{id}.jpg`.
    """

    listing_id: str
    title: str
    category: tuple[str, ...] = ()
    image: str | None = None
    attributes: tuple[str, ...] = ()
    description: str | None = None
    price: str | None = None
    latitude: str | None = None
    longitude: str | None = None
    created_at: str | None = None
    expires_at: str | None = None
    locale: str | None = None

    def plain(self) -> dict[str, str]:
        """Columns that are taken as they are: name in a listings file -> name in the table."""
        names = ("description", "price", "latitude", "longitude", "created_at", "expires_at", "locale")
        given = {name: getattr(self, name) for name in names}
        return {"listing_id": self.listing_id, "title": self.title} | {k: v for k, v in given.items() if v}

    def needed(self) -> tuple[str, ...]:
        """Every column of the table that is read, once."""
        image = () if self.image is None else tuple(_PLACEHOLDER.findall(self.image)) or (self.image,)
        return tuple(dict.fromkeys((*self.plain().values(), *self.category, *image, *self.attributes)))


def catalogue_table(table: Table, names: ColumnNames, separator: str, known: Ontology | None) -> tuple[Table, Ontology]:
    """The table with the columns of a listings file, row for row, and the categories it refers to.

    Raises RowsError for categories that `known` does not hold, or names that a path cannot hold.
    """
    plain = names.plain()
    columns: dict[str, Column] = {name: table.columns[of] for name, of in plain.items()}
    paths = _paths(table, names.category, separator, _unnamed(known))
    columns["category_id"] = [SEPARATOR.join(path) for path in paths]
    columns["image"] = _images(table, names.image)
    columns["attributes"] = list(_attributes(table, names.attributes))
    labels = plain | {"category_id": ",".join(names.category), "image": names.image or ""}
    catalogue = Table(table.path, table.header, columns, table.rows, labels)
    if known is None:
        return catalogue, _tree(catalogue, paths)
    columns["category_id"] = _known_ids(catalogue, paths, _as_written(table, names.category), known)
    return catalogue, known


def tell_unnamed(table: Table, names: tuple[str, ...], separator: str, known: Ontology | None) -> None:
    """Tells in a DataWarning how often "nan" and the like stand where a category's name would."""
    unnamed = _unnamed(known) - {""}
    found = Counter(name for row in _levels(table, names, separator) for name in row if name.lower() in unnamed)
    if found:
        told = ", ".join(f"{quoted(name)}: {count:,}" for name, count in found.most_common())
        warnings.warn(f"{table.path}: names that are none, so no category: {told}", DataWarning, stacklevel=2)


def tell_markup(table: Table, names: ColumnNames) -> None:
    """Tells in a DataWarning how many titles and descriptions hold HTML: nothing takes it away, so a tag is a word."""
    columns = [name for name in (names.title, names.description) if name]
    found = {name: sum(map(bool, map(_MARKUP.search, texts(table, name)))) for name in columns}
    if any(found.values()):
        told = ", ".join(f"{name}: {count:,}" for name, count in found.items() if count)
        warnings.warn(f"{table.path}: texts with HTML, of which every tag counts as a word: {told}", DataWarning, 2)


def _unnamed(known: Ontology | None) -> frozenset[str]:
    """What is no category's name, in small letters: nothing, and what programs write for it, unless a `known` one is
    called so."""
    return NOT_IDS - {name.lower() for path in (known.paths if known else ()) for name in path}


def _paths(table: Table, names: tuple[str, ...], separator: str, unnamed: Set[str]) -> list[Names]:
    """The path of names of each row, () without a category; in columns, an empty level ends it."""
    if not separator.strip():
        raise DataError(
            f"--separator: expected what stands between two levels of a category, found {quoted(separator)}"
        )
    taken = filter if len(names) == 1 else takewhile
    rows = _levels(table, names, separator)
    return [tuple(taken(lambda name: name.lower() not in unnamed, row)) for row in rows]


def _levels(table: Table, names: tuple[str, ...], separator: str) -> Iterator[list[str]]:
    """The names of each row, as they are written: parts of one column, or of several columns."""
    if not names:
        return iter([[]] * len(table))
    if len(names) == 1:
        rows: Iterable[Sequence[str]] = (text.split(separator) for text in texts(table, names[0]))
    else:
        rows = zip(*(texts(table, name) for name in names), strict=True)
    return ([name.strip() for name in row] for row in rows)


def _tree(catalogue: Table, paths: list[Names]) -> Ontology:
    """All paths and what lies above them; the text of a path is the id."""
    broken = [i for i, path in enumerate(paths) if any(SEPARATOR in name for name in path)]
    if broken:
        refuse(catalogue, "category_id", broken, f"names of categories without {SEPARATOR!r}")
    used = {path[:length] for path in set(paths) for length in range(1, len(path) + 1)}
    if not used:
        raise DataError(f"{catalogue.path}: expected a category in some row, found none in all {len(paths)}")
    ordered = sorted(used)
    return Ontology.from_paths([SEPARATOR.join(path) for path in ordered], ordered)


def _as_written(table: Table, names: tuple[str, ...]) -> list[str]:
    """What each row has in its one column of categories, "" where these are several or none."""
    return [text.strip() for text in texts(table, names[0])] if len(names) == 1 else [""] * len(table)


def _known_ids(catalogue: Table, paths: list[Names], written: list[str], known: Ontology) -> Column:
    """The id of each row's category, which the row may have itself, as `written` or as its path's text."""
    id_of = {path: category_id for category_id, path in zip(known.ids, known.paths, strict=True)}
    ids = {*known.ids, *known.moved}
    found = [
        id_of.get(path) or next((own for own in (text, SEPARATOR.join(path)) if own in ids), None)
        for path, text in zip(paths, written, strict=True)
    ]
    unknown = [i for i, path in enumerate(paths) if path and found[i] is None]
    if unknown:
        hint = known.close_matches(SEPARATOR.join(paths[unknown[0]]))
        refuse(catalogue, "category_id", unknown, "a path or id of the --ontology file or an id of its moved.csv", hint)
    return found


def _images(table: Table, image: str | None) -> list[Any]:
    if image is None:
        return [None] * len(table)
    if not _PLACEHOLDER.search(image):
        return list(table.columns[image])
    names = _PLACEHOLDER.findall(image)
    frame = _PLACEHOLDER.sub("{}", image)
    values = zip(*(texts(table, name) for name in names), strict=True)
    return [[frame.format(*row)] if all(row) else None for row in values]


def _attributes(table: Table, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """An object for each row: each value under the last part of its column's name, objects value by value. Refuses
    infinity, which JSON does not have."""
    keys = [name.rpartition(".")[2] for name in names]
    doubled = {key for key in keys if keys.count(key) > 1}
    if doubled:
        raise DataError(f"--attributes: expected each name once, found {listed(sorted(doubled))} more than once")
    attributes: list[dict[str, Any]] = [{} for _ in range(len(table))]
    for key, name in zip(keys, names, strict=True):
        values = _json_values(table.columns[name])
        if endless := [i for i, value in enumerate(values) if _endless(value)]:
            refuse(table, name, endless, "a finite number or text")
        for row, value in zip(attributes, values, strict=True):
            if isinstance(value, dict):
                row.update(value)
            elif not is_missing(value):
                row[key] = value
    return attributes


def _endless(value: Any) -> bool:
    """Whether infinity is somewhere in a JSON value."""
    if isinstance(value, dict | list):
        return any(map(_endless, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and math.isinf(value)


def _json_values(column: Column) -> list[Any]:
    """The column with values that JSON has."""
    if isinstance(column, np.ndarray):
        if column.dtype.kind == "M":
            return [None if text == "NaT" else text for text in np.datetime_as_string(column).tolist()]
        return list(column.tolist())
    plain = (str, int, float, bool, type(None))
    return [v if isinstance(v, plain) else json.loads(json.dumps(v, default=str)) for v in column]
