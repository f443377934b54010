"""The relevance model: what is fitted, and in which order."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from index.ranking import Choice
from index.relevance_fit import _Examples, _fit, fit_relevance
from index.votes import Votes
from relevance.absent import AbsentWords
from relevance.engine import Engine
from relevance.errors import DataWarning
from relevance.interactions import Interactions
from relevance.relevance_model import FEATURES

COSINE, FOREIGN, SECOND = (FEATURES.index(name) for name in ("cosine", "foreign", "second_noun"))


def _examples(n: int, seed: int) -> _Examples:
    """Pairs that are relevant as their cosine says, and a few queries with two nouns among them."""
    rng, examples = np.random.default_rng(seed), _Examples()
    for _ in range(n):
        features = np.zeros((5, len(FEATURES)), np.float32)
        features[:, COSINE] = rng.uniform(0, 1, 5)
        features[:, SECOND] = rng.choice([0.0, 0.2], p=[0.9, 0.1])
        examples.add(features, rng.random(5) < 1 / (1 + np.exp(6 - 12 * features[:, COSINE])))
    return examples


def _others(n: int) -> _Examples:
    """Queries about another thing, each of them with a foreign word."""
    examples = _Examples()
    for _ in range(n):
        features = np.zeros((5, len(FEATURES)), np.float32)
        features[:, COSINE], features[:, FOREIGN], features[:, SECOND] = 0.8, 0.5, 0.6
        examples.add(features)
    return examples


def test_what_a_second_noun_takes_away_is_fitted_for_itself() -> None:
    examples, others = _examples(400, 0), _others(100)
    weights, bias = _fit(examples, others)
    features, labels = np.concatenate(examples.features), np.concatenate(examples.labels)
    alone = LogisticRegression(C=10.0, max_iter=1000).fit(features[:, [COSINE]], labels)
    assert weights[COSINE] == pytest.approx(alone.coef_[0, 0], rel=1e-3)
    # That others have a foreign word is not held against foreign words.
    assert weights[FOREIGN] == pytest.approx(0.0, abs=1e-6)
    both = np.concatenate([features, *others.features])
    relevant = np.concatenate([labels, *others.labels])

    def loss(weight: float) -> float:
        logits = both @ weights + bias + (weight - weights[SECOND]) * both[:, SECOND]
        return float(-np.log(1 / (1 + np.exp(np.where(relevant, -logits, logits)))).sum())

    grid = np.arange(-30, 0.01, 0.1)
    assert weights[SECOND] == pytest.approx(grid[np.argmin([loss(weight) for weight in grid])], abs=0.1)
    assert weights[SECOND] < -5


def test_without_other_things_a_second_noun_is_what_it_is_among_the_queries() -> None:
    weights, _ = _fit(_examples(400, 1), _Examples())
    assert -3 < weights[SECOND] <= 0


@pytest.mark.parametrize(("categories", "which"), [([0], "all"), ([], "none")])
def test_where_nothing_can_be_told_apart_the_model_stays(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, categories: list[int], which: str
) -> None:
    """Of a site of one category, in a script without spaces, every candidate is what was meant."""

    def present(*_: object) -> tuple[np.ndarray, np.ndarray, Choice]:
        features = np.ones((3, len(FEATURES)), np.float32)
        return features, np.full(3, bool(categories)), Choice(features, np.ones(3))

    monkeypatch.setattr("index.relevance_fit._present", present)
    monkeypatch.setattr("index.relevance_fit._absent", lambda *_: np.empty((0, len(FEATURES)), np.float32))
    monkeypatch.setattr("index.relevance_fit._add_absent", lambda *_: None)
    engine, first, one = Engine(tiny_bundle), np.zeros(1, np.int32), np.ones(1, np.float32)
    pairs = Interactions(["sofa"], first, first, one, choices=one)
    votes = Votes.tally(pairs, engine.columns.category, len(engine.ontology))
    with pytest.warns(DataWarning, match=f"of 3 candidates of held-out queries {which} lie in a category"):
        model, _ = fit_relevance(engine, votes, AbsentWords(()), seed=0)
    assert model is engine.relevance
