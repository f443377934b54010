"""The search benchmark gives a figure for every part, and one of a peer to compare them with."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from eval.__main__ import app
from eval.benchmarks import search
from eval.benchmarks.peers import Inputs
from eval.benchmarks.search import report

PEER: dict[str, Any] = {
    "peer": "scann",
    "built": {"seconds": 3.0, "settings": "17 leaves, 2 searched"},
    "figures": [
        {"name": f"ScaNN layer, from {of}", "processor_p99": 0.9, "recall": 0.975} | times
        for of, times in (
            ("text", {"p50": 0.25, "p99": 0.75, "processor_p50": 0.2}),
            ("vector", {"p50": 0.2, "p99": 0.5, "processor_p50": 0.1}),
        )
    ],
    "bytes": {"process": 2, "index": 1},
}


def run(tiny_bundle: Path, folder: Path, *options: str) -> tuple[str, dict[str, Any]]:
    """What is printed and what is written."""
    (folder / "queries.csv").write_text("query,kind\ngaming keyboard,head\nhovercraft,none\nsofa,\n", encoding="utf-8")
    arguments = ["bench", "search", "--bundle", str(tiny_bundle), "--queries", str(folder / "queries.csv")]
    ran = CliRunner().invoke(app, [*arguments, "--rounds", "1", "--out", str(folder / "out.json"), *options])
    assert ran.exit_code == 0, ran.output
    return ran.output, json.loads((folder / "out.json").read_text())


def test_every_part_is_timed(tiny_bundle: Path, tmp_path: Path) -> None:
    said, figures = run(tiny_bundle, tmp_path, "--without-peer")
    parts = ("search", "of it: candidates", "asked for the first time", "category_filter", "alone: query encoder")
    for part in (*parts, "alone: lexical index", "alone: vectors", "lexical_search"):
        assert part in said
    assert "3 queries, 1 rounds" in said
    assert "import and open:" in said
    assert "ScaNN" not in said
    assert figures["peer"] is None
    assert figures["ms"]["search"]["p50"] > 0


def test_the_peer_finds_the_same_listings_for_the_queries_that_have_an_answer(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: NDArray[np.float32] = np.load(tiny_bundle / "vectors.npy")

    def measured(name: str, inputs: Inputs) -> dict[str, Any]:
        assert name == "scann"
        assert inputs.facts["texts"] == ["gaming keyboard", "sofa"]
        np.testing.assert_array_equal(inputs.vectors, real)
        tenth = np.sort(inputs.queries @ real.T, axis=1)[:, -10]
        np.testing.assert_allclose(inputs.nearest, tenth, atol=1e-6)
        return PEER

    monkeypatch.setattr(search, "run_peer", measured)
    said, figures = run(tiny_bundle, tmp_path)
    assert figures["peer"] == PEER
    assert "ScaNN layer: 17 leaves, 2 searched; recall@10 0.975" in said
    ratio = figures["ms"]["search"]["p50"] / 0.25
    assert f"a whole search takes {ratio:.2f} of the time of the ScaNN layer alone (p50)" in said


def test_a_search_stands_to_the_peer_from_text() -> None:
    own = {"search": {"p10": 0.5, "p50": 1.0, "p99": 2.0, "processor": 0.9}}
    *table, count, settings, ratio = report(own, 5, 3, PEER).splitlines()
    assert table[-1].split()[-3:] == ["0.250", "0.750", "0.200"]
    assert "ScaNN layer, from text" in table[-1]
    assert count == "5 queries, 3 rounds, one thread"
    assert settings == "ScaNN layer: 17 leaves, 2 searched; recall@10 0.975"
    assert ratio == "a whole search takes 4.00 of the time of the ScaNN layer alone (p50), 4.50 by the processor"
    assert report(own, 5, 3).splitlines()[-1] == count
    figures = [each | {"recall": 0.93} for each in PEER["figures"]]
    assert "recall@10 0.930: 0.95 is not reached" in report(own, 5, 3, PEER | {"figures": figures})
