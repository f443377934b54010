"""What the demo promises, on whichever demo bundles `make demo` has left under build/."""

from pathlib import Path

import pytest

import relevance

BUNDLES = sorted((Path(__file__).parents[2] / "build").glob("*/bundle"))
MARKETPLACES = [
    path for path in BUNDLES if (path.parent / "dataset" / "truth").is_dir() and path.parent.name != "fashion"
]
FULL_SIZE = 6000
"""Listings of the demo; a smaller one has too little to learn from to tell every misspelling's leaf."""
LEAF = "Consumer electronics > Computer products > Keyboards and Mouse > Gaming keyboard"


@pytest.fixture(scope="module", params=MARKETPLACES or [None], ids=lambda path: path.parent.name if path else "none")
def engine(request: pytest.FixtureRequest) -> relevance.Engine:
    if request.param is None:
        pytest.skip("no demo bundle under build/; `make demo` makes one")
    return relevance.open(request.param)


@pytest.mark.parametrize("query", ["gaming keyboard", "gamming keybord", "gaming kyeboard", "gaming keybaord"])
def test_gaming_keyboards_come_first(engine: relevance.Engine, query: str) -> None:
    result = engine.search(query)
    assert [hit.category for hit in result.hits[:3]] == [LEAF] * 3
    paths = [category.path for category in result.category_filter.categories]
    assert any(path == LEAF or LEAF.startswith(path + " > ") for path in paths)
    if len(engine) >= FULL_SIZE:
        assert LEAF in paths


def test_nothing_answers_a_quantum_flux_capacitor(engine: relevance.Engine) -> None:
    result = engine.search("quantum flux capacitor")
    assert result.abstained
    assert result.hits == ()
