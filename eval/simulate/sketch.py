"""A canvas in unit coordinates: x to the right and y downwards, both from -1 to 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image, ImageDraw

Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[float, float]

SIDE = 176
"""Pixels of a sketch's side: nearly twice that of a photo, so that scaling down smooths the edges."""


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`share` of b in a."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


@dataclass(frozen=True)
class Inks:
    """The colours of one thing: its own, darker, lighter, a second one, and the usual materials."""

    main: Colour
    accent: Colour

    @property
    def shade(self) -> Colour:
        return mix(self.main, (0, 0, 0), 0.38)

    @property
    def tint(self) -> Colour:
        return mix(self.main, (255, 255, 255), 0.42)

    @property
    def contrast(self) -> Colour:
        return self.ink if sum(self.main) > 360 else self.pale

    ink: Colour = (28, 28, 32)
    pale: Colour = (232, 232, 228)
    metal: Colour = (168, 174, 182)
    glass: Colour = (74, 96, 120)
    skin: Colour = (206, 160, 128)
    wood: Colour = (146, 104, 66)
    leaf: Colour = (64, 124, 60)


class Sketch:
    """Shapes on a transparent square, in unit coordinates; `inset` gives a smaller square inside it."""

    def __init__(self, inks: Inks) -> None:
        self.image = Image.new("RGBA", (SIDE, SIDE), (*inks.main, 0))
        self.inks = inks
        self._draw = ImageDraw.Draw(self.image)
        self._centre = (SIDE / 2, SIDE / 2)
        self._unit = SIDE * 0.48

    def inset(self, x: float, y: float, scale: float, inks: Inks | None = None) -> Sketch:
        """The same canvas, drawn smaller around (x, y)."""
        inner = object.__new__(Sketch)
        inner.image, inner._draw, inner.inks = self.image, self._draw, inks or self.inks
        inner._centre = self._at(x, y)
        inner._unit = self._unit * scale
        return inner

    def _at(self, x: float, y: float) -> Point:
        return self._centre[0] + x * self._unit, self._centre[1] + y * self._unit

    def _pixels(self, width: float) -> int:
        return max(1, round(width * self._unit))

    def rect(self, x0: float, y0: float, x1: float, y1: float, fill: Colour, round_: float = 0.0) -> None:
        """A rectangle, its corners rounded by the radius `round_`."""
        (left, top), (right, bottom) = self._at(min(x0, x1), min(y0, y1)), self._at(max(x0, x1), max(y0, y1))
        if round_ * self._unit < 2:
            self._draw.rectangle((left, top, right, bottom), fill)
        else:
            self._draw.rounded_rectangle((left, top, right, bottom), round_ * self._unit, fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """A filled ellipse."""
        (left, top), (right, bottom) = self._at(x - rx, y - ry), self._at(x + rx, y + ry)
        self._draw.ellipse((left, top, right, bottom), fill)

    def ring(self, x: float, y: float, r: float, width: float, fill: Colour) -> None:
        """A circle's outline, `width` inwards."""
        self.arc(x, y, r, r, 0, 360, width, fill)

    def arc(
        self, x: float, y: float, rx: float, ry: float, start: float, end: float, width: float, fill: Colour
    ) -> None:
        """Part of an ellipse's outline; degrees run clockwise from three o'clock."""
        (left, top), (right, bottom) = self._at(x - rx, y - ry), self._at(x + rx, y + ry)
        self._draw.arc((left, top, right, bottom), start, end, fill, self._pixels(width))

    def poly(self, points: Sequence[Point], fill: Colour) -> None:
        """A filled polygon."""
        self._draw.polygon([self._at(*point) for point in points], fill)

    def line(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """A polyline with rounded joints."""
        self._draw.line([self._at(*point) for point in points], fill, self._pixels(width), joint="curve")

    def grid(self, box: tuple[float, float, float, float], rows: int, columns: int) -> list[tuple[Point, Point]]:
        """Corners (top left, bottom right) of the cells of a box, with a gap of a fifth between them."""
        x0, y0, x1, y1 = box
        wide, high = (x1 - x0) / columns, (y1 - y0) / rows
        return [
            (
                (x0 + (c + 0.1) * wide, y0 + (r + 0.1) * high),
                (x0 + (c + 0.9) * wide, y0 + (r + 0.9) * high),
            )
            for r in range(rows)
            for c in range(columns)
        ]


def around(n: int, turn: float = 0.0) -> list[Point]:
    """n points evenly on the unit circle, the first at `turn` degrees."""
    angles = [math.radians(turn + 360 * i / n) for i in range(n)]
    return [(math.cos(angle), math.sin(angle)) for angle in angles]
