"""What lies behind and on the things: floors, walls, lawns, and the weave, grain or fur of a surface."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from eval.simulate.dice import Dice
from eval.simulate.sketch import Colour

Floats = npt.NDArray[np.float32]

EXTENT = 160
"""Pixels of a stored surface's side; photos take a random crop of it."""

_TINTS: dict[str, tuple[Colour, ...]] = {
    "planks": ((176, 130, 88), (206, 170, 126), (120, 84, 58), (150, 140, 128)),
    "tiles": ((206, 204, 198), (160, 150, 140), (120, 126, 134), (224, 214, 196)),
    "grass": ((96, 134, 62), (126, 148, 78), (84, 116, 66)),
    "wall": ((226, 222, 212), (200, 208, 216), (216, 200, 178), (176, 190, 176), (238, 238, 238)),
    "carpet": ((150, 144, 138), (120, 104, 92), (110, 122, 142), (188, 176, 160)),
    "stone": ((150, 150, 148), (112, 110, 108), (182, 176, 166)),
    "sheet": ((226, 222, 218), (90, 96, 112), (170, 120, 120), (196, 206, 214)),
    "studio": ((244, 244, 244), (250, 250, 248), (52, 54, 60)),
}
KINDS = tuple(_TINTS)


@cache
def surface(kind: str) -> Floats:
    """The light and shade of a surface: float32 [EXTENT, EXTENT], around 1."""
    generator = np.random.default_rng([7, KINDS.index(kind)])
    y, x = np.mgrid[0:EXTENT, 0:EXTENT].astype(np.float32)
    fine = generator.normal(0, 1, (EXTENT, EXTENT)).astype(np.float32)
    if kind == "planks":
        lane = (y // 26).astype(np.int64)
        shade = 1 + 0.1 * np.sin(lane * 5.3) + 0.05 * np.sin(x / 9 + lane * 2 + y / 3) - 0.35 * (y % 26 < 1.5)
    elif kind == "tiles":
        shade = 1 - 0.28 * ((y % 44 < 2) | (x % 44 < 2)) + 0.02 * fine
    elif kind == "grass":
        shade = 1 + 0.2 * fine + 0.06 * np.sin(x / 5 + 3 * np.sin(y / 9))
    elif kind == "carpet":
        shade = 1 + 0.07 * fine + 0.05 * np.sin(x * 1.4) * np.sin(y * 1.4)
    elif kind == "stone":
        shade = 1 + 0.06 * fine + 0.08 * np.sin(x / 17 + np.sin(y / 13) * 2) * np.sin(y / 21)
    elif kind == "sheet":
        shade = 1 + 0.12 * np.sin((x + 0.6 * y) / 14 + 2 * np.sin(y / 37)) + 0.02 * fine
    else:
        shade = 1 + 0.015 * fine + (0.05 * np.sin(y / 60) if kind == "wall" else 0 * y)
    return np.asarray(shade, np.float32)


def background(side: int, dice: Dice) -> Floats:
    """A crop of a random surface under uneven light: float32 [side, side, 3], 0 to 255 (not clipped)."""
    kind = dice.pick(KINDS)
    shade = _crop(surface(kind), side, dice)
    if dice.chance(0.5):
        shade = shade.T
    tint = np.array(dice.pick(_TINTS[kind]), np.float32) + np.array(
        [dice.between(-16, 16) for _ in range(3)], np.float32
    )
    if kind != "grass" and dice.chance(0.3):
        line = dice.below(side // 2) + side // 3
        below = _crop(surface(dice.pick(("planks", "tiles", "carpet", "stone"))), side, dice)
        shade = np.concatenate([shade[:line], below[line:] * dice.between(0.55, 0.85)])
    slope = np.linspace(dice.between(0.82, 1.0), dice.between(0.95, 1.12), side, dtype=np.float32)
    lit: Floats = shade * (slope[:, None] if dice.chance(0.5) else slope)
    return lit[..., None] * tint


def _crop(shade: Floats, side: int, dice: Dice) -> Floats:
    top, left = dice.below(EXTENT - side), dice.below(EXTENT - side)
    return shade[top : top + side, left : left + side]


@cache
def weave(texture: str, side: int) -> Image.Image:
    """How a material darkens a drawing of that side, as an RGB image to multiply by; `lace` has holes of shade."""
    generator = np.random.default_rng(11)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    fine = generator.normal(0, 1, (side, side)).astype(np.float32)
    if texture == "wood":
        shade = 0.84 + 0.13 * np.sin(y / 3.2 + 2.2 * np.sin(x / 23)) + 0.03 * fine
    elif texture == "knit":
        shade = 0.83 + 0.16 * np.sin(x / 1.6 + 2 * np.sin(y / 2.2))
    elif texture == "lace":
        shade = 0.9 + 0.1 * np.sign(np.sin(x / 2.6) * np.sin(y / 2.6))
    elif texture == "fur":
        streaks = sum(np.roll(fine, step, axis=0) for step in range(5)) / 5
        shade = 0.84 + 0.3 * streaks
    else:
        shade = 0.87 + 0.06 * np.sin(x * 1.1) * np.sin(y * 1.1) + 0.05 * fine
    grey = np.clip(shade * 255, 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")
