"""Changed photos are still the photos."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    """A dark square left of the middle of a light ground, 40 by 30."""
    photo = np.full((1, 40, 30, 3), (200.0, 180.0, 160.0), np.float32)
    photo[:, 16:24, 6:12] = 20
    return np.repeat(photo, 64, axis=0)


def changed(photos: np.ndarray, seed: int = 0, training: bool = True) -> np.ndarray:
    from training.classifier.augment import Augment

    return np.asarray(Augment(seed)(photos, training=training))


def test_only_in_training(photos: np.ndarray) -> None:
    np.testing.assert_array_equal(changed(photos, training=False), photos)
    assert (changed(photos) != photos).any()


def test_the_same_seed_gives_the_same(photos: np.ndarray) -> None:
    np.testing.assert_array_equal(changed(photos, 3), changed(photos, 3))
    assert (changed(photos, 3) != changed(photos, 4)).any()


def test_no_border_appears_and_values_stay_pixels() -> None:
    plain = changed(np.full((32, 40, 30, 3), 128, np.float32))
    assert np.ptp(plain, axis=(1, 2)).max() < 0.01
    assert plain.min() >= 0
    assert plain.max() <= 255


def test_half_are_mirrored_and_none_upside_down(photos: np.ndarray) -> None:
    photos = photos.copy()
    photos[:, :8] = 90  # a dark sky
    out = changed(photos).mean(axis=-1)
    dark = out < out.mean(axis=(1, 2), keepdims=True) - 25
    left = dark[:, 12:, :15].sum(axis=(1, 2)) > dark[:, 12:, 15:].sum(axis=(1, 2))
    assert 0.25 < left.mean() < 0.75
    assert (out[:, :4].mean(axis=(1, 2)) < out[:, -4:].mean(axis=(1, 2))).mean() > 0.95


def test_more_variation_comes_nearer(photos: np.ndarray) -> None:
    """The dark square covers more of the photo, at most."""
    from training.classifier.augment import Augment

    def largest(variation: float) -> int:
        out = np.asarray(Augment(0, variation)(photos, training=True)).mean(axis=-1)
        return int((out < 90).sum(axis=(1, 2)).max())

    assert largest(0.0) <= 1.3 * 8 * 6 < 1.5 * largest(1.0) < largest(2.0)


def test_hue_stays() -> None:
    """Red stays the strongest and blue the weakest channel."""
    out = changed(np.full((64, 8, 8, 3), (180, 120, 60), np.float32))[:, 4, 4]
    assert (out[:, 0] > out[:, 1]).all()
    assert (out[:, 1] > out[:, 2]).all()
