"""The category tree, in depth-first order: a subtree is one contiguous range of positions."""

from __future__ import annotations

import csv
import difflib
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from relevance.artifacts import writing_file
from relevance.errors import DataError, listed, quoted
from relevance.fields import refuse, texts, unique_ids
from relevance.moved import NAME, Moved, read_moved, write_moved
from relevance.tables import Table, read_table
from relevance.text import tokens

SEPARATOR = " > "
Names = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Ontology:
    """Categories in depth-first order, children of a node by name; a position in it names a category.

    `ids` and `paths` (names from the root) have length n. `parent` int32 `[n]` (-1 for a root), `depth` int32
    `[n]` (1 for a root), `end` int32 `[n]`: the subtree of i, itself included, is `[i, end[i])`. `is_leaf`
    bool `[n]`. `moved` tells where former ids went: `get` and `position` follow it.
    """

    ids: tuple[str, ...]
    paths: tuple[Names, ...]
    parent: NDArray[np.int32]
    depth: NDArray[np.int32]
    end: NDArray[np.int32]
    is_leaf: NDArray[np.bool_]
    moved: Moved = field(default_factory=dict)

    @staticmethod
    def from_paths(ids: Sequence[str], paths: Sequence[Sequence[str]]) -> Ontology:
        """Build from one path of names per id, in any order.

        An inner category that no row gives is made, with the id `path:A > B`. Raises DataError for a
        duplicate id or path, an empty path or name, and a name that holds the separator ` > `.
        """
        if len(ids) != len(paths):
            raise DataError(f"Ontology: expected as many ids as paths, found {len(ids)} and {len(paths)}")
        return _build(list(ids), [tuple(path) for path in paths], lambda i: f"category number {i + 1}")

    @staticmethod
    def read(csv_path: Path) -> Ontology:
        """Read a CSV: `category_id,path` (names joined by ` > `) or `category_id,name,parent_id`; and `moved.csv`
        beside it, where there is one.

        Raises DataError, naming file and row, for what `from_paths` and `relevance.moved` refuse, and for an unknown
        parent and a cycle.
        """
        table = read_table(Path(csv_path), ("category_id",), ("path", "name", "parent_id"))
        ids = unique_ids(table, "category_id")
        if "path" in table.columns:
            paths = [tuple(text.split(SEPARATOR)) for text in texts(table, "path")]
        elif "name" in table.columns and "parent_id" in table.columns:
            paths = _paths_of_parents(table, ids)
        else:
            raise DataError(
                f"{csv_path}: expected the header category_id,path or category_id,name,parent_id, "
                f"found {listed(table.header)}"
            )
        built = _build(ids, paths, lambda i: f"{table.path}, row {table.row(i)}")
        return replace(built, moved=read_moved(Path(csv_path).with_name(NAME), set(ids)))

    def write(self, csv_path: Path) -> None:
        """Write `category_id,path`, in depth-first order, and what moved beside it; `read` gives the same back."""
        with (
            writing_file(Path(csv_path)) as temporary,
            open(temporary, "w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file)
            writer.writerow(("category_id", "path"))
            writer.writerows(
                (category_id, SEPARATOR.join(path)) for category_id, path in zip(self.ids, self.paths, strict=True)
            )
        write_moved(Path(csv_path).with_name(NAME), self.moved)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over ids and paths: equal where positions mean the same categories."""
        return hashlib.sha256(json.dumps([self.ids, self.paths]).encode()).hexdigest()

    @cached_property
    def _positions(self) -> dict[str, int]:
        there = {category_id: i for i, category_id in enumerate(self.ids)}
        return there | {old: there[new] for old, new in self.moved.items() if new is not None}

    def get(self, category_id: str) -> int | None:
        """Position of a category, by its id or a former one, or None."""
        return self._positions.get(category_id)

    def position(self, category_id: str) -> int:
        """Position of a category; raises DataError with the closest known ids."""
        found = self._positions.get(category_id)
        if found is None and category_id in self.moved:
            raise DataError(f"category {quoted(category_id)} is gone, and {NAME} names none in its place")
        if found is None:
            raise DataError(f"unknown category {quoted(category_id)}{self.close_matches(category_id)}")
        return found

    def close_matches(self, category_id: str) -> str:
        """A hint for an error message: `; close to 'a', 'b'`, or nothing."""
        close = difflib.get_close_matches(category_id, self.ids, n=3)
        return f"; close to {', '.join(map(quoted, close))}" if close else ""

    def name(self, i: int) -> str:
        """The category's own name."""
        return self.paths[i][-1]

    @cached_property
    def name_words(self) -> frozenset[str]:
        """The words, normalised, of all categories' names: most of them stand for things."""
        return frozenset(word for path in self.paths for name in path for word in tokens(name))

    @cached_property
    def joining_words(self) -> frozenset[str]:
        """The words, normalised, within categories' names: by the "and" of "Ties and Cufflinks" neither is said less
        of."""
        names = {path[-1] for path in self.paths}
        return frozenset(word for name in names if " " in name for word in tokens(name)[1:-1])

    def path_text(self, i: int) -> str:
        """`A > B > C`."""
        return self._path_texts[i]

    @cached_property
    def _path_texts(self) -> tuple[str, ...]:
        return tuple(map(SEPARATOR.join, self.paths))

    def ancestor_at(self, level: int) -> NDArray[np.int32]:
        """Ancestor at depth `level` (1 = top) of every category, itself where not deeper, int32 `[n]`."""
        if level < 1:
            raise DataError(f"ancestor_at: expected a level of at least 1, found {level}")
        ancestor = np.arange(len(self), dtype=np.int32)
        while (deeper := self.depth[ancestor] > level).any():
            ancestor = np.where(deeper, self.parent[ancestor], ancestor)
        return ancestor

    def roll_up(self, probabilities: NDArray[Any]) -> NDArray[Any]:
        """Sum over each category's subtree: `[..., n]` to `[..., n]`, dtype kept (summed in float64)."""
        values = np.asarray(probabilities)
        if values.shape[-1] != len(self):
            raise DataError(f"roll_up: expected a last axis of {len(self)} categories, found shape {values.shape}")
        total = np.zeros((*values.shape[:-1], len(self) + 1))
        np.cumsum(values, axis=-1, dtype=np.float64, out=total[..., 1:])
        return (total[..., self.end] - total[..., :-1]).astype(values.dtype, copy=False)

    def is_under(self, a: ArrayLike, b: ArrayLike) -> NDArray[np.bool_]:
        """Whether position a is b or below it; arrays broadcast."""
        a, b = np.asarray(a), np.asarray(b)
        return np.asarray((a >= b) & (a < self.end[b]))

    def distance(self, a: ArrayLike, b: ArrayLike) -> NDArray[np.int32]:
        """Edges between positions a and b, int32, roots joined by one node above them; arrays broadcast."""
        parent, depth = (
            np.append(self.parent, -1),
            np.append(self.depth, 0),
        )  # [-1] is the node above the roots
        a, b = np.broadcast_arrays(np.asarray(a), np.asarray(b))
        edges = np.zeros(a.shape, dtype=np.int32)
        while (apart := a != b).any():
            climb_a, climb_b = apart & (depth[a] >= depth[b]), apart & (depth[b] >= depth[a])
            a, b = np.where(climb_a, parent[a], a), np.where(climb_b, parent[b], b)
            edges += climb_a.astype(np.int32) + climb_b
        return edges


def _build(ids: list[str], paths: list[Names], where: Callable[[int], str]) -> Ontology:
    paths = [tuple(name.strip() for name in path) for path in paths]
    if not ids:
        raise DataError("Ontology: expected at least one category, found none")
    _check(ids, paths, where)
    id_of = dict(zip(paths, ids, strict=True))
    for path in paths:
        for length in range(1, len(path)):
            id_of.setdefault(path[:length], f"path:{SEPARATOR.join(path[:length])}")
    # Tuples compare name by name and a prefix comes first: sorted paths are in depth-first order.
    ordered = sorted(id_of)
    if len(set(id_of.values())) < len(id_of):
        made = next(id_ for path, id_ in id_of.items() if id_ in set(ids) and path not in set(paths))
        raise DataError(f"Ontology: the id {quoted(made)} is given to a category, and needed for that inner category")
    return _arrays(tuple(id_of[path] for path in ordered), tuple(ordered))


def _check(ids: list[str], paths: list[Names], where: Callable[[int], str]) -> None:
    seen_ids: dict[str, int] = {}
    seen_paths: dict[Names, int] = {}
    for i, (category_id, path) in enumerate(zip(ids, paths, strict=True)):
        if not category_id:
            raise DataError(f"{where(i)}, column category_id: expected an id, found nothing")
        if not path or not all(path):
            raise DataError(
                f"{where(i)}, column path: expected a name at every level, found {quoted(SEPARATOR.join(path))}"
            )
        if tuple(SEPARATOR.join(path).split(SEPARATOR)) != path:
            raise DataError(f"{where(i)}, column path: expected names without {SEPARATOR!r}, found {quoted(path)}")
        if (first := seen_ids.setdefault(category_id, i)) != i:
            raise DataError(
                f"{where(i)}, column category_id: duplicate id {quoted(category_id)}, first in {where(first)}"
            )
        if (first := seen_paths.setdefault(path, i)) != i:
            raise DataError(
                f"{where(i)}, column path: duplicate path {quoted(SEPARATOR.join(path))}, first in {where(first)}"
            )


def _arrays(ids: tuple[str, ...], paths: tuple[Names, ...]) -> Ontology:
    n = len(ids)
    parent = np.full(n, -1, dtype=np.int32)
    depth = np.array([len(path) for path in paths], dtype=np.int32)
    end = np.full(n, n, dtype=np.int32)
    open_nodes: list[int] = []
    for i in range(n):
        while len(open_nodes) >= depth[i]:
            end[open_nodes.pop()] = i
        if open_nodes:
            parent[i] = open_nodes[-1]
        open_nodes.append(i)
    is_leaf = end == np.arange(1, n + 1)
    for array in (parent, depth, end, is_leaf):
        array.flags.writeable = False
    return Ontology(ids, paths, parent, depth, end, is_leaf)


def _paths_of_parents(table: Table, ids: list[str]) -> list[Names]:
    """Paths from the columns name and parent_id; refuses unknown parents and cycles by name."""
    row_of = {category_id: i for i, category_id in enumerate(ids)}
    names, parents = texts(table, "name"), texts(table, "parent_id")
    unknown = [i for i, parent in enumerate(parents) if parent and parent not in row_of]
    if unknown:
        refuse(table, "parent_id", unknown, "the category_id of a row, or nothing for a root")
    paths: list[Names | None] = [None] * len(ids)
    for i in range(len(ids)):
        chain: list[int] = []
        node: int | None = i
        while node is not None and paths[node] is None:
            if node in chain:
                cycle = " > ".join(ids[k] for k in [*chain[chain.index(node) :], node][::-1])
                raise DataError(f"{table.path}, row {table.row(node)}, column parent_id: a cycle: {cycle}")
            chain.append(node)
            node = row_of[parents[node]] if parents[node] else None
        prefix = () if node is None else paths[node]
        for node in reversed(chain):
            prefix = paths[node] = (*(prefix or ()), names[node])
    return [path for path in paths if path is not None]
