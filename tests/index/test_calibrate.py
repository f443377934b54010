"""Calibration: conformal thresholds, temperature, made-up words."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from index.calibrate import provisional
from index.filter_fit import ASSURED, conformal_threshold, fit_categories, fit_temperature
from index.votes import Votes
from relevance.category_filter import CategoryModel, likeliest
from relevance.interactions import Interactions
from relevance.ontology import Ontology
from relevance.seen import NO_MEMORY


def test_conformal_threshold_by_hand() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])
    # Before the labels lie 0, 0.6 and 0.9 of the probability.
    labels = np.array([0, 1, 0])
    assert conformal_threshold(probabilities, labels, np.ones(3), coverage=0.5) == pytest.approx(0.6)
    assert conformal_threshold(probabilities, labels, np.ones(3), coverage=0.25) == 0
    assert conformal_threshold(probabilities, labels, np.array([1.0, 1.0, 4.0]), coverage=0.5) == pytest.approx(0.9)
    assert conformal_threshold(probabilities, labels, np.ones(3), coverage=0.99) == 1.0


def test_conformal_sets_cover_on_fresh_data() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 12)) * 2
    truth = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(12, p=p) for p in truth])
    wrong = np.exp(logits * 0.5) / np.exp(logits * 0.5).sum(axis=1, keepdims=True)  # an under-confident model
    threshold = conformal_threshold(wrong[:2000], labels[:2000], np.ones(2000), coverage=0.9)
    sets = [dict(likeliest(p.copy(), threshold, limit=12)) for p in wrong[2000:]]
    held = [label in members for label, members in zip(labels[2000:].tolist(), sets, strict=True)]
    assert 0.88 <= np.mean(held) <= 0.97
    assert np.mean([len(members) for members in sets]) < 12


def test_temperature_recovers_the_one_that_made_the_labels() -> None:
    rng = np.random.default_rng(1)
    cosines = rng.uniform(-1, 1, size=(5000, 8))
    exponents = np.exp(cosines / 0.2)
    labels = np.array([rng.choice(8, p=p / p.sum()) for p in exponents])
    assert fit_temperature(cosines, labels, np.ones(5000)) == pytest.approx(0.2, rel=0.05)


def test_before_there_is_behaviour_there_is_no_category_filter() -> None:
    ontology = Ontology.from_paths(["a", "b", "c", "d", "e"], [("A",), ("A", "B"), ("A", "C"), ("D",), ("D", "E")])
    calibration = provisional(ontology, temperature=0.05).category
    model = CategoryModel(ontology, np.eye(5, dtype=np.float32), np.ones(5, np.int64), calibration)
    for category in np.eye(5, dtype=np.float32):  # as near as can be
        assert model.filter(model.cosines(category)).mode == "none"


def test_however_easy_the_queries_were_one_that_is_undecided_keeps_both_categories() -> None:
    ontology = Ontology.from_paths(["a", "b"], [("A",), ("B",)])
    places = np.eye(2, 3, dtype=np.float32)
    engine: Any = SimpleNamespace(
        ontology=ontology,
        towers=SimpleNamespace(category_embeddings=places),
        categories=SimpleNamespace(empty=np.zeros(2, np.bool_)),
        read=lambda query: SimpleNamespace(embedding=places[int(query) % 2]),
    )
    n = np.arange(60, dtype=np.int32)  # every query is at its category, and that is what was chosen
    ones = np.ones(60, np.float32)
    votes = Votes.tally(Interactions([str(i) for i in n], n, n % 2, ones, choices=ones), np.array([0, 1], np.int32), 2)
    calibration, _, _ = fit_categories(engine, votes, [NO_MEMORY])
    assert calibration.thresholds == (ASSURED,)
    assert len(likeliest(np.array([0.7, 0.3]), ASSURED, 2)) == 2
    assert len(likeliest(np.array([0.9, 0.1]), ASSURED, 2)) == 1
