import math

import numpy as np
import pytest

from eval.bootstrap import Estimate, estimates


def test_means_leave_out_what_is_not_there() -> None:
    columns = {"a": np.array([1.0, np.nan, 0.0, 1.0]), "none": np.full(4, np.nan)}
    found = estimates(columns, ["x", "x", "y", "z"])
    assert found["a"].value == pytest.approx(2 / 3)
    assert found["a"].n == 3
    assert math.isnan(found["none"].value)
    assert found["none"].n == 0
    assert found["none"].to_dict() == {"value": None, "low": None, "high": None, "n": 0}


def test_interval_of_independent_values_is_the_normal_one() -> None:
    values = np.random.default_rng(1).normal(5, 2, 2000)
    found = estimates({"a": values}, range(2000))["a"]
    half = 1.96 * values.std() / math.sqrt(2000)
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_copies_within_a_cluster_add_no_certainty() -> None:
    values = np.random.default_rng(2).normal(0, 1, 400)
    once = estimates({"a": values}, range(400))["a"]
    nine_times = estimates({"a": np.repeat(values, 9)}, np.repeat(np.arange(400), 9).tolist())["a"]
    assert (nine_times.low, nine_times.high) == pytest.approx((once.low, once.high))
    pretending = estimates({"a": np.repeat(values, 9)}, range(3600))["a"]
    assert (pretending.high - pretending.low) < 0.5 * (once.high - once.low)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Clusters of unequal size: the mean is a ratio of two sums."""
    rng = np.random.default_rng(3)
    covered = 0
    for trial in range(100):
        sizes = rng.integers(1, 6, 60)
        effect = rng.normal(0, 1, 60)
        clusters = np.repeat(np.arange(60), sizes)
        values = effect[clusters] + rng.normal(0, 0.5, len(clusters))
        found = estimates({"a": values}, clusters.tolist(), resamples=200, seed=trial)["a"]
        covered += found.low <= 0 <= found.high
    assert 86 <= covered <= 100


def test_seeded_and_the_same_draws_for_every_column() -> None:
    values = np.random.default_rng(4).random(50)
    clusters = [i // 2 for i in range(50)]
    both = estimates({"a": values, "b": values + 1}, clusters, seed=7)
    alone = estimates({"a": values}, clusters, seed=7)
    assert alone == estimates({"a": values}, clusters, seed=7)
    assert (both["a"].low, both["a"].high) == pytest.approx((alone["a"].low, alone["a"].high))
    assert both["b"].low == pytest.approx(both["a"].low + 1)
    assert both["a"] != estimates({"a": values}, clusters, seed=8)["a"]


def test_nothing_to_estimate() -> None:
    assert estimates({}, []) == {}
    empty = estimates({"a": np.empty(0)}, [])["a"]
    assert math.isnan(empty.value)
    assert empty.n == 0


def test_text() -> None:
    assert Estimate(0.5, 0.25, 0.75, 8).text() == "0.500 [0.250, 0.750]"
    assert Estimate(0.5, 0.25, 0.75, 8).text(percent=True) == "50.0 % [25.0, 75.0]"
    assert Estimate(math.nan, math.nan, math.nan, 0).text() == "-"


def test_a_weight_counts_like_copies() -> None:
    values = np.random.default_rng(5).random(60)
    copies = np.random.default_rng(6).integers(1, 4, 60)
    clusters = [i // 3 for i in range(60)]
    weights = {"a": copies.astype(np.float64)}
    weighted = estimates({"a": values, "b": values}, clusters, weights=weights)
    repeated = estimates({"a": np.repeat(values, copies)}, np.repeat(clusters, copies).tolist())["a"]
    assert (weighted["a"].value, weighted["a"].low, weighted["a"].high) == pytest.approx(
        (repeated.value, repeated.low, repeated.high)
    )
    assert weighted["a"].n == 60
    assert weighted["b"] == estimates({"b": values}, clusters)["b"]
