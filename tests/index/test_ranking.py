"""The order is learned from what was chosen."""

import numpy as np
import pytest

from index.ranking import OF_THE_QUERY, Choice, fit_ranking
from relevance.relevance_model import FEATURES


def _choices(missing: float, cosine: float) -> list[Choice]:
    """Choices among ten, each by features that weigh so much."""
    rng = np.random.default_rng(0)
    choices = []
    for _ in range(400):
        features = rng.normal(size=(10, len(FEATURES))).astype(np.float32)
        utility = missing * features[:, FEATURES.index("missing")] + cosine * features[:, FEATURES.index("cosine")]
        probability = np.exp(utility) / np.exp(utility).sum()
        chosen = np.zeros(10)
        chosen[rng.choice(10, p=probability)] = 1
        choices.append(Choice(features, chosen))
    return choices


def _fitted(choices: list[Choice], start: np.ndarray) -> dict[str, float]:
    return dict(zip(FEATURES, fit_ranking(choices, start), strict=True))


def test_the_feature_that_choices_follow_gets_the_weight() -> None:
    found = _fitted(_choices(missing=-2.0, cosine=0.5), np.zeros(len(FEATURES)))
    assert -2.5 < found["missing"] < -1.5
    assert 0.25 < found["cosine"] < 0.75
    assert all(found[name] == 0 for name in OF_THE_QUERY)
    rest = set(FEATURES) - {"missing", "cosine", *OF_THE_QUERY}
    assert all(abs(found[name]) < 0.25 for name in rest)


def test_what_is_better_never_counts_against_a_listing() -> None:
    found = _fitted(_choices(missing=2.0, cosine=-2.0), np.full(len(FEATURES), -1.0))
    assert (found["missing"], found["cosine"], found["cosine_within"]) == (0.0, 0.0, 0.0)
    better = ("cosine", "cosine_within", "category_cosine", "category_log_share", "lexical", "bm25", "wanted")
    assert all(found[name] >= 0 for name in better)


@pytest.mark.parametrize(
    ("name", "of_strange"), [("cosine", "cosine_unfamiliar"), ("category_cosine", "category_unfamiliar")]
)
def test_what_is_nearer_never_counts_against_a_listing_however_strange_the_words(name: str, of_strange: str) -> None:
    """Of strange words people choose what is farther, of known ones what is nearer, and more clearly so."""
    rng, at, strange = np.random.default_rng(0), FEATURES.index(name), FEATURES.index(of_strange)
    choices = []
    for number in range(400):
        features = np.zeros((10, len(FEATURES)), np.float32)
        features[:, at] = rng.uniform(0, 1, 10)
        features[:, strange] = features[:, at] * (number % 2)
        chosen = np.zeros(10)
        chosen[features[:, at].argmin() if number % 2 else features[:, at].argmax()] = 1
        choices.append(Choice(features, chosen))
    found = _fitted(choices, np.zeros(len(FEATURES)))
    assert found[name] > 1
    assert found[name] + found[of_strange] == pytest.approx(0.0, abs=1e-5)


def test_without_choices_the_start_stays() -> None:
    start = np.arange(1.0, len(FEATURES) + 1)
    start[FEATURES.index("bm25")] = -1.0
    found = dict(zip(FEATURES, fit_ranking([], start), strict=True))
    assert found["cosine"] == 1.0
    assert (found["bm25"], found["missing"]) == (0.0, 0.0)
    assert found["familiar"] == 0.0
