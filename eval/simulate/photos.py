"""From a category's look to a seller's phone photo: background, angle, light, noise, clutter, text."""

from __future__ import annotations

import io
import math
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from eval.simulate.backgrounds import background, weave
from eval.simulate.dice import Dice
from eval.simulate.marketplace import table
from eval.simulate.shapes import ARCHETYPES
from eval.simulate.shapes.parts import GLOWS, Parameters
from eval.simulate.sketch import SIDE, Colour, Inks, Sketch

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

PHOTO_SIDE = 96
"""Pixels of a photo's side."""

_NOISE_SIDE = 3 * PHOTO_SIDE


def photo(spec: str, colour: str | None, dice: Dice) -> Image.Image:
    """A photo of one thing: RGB, PHOTO_SIDE pixels square.

    `spec` is an archetype and its `key=value` parameters, as in `marketplace.tsv`; `colour` names the thing's colour
    (`palettes.toml`), and where it is None or unknown the colour comes from the spec's palette. Raises KeyError for an
    unknown archetype, palette or accent.
    """
    name, parameters = _parse(spec, dice)
    sketch = Sketch(_inks(parameters, colour, dice))
    ARCHETYPES[name](sketch, parameters, dice)
    drawn = sketch.image
    if "texture" in parameters:
        drawn = _woven(drawn, str(parameters["texture"]))
    scene = Image.fromarray(_bytes(background(PHOTO_SIDE, dice)))
    _clutter(scene, dice)
    _put(scene, drawn, dice)
    if dice.chance(0.06):
        _caption(scene, dice)
    return _exposed(scene, dice)


def jpeg(image: Image.Image, dice: Dice) -> bytes:
    """The photo as a JPEG file of quality 60 to 90."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=60 + dice.below(31))
    return buffer.getvalue()


def useless(dice: Dice) -> Image.Image:
    """A photo that shows nothing: blank, out of focus, a finger on the lens, or too dark. RGB, PHOTO_SIDE square."""
    kind = dice.below(4)
    if kind == 0:
        return Image.new("RGB", (PHOTO_SIDE, PHOTO_SIDE), dice.pick(((255, 255, 255), (238, 238, 238), (0, 0, 0))))
    scene = Image.fromarray(_bytes(background(PHOTO_SIDE, dice)))
    if kind == 1:
        _clutter(scene, dice)
        return scene.filter(ImageFilter.GaussianBlur(dice.between(12, 20)))
    if kind == 2:
        reach = PHOTO_SIDE * dice.between(0.7, 1.1)
        x, y = (dice.between(0.2, 0.8) * PHOTO_SIDE for _ in range(2))
        ImageDraw.Draw(scene).ellipse((x - reach, y - reach, x + reach, y + reach), (196, 132, 104))
        return _exposed(scene.filter(ImageFilter.GaussianBlur(6)), dice)
    dark = np.asarray(scene, np.float32) * dice.between(0.02, 0.08)
    return Image.fromarray(_bytes(dark + _noise(dice) * 5))


def _parse(spec: str, dice: Dice) -> tuple[str, Parameters]:
    """The archetype and its parameters; measures (with a decimal point) vary a little from one thing to the next."""
    name, *pairs = spec.split()
    parameters: Parameters = {}
    for key, _, text in (pair.partition("=") for pair in pairs):
        try:
            parameters[key] = float(text) * (dice.between(0.93, 1.07) if "." in text else 1.0)
        except ValueError:
            parameters[key] = text
    return name, parameters


def _inks(parameters: Parameters, colour: str | None, dice: Dice) -> Inks:
    tables = table("palettes")
    rgb, palettes = tables["rgb"], tables["palettes"]
    if colour not in rgb:
        colour = dice.pick(palettes[parameters.get("palette", "any")])
    accent = parameters.get("accent") or dice.pick(palettes["bright"])
    return Inks(_varied(rgb[colour], dice), _varied(rgb[accent], dice))


def _varied(rgb: list[int], dice: Dice) -> Colour:
    shift = dice.between(-14, 14)
    red, green, blue = (min(255, max(0, round(value + shift + dice.between(-10, 10)))) for value in rgb)
    return red, green, blue


def _woven(drawn: Image.Image, texture: str) -> Image.Image:
    woven = ImageChops.multiply(drawn.convert("RGB"), weave(texture, SIDE))
    woven.putalpha(drawn.getchannel("A"))
    return woven


def _put(scene: Image.Image, drawn: Image.Image, dice: Dice) -> None:
    """Pastes the drawing, turned, tilted, scaled and off-centre, on the scene, over its own shadow."""
    seen = drawn.transform(scene.size, Image.Transform.PERSPECTIVE, _viewpoint(dice), Image.Resampling.BILINEAR)
    alpha = seen.getchannel("A")
    shadow = alpha.point([round(value * 0.45) for value in range(256)])
    scene.paste((20, 18, 24), (1 + dice.below(4), 1 + dice.below(4)), shadow)
    scene.paste(seen, (0, 0), alpha)


def _viewpoint(dice: Dice) -> tuple[float, ...]:
    """Coefficients of the perspective from a photo's pixels to a sketch's."""
    turn = math.radians(max(-40.0, min(40.0, 9 * dice.normal())))
    scale = SIDE / PHOTO_SIDE / dice.between(0.74, 1.14)
    wide, high = scale / dice.between(0.9, 1.1), scale / dice.between(0.9, 1.1)
    if dice.chance(0.35):
        wide = -wide
    cos, sin = math.cos(turn), math.sin(turn)
    g, h = dice.between(-0.0018, 0.0018), dice.between(-0.0018, 0.0018)
    x, y = (PHOTO_SIDE * (0.5 + dice.between(-0.09, 0.09)) for _ in range(2))
    a, b, d, e = cos * wide, sin * wide, -sin * high, cos * high
    # The sketch's middle is seen at (x, y): c and f solve the perspective there.
    bend = g * x + h * y + 1
    middle = SIDE / 2
    return a, b, middle * bend - a * x - b * y, d, e, middle * bend - d * x - e * y, g, h


def _clutter(scene: Image.Image, dice: Dice) -> None:
    """Other things at the edges."""
    pen = ImageDraw.Draw(scene)
    for _ in range(max(0, dice.below(6) - 2)):
        x, y, r = dice.between(0, PHOTO_SIDE), dice.pick((0.06, 0.94)) * PHOTO_SIDE, dice.between(4, 14)
        if dice.chance(0.5):
            x, y = y, x
        box = (x - r, y - r * dice.between(0.4, 1), x + r, y + r * dice.between(0.4, 1))
        fill = dice.pick((*GLOWS, (40, 40, 44), (220, 220, 214), (140, 100, 66)))
        (pen.ellipse if dice.chance(0.4) else pen.rectangle)(box, fill)


def _caption(scene: Image.Image, dice: Dice) -> None:
    """A watermark: a strip with strokes like writing."""
    pen = ImageDraw.Draw(scene)
    top = dice.pick((2, PHOTO_SIDE - 14))
    pen.rectangle((0, top, PHOTO_SIDE, top + 11), dice.pick(((250, 250, 250), (20, 20, 24), (200, 40, 40))))
    x = 4.0
    while x < PHOTO_SIDE - 10:
        wide = dice.between(2, 7)
        pen.line((x, top + 6, x + wide, top + 4 + dice.below(4)), (128, 128, 128), 3)
        x += wide + 3


def _exposed(scene: Image.Image, dice: Dice) -> Image.Image:
    """Light, colour cast, darker corners, noise and a little blur."""
    if dice.chance(0.4):
        scene = scene.filter(ImageFilter.GaussianBlur(dice.between(0.3, 0.9)))
    cast = np.array([dice.between(0.92, 1.08) for _ in range(3)], np.float32) * dice.between(0.72, 1.2)
    light = _vignette() * dice.between(0, 0.35)
    values = np.asarray(scene, np.float32) * (cast - light[..., None])
    return Image.fromarray(_bytes(values + _noise(dice) * dice.between(1, 9)))


@cache
def _vignette() -> Floats:
    along = np.linspace(-1, 1, PHOTO_SIDE, dtype=np.float32) ** 2
    return np.add.outer(along, along).astype(np.float32) / np.float32(2)


@cache
def _noise_bank() -> Floats:
    return np.random.default_rng(3).standard_normal((_NOISE_SIDE, _NOISE_SIDE, 3), np.float32)


def _noise(dice: Dice) -> Floats:
    """Standard normal noise: a random crop of a bank, since drawing it anew is slow."""
    top, left = (dice.below(_NOISE_SIDE - PHOTO_SIDE) for _ in range(2))
    return _noise_bank()[top : top + PHOTO_SIDE, left : left + PHOTO_SIDE]


def _bytes(values: Floats) -> Bytes:
    return np.clip(values, 0, 255).astype(np.uint8)
