"""What the archetypes share: reading parameters, and small pieces such as wheels, fans and knobs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from eval.simulate.dice import Dice
from eval.simulate.sketch import Colour, Point, Sketch, around

Parameters: TypeAlias = dict[str, float | str]
Archetype: TypeAlias = Callable[[Sketch, Parameters, Dice], None]
Box: TypeAlias = tuple[float, float, float, float]

GLOWS: tuple[Colour, ...] = ((240, 60, 80), (80, 220, 110), (70, 140, 250), (200, 80, 240), (250, 200, 60))
LAMPS: tuple[Colour, ...] = ((80, 230, 110), (250, 180, 60), (240, 70, 60), (90, 170, 255))
WHITE: Colour = (246, 246, 242)


def number(parameters: Parameters, name: str, default: float = 0.0) -> float:
    """A numeric parameter, or the default."""
    value = parameters.get(name, default)
    return value if isinstance(value, float) else default


def count(parameters: Parameters, name: str, default: int = 0) -> int:
    """A numeric parameter as a whole number, or the default."""
    return round(number(parameters, name, default))


def word(parameters: Parameters, name: str, default: str = "") -> str:
    """A textual parameter, or the default."""
    value = parameters.get(name, default)
    return value if isinstance(value, str) else default


def fitted(aspect: float, size: float = 0.92) -> Box:
    """The box of that aspect (width / height) that fits the square of half side `size`."""
    wide, high = (size, size / aspect) if aspect >= 1 else (size * aspect, size)
    return -wide, -high, wide, high


def within(box: Box, u0: float, v0: float, u1: float, v1: float) -> Box:
    """A box inside a box, given in shares of its width and height."""
    x0, y0, x1, y1 = box
    return x0 + u0 * (x1 - x0), y0 + v0 * (y1 - y0), x0 + u1 * (x1 - x0), y0 + v1 * (y1 - y0)


def at(box: Box, u: float, v: float) -> Point:
    """A point inside a box, given in shares of its width and height."""
    return box[0] + u * (box[2] - box[0]), box[1] + v * (box[3] - box[1])


def spread(n: int, low: float, high: float) -> list[float]:
    """n numbers evenly between low and high; the middle for one."""
    return [(low + high) / 2] if n == 1 else [low + (high - low) * i / (n - 1) for i in range(n)]


def wheel(
    s: Sketch, x: float, y: float, r: float, tyre: float = 0.3, spokes: int = 0, rim: Colour | None = None
) -> None:
    """A wheel with a tyre (share of the radius); with spokes it is open, else a disc."""
    if not spokes:
        s.oval(x, y, r, r, s.inks.ink)
        s.oval(x, y, r * (1 - tyre), r * (1 - tyre), rim or s.inks.metal)
        s.oval(x, y, r * 0.2, r * 0.2, s.inks.ink)
        return
    for dx, dy in around(spokes, 15):
        s.line([(x, y), (x + dx * r * 0.9, y + dy * r * 0.9)], r * 0.05, rim or s.inks.metal)
    s.ring(x, y, r, r * tyre, s.inks.ink)


def fan(s: Sketch, x: float, y: float, r: float, fill: Colour, blades: int = 7) -> None:
    """A round fan: blades in a ring."""
    s.oval(x, y, r, r, s.inks.ink)
    for i in range(blades):
        turn = 2 * math.pi * i / blades
        tips = [(x + math.cos(turn + a) * r * q, y + math.sin(turn + a) * r * q) for a, q in ((0, 0.9), (0.5, 0.85))]
        s.poly([(x, y), *tips], fill)
    s.ring(x, y, r, r * 0.12, fill)
    s.oval(x, y, r * 0.25, r * 0.25, s.inks.metal)


def star(s: Sketch, x: float, y: float, r: float, fill: Colour, points: int = 5) -> None:
    """A star."""
    outer, inner = around(points, -90), around(points, -90 + 180 / points)
    corners = [p for (ax, ay), (bx, by) in zip(outer, inner, strict=True) for p in ((ax, ay), (bx * 0.45, by * 0.45))]
    s.poly([(x + dx * r, y + dy * r) for dx, dy in corners], fill)


def lamps(s: Sketch, box: Box, n: int, dice: Dice) -> None:
    """A row of n small signal lamps across a box."""
    r = min(0.05, (box[3] - box[1]) * 0.3)
    for u in spread(n, 0.1, 0.9):
        x, y = at(box, u, 0.5)
        s.oval(x, y, r, r, dice.pick(LAMPS))


def knobs(s: Sketch, box: Box, n: int, fill: Colour) -> None:
    """A row of n turning knobs across a box."""
    r = min((box[3] - box[1]) * 0.5, (box[2] - box[0]) / (2.4 * n))
    for u in spread(n, 0.12, 0.88):
        x, y = at(box, u, 0.5)
        s.oval(x, y, r, r, fill)
        s.line([(x, y), (x + r * 0.5, y - r * 0.8)], r * 0.3, s.inks.ink)


def landscape(s: Sketch, box: Box, dice: Dice) -> None:
    """A picture: sky, sun and hills."""
    x0, y0, x1, y1 = box
    r = min(x1 - x0, y1 - y0) * 0.12
    s.rect(*box, (138, 186, 224))
    s.oval(*at(box, dice.between(0.2, 0.8), 0.25), r, r, (250, 214, 96))
    s.poly([(x0, y1), at(box, 0, 0.7), at(box, 0.3, 0.35), at(box, 0.6, 0.8), (x1, y1)], (92, 112, 130))
    s.poly([(x0, y1), at(box, 0.2, 0.8), at(box, 0.7, 0.5), at(box, 1, 0.7), (x1, y1)], (76, 138, 78))


def scribble(s: Sketch, box: Box, rows: int, fill: Colour, dice: Dice) -> None:
    """Lines of text."""
    high = (box[3] - box[1]) / rows
    for v in spread(rows, 0.5 / rows, 1 - 0.5 / rows):
        x0, y = at(box, 0, v)
        s.rect(x0, y - high * 0.22, at(box, dice.between(0.6, 1), v)[0], y + high * 0.22, fill)


def figure(s: Sketch, x: float, y: float, r: float, fill: Colour) -> None:
    """A head and shoulders, r high to each side."""
    s.oval(x, y - r * 0.45, r * 0.42, r * 0.5, fill)
    s.oval(x, y + r * 0.8, r * 0.85, r * 0.75, fill)
