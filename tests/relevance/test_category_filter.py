"""Category sets by hand, on a tree small enough to add up in the head."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from relevance.category_filter import BOOST_SIZE, FILTER_SIZE, CategoryCalibration, CategoryModel, likeliest
from relevance.ontology import Ontology

# Depth first: Cars; Home; Home > Garden; Home > Garden > Mowers; Home > Garden > Tools; Home > Kitchen.
ONTOLOGY = Ontology.from_paths(
    ["cars", "home", "garden", "mowers", "tools", "kitchen"],
    [
        ("Cars",),
        ("Home",),
        ("Home", "Garden"),
        ("Home", "Garden", "Mowers"),
        ("Home", "Garden", "Tools"),
        ("Home", "Kitchen"),
    ],
)
COUNTS = np.array([5, 0, 1, 9, 9, 9])  # nothing lies on Home itself
FLAT = np.eye(6, dtype=np.float32)


def _model(thresholds: tuple[float, ...], least_cosine: float = -1e9, temperature: float = 1.0) -> CategoryModel:
    calibration = CategoryCalibration(temperature, least_cosine, thresholds, coverage=0.9)
    return CategoryModel(ONTOLOGY, FLAT, COUNTS, calibration)


def _cosines(probabilities: dict[str, float]) -> NDArray[np.float32]:
    """Scores whose softmax over the categories with listings is `probabilities`."""
    return np.array([math.log(probabilities.get(name, 1e-9)) for name in ONTOLOGY.ids], np.float32)


@pytest.mark.parametrize(
    ("descending", "threshold", "expected"),
    [
        ([0.6, 0.3, 0.1], 0.0, 1),  # no set is empty
        ([0.6, 0.3, 0.1], 0.59, 1),
        ([0.6, 0.3, 0.1], 0.6, 2),  # 0.6 before the second, exactly
        ([0.6, 0.3, 0.1], 0.89, 2),
        ([0.6, 0.3, 0.1], 0.9, 3),  # 0.6 + 0.3 is a little less than 0.9 in floating point
        ([0.6, 0.3, 0.1], 1.0, 3),
        ([0.5, 0.25], 0.9, 2),
        ([1.0], 0.0, 1),
        ([0.25, 0.25, 0.25, 0.25], 0.5, 3),
    ],
)
def test_likeliest(descending: list[float], threshold: float, expected: int) -> None:
    assert likeliest(np.array(descending), threshold, limit=9) == list(enumerate(descending[:expected]))
    backwards = likeliest(np.array(descending[::-1]), threshold, limit=9)
    assert [value for _, value in backwards] == descending[:expected]
    # One more than the limit tells that there are too many.
    assert len(likeliest(np.array(descending), threshold, limit=1)) == min(expected, 2)


def test_of_equally_likely_ones_the_first_comes_first() -> None:
    assert [place for place, _ in likeliest(np.array([0.2, 0.4, 0.4]), 0.9, limit=9)] == [1, 2, 0]


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=20), st.floats(0, 1))
def test_members_have_at_most_the_threshold_before_them(weights: list[float], threshold: float) -> None:
    descending = np.sort(np.array(weights) / math.fsum(weights))[::-1]
    before = [math.fsum(descending[:i]) for i in range(len(descending))]
    size = len(likeliest(descending.copy(), threshold, limit=20))
    assert size >= 1
    assert all(mass <= threshold + 1e-6 for mass in before[:size])
    assert all(mass > threshold - 1e-6 for mass in before[size:])


def test_probabilities_are_a_softmax_over_categories_with_listings() -> None:
    model = _model((0.9,), temperature=0.5)
    cosines = np.array([0.2, 0.9, -0.1, 0.5, 0.4, 0.0], np.float32)
    exponents = [math.exp(c / 0.5) if n else 0.0 for c, n in zip(cosines.tolist(), COUNTS.tolist(), strict=True)]
    found = model.probabilities(cosines)
    np.testing.assert_allclose(found, np.array(exponents) / sum(exponents), rtol=1e-5)
    assert found[ONTOLOGY.position("home")] == 0.0


def test_cosines_are_with_each_category() -> None:
    query = np.array([0.6, 0, 0, 0.8, 0, 0], np.float32)
    np.testing.assert_allclose(_model((0.9,)).cosines(query), query)


def test_decided_leaf_is_a_filter() -> None:
    found = _model((0.9, 0.9, 0.9)).filter(_cosines({"mowers": 0.95, "tools": 0.05}))
    assert found.mode == "filter"
    assert [c.category_id for c in found.categories] == ["mowers"]
    assert found.categories[0].path == "Home > Garden > Mowers"
    assert found.categories[0].probability == pytest.approx(0.95, abs=1e-3)
    assert found.coverage == 0.9


def test_undecided_leaves_within_the_limit_are_a_filter_best_first() -> None:
    found = _model((0.9, 0.9, 0.9)).filter(_cosines({"mowers": 0.3, "tools": 0.5, "kitchen": 0.2}))
    assert found.mode == "filter"
    assert [c.category_id for c in found.categories] == ["tools", "mowers", "kitchen"]


def test_undecided_leaves_back_off_to_their_ancestor() -> None:
    # Four leaves have at most 0.9 before them, but one level up only Garden (0.8 in all) and Cars.
    probabilities = {"mowers": 0.3, "tools": 0.3, "garden": 0.2, "cars": 0.12, "kitchen": 0.08}
    found = _model((0.9, 0.9, 0.9)).filter(_cosines(probabilities))
    assert found.mode == "filter"
    assert [c.category_id for c in found.categories] == ["garden", "cars"]
    assert [c.probability for c in found.categories] == pytest.approx([0.8, 0.12], abs=1e-3)


def test_a_threshold_of_its_own_for_each_level() -> None:
    probabilities = {"mowers": 0.3, "tools": 0.3, "garden": 0.2, "cars": 0.12, "kitchen": 0.08}
    # At leaf level what people choose has at most 0.5 before it: two leaves do.
    found = _model((0.9, 0.9, 0.5)).filter(_cosines(probabilities))
    assert {c.category_id for c in found.categories} == {"mowers", "tools"}


def test_larger_sets_boost_and_larger_ones_do_nothing() -> None:
    names = [chr(ord("a") + i) for i in range(BOOST_SIZE + 2)]
    flat = Ontology.from_paths(names, [(name,) for name in names])
    calibration = CategoryCalibration(1.0, -1e9, (0.9,), 0.9)
    model = CategoryModel(flat, np.eye(len(names), dtype=np.float32), np.ones(len(names), np.int64), calibration)
    for size, mode in ((1, "filter"), (FILTER_SIZE, "filter"), (FILTER_SIZE + 1, "boost"), (BOOST_SIZE, "boost")):
        likely = np.where(np.arange(len(names)) < size, 1.0, 1e-6)
        found = model.filter(np.log(likely).astype(np.float32))
        assert (found.mode, len(found.categories)) == (mode, size)
    assert model.filter(np.zeros(len(names), np.float32)).mode == "none"
    assert model.filter(np.zeros(len(names), np.float32)).categories == ()


def test_a_set_of_everything_is_no_filter() -> None:
    even = {name: 0.2 for name, count in zip(ONTOLOGY.ids, COUNTS.tolist(), strict=True) if count}
    # Every level's set holds all that has listings, and at the first level that is only two nodes.
    assert _model((1.0, 1.0, 1.0)).filter(_cosines(even)).mode == "none"


def test_query_like_none_seen_gets_no_filter() -> None:
    model = _model((0.9, 0.9, 0.9), least_cosine=0.4, temperature=0.01)
    assert model.filter(np.array([0, 0, 0, 0.41, 0, 0], np.float32)).mode == "filter"
    assert model.filter(np.array([0, 0, 0, 0.39, 0, 0], np.float32)).mode == "none"
    # The nearest category has no listings: it does not count.
    assert model.filter(np.array([0, 0.9, 0, 0.39, 0, 0], np.float32)).mode == "none"


def test_conformal_sets_cover_what_they_promise() -> None:
    """Thresholds as index building chooses them, drawn here from the same distribution as the labels."""
    rng = np.random.default_rng(0)
    model = _model((0.0, 0.0, 0.0))
    open_nodes = np.flatnonzero(COUNTS)
    logits = rng.normal(0, 2, size=(4000, 6)).astype(np.float32)
    probabilities = np.stack([model.probabilities(row) for row in logits])
    labels = np.array([rng.choice(6, p=p.astype(float) / p.astype(float).sum()) for p in probabilities])
    own = probabilities[np.arange(4000), labels]
    before = np.where(probabilities > own[:, None], probabilities, 0).sum(axis=1)
    threshold = float(np.quantile(before[:2000], 0.9, method="higher"))
    held = 0
    for p, label in zip(probabilities[2000:], labels[2000:], strict=True):
        held += label in dict(likeliest(p.astype(float), threshold, limit=6))
    assert held / 2000 >= 0.9 - 3 * math.sqrt(0.9 * 0.1 / 2000)
    assert set(labels.tolist()) <= set(open_nodes.tolist())
