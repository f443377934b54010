"""Splits do not leak."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.errors import DataError, DataWarning
from relevance.splits import group_split, tell_empty_parts, time_split


def times(*seconds: int) -> np.ndarray:
    return np.array(seconds, dtype="datetime64[s]").astype("datetime64[ms]")


def test_time_split_takes_70_15_15_per_cent_in_time() -> None:
    order = np.random.default_rng(0).permutation(100)
    parts = time_split(times(*order))
    expected = np.repeat([0, 1, 2], [70, 15, 15])
    assert parts.dtype == np.int8
    assert parts.tolist() == expected[order].tolist()


def test_queries_of_one_instant_stay_together() -> None:
    assert time_split(times(1, 2, 3, 4, 5, 6, 7, 7, 7, 7)).tolist() == [0] * 6 + [2] * 4


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60))
def test_nothing_later_is_in_an_earlier_part(seconds: list[int]) -> None:
    parts = time_split(times(*seconds))
    for part in (0, 1):
        before, after = times(*seconds)[parts <= part], times(*seconds)[parts > part]
        assert not len(before) or not len(after) or before.max() < after.min()
        assert len(before) <= (0.70, 0.85)[part] * len(seconds)


def test_time_split_of_nothing_and_of_a_missing_time() -> None:
    assert time_split(times()).tolist() == []
    with pytest.raises(DataError, match="found 1 missing"):
        time_split(np.array(["2024-01-01", "NaT"], dtype="datetime64[ms]"))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        ([7] * 30, "30 queries, distinct times: 1; .* none is left to learn from and none to calibrate on; give each"),
        (
            [1] * 80 + [2] * 20,
            "100 queries, distinct times: 2; .* none is left to learn from; give each query the time",
        ),
        ([1] * 50 + [2] * 50, "100 queries, distinct times: 2; .* none is left to calibrate on; give each query"),
        ([1, 2, 3], "3 queries, distinct times: 3; .* none is left to calibrate on; wait for more"),
    ],
)
def test_a_part_without_queries_is_told(seconds: list[int], told: str) -> None:
    when = times(*seconds)
    with pytest.warns(DataWarning, match=told):
        tell_empty_parts(Path("site"), when, time_split(when))


@pytest.mark.parametrize("seconds", [[], range(7), [1] * 70 + [2] * 15 + [3] * 15])
def test_parts_with_queries_need_no_word(seconds: list[int]) -> None:
    when = times(*seconds)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tell_empty_parts(Path("site"), when, time_split(when))


@given(st.lists(st.text(max_size=3)), st.integers(0, 5))
def test_a_group_is_on_one_side_whatever_else_is_there(groups: list[str], seed: int) -> None:
    side = dict(zip(groups, group_split(groups, 0.5, seed).tolist(), strict=True))
    assert group_split([*groups, "another"], 0.5, seed).tolist()[:-1] == [side[group] for group in groups]


def test_group_split_has_its_share_and_depends_on_the_seed() -> None:
    groups = [f"title {i}" for i in range(4000)]
    test = group_split(groups)
    # Four standard deviations of a binomial share: 4 * sqrt(0.15 * 0.85 / 4000) = 0.023.
    assert abs(test.mean() - 0.15) < 0.023
    assert (group_split(groups, seed=1) != test).any()
    assert not group_split(groups, test=0.0).any()
    assert group_split(groups, test=1.0).all()


def test_group_split_is_fixed_for_all_time() -> None:
    # First hexadecimal digits of `printf '0\\0a' | b2sum -l 64` and so on: the test part has those below 8.
    digits = {"a": 0x1, "b": 0x5, "c": 0x0, "d": 0x1, "e": 0xC, "f": 0xF, "g": 0x7, "h": 0x4}
    assert group_split(list(digits), 0.5).tolist() == [digit < 8 for digit in digits.values()]


def test_group_split_refuses_a_share_outside_0_to_1() -> None:
    with pytest.raises(DataError, match="between 0 and 1, found 15"):
        group_split(["a"], test=15)
