"""Splits that do not leak: behaviour by time, listings by group."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataError, DataWarning

TRAIN, CALIBRATION, TEST = 0, 1, 2
_CALIBRATION_FROM, _TEST_FROM = 0.70, 0.85


def time_split(
    query_times: NDArray[np.datetime64], calibration_from: float = _CALIBRATION_FROM, test_from: float = _TEST_FROM
) -> NDArray[np.int8]:
    """Part of each query: 0 train (the first 70 % in time), 1 calibration (to 85 %), 2 test (the rest); or by other
    shares.

    Cuts fall between instants: queries of one instant are in one part, so a part may be a little smaller than
    its share. The order of `query_times` does not matter. Raises DataError for a missing time.
    """
    times = np.asarray(query_times, dtype="datetime64[ms]")
    if np.isnat(times).any():
        raise DataError(f"time_split: expected a time for every query, found {int(np.isnat(times).sum())} missing")
    parts = np.zeros(len(times), dtype=np.int8)
    if len(times):
        ordered = np.sort(times)
        for part, share in ((CALIBRATION, calibration_from), (TEST, test_from)):
            parts[times >= ordered[int(share * len(times))]] = part
    return parts


def tell_empty_parts(source: Path, query_times: NDArray[np.datetime64], parts: NDArray[np.int8]) -> None:
    """Tells in a DataWarning which of the parts that `time_split` made of the queries of `source` has none, where there
    are queries: nothing will be learned from them, or calibrated with them."""
    needed = {TRAIN: "to learn from", CALIBRATION: "to calibrate on"}
    empty = [what for part, what in needed.items() if len(parts) and not (parts == part).any()]
    if empty:
        n, times = len(query_times), len(np.unique(query_times))
        mend = "wait for more" if times == n else "give each query the time at which it was asked"
        warnings.warn(
            f"{source}: {n:,} queries, distinct times: {times:,}; as those of one time stay together, none is left "
            f"{' and none '.join(empty)}; {mend}",
            DataWarning,
            stacklevel=2,
        )


def group_split(groups: Sequence[str], test: float = 0.15, seed: int = 0) -> NDArray[np.bool_]:
    """True for the items of the test part, `[len(groups)]`; items of one group are always on one side.

    The side depends on `seed` and the group's name alone (BLAKE2b), so it stays when other groups come or go.
    `test` is the expected share of groups, not of items.
    """
    if not 0.0 <= test <= 1.0:
        raise DataError(f"group_split: expected a test share between 0 and 1, found {test}")
    side = {group: _uniform(group, seed) < test for group in set(groups)}
    return np.fromiter((side[group] for group in groups), dtype=np.bool_, count=len(groups))


def _uniform(group: str, seed: int) -> float:
    """A number in [0, 1) that looks random and is fixed by its arguments."""
    digest = hashlib.blake2b(f"{seed}\0{group}".encode(), digest_size=8).digest()
    # 53 bits: a float64 holds them exactly, so the result stays below 1.
    return float(int.from_bytes(digest, "big") >> 11) / float(1 << 53)
