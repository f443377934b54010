"""Which examples each step reads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.classifier import batches
from training.classifier.batches import Measuring, Order, Training

LABELS = np.arange(1000, dtype=np.int32) * 10


def take(rows: np.ndarray) -> np.ndarray:
    return rows[:, None]


@given(st.integers(1, 300), st.integers(1, 64), st.integers(0, 9))
def test_an_epoch_takes_every_row_at_most_once(n: int, batch: int, seed: int) -> None:
    rows = np.arange(n) * 3
    order = Order(rows, batch, seed)
    assert order.steps_per_epoch == n // min(batch, n)
    first = [order.rows(step) for step in range(order.steps_per_epoch)]
    assert all(len(part) == min(batch, n) for part in first)
    seen = np.concatenate(first)
    assert len(set(seen.tolist())) == len(seen) > n - min(batch, n)
    assert set(seen.tolist()) <= set(rows.tolist())


def test_a_step_depends_on_nothing_but_the_seed() -> None:
    rows = np.arange(500)
    one, two = Order(rows, 32, 7), Order(rows, 32, 7)
    for step in (40, 3, 15, 3):
        np.testing.assert_array_equal(one.rows(step), two.rows(step))
    assert (one.rows(0) != one.rows(one.steps_per_epoch)).any()  # the second epoch has another order
    assert (Order(rows, 32, 8).rows(0) != one.rows(0)).any()


def test_few_files_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of WINDOW shards are mixed; the next WINDOW follow only then."""
    monkeypatch.setattr(batches, "SHARD", 10)
    monkeypatch.setattr(batches, "WINDOW", 2)
    order = Order(np.arange(100), 20, 0)
    shards = [set((order.rows(step) // 10).tolist()) for step in range(5)]
    assert all(len(found) == 2 for found in shards)
    assert len(set.union(*shards)) == 10
    assert [sorted(found) for found in shards] != [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]


def test_rounds_follow_each_other_and_training_can_begin_at_any() -> None:
    order = Order(np.arange(200), 20, 0)
    whole = Training(take, LABELS, order, steps=5)
    first = [whole[i] for i in range(5)]
    whole.on_epoch_end()
    second = [whole[i] for i in range(5)]
    late = Training(take, LABELS, order, steps=5, first_round=1)
    for (inputs, labels), (expected, _) in zip([late[i] for i in range(5)], second, strict=True):
        np.testing.assert_array_equal(inputs, expected)
        np.testing.assert_array_equal(labels, LABELS[inputs[:, 0]])
    seen = np.concatenate([inputs[:, 0] for inputs, _ in first + second])
    assert sorted(seen.tolist()) == list(range(200))


def test_workers_share_every_batch() -> None:
    order = Order(np.arange(64), 16, 0)
    whole = Training(take, LABELS, order, steps=4)
    parts = [Training(take, LABELS, order, steps=4, part=(i, 3)) for i in range(3)]
    for step in range(4):
        shared = np.concatenate([part[step][0] for part in parts])
        assert sorted(shared[:, 0].tolist()) == sorted(whole[step][0][:, 0].tolist())


def test_measuring_reads_every_row_once() -> None:
    measuring = Measuring(take, LABELS, np.array([5, 3, 9, 1, 7]), batch=2)
    assert len(measuring) == 3
    assert [inputs[:, 0].tolist() for inputs, _ in (measuring[i] for i in range(3))] == [[1, 3], [5, 7], [9]]
