"""The loss over co-clicks, against its formula in loops."""

import numpy as np
import pytest

from training.classifier.contrast import contrast

RNG = np.random.default_rng(0)
PROJECTION = RNG.normal(0, 2, (6, 5)).astype(np.float32)
# Photos 0, 1 and 2 were chosen together; 3 has the title of 0; 4 and 5 are of nothing.
RELATION = np.array(
    [
        [-1, 0.7, 0.3, -1, 0, 0],
        [0.4, -1, 0.6, 0, 0, 0],
        [0.5, 0.5, -1, 0, 0, 0],
        [-1, 0, 0, -1, 0, 0],
        [0, 0, 0, 0, -1, 0],
        [0, 0, 0, 0, 0, -1],
    ],
    np.float32,
)
LOG_SHARE = np.log([0.3, 0.1, 0.1, 0.2, 0.2, 0.1]).astype(np.float32)


def loss(
    projection: np.ndarray = PROJECTION,
    relation: np.ndarray = RELATION,
    log_share: np.ndarray = LOG_SHARE,
    temperature: float = 0.5,
) -> float:
    return float(contrast(projection[: len(relation)], projection, relation, log_share, temperature))


def by_hand(projection: np.ndarray, relation: np.ndarray, log_share: np.ndarray, temperature: float) -> float:
    losses = []
    for i, own in enumerate(relation):
        if not (own > 0).any():
            continue

        def score(j: int, i: int = i) -> float:
            norms = np.linalg.norm(projection[i]) * np.linalg.norm(projection[j])
            return float(np.exp(projection[i] @ projection[j] / norms / temperature) / np.exp(log_share[j]))

        unrelated = sum(score(k) for k in range(len(own)) if own[k] == 0)
        losses.append(-sum(own[j] * np.log(score(j) / (score(j) + unrelated)) for j in range(len(own)) if own[j] > 0))
    return float(np.mean(losses))


def test_the_formula() -> None:
    assert loss() == pytest.approx(by_hand(PROJECTION, RELATION, LOG_SHARE, 0.5), rel=1e-5)
    assert loss(temperature=0.1) == pytest.approx(by_hand(PROJECTION, RELATION, LOG_SHARE, 0.1), rel=1e-5)


def test_only_the_direction_of_a_projection_counts() -> None:
    assert loss(PROJECTION * np.array([[3], [0.1], [1], [7], [2], [0.5]], np.float32)) == pytest.approx(
        loss(), rel=1e-5
    )


def moved(rows: list[int], to: int) -> np.ndarray:
    changed = PROJECTION.copy()
    changed[rows] = PROJECTION[to]
    return changed


def test_what_is_no_negative_does_not_push() -> None:
    """Photo 3 has the title of 0, and photo 2 is itself chosen with 0: how near they come does not cost photo 0."""
    only = np.where(np.arange(6)[:, None] == 0, RELATION, 0) * np.array([1, 1, 0, 1, 1, 1], np.float32)
    only[0, 1], only[0, 2] = 1.0, 1e-12  # chosen with 0 as well, of a share that does not show
    assert loss(moved([3], 0), only) == pytest.approx(loss(PROJECTION, only), rel=1e-5)
    assert loss(moved([2], 0), only) == pytest.approx(loss(PROJECTION, only), rel=1e-5)
    assert loss(moved([4], 0), only) > 1.05 * loss(PROJECTION, only)  # a photo of nothing does


def test_nearer_co_clicks_cost_less() -> None:
    assert loss(moved([1, 2], 0)) < loss()


def test_popular_photos_are_taken_as_often_as_others() -> None:
    """A negative that is drawn four times, with four times the share, costs what it costs drawn once: the loss of the
    batch is that of the catalogue."""
    once = np.array([[-1, 1, 0, 0]], np.float32)
    catalogue = np.concatenate([once, np.zeros((3, 4), np.float32)])
    often = np.array([0, 1, 2, 3, 3, 3, 3])
    batch = catalogue[np.ix_(often, often)]
    shares = np.log([1.0, 1, 1, 4, 4, 4, 4]).astype(np.float32)
    whole = loss(PROJECTION[:4], catalogue, np.zeros(4, np.float32))
    assert loss(PROJECTION[often], batch, shares) == pytest.approx(whole, rel=1e-5)
    assert loss(PROJECTION[often], batch, np.zeros(7, np.float32)) > 1.05 * whole


def test_a_batch_without_co_clicks_costs_nothing() -> None:
    nothing = -np.eye(6, dtype=np.float32)
    assert loss(PROJECTION, nothing) == 0
    assert loss(PROJECTION, -np.ones((6, 6), np.float32)) == 0
