"""What a bundle has to pass before it is put in use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from relevance.engine import Engine
from relevance.errors import DataError
from relevance.fields import ids, numbers, refuse, texts
from relevance.tables import read_table

NOTHING = "none"
"""What the smoke set's column `expected` says of a query that has no answer."""

_PAGE = 20
_RANKS = 10
_SHOWN = 5


def check_smoke(engine: Engine, path: Path) -> str:
    """Asks every query of a table with the columns query and, optional, expected: nothing (some hit), "none" (no hit),
    or the id of a listing that has to be on the first page. Returns what was seen; raises DataError for failures."""
    table = read_table(path, ("query",), ("expected",))
    failed = []
    for row, (query, expected) in enumerate(zip(texts(table, "query"), texts(table, "expected"), strict=True)):
        found = [hit.listing_id for hit in engine.search(query, _PAGE).hits]
        if problem := _problem(engine, expected, found):
            failed.append(f"row {table.row(row)}, query {query!r}: {problem}")
    if failed:
        more = f"; and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
        raise DataError(f"{path}: {len(failed)} of {len(table)} queries fail: {'; '.join(failed[:_SHOWN])}{more}")
    return f"smoke: {len(table)} queries answered as expected"


def _problem(engine: Engine, expected: str, found: list[str]) -> str:
    """What is wrong with the ids that were found, "" where nothing is."""
    if expected == NOTHING:
        return f"expected no answer, found {found[0]!r}" if found else ""
    if not found:
        return "expected an answer, found none"
    if not expected or expected in found:
        return ""
    absent = "" if engine.get(expected) else " (no such listing, or it has expired)"
    return f"expected {expected!r} among the first {_PAGE}{absent}"


def check_judgments(new: Engine, current: Engine, path: Path, tolerance: float) -> str:
    """Compares both bundles on judged queries (columns query, listing_id, grade): mean NDCG@10.

    Returns what was seen; raises DataError where the new one is worse by more than `tolerance`.
    """
    judged = _judgments(path)
    before, after = (np.mean([_ndcg(engine, *one) for one in judged.items()]) for engine in (current, new))
    told = f"NDCG@10 {before:.4f} -> {after:.4f} on {len(judged)} judged queries"
    if after < before - tolerance:
        raise DataError(f"{path}: the new bundle answers worse than the one in use: {told}")
    return f"evaluation: {told}"


def _judgments(path: Path) -> dict[str, dict[str, float]]:
    """Query -> listing -> grade, of the queries with a listing of a grade above 0."""
    table = read_table(path, ("query", "listing_id", "grade"))
    grades = numbers(table, "grade")
    wrong = np.flatnonzero(~(grades >= 0) | (grades > 10))
    if len(wrong):
        refuse(table, "grade", wrong, "a number from 0 to 10")
    judged: dict[str, dict[str, float]] = {}
    for query, listing_id, grade in zip(texts(table, "query"), ids(table, "listing_id"), grades.tolist(), strict=True):
        judged.setdefault(query, {})[listing_id] = grade
    relevant = {query: own for query, own in judged.items() if max(own.values()) > 0}
    if not relevant:
        raise DataError(f"{path}: expected a listing of a grade above 0 for some query, found none")
    return relevant


def _ndcg(engine: Engine, query: str, grades: Mapping[str, float]) -> float:
    """With gains 2^grade - 1 (Burges et al., ICML 2005)."""
    shown = [grades.get(hit.listing_id, 0.0) for hit in engine.search(query, _RANKS).hits]
    return _dcg(shown) / _dcg(sorted(grades.values(), reverse=True)[:_RANKS])


def _dcg(grades: list[float]) -> float:
    return float(sum((2**grade - 1) / np.log2(rank + 2) for rank, grade in enumerate(grades)))
