"""How the category filter does: for frequent and rare queries, and at each level of the tree.

Two things are told apart. What a search got is one set, a filter or a boost, at the deepest level where it is small
enough. Behind it each level has its conformal set, small or not, made to hold so much of what people choose as was
stated. Here every search counts alike, also those that led to no choice, whose sets hold less often.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from eval.bands import BANDS
from eval.bootstrap import Estimate, estimates
from eval.replay import Outcome
from eval.textable import text_table

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
FilterFigures = dict[str, dict[str, Estimate]]
"""group ("all", "head", "torso", "tail", "level 1", …) -> figure -> estimate."""

MODES = ("filter", "boost")
DEFINITIONS = {
    "filter_share": "share of the group's searches that got a filter; of a level, the share of all that got one there",
    "boost_share": "the same of boosts",
    "none_share": "share of the group's searches that got neither",
    "filter_coverage": "share of these filters that hold a true category or an ancestor, where there is a true one",
    "filter_size": "mean number of categories in these filters",
    "boost_coverage": "share of these boosts that do",
    "boost_size": "mean number of categories in these boosts",
    "set_coverage": "share of the level's conformal sets that hold a true category, over searches that have one",
    "set_size": "mean number of categories in these sets",
}
TERMS = {
    "head, torso, tail": "queries by how often they were searched in the training span: those that got the first third "
    "of its searches, the second, and the rest, those never searched included",
    "filter there, boost there": "share of all searches that got one at this level, the depth of its deepest category",
    "level's set": "the conformal set of the level, small enough to filter by or not, where there is a true category",
}


def filter_figures(outcomes: Sequence[Outcome], seed: int = 0) -> FilterFigures:
    """Returns the figures of each group, with intervals resampled by session."""
    everyone = np.ones(len(outcomes), np.bool_)
    columns = {("all", name): column for name, column in _shown(outcomes, everyone, everyone)}
    for band in BANDS:
        own = np.array([one.search.band == band for one in outcomes], np.bool_)
        columns |= {(band, name): column for name, column in _shown(outcomes, own, own)}
    for level in range(1, 1 + max(len(one.level_sets) for one in outcomes)):
        there = np.array([one.filter_level == level for one in outcomes], np.bool_)
        columns |= {(f"level {level}", name): column for name, column in _shown(outcomes, there, everyone)}
        columns |= {(f"level {level}", name): column for name, column in _sets(outcomes, level)}
    flat = estimates(
        {"\0".join(key): c for key, c in columns.items()}, [o.search.session_id for o in outcomes], seed=seed
    )
    found: FilterFigures = {}
    for group, name in columns:
        found.setdefault(group, {})[name] = flat[f"{group}\0{name}"]
    return found


def _shown(outcomes: Sequence[Outcome], rows: Rows, among: Rows) -> Iterator[tuple[str, Floats]]:
    """Of what the searches in `rows` got, as shares of those in `among`."""
    mode = np.array([one.category_filter.mode for one in outcomes])
    holds = np.array([np.nan if one.wanted_in_filter is None else one.wanted_in_filter for one in outcomes], np.float64)
    size = np.array([len(one.category_filter.categories) for one in outcomes], np.float64)
    for name in MODES:
        own = rows & (mode == name)
        yield f"{name}_share", np.where(among, own, np.nan)
        yield f"{name}_coverage", np.where(own, holds, np.nan)
        yield f"{name}_size", np.where(own, size, np.nan)
    if rows is among:
        yield "none_share", np.where(among, mode == "none", np.nan)


def _sets(outcomes: Sequence[Outcome], level: int) -> Iterator[tuple[str, Floats]]:
    """Of the conformal sets of a level, where something is wanted that the catalogue has a category for."""
    sets = [one.level_sets[level - 1] if one.search.intent.wanted else None for one in outcomes]
    yield "set_coverage", np.array([np.nan if one is None else one.holds for one in sets], np.float64)
    yield "set_size", np.array([np.nan if one is None else one.size for one in sets], np.float64)


def filter_tables(found: FilterFigures) -> str:
    """Returns a table by frequency and one by level, with intervals for how often a set holds a category."""
    frequency = {group: own for group, own in found.items() if "none_share" in own}
    levels = {group: own for group, own in found.items() if "set_size" in own}
    shown = (
        "filter_share",
        "boost_share",
        "none_share",
        "filter_coverage",
        "filter_size",
        "boost_coverage",
        "boost_size",
    )
    titles = ("filter", "boost", "none", "filter holds", "size", "boost holds", "size")
    at_level = (*(name for name in shown if name != "none_share"), "set_coverage", "set_size")
    level_titles = ("filter there", "boost there", *titles[3:], "level's set holds", "size")
    return f"{_table(frequency, shown, titles)}\n\n{_table(levels, at_level, level_titles)}"


def _table(groups: FilterFigures, names: Sequence[str], titles: Sequence[str]) -> str:
    return text_table(
        ["", *titles], [[group, *(_cell(name, own[name]) for name in names)] for group, own in groups.items()]
    )


def _cell(name: str, estimate: Estimate) -> str:
    if np.isnan(estimate.value):
        return "-"
    if name.endswith("_size"):
        return f"{estimate.value:.2f}"
    return estimate.text(percent=True) if name.endswith("_coverage") else f"{100 * estimate.value:.1f} %"
