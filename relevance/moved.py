"""`moved.csv` beside `categories.csv`: where categories went that an ontology no longer has.

A row `category_id,moved_to` for each: renamed, merged into another, or, with nothing as `moved_to`, gone.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from pathlib import Path

from relevance.artifacts import writing_file
from relevance.errors import DataError
from relevance.fields import refuse, texts, unique_ids
from relevance.tables import read_table

NAME = "moved.csv"
COLUMNS = ("category_id", "moved_to")

Moved = Mapping[str, str | None]
"""Old id -> the id of a category that is there, None where it is gone."""


def read_moved(path: Path, there: Collection[str]) -> dict[str, str | None]:
    """Reads the file, {} where there is none; a category that moved twice is followed. `there`: the ids there are.

    Raises DataError, naming file and row, for an id that is there still or is named twice, for a place that is neither
    there nor in the file, and for categories that move in a circle.
    """
    if not path.is_file():
        return {}
    table = read_table(path, COLUMNS, may_be_empty=True)
    old, new = unique_ids(table, "category_id"), texts(table, "moved_to")
    step = dict(zip(old, new, strict=True))
    still = [i for i, name in enumerate(old) if name in there]
    if still:
        refuse(table, "category_id", still, "an id that categories.csv no longer has")
    lost = [i for i, name in enumerate(new) if name and name not in there and name not in step]
    if lost:
        refuse(table, "moved_to", lost, "a category_id of categories.csv or of this file, or nothing where it is gone")
    return {name: _end(path, name, step, there) for name in old}


def _end(path: Path, name: str, step: Mapping[str, str], there: Collection[str]) -> str | None:
    passed = [name]
    while (following := step[passed[-1]]) and following not in there:
        if following in passed:
            raise DataError(f"{path}: expected categories to move somewhere, found {' -> '.join([*passed, following])}")
        passed.append(following)
    return following or None


def write_moved(path: Path, moved: Moved) -> None:
    """Writes the file, where anything has moved; `read_moved` gives the same back."""
    if not moved:
        return
    with writing_file(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows((old, new or "") for old, new in sorted(moved.items()))
