"""Frames, textiles, ladders and stacked goods."""

from __future__ import annotations

from eval.simulate.dice import Dice
from eval.simulate.shapes.parts import (
    GLOWS,
    WHITE,
    Box,
    Parameters,
    at,
    count,
    fitted,
    landscape,
    number,
    spread,
    star,
    wheel,
    within,
    word,
)
from eval.simulate.sketch import Sketch, around, mix


def frame(s: Sketch, p: Parameters, dice: Dice) -> None:
    box, edge, picture = fitted(number(p, "aspect", 1)), number(p, "border", 0.1), word(p, "picture")
    x0, y0, x1, y1 = box
    inner = (x0 + edge, y0 + edge, x1 - edge, y1 - edge)
    if picture in ("cross", "bars"):
        _rack(s, p, box, edge, picture)
        return
    if picture == "clock":
        _clock(s, box, edge, count(p, "round"), dice)
        return
    s.rect(*box, s.inks.main, 0.02)
    s.rect(*(inner[0] - 0.03, inner[1] - 0.03, inner[2] + 0.03, inner[3] + 0.03), s.inks.shade)
    if picture == "mirror":
        s.rect(*inner, (192, 212, 220))
        s.poly([at(inner, 0.1, 0.5), at(inner, 0.8, 0.1), at(inner, 0.95, 0.1), at(inner, 0.1, 0.65)], (228, 238, 242))
    elif picture == "landscape":
        landscape(s, inner, dice)
    elif picture == "portrait":
        s.rect(*inner, WHITE)
        s.rect(*within(inner, 0.12, 0.1, 0.88, 0.9), mix(dice.pick(GLOWS), WHITE, 0.5))
        s.oval(*at(inner, 0.5, 0.4), 0.15, 0.19, s.inks.skin)
        s.oval(*at(inner, 0.5, 0.8), 0.24, 0.16, s.inks.ink)
    else:
        s.rect(*inner, s.inks.tint)
        for a, b in s.grid(inner, 3, 2):
            s.rect(*a, *b, s.inks.main if a[1] > -0.3 else (160, 196, 214))
        s.oval(inner[2] - 0.08, 0.05, 0.06, 0.06, (206, 170, 70))


def _rack(s: Sketch, p: Parameters, box: Box, edge: float, picture: str) -> None:
    x0, y0, x1, y1 = box
    for y in (y0, y1 - edge * 1.4):
        s.rect(x0, y, x1, y + edge * 1.4, s.inks.main)
    if picture == "cross":
        for x in (-0.5, 0.5 - edge):
            s.rect(x, y0 - 0.15, x + edge * 1.6, y1 + 0.15, s.inks.main)
        s.line([(x0 + 0.4, y0), (x1 - 0.4, y1)], edge * 1.3, s.inks.shade)
        s.line([(x0 + 0.4, y1), (x1 - 0.4, y0)], edge * 1.3, s.inks.shade)
        s.rect(-0.16, -0.14, 0.16, 0.14, s.inks.metal)
        return
    for x in spread(5, x0 + 0.05, x1 - 0.1):
        s.rect(x, y0, x + 0.05, y1, s.inks.main)
    for x in spread(count(p, "wheels"), -0.5, 0.5) if count(p, "wheels") else ():
        wheel(s, x, 0.2, 0.34, 0.14, 8)


def _clock(s: Sketch, box: Box, edge: float, round_: int, dice: Dice) -> None:
    _, _, wide, high = box
    if round_:
        s.oval(0, 0, wide, high, s.inks.main)
    else:
        s.rect(*box, s.inks.main)
    s.oval(0, 0, wide - edge, high - edge, WHITE)
    for dx, dy in around(12):
        s.line([(dx * wide * 0.66, dy * high * 0.66), (dx * wide * 0.8, dy * high * 0.8)], 0.05, s.inks.ink)
    for length, (dx, dy) in ((0.46, dice.pick(around(24))), (0.68, dice.pick(around(24)))):
        s.line([(0, 0), (dx * length * wide, dy * length * high)], 0.06, s.inks.ink)


def ladder(s: Sketch, p: Parameters, dice: Dice) -> None:
    rungs, platforms = count(p, "rungs"), count(p, "platforms")
    if platforms:
        s.rect(-0.08, -0.7, 0.08, 0.85, s.inks.wood)
        s.rect(0.3, -0.2, 0.42, 0.85, s.inks.wood)
        for y, x in zip(spread(platforms, -0.75, 0.85), (0.0, 0.2, 0.0), strict=False):
            s.rect(x - 0.5 - 0.1 * (y > 0.5), y, x + 0.5 + 0.1 * (y > 0.5), y + 0.12, s.inks.main, 0.05)
        s.rect(-0.55, 0.3, -0.1, 0.85, s.inks.shade)
        s.oval(-0.32, 0.58, 0.14, 0.16, s.inks.ink)
        s.line([(0.5, -0.1), (0.5, 0.2)], 0.02, s.inks.ink)
        s.oval(0.5, 0.26, 0.08, 0.08, s.inks.accent)
        return
    if count(p, "gantry"):
        s.rect(-0.8, 0.7, 0.8, 0.9, s.inks.main)
        for x in (-0.75, 0.65):
            s.rect(x, -0.9, x + 0.1, 0.75, s.inks.main)
        for y in spread(rungs, -0.88, -0.2):
            s.rect(-0.75, y, 0.75, y + 0.1, s.inks.shade)
        s.rect(-0.1, -0.28, 0.16, 0.1, s.inks.metal)
        s.rect(-0.5, 0.58, 0.5, 0.66, s.inks.metal)
        star(s, 0.02, 0.4, 0.22, s.inks.accent, 6)
        return
    for x in (-0.36, 0.28):
        s.rect(x, -0.96, x + 0.09, 0.96, s.inks.main)
    for y in spread(rungs, -0.82, 0.8):
        s.rect(-0.36, y - 0.035, 0.36, y + 0.035, s.inks.shade)


def textile(s: Sketch, p: Parameters, dice: Dice) -> None:
    x0, y0, x1, y1 = box = fitted(number(p, "aspect", 1), 0.88)
    pattern = word(p, "pattern")
    for y in spread(14, y0 + 0.03, y1 - 0.03) if count(p, "fringe") else ():
        s.line([(x0 - 0.1, y), (x1 + 0.1, y)], 0.03, s.inks.pale)
    if count(p, "puffy"):
        s.poly(
            [(x0, y0), (0, y0 + 0.1), (x1, y0), (x1 - 0.1, 0), (x1, y1), (0, y1 - 0.1), (x0, y1), (x0 + 0.1, 0)],
            s.inks.main,
        )
    else:
        s.rect(*box, s.inks.main, 0.08 if pattern == "logo" else 0.0)
    if pattern == "logo":
        star(s, 0.2, 0, 0.32, s.inks.accent, 3 + dice.below(4))
        s.line([(x0 + 0.1, y1 - 0.15), (-0.2, y0 + 0.15)], 0.07, s.inks.accent)
    elif pattern == "medallion":
        s.rect(*within(box, 0.05, 0.08, 0.95, 0.92), s.inks.accent)
        s.rect(*within(box, 0.1, 0.16, 0.9, 0.84), s.inks.main)
        s.oval(0, 0, 0.4, 0.3, s.inks.pale)
        star(s, 0, 0, 0.3, s.inks.accent, 8)
        for u, v in ((0.2, 0.3), (0.8, 0.3), (0.2, 0.7), (0.8, 0.7)):
            star(s, *at(box, u, v), 0.12, s.inks.pale, 4)
    elif pattern == "folds":
        for i, x in enumerate(spread(9, x0, x1 - 0.1)):
            s.rect(x, y0, x + 0.09, y1, s.inks.shade if i % 2 else s.inks.tint)
        s.rect(-0.08, y0, 0.08, y1, (206, 224, 236))
    elif pattern == "stripes":
        for v in spread(6, 0.04, 0.86):
            s.rect(*within(box, 0, v, 1, v + 0.07), s.inks.tint)
    elif pattern == "diamond":
        for r, fill in ((0.6, s.inks.accent), (0.42, s.inks.main), (0.24, s.inks.tint)):
            s.poly([(0, -r), (r, 0), (0, r), (-r, 0)], fill)
    if count(p, "rod"):
        s.rect(-0.98, y0 - 0.1, 0.98, y0, s.inks.metal)
        for x in (-0.96, 0.96):
            s.oval(x, y0 - 0.05, 0.08, 0.08, s.inks.metal)
    if count(p, "folded"):
        s.poly([(x1 - 0.7, y1), (x1, y1 - 0.6), (x1, y1)], s.inks.accent)
        s.rect(x0 + 0.08, y0 - 0.16, 0.0, y0 + 0.3, s.inks.tint, 0.1)


def stack(s: Sketch, p: Parameters, dice: Dice) -> None:
    kind, n = word(p, "kind"), count(p, "count", 4)
    if kind == "boards":
        wide = 0.2 * number(p, "aspect", 0.8) / 0.8
        for i, x in enumerate(spread(n, -0.72, 0.72)):
            s.rect(x - wide, -0.72, x + wide, 0.72, s.inks.ink, 0.05)
            rainbow = ((40, 170, 220), (220, 50, 140), (240, 210, 50), (60, 60, 64))[i % 4]
            s.rect(x - wide * 0.8, -0.4, x + wide * 0.8, 0.5, rainbow if count(p, "rainbow") else s.inks.main)
    elif kind == "plates":
        for i, y in enumerate(spread(n, 0.6, -0.1)):
            s.oval(0, y, 0.9 - i * 0.05, 0.28, s.inks.shade)
            s.oval(0, y - 0.04, 0.9 - i * 0.05, 0.28, s.inks.main)
            s.arc(0, y - 0.04, 0.8 - i * 0.05, 0.22, 0, 360, 0.04, s.inks.accent)
        s.oval(0, -0.14, 0.4, 0.11, s.inks.tint)
    elif kind == "cloth":
        for i, y in enumerate(spread(n, 0.55, -0.55)):
            s.rect(
                -0.78, y - 0.16, 0.78, y + 0.17, (s.inks.main, s.inks.tint, s.inks.shade, s.inks.accent)[i % 4], 0.14
            )
            s.line([(-0.6, y), (0.78, y)], 0.03, s.inks.shade)
    elif kind in ("roll", "mummy"):
        for i in range(n):
            (_roll if kind == "roll" else _mummy)(s.inset(0.12 * i, 0.12 * i, 1))
    elif kind == "tiles":
        for a, b in s.grid((-0.9, -0.6, 0.9, 0.6), 2, max(1, n // 2)):
            s.rect(*a, *b, mix(s.inks.main, (0, 0, 0), dice.between(0, 0.3)))
    else:
        for i in range(n):
            x, y = -0.62 + (i % 4) * 0.42 + (i // 4 % 2) * 0.2, 0.6 - (i // 4) * 0.4
            s.oval(x, y, 0.21, 0.21, s.inks.shade)
            s.oval(x, y, 0.17, 0.17, s.inks.tint)
            s.ring(x, y, 0.1, 0.02, s.inks.main)


def _roll(s: Sketch) -> None:
    s.rect(-0.6, -0.3, 0.95, 0.4, s.inks.main, 0.05)
    s.oval(-0.6, 0.05, 0.3, 0.36, s.inks.tint)
    for q in (0.24, 0.16, 0.08):
        s.arc(-0.6, 0.05, q, q * 1.2, 0, 360, 0.03, s.inks.shade)
    for x in (0.0, 0.6):
        s.rect(x, -0.32, x + 0.08, 0.42, s.inks.ink)


def _mummy(s: Sketch) -> None:
    s.poly([(-0.42, -0.5), (0.42, -0.5), (0.5, 0), (0.26, 0.9), (-0.26, 0.9), (-0.5, 0)], s.inks.main)
    s.oval(0, -0.5, 0.42, 0.42, s.inks.main)
    s.oval(0, -0.48, 0.26, 0.28, s.inks.accent)
    for y in spread(6, -0.1, 0.8):
        s.line([(-0.46, y), (0.46, y)], 0.03, s.inks.shade)
    s.line([(0.1, -0.2), (0.14, 0.9)], 0.03, s.inks.ink)
