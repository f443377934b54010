"""The figures of a classifier's evaluation, on predictions whose figures can be counted by hand."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from eval.classifier.abstention import abstention, depth, hedging, right
from eval.classifier.accuracy import accuracy, frequency, hit_columns, macro_estimates, parts
from eval.classifier.calibration import calibration
from eval.classifier.comparison import compare, verdict
from eval.classifier.evaluate import evaluate, refusals
from eval.classifier.gallery import SHOWN, galleries
from eval.classifier.measured import Predictions, TestPhotos
from eval.classifier.mistakes import LARGEST, REST, confused, confusion, mistakes
from relevance.classification import level_hits, scores
from relevance.dataset import Listings
from relevance.ontology import Ontology
from tests.colours import write_dataset

TREE = Ontology.from_paths(["a1", "a2", "b1", "b2"], [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")])
A, A1, A2, B, B1, B2 = range(6)
CLASSES = np.array([A1, A2, B1], np.int32)


def predicted(
    answers: Sequence[int],
    labels: Sequence[int],
    confidence: float | Sequence[float] = 0.8,
    titles: Sequence[str] | None = None,
) -> Predictions:
    """Each photo gives its answer that probability, and shares the rest among the other classes."""
    sure = np.broadcast_to(np.asarray(confidence, np.float32), len(answers))
    probabilities = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
    column = [CLASSES.tolist().index(answer) for answer in answers]
    probabilities[np.arange(len(answers)), column] = sure
    names = titles or [f"title {i}" for i in range(len(answers))]
    return Predictions(TREE, CLASSES, probabilities, np.array(labels, np.int32), names)


EIGHT = predicted([A1, A1, A1, A2, A2, B1, B1, A1], [A1, A1, A2, A2, B1, B1, B2, A])


def test_accuracies_by_hand() -> None:
    found = accuracy(EIGHT, hit_columns(EIGHT))
    assert found["top_1"].value == 4 / 8
    assert found["top_3"].value == found["top_5"].value == 6 / 8  # b2 and a are no classes
    # a1 2 of 2, a2 1 of 2, b1 1 of 2, b2 and a none.
    assert found["macro"].value == pytest.approx((1 + 0.5 + 0.5 + 0 + 0) / 5)
    assert found["levels"]["1"]["micro"].value == 7 / 8
    assert found["levels"]["1"]["macro"].value == pytest.approx((5 / 5 + 2 / 3) / 2)
    assert [found["levels"][level]["categories"] for level in "12"] == [2, 5]


def test_accuracies_agree_with_those_of_training() -> None:
    ours = evaluate(EIGHT, np.bincount(EIGHT.labels, minlength=6))
    theirs = scores(TREE, EIGHT.probabilities, CLASSES, EIGHT.labels)
    for name in ("top_1", "top_3", "top_5", "macro"):
        assert ours[name].value == pytest.approx(theirs[name])
    assert ours["expected_calibration_error"] == pytest.approx(theirs["expected_calibration_error"], abs=1e-6)
    for level, own in theirs["levels"].items():
        assert ours["levels"][level]["micro"].value == pytest.approx(own["micro"])
        assert ours["levels"][level]["macro"].value == pytest.approx(own["macro"])
    hits, labels = level_hits(TREE, EIGHT.probabilities, CLASSES, EIGHT.labels, 1)
    assert EIGHT.collapsed(1).hits.tolist() == hits.tolist()
    assert EIGHT.collapsed(1).labels.tolist() == labels.tolist()


def test_the_interval_over_categories_lies_around_its_figure() -> None:
    """Many categories of one photo each, all wrong, and one of many, all right: where a resample counted only the
    categories that it holds, it would forget a third of the wrong ones."""
    labels = np.concatenate([np.zeros(30, np.int32), np.arange(1, 31, dtype=np.int32)])
    hits = labels == 0
    found = macro_estimates({"a": (hits, labels)}, [str(i) for i in range(60)])["a"]
    assert found.value == pytest.approx(1 / 31)
    assert found.low < 1 / 31 < found.high < 0.06


def test_photos_of_one_title_are_resampled_together() -> None:
    answers, labels = [A1] * 100, [A1] * 50 + [A2] * 50
    apart = accuracy(predicted(answers, labels), hit_columns(predicted(answers, labels)))["top_1"]
    alike = predicted(answers, labels, titles=[str(i // 25) for i in range(100)])
    together = accuracy(alike, hit_columns(alike))["top_1"]
    assert apart.value == together.value == 0.5
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_head_torso_and_tail_hold_a_third_of_the_photos_each() -> None:
    photos = np.array([0, 10, 50, 1, 30, 9])
    assert parts(photos).tolist() == [-1, 2, 0, 2, 1, 2]  # 50 | 30 | 10, 9, 1: they begin at 0, 50, 80, 90, 99 of 100
    assert parts(np.array([0, 0, 5])).tolist() == [-1, -1, 0]
    assert parts(np.zeros(3, np.int64)).tolist() == [-1, -1, -1]


def test_accuracy_of_the_parts() -> None:
    photos = np.array([1, 40, 30, 0, 30, 1])
    found = frequency(EIGHT, photos)
    assert {name: found[name]["categories"] for name in ("head", "torso", "tail")} == {"head": 1, "torso": 1, "tail": 3}
    assert found["head"]["top_1"].value == 1
    assert (found["torso"]["photos"], found["torso"]["test_photos"], found["torso"]["top_1"].value) == (30, 2, 0.5)
    assert found["tail"]["macro"].value == pytest.approx((0.5 + 0 + 0) / 3)


def test_a_part_without_test_photos() -> None:
    found = frequency(predicted([A1], [A1]), np.array([0, 5, 0, 0, 0, 0]))
    assert found["tail"]["top_1"].to_dict()["value"] is None
    assert found["tail"]["macro"].n == 0


def test_distance_of_mistakes() -> None:
    found = mistakes(EIGHT)
    # Edges: 0, 0, 2, 0, a2 for b1 4, 0, b1 for b2 2, a1 for a 1.
    assert found["argmax"]["distance"].value == 9 / 8
    assert found["argmax"]["distance_of_mistakes"].value == 9 / 4
    assert found["argmax"]["by_distance"] == {"0": 4, "1": 1, "2": 2, "4": 1}


def test_expected_distance_makes_milder_mistakes() -> None:
    """The most probable class lies in one branch, most of the probability in the other."""
    tree = Ontology.from_paths(["a1", "b1", "b2", "b3"], [("a", "1"), ("b", "1"), ("b", "2"), ("b", "3")])
    classes = np.array([1, 3, 4, 5], np.int32)
    probabilities = np.tile(np.array([[0.34, 0.33, 0.33, 0.0]], np.float32), (6, 1))
    predictions = Predictions(tree, classes, probabilities, np.array([1, 1, 3, 3, 4, 4], np.int32), list("abcdef"))
    found = mistakes(predictions)
    assert (found["argmax"]["distance"].value, found["crm"]["distance"].value) == (16 / 6, pytest.approx(12 / 6))
    assert found["difference"]["distance"].value == pytest.approx(-4 / 6)
    assert found["difference"]["top_1"].value == 0


def test_no_mistakes() -> None:
    found = mistakes(predicted([A1, B1], [A1, B1]))
    assert found["argmax"]["distance_of_mistakes"].to_dict()["value"] is None
    assert found["argmax"]["by_distance"] == {"0": 2}
    assert confused(predicted([A1, B1], [A1, B1])) == []


def test_confused_pairs_most_frequent_first() -> None:
    pairs = confused(predicted([A1, A1, A1, B1, A2], [A2, A2, A1, A2, A2]))
    assert [(pair["truth"], pair["predicted"], pair["photos"], pair["share"], pair["distance"]) for pair in pairs] == [
        ("a > 2", "a > 1", 2, 0.5, 2),
        ("a > 2", "b > 1", 1, 0.25, 4),
    ]


def test_confusion_at_the_first_level() -> None:
    assert confusion(EIGHT) == {"level": 1, "categories": ["a", "b"], "counts": [[5, 0], [1, 2]]}


def test_confusion_goes_down_where_a_level_has_one_category() -> None:
    only_a = predicted([A1, A2, A1], [A1, A2, A2])
    assert confusion(only_a) == {"level": 2, "categories": ["a > 1", "a > 2"], "counts": [[1, 0], [1, 1]]}
    assert confusion(predicted([A1], [A1])) == {"level": 2, "categories": ["a > 1"], "counts": [[1]]}


def test_confusion_of_many_categories_names_the_largest() -> None:
    n = LARGEST + 3
    tree = Ontology.from_paths([f"{i:02}" for i in range(n)], [(f"{i:02}",) for i in range(n)])
    labels = np.repeat(np.arange(n, dtype=np.int32), np.arange(1, n + 1))
    sure = np.eye(n, dtype=np.float32)[labels]
    predictions = Predictions(tree, np.arange(n, dtype=np.int32), sure, labels, [str(i) for i in range(len(labels))])
    found = confusion(predictions)
    assert found["categories"] == [*(f"{i:02}" for i in range(3, n)), REST]
    assert np.array(found["counts"]).trace() == len(labels)
    assert found["counts"][-1][-1] == 1 + 2 + 3


def test_calibration_at_every_level() -> None:
    found = calibration(predicted([A1] * 10, [A1] * 8 + [B1] * 2, 0.8))
    assert found["category"]["bins"] == [[10, pytest.approx(0.8), 0.8]]
    assert found["category"]["expected_calibration_error"] == pytest.approx(0, abs=1e-6)
    # a holds 0.9 and is right in 8 of 10.
    assert found["1"]["expected_calibration_error"] == pytest.approx(0.1, abs=1e-6)
    assert list(found) == ["category", "1", "2"]


def test_coverage_against_accuracy() -> None:
    confidence = [0.95, 0.9, 0.85, 0.8]
    found = abstention(predicted([A1] * 4, [A1, A1, B1, A1], confidence))
    assert [point[:2] for point in found["curve"]] == [
        [0.25, 1], [0.5, 1], [0.75, pytest.approx(2 / 3, abs=1e-6)], [1, 0.75],
    ]  # fmt: skip
    assert found["aurc"] == pytest.approx((0 + 0 + 1 / 3 + 1 / 4) / 4, abs=1e-6)
    assert found["coverage_at"] == {"0.9": 0.5, "0.95": 0.5, "0.99": 0.5}


def test_no_answer_is_never_wrong() -> None:
    nodes = np.array([-1, A, A1, A2, B, A1], np.int32)
    predictions = predicted([A1] * 6, [A1, A1, A1, A1, A1, A])
    assert right(predictions, nodes).tolist() == [True, True, True, False, False, False]
    assert depth(predictions, nodes).tolist() == [0, 1, 2, 2, 1, 2]


def test_answers_rise_with_the_threshold() -> None:
    found = hedging(predicted([A1] * 4 + [B1] * 4, [A1, A1, A2, A2, B1, B1, B1, B2], 0.8))
    by_threshold = {point["threshold"]: point for point in found["curve"]}
    assert by_threshold[0.5]["levels"] == [0, 0, 1]
    assert by_threshold[0.5]["accuracy"] == 5 / 8
    # b1 is all that is known of b: 0.8; a has 0.9.
    assert by_threshold[0.85]["levels"] == [0.5, 0.5, 0]
    assert (by_threshold[0.85]["accuracy"], by_threshold[0.85]["mean_depth"]) == (1, 0.5)
    assert by_threshold[0.85]["class_or_nothing"] == {"accuracy": 1, "mean_depth": 0}
    assert by_threshold[1.0]["levels"] == [1, 0, 0]


def test_a_stated_accuracy_is_kept_on_the_other_half() -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice([A1, A2, B1], 2000)
    sure = rng.uniform(0.4, 1, 2000)
    told = rng.random(2000) < sure
    answers = [label if right else rng.choice([A1, A2, B1]) for label, right in zip(labels, told, strict=True)]
    found = hedging(predicted(answers, labels.tolist(), sure.astype(np.float32).tolist()))
    for one in found["stated"]:
        assert one["accuracy"].value >= one["stated"] - 0.02
        assert sum(one["levels"]) == pytest.approx(1, abs=1e-5)
        assert all(0.5 <= threshold <= 1 for threshold in one["thresholds"])
    answered = [one["answered"].value for one in found["stated"]]
    assert answered == sorted(answered, reverse=True)
    assert 0 < answered[1] < answered[0]


def test_too_few_photos_promise_nothing() -> None:
    found = hedging(predicted([A1], [A1]))
    assert [one["levels"] for one in found["stated"]] == [[1, 0, 0]] * 3
    assert found["stated"][0]["accuracy_of_answers"].to_dict()["value"] is None


def test_differences_are_paired() -> None:
    labels = [A1, A2, B1] * 40
    worse = [A1 if i % 12 == 4 else label for i, label in enumerate(labels)]
    found = compare(predicted(labels, labels), predicted(worse, labels))
    assert found["photos"] == 120
    top_1 = found["metrics"]["top_1"]
    assert (top_1["this"].value, top_1["difference"].value) == (1, pytest.approx(10 / 120))
    assert top_1["other"].value == pytest.approx(110 / 120)
    assert verdict("top_1", top_1) == "better"
    assert found["metrics"]["macro"]["difference"].value == pytest.approx((0 + 10 / 40 + 0) / 3)
    assert found["metrics"]["macro level_1"]["difference"].value == 0
    # Fewer edges are better.
    assert found["metrics"]["distance"]["difference"].value == pytest.approx(-2 * 10 / 120)
    assert verdict("distance", found["metrics"]["distance"]) == "better"


def test_no_verdict_without_a_difference() -> None:
    same = compare(EIGHT, EIGHT)["metrics"]
    assert {verdict(name, own) for name, own in same.items()} == {""}
    turned = compare(predicted([A2] * 30, [A1] * 30), predicted([A1] * 30, [A1] * 30))["metrics"]
    assert verdict("top_1", turned["top_1"]) == verdict("distance", turned["distance"]) == "worse"


def test_galleries_vary(tmp_path: Path) -> None:
    listings = _listings(tmp_path, [f"title {i // 2}" for i in range(60)])
    answers, labels = [A1] * 30 + [A2] * 30, [A1] * 28 + [B1] * 2 + [A1] * 30
    confidence = np.linspace(0.5, 0.99, 60)
    predictions = predicted(answers, labels, confidence.tolist(), listings.titles)
    photos = TestPhotos(np.arange(60), [f"images/{i}.jpg" for i in range(60)], [], 0)
    found = galleries(predictions, photos, listings)
    assert [example.image for example in found["Wrong, and sure of it"]] == ["images/59.jpg", "images/29.jpg"]
    assert [example.image for example in found["Right, but unsure"]] == ["images/0.jpg"]
    surest = found["Wrong, and sure of it"][0]
    assert (surest.title, surest.truth, surest.predicted) == ("title 29", "a > 1", "a > 2")
    assert surest.probability == pytest.approx(0.99)
    assert all(len(examples) <= SHOWN for examples in found.values())


def test_refused_photos_by_reason() -> None:
    refused = [(i, f"images/{i}.jpg", "missing" if i < 7 else "truncated") for i in range(9)]
    found = refusals(refused)
    assert {reason: own["photos"] for reason, own in found.items()} == {"missing": 7, "truncated": 2}
    assert found["missing"]["first"] == [f"images/{i}.jpg" for i in range(5)]


def _listings(folder: Path, titles: Sequence[str]) -> Listings:
    rows = [(str(i), title, "red", f"images/{i}.jpg") for i, title in enumerate(titles)]
    return write_dataset(folder / "dataset", rows).read_listings()
