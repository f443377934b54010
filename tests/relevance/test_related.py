"""Queries to try next: searched together first, then the nearest."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import relevance
from relevance.cli import app
from relevance.engine import Engine
from relevance.errors import DataError
from relevance.related import RelatedQueries, write_related

QUERIES = ["boots", "red shoes", "sandals", "shoes"]
VECTORS = np.array([[0, 1], [0.8, 0.6], [0.6, 0.8], [1, 0]], np.float32)
TOGETHER = {"shoes": [2, 1], "sneekers": [3]}
SHOWN = {"red shoes": "réd-shoes"}


@pytest.fixture
def related(tmp_path: Path) -> RelatedQueries:
    write_related(tmp_path / "related.json", tmp_path / "related.npy", QUERIES, VECTORS, TOGETHER, SHOWN)
    return RelatedQueries.read(tmp_path / "related.json", tmp_path / "related.npy")


def test_what_was_searched_together(related: RelatedQueries) -> None:
    assert related.together("Shoes!", 5) == ["sandals", "red shoes"]
    assert related.together("shoes", 1) == ["sandals"]
    assert related.together("sneekers", 5) == ["shoes"]
    assert related.together("piano", 5) == []


def test_the_nearest_without_itself(related: RelatedQueries) -> None:
    east = np.array([1, 0], np.float32)
    assert related.nearest("shoes", east, 2) == ["red shoes", "sandals"]
    assert related.nearest("shose", east, 2) == ["shoes", "red shoes"]
    assert related.nearest("shoes", east, 100) == ["red shoes", "sandals", "boots"]


def test_a_query_is_shown_as_it_is_typed(
    related: RelatedQueries, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [related.shown(query) for query in ("red shoes", "sandals")] == ["réd-shoes", "sandals"]
    engine = Engine(tiny_bundle)
    engine.related_queries = related
    monkeypatch.setattr(related, "nearest", lambda *_: [])
    assert engine.related("shoes", 2) == ("sandals", "réd-shoes")


def test_a_bundle_without_them_has_none(tmp_path: Path) -> None:
    none = RelatedQueries.read(tmp_path / "related.json", tmp_path / "related.npy")
    assert none.together("shoes", 5) == none.nearest("shoes", np.ones(2, np.float32), 5) == []


def test_the_engine_puts_the_nearest_after_those_searched_together(tiny_bundle: Path) -> None:
    engine = Engine(tiny_bundle)
    shown = engine.related_queries
    assert len(shown.queries) > 10
    query = next(query for query in shown.queries if 1 <= len(shown.together(query, 5)) < 5)
    together = shown.together(query, 5)
    found = engine.related(query, 5)
    assert list(found[: len(together)]) == together
    nearest = [q for q in shown.nearest(query, engine.read(query).embedding, 50) if q not in together]
    assert list(found[len(together) :]) == nearest[: 5 - len(together)]
    assert len(set(found)) == 5
    assert query not in found
    assert engine.related(query, 1) == (together[0],)
    assert engine.related("") == ()
    with pytest.raises(DataError, match="k: expected 1 to 1000, got 0"):
        engine.related(query, 0)


def test_what_is_like_nothing_here_has_no_neighbours(tiny_bundle: Path) -> None:
    engine = Engine(tiny_bundle)
    cosine = float(engine.read("zzxqwv").categories.max())
    calibration = engine.categories.calibration
    engine.categories.calibration = type(calibration)(**(vars(calibration) | {"least_cosine": cosine + 0.01}))
    assert engine.related("zzxqwv") == ()


def test_on_the_command_line(tiny_bundle: Path) -> None:
    with relevance.open(tiny_bundle) as engine:
        query = engine.current.related_queries.queries[0]
        expected = engine.related(query, 3)
    ran = CliRunner().invoke(app, ["related", query, "--bundle", str(tiny_bundle), "-k", "3"])
    assert ran.output.splitlines()[-3:] == list(expected)
