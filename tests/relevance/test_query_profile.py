"""Query profiles: the same queries are the same, other ones differ, and a chain of JSON changes nothing."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from relevance.engine import Engine
from relevance.query_profile import QueryProfile


def _profile(mix: dict[str, float], embedding: tuple[float, ...] = (1.0, 0.0)) -> QueryProfile:
    return QueryProfile(10, embedding, mix, 0.02)


def test_of_the_same_queries_nothing_has_shifted(engine: Engine) -> None:
    titles = [listing.title for listing in engine.store.rows(range(50)).values()]
    profile = QueryProfile.of(titles, engine.towers, engine.categories)
    assert profile.queries == 50
    assert sum(profile.mix.values()) == pytest.approx(1.0, abs=1e-4)
    assert 0.0 <= profile.strange <= 1.0
    assert profile.embedding_shift(profile) == 0.0
    assert profile.mix_shift(profile) == 0.0


def test_the_mean_vector_is_the_mean(engine: Engine) -> None:
    profile = QueryProfile.of(["red chair", "lamp"], engine.towers, engine.categories)
    expected = (engine.towers.query("red chair") + engine.towers.query("lamp")) / 2
    assert np.allclose(profile.embedding, expected, atol=1e-5)


def test_the_index_of_a_changed_mix_by_hand() -> None:
    before, now = _profile({"a": 0.5, "b": 0.5}), _profile({"a": 0.8, "b": 0.2})
    by_hand = (0.8 - 0.5) * np.log(0.8 / 0.5) + (0.2 - 0.5) * np.log(0.2 / 0.5)
    assert now.mix_shift(before) == pytest.approx(by_hand)
    assert before.mix_shift(now) == pytest.approx(by_hand)


def test_a_category_that_one_side_never_had_is_finite() -> None:
    shift = _profile({"a": 1.0}).mix_shift(_profile({"b": 1.0}))
    assert 0.25 < shift < 100


def test_opposite_vectors_are_two_apart() -> None:
    assert _profile({}, (1.0, 0.0)).embedding_shift(_profile({}, (-1.0, 0.0))) == 2.0


def test_through_a_manifest() -> None:
    profile = _profile({"a": 1.0})
    manifest = json.loads(json.dumps({"queries": asdict(profile)}))
    assert QueryProfile.from_manifest(manifest) == profile
    assert QueryProfile.from_manifest({}) is None
