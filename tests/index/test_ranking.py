"""The order is learned from what was chosen."""

import numpy as np

from index.ranking import OF_THE_QUERY, Choice, fit_ranking
from relevance.relevance_model import FEATURES


def test_the_feature_that_choices_follow_gets_the_weight() -> None:
    rng = np.random.default_rng(0)
    cosine, missing = FEATURES.index("cosine"), FEATURES.index("missing")
    choices = []
    for _ in range(400):
        features = rng.normal(size=(10, len(FEATURES))).astype(np.float32)
        utility = 2.0 * features[:, missing] + 0.5 * features[:, cosine]
        probability = np.exp(utility) / np.exp(utility).sum()
        chosen = np.zeros(10)
        chosen[rng.choice(10, p=probability)] = 1
        choices.append(Choice(features, chosen))
    found = dict(zip(FEATURES, fit_ranking(choices, np.zeros(len(FEATURES))), strict=True))
    assert 1.5 < found["missing"] < 2.5
    assert 0.25 < found["cosine"] < 0.75
    assert all(found[name] == 0 for name in OF_THE_QUERY)
    rest = set(FEATURES) - {"missing", "cosine", *OF_THE_QUERY}
    assert all(abs(found[name]) < 0.25 for name in rest)


def test_without_choices_the_start_stays() -> None:
    start = np.arange(1.0, len(FEATURES) + 1)
    found = dict(zip(FEATURES, fit_ranking([], start), strict=True))
    assert found["cosine"] == 1.0
    assert found["familiar"] == 0.0
