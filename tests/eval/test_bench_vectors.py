"""From a query to its nearest listings: the made-up vectors, what counts as found, and that every peer finds it."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from eval.__main__ import app
from eval.benchmarks import vectors
from eval.benchmarks.made_up import made_up
from eval.benchmarks.peers import PEERS, Figures, Inputs, K, build, measure
from eval.benchmarks.vectors import kth_cosine, report
from relevance.towers import Towers

TEXTS = ["gaming keyboard", "sofa", "red dress", "racing bike", "washing machine"]


def unit(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    drawn = rng.normal(size=shape).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=-1, keepdims=True), np.float32)


def inputs(folder: Path, listings: NDArray[np.float32], queries: NDArray[np.float32], **facts: Any) -> Inputs:
    given = Inputs(folder)
    given.write(listings, queries, kth_cosine(queries, listings), **facts)
    return given


def test_made_up_vectors_keep_the_real_ones_and_lie_where_they_lie() -> None:
    # Thirty different ones, one of them twice, in three of eight dimensions, around two places.
    rng = np.random.default_rng(0)
    places = np.repeat(np.array([[1, 0, 0], [0, 1, 0]], np.float32), 15, axis=0)
    real = np.zeros((31, 8), np.float32)
    real[:30, :3] = places + rng.normal(0, 0.05, places.shape)
    real[30] = real[29]
    real /= np.linalg.norm(real, axis=1, keepdims=True)
    found = made_up(real, 200, np.random.default_rng(1))
    assert found.dtype == np.float32
    assert len(np.unique(found, axis=0)) == 200
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    for vector in real:  # each is there as it was
        assert np.abs(found - vector).max(axis=1).min() < 1e-6
    assert not found[:, 3:].any()  # noise in all directions would leave the three dimensions
    # In the order of the real ones, each near its own: first all of one place, then all of the other.
    assert np.diff(found.argmax(axis=1)).clip(0).sum() == 1
    assert found.max(axis=1).min() > 0.9
    np.testing.assert_array_equal(found, made_up(real, 200, np.random.default_rng(1)))
    few = made_up(real, 12, np.random.default_rng(1))
    assert len(few) == 12
    assert all((np.abs(real - vector).max(axis=1) < 1e-6).any() for vector in few)


def test_any_row_as_near_as_the_tenth_is_right(tmp_path: Path) -> None:
    # Rows 0 to 11 at falling cosines, but 9, 10 and 11 are the same vector.
    angles = np.array([*range(10), 9, 9, 40]) / 50
    listings = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    given = inputs(tmp_path, listings, listings[:1])
    assert given.nearest[0] == pytest.approx(np.cos(9 / 50), abs=1e-6)
    assert given.recall([np.arange(10)]) == 1
    assert given.recall([np.array([*range(9), 11])]) == 1
    assert given.recall([np.array([*range(9), 12])]) == 0.9
    assert given.recall([np.array([0] * 10)]) == 0.1  # one row ten times is one row
    assert given.recall([np.array([0, 1, -1])]) == 0.2
    # An effort finds as many of the right rows as its number: ten at 95 % is all ten.
    found = {effort: np.arange(effort)[None] for effort in (2, 9, 10, 11)}
    assert given.least((2, 9, 10, 11), lambda _, effort: found[effort]) == 10
    assert given.least((2, 9), lambda _, effort: found[effort]) == 9


@pytest.mark.parametrize("name", ["relevance", "hnsw", "brute-force", "scann"])
def test_a_peer_finds_the_nearest(name: str, tiny_bundle: Path, tmp_path: Path) -> None:
    towers = Towers(tiny_bundle)
    listings = unit(np.random.default_rng(0), 400, towers.dim)
    given = inputs(tmp_path, listings, towers.queries(TEXTS), bundle=str(tiny_bundle), texts=TEXTS)
    folder = tmp_path / "peer"
    folder.mkdir()
    built = build(PEERS[name], given, folder)
    assert built.seconds >= 0
    assert built.settings
    ways = PEERS[name].open(given, folder)
    exact = np.argsort(-given.queries @ listings.T, axis=1)[:, :K]
    for answer in ways.values():
        found = [answer(query) for query in range(len(TEXTS))]
        assert given.recall(found) >= 0.95
        if name in ("relevance", "brute-force"):
            assert [set(rows.tolist()) for rows in found] == [set(rows.tolist()) for rows in exact]
    measured = measure(PEERS[name], given, folder)
    assert [own["name"] for own in measured["figures"]] == list(ways)
    assert all(0 < own["p50"] <= own["p99"] for own in measured["figures"])


def test_the_command_measures_what_was_not_left_out(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stage(_: str, step: str, name: str, folder: str, root: str, environment: dict[str, str]) -> str:
        assert environment["OMP_NUM_THREADS"] == "1"
        given = PEERS[name], Inputs(Path(root)), Path(folder)
        done = asdict(build(*given)) if step == "build" else measure(*given)
        return f"a library's own words\n{json.dumps(done)}\n"

    monkeypatch.setattr(vectors, "run_stage", stage)
    (tmp_path / "queries.csv").write_text("query\n" + "\n".join(TEXTS) + "\n", encoding="utf-8")
    given = ["bench", "vectors", "--bundle", str(tiny_bundle), "--queries", str(tmp_path / "queries.csv")]
    left = [word for name in PEERS if name not in ("relevance", "hnsw") for word in ("--without", name)]
    out = tmp_path / "out.json"
    ran = CliRunner().invoke(app, [*given, "--listings", "700", *left, "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    figures = json.loads(out.read_text())
    assert (figures["listings"], figures["queries"]) == (700, len(TEXTS))
    assert [each["peer"] for each in figures["peers"]] == ["relevance", "hnsw"]
    assert "700 vectors" in ran.output
    assert "made up from 300 real ones" in ran.output
    refused = CliRunner().invoke(app, [*given, "--without", "annoy"])
    assert "no such peer; there are relevance, scann" in str(refused.exception)


def test_a_mark_is_kept_by_time_and_recall() -> None:
    def result(name: str, processor: float, recall: float) -> dict[str, Any]:
        figures = asdict(Figures(name, 2 * processor, 9.0, processor, 8.0, recall))
        return {"figures": [figures], "built": {"seconds": 3, "settings": "so"}, "bytes": {"index": 0, "process": 0}}

    def said(recall: float) -> list[str]:
        own = result("relevance, from text", 0.2, recall)
        peers = [result("ScaNN layer, from text", 0.5, 0.96), result("BruteForce layer, from text", 4.0, 1.0)]
        facts = {"listings": 1000, "dim": 8, "real": 100, "queries": 5}
        return report([own, *peers], facts).splitlines()[-2:]

    scann, brute_force = said(0.97)
    assert "0.400 of the ScaNN layer's processor time" in scann
    assert "misses the mark, 0.333" in scann
    assert "0.050 of the BruteForce layer's processor time" in brute_force
    assert "within the mark, 0.067" in brute_force
    assert "misses the mark, 0.067" in said(0.94)[1]
