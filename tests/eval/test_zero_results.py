import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from eval.filter_figures import filter_figures
from eval.replay import HeldOut, LogClock, held_out, replay
from eval.rescue_metrics import METRICS
from eval.zero_results import Figures, evaluate, open_for_replay, report, summary, write
from relevance.dataset import Dataset
from relevance.errors import DataError, DataWarning
from relevance.events import read_behaviour
from relevance.results import CategoryFilter, SearchResult


@pytest.fixture
def held(marketplace: Dataset) -> HeldOut:
    return held_out(marketplace, marketplace.read_listings(), read_behaviour(marketplace.root))


@pytest.fixture
def measured(engine: object, held: HeldOut) -> Figures:
    return evaluate(engine, LogClock(), held)[1]  # type: ignore[arg-type]


def test_searches_that_the_bundle_has_learned_from_are_told(tiny_chain: Path) -> None:
    source = Dataset.open(tiny_chain / "dataset")
    held = held_out(source, source.read_listings(), read_behaviour(source.root), limit=5)
    open_for_replay(tiny_chain / "bundle", held)  # tells nothing
    held.searches[1] = held.searches[1]._replace(time=np.datetime64("2000-01-01", "ms"))
    with pytest.warns(DataWarning, match=r"learned from behaviour up to .*: 1 of the 5 searches are of before that"):
        open_for_replay(tiny_chain / "bundle", held)


def test_held_out_is_the_end_of_the_log(held: HeldOut) -> None:
    assert [search.query for search in held.searches] == [
        "red shoes", "red shose", "sneekers", "piano", "violin", "lamp"
    ]  # fmt: skip
    assert [search.seen for search in held.searches] == [True, False, False, False, False, False]


# Of six searches four have no lexical hit: two typing errors, the piano and the violin. Only the piano stays without.
@pytest.mark.parametrize(
    ("metric", "value", "n"),
    [
        ("zero_before", 4 / 6, 6),
        ("zero_after", 1 / 6, 6),
        ("zero_change", -3 / 6, 6),
        ("zero_before_answerable", 2 / 4, 4),
        ("zero_after_answerable", 0, 4),
        ("rescued", 3 / 4, 4),
        ("rescued_relevant", 1 / 3, 3),  # "red shose"; a lamp answers neither "sneekers" nor "violin"
        ("rescued_exact", 1 / 3, 3),
        ("rescued_answerable_relevant", 1 / 2, 2),
        ("worse_relevant", 1 / 2, 2),  # "lamp"
        ("worse_exact", 1 / 2, 2),
        ("worse_ndcg", 1 / 2, 2),
        ("better_ndcg", 1 / 2, 2),  # "red shoes": another shoe is better than a boot
        ("correct_abstention", 1 / 2, 2),
        ("correct_abstention_lexical", 1, 2),
        ("false_abstention", 0, 4),
        ("filter_share", 4 / 6, 6),
        ("none_share", 2 / 6, 6),
        ("filter_coverage", 3 / 4, 4),  # not "sneekers"
        ("filter_kept", (1 + 1 + 0 + 1) / 4, 4),
        ("filter_size", 1, 4),
    ],
)
def test_figures_by_hand(measured: Figures, metric: str, value: float, n: int) -> None:
    found = measured["all"][metric]
    assert (found.value, found.n) == (pytest.approx(value), n)
    assert found.low <= found.value <= found.high


def test_ndcg_by_hand(measured: Figures) -> None:
    # Wanted: red shoes. One red shoe is 3, two others are 2, the boot (beside them) is 1.
    ideal = 7 + 3 / math.log2(3) + 3 / 2 + 1 / math.log2(5)
    before = [(7 + 1 / math.log2(3)) / ideal, 0, 0, 1]
    after = [(7 + 3 / math.log2(3)) / ideal, (1 + 7 / math.log2(3)) / ideal, 0, 0]
    assert measured["all"]["ndcg_before"].value == pytest.approx(sum(before) / 4)
    assert measured["all"]["ndcg_after"].value == pytest.approx(sum(after) / 4)
    assert measured["all"]["ndcg_change"].value == pytest.approx((sum(after) - sum(before)) / 4)
    assert measured["all"]["ndcg_change_where_lexical_found"].value == pytest.approx((after[0] - before[0] - 1) / 2)


def test_slices(measured: Figures) -> None:
    assert list(measured) == ["all", "seen", "unseen", "kind: absent", "kind: plain", "kind: typo"]
    assert measured["seen"]["zero_before"].n == 1
    assert measured["kind: typo"]["zero_before"].value == 1
    assert measured["kind: absent"]["zero_after"].value == 1 / 2
    assert measured["kind: absent"]["ndcg_after"].n == 0


def test_limit_draws_sessions_for_a_seed(marketplace: Dataset) -> None:
    listings, behaviour = marketplace.read_listings(), read_behaviour(marketplace.root)
    drawn = [held_out(marketplace, listings, behaviour, 3, seed).searches for seed in range(8)]
    assert all(len(searches) == 3 for searches in drawn)
    again = held_out(marketplace, listings, behaviour, 3, 0).searches
    assert [one.query_id for one in again] == [one.query_id for one in drawn[0]]
    assert len({tuple(one.query_id for one in searches) for searches in drawn}) > 1
    for searches in drawn:  # at most one session is cut
        whole = {"s1": 2, "s2": 1, "s3": 2, "s4": 1}
        sessions = [one.session_id for one in searches]
        assert sum(sessions.count(session) < whole[session] for session in set(sessions)) <= 1


def test_listings_that_had_expired_answer_nothing(engine: object, marketplace: Dataset) -> None:
    lines = (marketplace.root / "listings.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    rows[0]["expires_at"] = "2001-01-01T00:00:00Z"
    (marketplace.root / "listings.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    held = held_out(marketplace, marketplace.read_listings(), read_behaviour(marketplace.root))
    clock = LogClock()
    outcomes = replay(engine, clock, held, held.searches)  # type: ignore[arg-type]
    assert outcomes[0].lexical.relevant == 0  # s-red was the only relevant hit
    assert clock.now == held.searches[-1].time


def test_files(engine: object, held: HeldOut, tmp_path: Path) -> None:
    outcomes, measured = evaluate(engine, LogClock(), held)  # type: ignore[arg-type]
    filters = filter_figures(outcomes)
    result = summary(outcomes, measured, filters)
    write(tmp_path, outcomes, result)
    again = tmp_path / "again"
    again.mkdir()
    write(again, *_summary(engine, held))
    for name in ("zero_results.json", "zero_results.csv"):
        assert (tmp_path / name).read_bytes() == (again / name).read_bytes()
    loaded = json.loads((tmp_path / "zero_results.json").read_text())
    assert loaded["figures"]["all"]["zero_after"]["value"] == pytest.approx(1 / 6, abs=1e-6)
    assert set(loaded["definitions"]) == set(METRICS)
    assert "simulated" in loaded["simulated"]
    with open(tmp_path / "zero_results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert rows[1] | {"kind": "typo", "engine_relevant": "1", "filter_mode": "filter"} == rows[1]
    assert rows[3]["engine_ndcg"] == ""
    assert {row["behaviour"] for row in rows} == {"simulated"}
    printed = report(result, measured, filters)
    assert "66.7 %" in printed
    assert "simulated" in printed


def _summary(engine: object, held: HeldOut) -> tuple[object, object]:
    outcomes, measured = evaluate(engine, LogClock(), held)  # type: ignore[arg-type]
    return outcomes, summary(outcomes, measured, filter_figures(outcomes))


def test_refuses_a_bundle_of_another_dataset(held: HeldOut) -> None:
    class Other:
        def lexical_search(self, query: str, k: int = 20) -> tuple[object, ...]:
            from dataclasses import make_dataclass

            return (make_dataclass("Hit", ["listing_id"])("from elsewhere"),)

        def category_sets(self, query: str) -> list[list[int]]:
            return []

        def search(self, query: str, k: int = 20) -> SearchResult:
            return SearchResult(query, (), CategoryFilter("none", (), 0.95), None, True)

    with pytest.raises(DataError, match="'from elsewhere'"):
        replay(Other(), LogClock(), held, held.searches)  # type: ignore[arg-type]


def test_refuses_a_dataset_without_truth(marketplace: Dataset) -> None:
    listings, behaviour = marketplace.read_listings(), read_behaviour(marketplace.root)
    (marketplace.truth_dir / "intents.parquet").unlink()
    with pytest.raises(DataError, match=r"intents\.parquet.*simulated"):
        held_out(marketplace, listings, behaviour)
