"""Photos as they might also have been taken: mirrored, turned, shifted, nearer or farther, in other light."""

from typing import Any

import keras
from keras import layers, ops

SHIFT = 0.08
NEARER, FARTHER = 0.25, 0.1
STRETCH = 0.12
TURN = 0.12
LIGHT = 0.15
SATURATION = 0.3


class Augment(layers.Layer):
    """Photos float32 `[b, height, width, 3]`, 0 to 255, to changed copies of them, in training only.

    One affine map a photo (mirror, turn of up to TURN radians, zoom, stretch, shift; the edge is repeated where it
    uncovers nothing), then contrast, brightness and saturation. Hue stays: it tells oranges from satsumas.
    variation: 1 changes by the constants above, 2 nearer, shifted and lit by twice as much; colours stay as they are.
    """

    def __init__(self, seed: int, variation: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.random = keras.random.SeedGenerator(seed)
        self.variation = variation

    def call(self, photos: Any, training: bool = False) -> Any:
        if not training:
            return photos
        return self._lit(self._moved(photos))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def _uniform(self, b: Any, low: float, high: float) -> Any:
        return keras.random.uniform((b,), low, high, seed=self.random)

    def _moved(self, photos: Any) -> Any:
        b = ops.shape(photos)[0]
        height, width = photos.shape[1:3]
        mirror = ops.where(self._uniform(b, 0.0, 1.0) < 0.5, -1.0, 1.0)
        zoom = self._uniform(b, 1 - self.variation * NEARER, 1 + FARTHER)
        stretch, turn = self._uniform(b, 1 - STRETCH, 1 + STRETCH), self._uniform(b, -TURN, TURN)
        shift = self.variation * SHIFT
        right, down = self._uniform(b, -shift, shift) * width, self._uniform(b, -shift, shift) * height
        across, along = zoom * stretch, zoom / stretch
        # Where each pixel of the result is read from: x' = a x + b y + c and y' = d x + e y + f, about the centre.
        a, slant_x = mirror * across * ops.cos(turn), -along * ops.sin(turn)
        slant_y, e = mirror * across * ops.sin(turn), along * ops.cos(turn)
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        c = middle_x - a * middle_x - slant_x * middle_y + right
        f = middle_y - slant_y * middle_x - e * middle_y + down
        nothing = ops.zeros_like(a)
        maps = ops.stack([a, slant_x, c, slant_y, e, f, nothing, nothing], axis=1)
        return ops.image.affine_transform(photos, maps, interpolation="bilinear", fill_mode="nearest")

    def _lit(self, photos: Any) -> Any:
        b = ops.shape(photos)[0]
        light = self.variation * LIGHT
        contrast = self._uniform(b, 1 - light, 1 + light)[:, None, None, None]
        brightness = self._uniform(b, -128 * light, 128 * light)[:, None, None, None]
        saturation = self._uniform(b, 1 - SATURATION, 1 + SATURATION)[:, None, None, None]
        grey = ops.mean(photos, axis=-1, keepdims=True)
        coloured = grey + (photos - grey) * saturation
        return ops.clip((coloured - 128.0) * contrast + 128.0 + brightness, 0.0, 255.0)
