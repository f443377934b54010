"""The order is learned from what was chosen."""

import numpy as np

from index.ranking import BETTER, OF_THE_QUERY, Choice, fit_ranking
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
    assert all(found[name] >= 0 for name in BETTER)


def test_without_choices_the_start_stays() -> None:
    start = np.arange(1.0, len(FEATURES) + 1)
    start[FEATURES.index("bm25")] = -1.0
    found = dict(zip(FEATURES, fit_ranking([], start), strict=True))
    assert found["cosine"] == 1.0
    assert (found["bm25"], found["missing"]) == (0.0, 0.0)
    assert found["familiar"] == 0.0
