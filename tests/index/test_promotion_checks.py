"""What a bundle is asked before it is put in use, and that a worse one is not."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from index.promote import promote
from relevance import LiveEngine
from relevance.deployment import bundle_at
from relevance.engine import Engine
from relevance.errors import DataError
from tests.index.answers import answered


def _csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_a_smoke_set_is_asked(bundle: Path, root: Path, tmp_path: Path) -> None:
    (title, own), *_ = answered(Engine(bundle), 1)
    good = _csv(tmp_path / "good.csv", ("query", "expected"), [(title, ""), (title, own), ("!!!", "none")])
    assert "3 queries answered as expected" in promote(bundle, root, smoke=good).checks[-1]
    bad = _csv(
        tmp_path / "bad.csv", ("query", "expected"), [(title, "none"), ("!!!", ""), (title, "other"), (title, own)]
    )
    in_use = bundle_at(root)
    with pytest.raises(DataError) as refused:
        promote(bundle, root, smoke=bad)
    assert "bad.csv: 3 of 4 queries fail: row 2" in str(refused.value)
    assert "expected no answer, found" in str(refused.value)
    assert "row 3, query '!!!': expected an answer, found none" in str(refused.value)
    assert "expected 'other' among the first 20 (no such listing, or it has expired)" in str(refused.value)
    assert bundle_at(root) == in_use


def test_a_worse_bundle_is_refused(bundle: Path, root: Path, tmp_path: Path) -> None:
    pairs = answered(Engine(bundle), 6)
    judgments = _csv(tmp_path / "j.csv", ("query", "listing_id", "grade"), [(t, i, 3) for t, i in pairs])
    promote(bundle, root)
    assert "NDCG@10" in promote(bundle, root, judgments=judgments).checks[-1]
    with LiveEngine(bundle, live=tmp_path / "live") as engine:
        engine.delete([listing_id for _, listing_id in pairs[:3]])
        engine.write_snapshot(tmp_path / "worse")
    in_use = bundle_at(root)
    with pytest.raises(DataError, match=r"answers worse than the one in use: NDCG@10 [01]\.\d+ -> 0\.\d+ on 6 judged"):
        promote(tmp_path / "worse", root, judgments=judgments)
    assert bundle_at(root) == in_use
    assert promote(tmp_path / "worse", root, judgments=judgments, tolerance=1.0).bundle != in_use


def test_judgments_without_a_relevant_listing_are_refused(bundle: Path, root: Path, tmp_path: Path) -> None:
    promote(bundle, root)
    for rows, message in (([("a", "b", 0)], "grade above 0"), ([("a", "b", 11)], "a number from 0 to 10")):
        judgments = _csv(tmp_path / "j.csv", ("query", "listing_id", "grade"), rows)
        with pytest.raises(DataError, match=message):
            promote(bundle, root, judgments=judgments)
