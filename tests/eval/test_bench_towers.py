"""The towers against the tutorial's model: what is counted, by hand, and that either side can lose."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from eval.__main__ import app
from eval.benchmarks import towers
from eval.benchmarks.towers import Choices, HeldOut, Point, against, best, choices, in_top, report
from relevance.events import Behaviour
from relevance.timing import Seconds

FACTS = {"trained_on": 1000, "choices": 100, "unseen_queries": 0.25, "unseen_listings": 0.1, "simulated": True}


def point(name: str, recall: float, processor: float | None = None) -> Point:
    return Point(name, recall, recall, recall, None if processor is None else Seconds(9.0, processor))


def test_every_choice_counts_as_it_came() -> None:
    never = np.datetime64("2026-03-01", "ms")
    log = Behaviour(
        query_ids=["a", "b", "c"],
        queries=["sofa", "sofa", "lamp"],
        client_ids=["", "", ""],
        query_sessions=["1", "2", "3"],
        query_times=np.array([never] * 3),
        hit_ids=[[], [], []],
        actions=["impression", "click", "contact_seller", "click", "click", "click"],
        event_query=np.array([0, 0, 0, 1, 2, -1], np.int32),
        event_listing=["x", "x", "x", "x", "y", "y"],
        event_times=np.array([never] * 6),
        event_positions=np.full(6, -1, np.int32),
        dropped_unknown_listings=0,
    )
    found = choices(log, np.array([True, True, False]), {"x": 0, "y": 1})
    # The same query twice counts twice; a message after a click does not.
    assert (found.queries, found.listings.tolist()) == (["sofa", "sofa"], [0, 0])


def test_a_listing_among_equals_stands_in_their_middle() -> None:
    """Of 301 listings at one place behind 10 nearer ones the middle is the 160th; of 101, the 60th."""
    query = np.ones((1, 1), np.float32)

    def found(near: int, equal: int) -> bool:
        scores = np.concatenate([np.full(near, 3.0), np.full(equal, 2.0), np.full(500, 1.0)])[:, None]
        own = np.array([near], np.int32)
        return bool(in_top(query, scores.astype(np.float32), np.zeros(1, np.int32), own)[0])

    assert found(10, 101)
    assert not found(10, 301)
    assert found(99, 1)
    assert not found(100, 1)


def test_popularity_answers_every_query_alike() -> None:
    trained = Choices(["sofa"] * 3, np.array([7, 7, 8], np.int32))
    held = HeldOut(Choices(["sofa", "sofa", "lamp", "bed"], np.array([7, 8, 7, 400], np.int32)), trained)
    found = held.popularity(trained, 500)
    # 498 listings that nobody chose share the places behind the two: their middle is beyond the 100th.
    assert (found.recall, found.seen, found.unseen) == (0.75, 1.0, 0.5)
    assert held.shares(trained) == {"choices": 4, "unseen_queries": 0.5, "unseen_listings": 0.25}


def test_the_first_to_reach_the_tutorial_counts() -> None:
    on_the_way = [point("0 steps", 0.3, 5.0), point("10 steps", 0.6, 6.0), point("20 steps", 0.9, 20.0)]
    assert against(point("tutorial", 0.5, 100.0), on_the_way) == (
        "tutorial: reached by 10 steps in 0.06 of its processor time (within the mark, 0.1) "
        "and 1.00 of its time by the clock"
    )
    assert "20 steps in 0.20 of its processor time (misses the mark" in against(point("t", 0.7, 100.0), on_the_way)
    assert against(point("tutorial", 0.95, 100.0), on_the_way) == "tutorial: never reached by the towers"


def test_the_first_of_equally_good_epochs_is_the_best() -> None:
    assert best([point("1", 0.2), point("2", 0.5), point("3", 0.5), point("4", 0.4)]) == 1


def test_the_benchmark_can_be_lost() -> None:
    points = {
        "popularity": [point("popularity", 0.4)],
        "tutorial": [point("as published", 0.3, 9.0), point("best", 0.5, 4.0)],
        "towers": [point("0 steps", 0.2, 3.0), point("10 steps", 0.6, 4.0)],
    }
    won = report(points, FACTS)
    assert "below" not in won
    assert "25% follow a query that training has not seen, 10% are of a listing" in won
    assert "all behaviour is simulated" in won
    lost = report(points | {"towers": points["towers"][:1]}, FACTS)
    assert "the towers end below another model" in lost
    assert "best: never reached by the towers" in lost


def test_the_tutorials_model_learns_what_belongs_together() -> None:
    from eval.benchmarks.tutorial import train

    listings = [f"l{i}" for i in range(6)]
    queries = [f"q{i % 3}" for i in range(60)]
    chosen = [f"l{i % 3}" for i in range(60)]
    times, found = [], 0.0
    for model, seconds in islice(train(queries, chosen, listings, metrics=True), 30):
        vectors = model.encode(["q0", "q1", "q2", "never seen"], listings)
        times.append(seconds.clock)
        found = float((vectors[0][:3] @ vectors[1].T).argmax(axis=1).tolist() == [0, 1, 2])
    assert vectors[0].shape == (4, 32)
    assert vectors[1].shape == (6, 32)
    assert times == sorted(times)
    assert found


def test_the_command_puts_both_side_by_side(tiny_chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainings are substituted: the towers by those of the session's chain, as if they had just been trained."""

    def tutorial(trained: Choices, ids: list[str], held: HeldOut, most: int, seed: int) -> list[Point]:
        assert len(trained.queries) > len(held.texts) > 0
        return [point("tutorial, 3 epochs", 0.01, 10.0)]

    def stage(package: str, *arguments: str) -> None:
        out = Path(arguments[arguments.index("--out") + 1])
        for step, target in ((0, out.with_name("towers.steps") / "0"), (7, out)):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.mkdir()
            for file in (tiny_chain / "towers").iterdir():
                (target / file.name).symlink_to(file)
            manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
            (target / "manifest.json").unlink()
            manifest["trained"] = {"steps": step, "clock": 9.0, "processor": 1.0 + step}
            (target / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    monkeypatch.setattr(towers, "tutorial", tutorial)
    monkeypatch.setattr(towers, "run_stage", stage)
    dataset, index = str(tiny_chain / "dataset"), str(tiny_chain / "listings")
    out = tmp_path / "out.json"
    arguments = ["bench", "towers", "--dataset", dataset, "--listings", index, "--out", str(out)]
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 0, ran.output
    assert "reached by towers, 0 steps in 0.10 of its processor time (within the mark, 0.1)" in ran.output
    written = json.loads(out.read_text(encoding="utf-8"))
    assert [point["name"] for point in written["towers"]] == ["towers, 0 steps", "towers, 7 steps"]
    assert 0 <= written["popularity"][0]["recall"] <= 1
    assert written["towers"][0]["recall"] == written["towers"][1]["recall"] > written["tutorial"][0]["recall"]
