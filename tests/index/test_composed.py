"""Choices whose answer is known by construction."""

from pathlib import Path

import numpy as np

from index.composed import titled_choices
from index.ranking import fit_ranking
from relevance.engine import Engine
from relevance.relevance_model import FEATURES


def test_who_types_words_of_a_title_wants_a_listing_that_has_them(tiny_bundle: Path) -> None:
    engine = Engine(tiny_bundle)
    choices = titled_choices(engine, 200, 20, np.random.default_rng(0))
    assert len(choices) > 20
    lexical = FEATURES.index("lexical")
    for choice in choices:
        assert sorted(set(choice.chosen.tolist())) in ([0.0, 1.0], [1.0])
        assert choice.chosen.sum() == 1
        assert choice.features[choice.chosen > 0, lexical].tolist() == [1.0]
    assert fit_ranking(choices, np.zeros(len(FEATURES)))[lexical] > 0.5
