"""Reading what evaluation is given beside a dataset: query lists, judgments, and the simulator's truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.grades import Grader
from relevance.dataset import Dataset, Listings
from relevance.errors import DataError
from relevance.fields import ids, numbers, objects, refuse, texts, unique_ids
from relevance.ontology import Ontology
from relevance.parquet import Column
from relevance.tables import Table, is_missing, read_table
from relevance.text import normalise

NO_ANSWER = "none"
"""The kind of a query that the catalogue has no answer to."""


def read_any(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> Table:
    """Reads a tab-separated file (`.tsv`: one record a line, no quoting), or what `relevance.tables` reads."""
    if path.suffix != ".tsv" or not path.is_file():
        return read_table(path, required, optional)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            records = (line.rstrip("\r\n").split("\t") for line in file)
            lines = [(i, line) for i, line in enumerate(records, start=1) if any(line)]
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected UTF-8: {error.reason}; save the file as UTF-8") from None
    header = lines[0][1] if lines else []
    missing = [name for name in required if name not in header]
    if missing or len(lines) < 2:
        found = f"missing: {', '.join(missing)}" if missing else "and no row below them"
        raise DataError(f"{path}: expected the columns {', '.join(required)}, found {', '.join(header)}; {found}")
    for number, line in lines:
        if len(line) > len(header):
            raise DataError(f"{path}, row {number}: expected {len(header)} values, found {len(line)}")
    columns: dict[str, Column] = {
        name: [line[at] if at < len(line) else "" for _, line in lines[1:]]
        for at, name in enumerate(header)
        if name in (*required, *optional)
    }
    return Table(path, tuple(header), columns, [number for number, _ in lines[1:]])


def title_clusters(listings: Listings) -> list[str]:
    """Returns what each listing is one with when titles are drawn anew: those of the same title in any spelling;
    nothing else, where it has none."""
    return [normalise(title) or f"\0{name}" for title, name in zip(listings.titles, listings.ids, strict=True)]


def read_queries(path: Path) -> dict[str, str]:
    """Returns query -> kind ("" where the file has no column `kind`), in the file's order.

    Raises DataError for an empty query and for one that is listed twice.
    """
    table = read_any(path, ("query",), ("kind",))
    queries = texts(table, "query")
    empty = [i for i, query in enumerate(queries) if not query.strip()]
    if empty:
        refuse(table, "query", empty, "a query")
    kinds: dict[str, str] = {}
    for i, (query, kind) in enumerate(zip(queries, texts(table, "kind"), strict=True)):
        if query in kinds:
            refuse(table, "query", [i], "each query once")
        kinds[query] = kind.strip()
    return kinds


def read_judgments(path: Path, id_column: str, grade_column: str) -> dict[str, dict[str, int]]:
    """Returns query -> listing id -> grade. Raises DataError for a grade that is no whole number from 0 to 10, and
    for a pair that is judged twice."""
    table = read_any(path, ("query", id_column, grade_column))
    for name in ("query", grade_column):
        missing = [i for i, value in enumerate(table.columns[name]) if is_missing(value)]
        if missing:
            refuse(table, name, missing, "a value")
    grades = numbers(table, grade_column)
    wrong = np.flatnonzero((grades < 0) | (grades > 10) | (grades != np.round(grades)))
    if len(wrong):
        refuse(table, grade_column, wrong, "a whole number from 0 to 10")
    judged: dict[str, dict[str, int]] = {}
    triples = zip(texts(table, "query"), ids(table, id_column), grades.astype(int).tolist(), strict=True)
    for i, (query, listing_id, grade) in enumerate(triples):
        own = judged.setdefault(query, {})
        if listing_id in own:
            refuse(table, id_column, [i], "each listing once a query")
        own[listing_id] = grade
    return judged


@dataclass(frozen=True)
class Intent:
    """What a simulated person wanted. wanted: positions of categories, () where the catalogue has none; constraints:
    attribute -> values that will do."""

    kind: str
    wanted: tuple[int, ...]
    constraints: dict[str, tuple[str, ...]]

    @property
    def key(self) -> str:
        """Equal where the same is wanted."""
        return repr((self.wanted, sorted(self.constraints.items())))


def read_intents(dataset: Dataset, ontology: Ontology) -> dict[str, Intent]:
    """Returns query id -> intent; raises DataError where the dataset has no truth or names an unknown category."""
    table = read_table(_truth(dataset, "intents.parquet"), ("query_id", "kind", "category_ids", "constraints"))
    constraints = objects(table, "constraints")
    rows = zip(ids(table, "query_id"), texts(table, "kind"), table.columns["category_ids"], constraints, strict=True)
    return {
        query_id: Intent(
            kind,
            tuple(ontology.position(category) for category in category_ids or ()),
            {name: _listed(values) for name, values in stated.items()},
        )
        for query_id, kind, category_ids, stated in rows
    }


def read_truth(dataset: Dataset, ontology: Ontology, listings: Listings) -> Grader:
    """Returns a grader of `listings` by their true categories and attributes; raises DataError where the dataset does
    not tell those of a listing."""
    table = read_table(_truth(dataset, "listings.parquet"), ("listing_id", "category_id", "attributes"))
    row_of = {listing_id: row for row, listing_id in enumerate(unique_ids(table, "listing_id"))}
    unknown = [listing_id for listing_id in listings.ids if listing_id not in row_of]
    if unknown:
        raise DataError(f"{table.path}: has no row for {len(unknown)} listings, the first: {unknown[0]!r}")
    rows = [row_of[listing_id] for listing_id in listings.ids]
    attributes = objects(table, "attributes")
    category = positions(ontology, texts(table, "category_id"))
    return Grader(ontology, category[rows], [attributes[row] for row in rows])


def positions(ontology: Ontology, category_ids: Sequence[str | None]) -> NDArray[np.int32]:
    """Returns int32 `[n]`: the position of each category, -1 where there is none given."""
    return np.array([ontology.position(c) if c else -1 for c in category_ids], np.int32)


def _truth(dataset: Dataset, name: str) -> Path:
    path = dataset.truth_dir / name
    if not path.is_file():
        raise DataError(
            f"{path}: no such file; this evaluation needs to know what was wanted, which only a simulated dataset "
            "tells (python -m eval simulate)"
        )
    return path


def _listed(values: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if isinstance(values, list) else (str(values),)
