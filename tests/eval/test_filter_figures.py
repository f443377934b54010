"""The category filter's figures by frequency and by level, against hand-made searches."""

import numpy as np
import pytest

from eval.bands import bands
from eval.bootstrap import Estimate
from eval.filter_figures import FilterFigures, filter_figures, filter_tables
from eval.replay import HeldOut, LogClock, held_out
from eval.zero_results import evaluate
from relevance.dataset import Dataset
from relevance.events import read_behaviour


def test_bands_by_hand() -> None:
    # 12 searches: "a" begins at none of them before it, "b" at 5, "c" and "d" at 8 of 12, "e" at 10.
    assert bands({"a": 5, "b": 3, "c": 1, "d": 1, "e": 2}) == {
        "a": "head", "b": "torso", "e": "tail", "c": "tail", "d": "tail"
    }  # fmt: skip
    # Four equally frequent ones are in one band, the first; what one of them alone would have does not matter.
    assert set(bands(dict.fromkeys("abcd", 2)).values()) == {"head"}
    assert bands({}) == {}


@pytest.fixture
def held(marketplace: Dataset) -> HeldOut:
    return held_out(marketplace, marketplace.read_listings(), read_behaviour(marketplace.root))


@pytest.fixture
def found(engine: object, held: HeldOut) -> FilterFigures:
    return filter_figures(evaluate(engine, LogClock(), held)[0])  # type: ignore[arg-type]


def test_search_bands(held: HeldOut) -> None:
    # The training span has one text alone, "Red  SHOES".
    assert [search.band for search in held.searches] == ["head", *["tail"] * 5]


# Of six searches four got a filter of one leaf, the piano and the violin none; all four know what they want, and only
# the misspelt "sneekers" got another category. One search is head, five are tail.
@pytest.mark.parametrize(
    ("group", "figure", "value", "n"),
    [
        ("all", "filter_share", 4 / 6, 6),
        ("all", "boost_share", 0, 6),
        ("all", "none_share", 2 / 6, 6),
        ("all", "filter_coverage", 3 / 4, 4),
        ("all", "filter_size", 1, 4),
        ("head", "filter_share", 1, 1),
        ("head", "filter_coverage", 1, 1),
        ("torso", "filter_share", np.nan, 0),
        ("tail", "filter_share", 3 / 5, 5),
        ("tail", "none_share", 2 / 5, 5),
        ("tail", "filter_coverage", 2 / 3, 3),
        ("tail", "boost_coverage", np.nan, 0),
        # All filters stand at level 2; behind them are the sets of both levels, for the four who want what there is.
        ("level 1", "filter_share", 0, 6),
        ("level 1", "filter_coverage", np.nan, 0),
        ("level 1", "set_coverage", 1, 4),
        ("level 1", "set_size", (1 + 1 + 2 + 1) / 4, 4),
        ("level 2", "filter_share", 4 / 6, 6),
        ("level 2", "filter_coverage", 3 / 4, 4),
        ("level 2", "set_coverage", 3 / 4, 4),
        ("level 2", "set_size", (1 + 2 + 1 + 1) / 4, 4),
    ],
)
def test_figures_by_hand(found: FilterFigures, group: str, figure: str, value: float, n: int) -> None:
    estimate: Estimate = found[group][figure]
    assert (estimate.value, estimate.n) == (pytest.approx(value, nan_ok=True), n)
    assert n == 0 or estimate.low <= estimate.value <= estimate.high


def test_tables(found: FilterFigures) -> None:
    by_frequency, by_level = (part.splitlines() for part in filter_tables(found).split("\n\n"))
    assert [line.split("  ")[0] for line in by_frequency[1:]] == ["all", "head", "torso", "tail"]
    assert "66.7 %" in by_frequency[1]
    assert "75.0 % [" in by_frequency[1]
    assert [line.split("  ")[0] for line in by_level[1:]] == ["level 1", "level 2"]
    assert by_level[1].endswith("1.25")
