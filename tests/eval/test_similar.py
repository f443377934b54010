"""Similar listings: neighbours, recall and grades on embeddings small enough to work out by hand."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eval.grades import Grader
from eval.similar.held_out import MOST_ANCHORS, Asked, asked, popular, read_choices
from eval.similar.measure import popular_neighbours, recalls, truth_ndcg
from eval.similar.neighbours import neighbours
from relevance.artifacts import write_manifest
from relevance.dataset import Dataset
from relevance.errors import DataError
from relevance.events import read_behaviour, write_behaviour
from relevance.interactions import Interactions
from relevance.listing_index import KIND, VERSION
from relevance.ontology import Ontology


def on_circle(*degrees: float) -> np.ndarray:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_the_nearest_are_those_at_the_smallest_angle() -> None:
    embeddings = np.concatenate([on_circle(0, 60, 10, 25), np.zeros((1, 2), np.float32)])
    found = neighbours(embeddings, np.array([0, 3]), 2, threads=1)
    assert found.tolist() == [[2, 3], [2, 0]]
    # Three others have a photo: nothing stands in the fourth place, and the listing without one in none.
    assert neighbours(embeddings, np.array([0]), 4, threads=1).tolist() == [[2, 3, 1, -1]]


def test_a_photo_used_by_many_listings_is_not_its_own_neighbour() -> None:
    found = neighbours(np.repeat(on_circle(0), 5, axis=0), np.array([0, 4]), 2, threads=1)
    assert not (found == [[0], [4]]).any()
    assert (found >= 0).all()


def test_recall_is_the_share_of_the_others_within_k() -> None:
    own = Asked(["a", "a"], np.array([0, 1]), [np.array([1, 2]), np.array([0, 9])])
    nearest = np.tile(np.arange(100, 150), (2, 1))
    nearest[0, 9] = 1  # the tenth
    nearest[0, 10] = 2  # the eleventh
    nearest[1, 49] = 9
    found = recalls(own, nearest)
    assert found["recall@10"].tolist() == [0.5, 0.0]
    assert found["recall@50"].tolist() == [1.0, 0.5]


def test_co_clicks_of_another_time_do_not_count_again() -> None:
    choices = {"red shoe": [1, 2, 3], "lamp": [7], "boot": [4, 5]}
    every = asked(choices)
    assert every.query == ["red shoe"] * 3 + ["boot"] * 2
    assert [others.tolist() for others in every.others] == [[2, 3], [1, 3], [1, 2], [5], [4]]
    fresh = asked(choices, {"anything": [1, 2], "more": [4, 5]})
    assert fresh.anchor.tolist() == [1, 2, 3]
    assert [others.tolist() for others in fresh.others] == [[3], [3], [1, 2]]


def test_a_query_that_leads_everywhere_asks_with_a_few_of_its_listings() -> None:
    own = asked({"cheap": list(range(400)), "lamp": [500, 501]})
    assert own.query.count("cheap") == MOST_ANCHORS
    assert own.query.count("lamp") == 2
    assert all(len(others) == 399 for others in own.others[:MOST_ANCHORS])


def test_popular_listings_are_the_same_for_all_but_the_anchor_itself() -> None:
    pairs = Interactions(
        ["a", "b"],
        np.array([0, 0, 1, 1], np.int32),
        np.array([4, 2, 4, 7], np.int32),
        np.array([1, 5, 1, 1], np.float32),
    )
    most = popular(pairs, 5)
    assert most.tolist() == [2, 4, 7, -1, -1]  # nobody chose another
    assert popular(pairs, 2).tolist() == [2, 4]
    own = Asked(["a", "b"], np.array([4, 9]), [np.array([2]), np.array([2])])
    assert popular_neighbours(own, most[:3]).tolist() == [[2, 7], [2, 4]]


ONTOLOGY = Ontology.from_paths(["shoes", "boots", "lamps"], [("Wear", "Shoes"), ("Wear", "Boots"), ("Home", "Lamps")])
KINDS = [("shoes", "red"), ("shoes", "red"), ("shoes", "blue"), ("boots", "red"), ("lamps", "red")]


def grader() -> Grader:
    positions = np.array([ONTOLOGY.position(name) for name, _ in KINDS], np.int32)
    return Grader(ONTOLOGY, positions, [{"colour": colour, "size": ""} for _, colour in KINDS])


def test_what_is_like_a_listing() -> None:
    assert grader().like(0).tolist() == [3, 3, 2, 1, 0]
    assert grader().like(2).tolist() == [2, 2, 3, 1, 0]
    unknown = Grader(ONTOLOGY, np.array([-1, 0], np.int32), [{}, {}])
    assert unknown.like(0).tolist() == [0, 0]


def test_ndcg_by_category_and_attributes() -> None:
    """Around the first shoe, itself left out, the grades are 3, 2, 1, 0."""
    best = 7 / np.log2(2) + 3 / np.log2(3) + 1 / np.log2(4)
    orders = {"right": [1, 2, 3, 4], "reversed": [4, 3, 2, 1], "short": [2, -1, -1, -1]}
    gains = {
        "right": best,
        "reversed": 1 / np.log2(3) + 3 / np.log2(4) + 7 / np.log2(5),
        "short": 3 / np.log2(2),
    }
    columns = truth_ndcg(grader(), np.array([0]), [np.array([order]) for order in orders.values()])
    for name, column in zip(orders, columns, strict=True):
        assert column[0] == pytest.approx(gains[name] / best), name


def test_nothing_is_like_a_listing_alone_of_its_kind() -> None:
    (column,) = truth_ndcg(grader(), np.array([4]), [np.array([[0, 1, 2, 3]])])
    assert np.isnan(column[0])


def write_index(dataset: Dataset, folder: Path, embeddings: np.ndarray, test: list[bool]) -> Path:
    listings, ontology = dataset.read_listings(), dataset.read_ontology()
    folder.mkdir()
    np.save(folder / "embeddings.npy", embeddings.astype(np.float16))
    n = len(listings)
    columns = {
        "listing_id": listings.ids,
        "predicted_category_id": ["shoes"] * n,
        "predicted_probability": [1.0] * n,
        "predicted_attributes": ["{}"] * n,
        "attribute_probabilities": ["{}"] * n,
        "test": test,
    }
    pq.write_table(pa.table(columns), folder / "predictions.parquet")
    write_manifest(folder, KIND, VERSION, ontology_fingerprint=ontology.fingerprint)
    return folder


def write_events(dataset: Dataset, choices: list[tuple[str, str]]) -> None:
    """A query and the listing chosen for it, a minute apart."""
    start = 1_700_000_000_000
    queries = [
        {"query_id": f"q{i}", "user_query": text, "timestamp": start + i * 60_000, "query_response_hit_ids": [listing]}
        for i, (text, listing) in enumerate(choices)
    ]
    clicks = [
        {
            "action_name": "click",
            "query_id": f"q{i}",
            "timestamp": start + i * 60_000 + 1,
            "event_attributes": {"object": {"object_id": listing}},
        }
        for i, (_, listing) in enumerate(choices)
    ]
    write_behaviour(dataset.root / "events.parquet", queries, clicks)


# 34 searches before, 6 in the last 15 %: a shoe of each colour chosen for "shoes", a lamp for "lamp".
BEFORE = [("shoes", "s-red"), ("Shoes", "s-blue")] * 15 + [("lamp", "lamp")] * 4
LATE = [
    ("shoes", "s-red"),
    ("SHOES", "s-green"),
    ("shoes", "s-blue"),
    ("lamp", "lamp"),
    ("lamp", "gone"),
    ("x", "b-red"),
]


def test_choices_are_split_by_time_and_joined_by_spelling(marketplace: Dataset) -> None:
    write_events(marketplace, BEFORE + LATE)
    rows = {name: row for row, name in enumerate(marketplace.read_listings().ids)}
    late, early, weighted = read_choices(read_behaviour(marketplace.root), rows)
    assert late == {"shoes": [0, 1, 2], "lamp": [4], "x": [3]}
    assert early == {"shoes": [0, 1], "lamp": [4]}
    assert weighted.weight.sum() == 34


def test_two_indexes_are_compared_on_the_same_listings(
    marketplace: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five listings: recall@10 is 1 for any embedding, and the difference 0; by grade one index is right about the
    shoes, the other finds the lamp first."""
    from eval.__main__ import app
    from relevance.entry import run

    write_events(marketplace, BEFORE + LATE)
    right = write_index(
        marketplace, tmp_path / "right", on_circle(0, 5, 10, 30, 170), [False, True, False, False, True]
    )
    wrong = write_index(
        marketplace, tmp_path / "wrong", on_circle(0, 90, 100, 80, 1), [False, True, False, False, False]
    )
    arguments = ["similar", "--dataset", str(marketplace.root), "--listings", str(right), "--compare", str(wrong)]
    monkeypatch.setattr("sys.argv", ["eval", *arguments, "--out", str(tmp_path / "similar.json")])
    with pytest.raises(SystemExit) as caught:
        run(app, "python -m eval")
    assert not caught.value.code
    result = json.loads((tmp_path / "similar.json").read_text())
    assert (result["listings"], result["queries"], result["pairs"]) == (5, 1, 6)
    assert result["events_on_unknown_listings"] == 1
    found = result["co_clicks"]["all"]
    assert [found[system]["recall@10"]["value"] for system in ("this", "other", "difference")] == [1, 1, 0]
    # In the log before, nobody chose the green shoe: it is not popular.
    assert found["popular"]["recall@10"]["value"] == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    assert (
        result["co_clicks"]["never together before"]["this"]["recall@10"]["n"] == 3
    )  # red-green, blue-green, and back
    assert result["co_clicks"]["photo not trained on"]["this"]["recall@10"]["n"] == 1  # not trained on by either
    graded = result["graded"]["all"]
    assert graded["this"]["ndcg@10"]["value"] > graded["other"]["ndcg@10"]["value"]
    assert graded["difference"]["ndcg@10"]["value"] == pytest.approx(
        graded["this"]["ndcg@10"]["value"] - graded["other"]["ndcg@10"]["value"], abs=1e-5
    )
    shown = capsys.readouterr()
    assert "simulated" in shown.out
    assert "simulated" in result["simulated"]
    assert "1 events are on listings that the dataset does not have" in shown.err


def test_what_the_service_recorded_counts(marketplace: Dataset, tmp_path: Path) -> None:
    from eval.similar.run import run

    write_events(marketplace, BEFORE + LATE)
    index = write_index(marketplace, tmp_path / "index", on_circle(0, 5, 10, 30, 170), [True] * 5)
    whole = run(marketplace.root, index, None, 10, 0, 1)
    log = read_behaviour(marketplace.root)
    (marketplace.root / "events").mkdir()
    lines = [
        {"query_id": name, "user_query": text, "timestamp": str(time)}
        for name, text, time in zip(log.query_ids, log.queries, log.query_times, strict=True)
    ] + [
        {
            "action_name": "click",
            "query_id": log.query_ids[query],
            "timestamp": str(time),
            "event_attributes": {"object": {"object_id": listing}},
        }
        for query, listing, time in zip(log.event_query, log.event_listing, log.event_times, strict=True)
    ]
    (marketplace.root / "events" / "events-1.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (marketplace.root / "events.parquet").unlink()
    assert run(marketplace.root, index, None, 10, 0, 1) == whole


def test_too_little_behaviour_is_refused(marketplace: Dataset, tmp_path: Path) -> None:
    from eval.similar.run import run

    index = write_index(marketplace, tmp_path / "index", on_circle(0, 1, 2, 3, 4), [True] * 5)
    write_events(marketplace, [("shoes", "s-red")] * 20)
    with pytest.raises(DataError, match=r"expected a query of the last 15 % .* found none among 3 queries"):
        run(marketplace.root, index, None, 10, 0, 1)
    (marketplace.root / "events.parquet").unlink()
    with pytest.raises(DataError, match=r"events.parquet: .*"):
        run(marketplace.root, index, None, 10, 0, 1)
