"""Clothes."""

from __future__ import annotations

from eval.simulate.dice import Dice
from eval.simulate.shapes.parts import WHITE, Parameters, count, number, scribble, spread, star, word
from eval.simulate.sketch import Point, Sketch


def top(s: Sketch, p: Parameters, dice: Dice) -> None:
    half, long = number(p, "width", 0.44), number(p, "length", 0.72)
    neck, hem = -0.72 + 0.1 * (long < 0.8), -0.72 + 1.58 * long
    flare, sleeve = number(p, "flare"), number(p, "sleeve", 0.5)
    if count(p, "hood"):
        s.oval(0, neck - 0.02, 0.3, 0.24, s.inks.shade)
    for side in (-1, 1):
        reach = sleeve * 0.95
        x, y = side * (half + 0.5 * reach), neck + 0.1 + 0.85 * reach
        s.poly(
            [
                (side * half * 0.8, neck + 0.04),
                (side * half, neck + 0.42),
                (x - side * 0.05, y + 0.05),
                (x + side * 0.08, y - 0.06),
                (side * (half + 0.06), neck + 0.12),
            ],
            s.inks.shade if sleeve > 0.1 else s.inks.main,
        )
    shape: list[Point] = [
        (-0.2, neck),
        (0.2, neck),
        (half, neck + 0.1),
        (half * 0.9, 0.1),
        (half + flare, hem),
        (-half - flare, hem),
        (-half * 0.9, 0.1),
        (-half, neck + 0.1),
    ]
    s.poly(shape, s.inks.main)
    if count(p, "legs"):
        for side in (-1, 1):
            s.poly(
                [(0, hem - 0.1), (side * half, hem - 0.1), (side * half * 0.8, 0.98), (side * 0.12, 0.98)], s.inks.main
            )
        s.line([(-half, 0.0), (half, 0.0)], 0.05, s.inks.accent)
    for side in (-1, 1) if count(p, "feet") else ():
        s.rect(side * 0.06, hem - 0.1, side * half, hem + 0.2, s.inks.main, 0.1)
    _pattern(s, word(p, "pattern"), half, neck, hem, flare, dice)
    _collar(s, word(p, "collar"), neck)
    _fittings(s, p, half, neck, hem, dice)


def _pattern(s: Sketch, kind: str, half: float, neck: float, hem: float, flare: float, dice: Dice) -> None:
    wide = half * 0.86
    if kind == "dots":
        for i, (a, _) in enumerate(s.grid((-wide, neck + 0.2, wide, hem), 7, 4)):
            s.oval(a[0] + 0.08 * (i // 4 % 2) + 0.04, a[1] + 0.05, 0.04, 0.04, s.inks.contrast)
    elif kind == "stripes":
        for y in spread(6, neck + 0.25, hem - 0.1):
            s.rect(-wide, y, wide, y + 0.07, s.inks.accent)
    elif kind == "check":
        for x in spread(5, -wide * 0.9, wide * 0.9):
            s.line([(x, neck + 0.15), (x, hem)], 0.025, s.inks.shade)
        for y in spread(6, neck + 0.2, hem - 0.05):
            s.line([(-wide, y), (wide, y)], 0.025, s.inks.shade)
    elif kind == "quilt":
        for y in spread(6, neck + 0.2, hem - 0.08):
            s.line([(-half, y), (half, y)], 0.045, s.inks.tint)
    elif kind == "print":
        if flare > 0.05:
            for _ in range(12):
                star(s, dice.between(-wide, wide), dice.between(neck + 0.2, hem - 0.06), 0.1, s.inks.accent, 6)
        else:
            star(s, 0, neck + 0.5, 0.2, s.inks.accent, 3 + dice.below(6))
            scribble(s, (-0.2, neck + 0.72, 0.2, neck + 0.84), 1, s.inks.contrast, dice)
    elif kind == "plain":
        for x in (-0.5, -0.2, 0.2, 0.5):
            s.line([(x * 0.3, 0.1), (x * 1.8, hem)], 0.02, s.inks.shade)


def _collar(s: Sketch, kind: str, neck: float) -> None:
    if kind == "stand":
        s.rect(-0.2, neck - 0.14, 0.2, neck + 0.03, s.inks.shade)
    elif kind == "v":
        s.poly([(-0.2, neck - 0.01), (0.2, neck - 0.01), (0, neck + 0.32)], s.inks.ink)
        s.poly([(-0.16, neck - 0.02), (0.16, neck - 0.02), (0, neck + 0.24)], s.inks.skin)
    elif kind == "round":
        s.oval(0, neck, 0.2, 0.13, s.inks.shade)
        s.oval(0, neck - 0.02, 0.15, 0.09, s.inks.contrast)
    elif kind == "lapel":
        for side in (-1, 1):
            s.poly(
                [(side * 0.22, neck - 0.02), (side * 0.3, neck + 0.25), (0, neck + 0.65), (side * 0.04, neck + 0.3)],
                s.inks.tint,
            )
    elif kind == "shirt":
        for side in (-1, 1):
            s.poly([(0, neck + 0.04), (side * 0.22, neck - 0.08), (side * 0.26, neck + 0.14)], s.inks.tint)
    elif kind == "none":
        s.poly([(-0.24, neck - 0.02), (0.24, neck - 0.02), (0.16, neck + 0.2), (-0.16, neck + 0.2)], s.inks.skin)


def _fittings(s: Sketch, p: Parameters, half: float, neck: float, hem: float, dice: Dice) -> None:
    if count(p, "tie"):
        s.poly([(-0.14, neck), (0.14, neck), (0, neck + 0.6)], WHITE)
        s.poly(
            [(-0.06, neck), (0.06, neck), (0.08, neck + 0.45), (0, neck + 0.58), (-0.08, neck + 0.45)], s.inks.accent
        )
    if count(p, "zip"):
        s.line([(0, neck - 0.1), (0, hem)], 0.04, s.inks.metal)
    n = count(p, "buttons")
    for y in spread(n, neck + (0.2 if n > 4 else 0.5), min(hem - 0.12, 0.75)) if n else ():
        s.oval(0, y, 0.035, 0.035, s.inks.contrast)
    if count(p, "belt"):
        s.rect(-half * 0.95, 0.1, half * 0.95, 0.22, s.inks.shade)
        s.rect(-0.1, 0.08, 0.1, 0.24, s.inks.metal)
    if count(p, "pocket"):
        s.poly([(-0.24, 0.05), (0.24, 0.05), (0.34, hem - 0.08), (-0.34, hem - 0.08)], s.inks.shade)
        for x in (-0.08, 0.08):
            s.line([(x, neck + 0.1), (x, neck + 0.4)], 0.03, s.inks.pale)
    for side in (-1, 1) if count(p, "pads") else ():
        s.oval(side * half * 0.95, neck + 0.18, 0.16, 0.13, s.inks.accent)
        s.oval(side * (half + 0.26), neck + 0.55, 0.11, 0.15, s.inks.accent)


def trousers(s: Sketch, p: Parameters, dice: Dice) -> None:
    half, flare = 0.28 + number(p, "width", 0.2) * 0.8, number(p, "flare")
    leg = number(p, "width", 0.2)
    hem = -0.7 + 1.72 * number(p, "length", 0.95)
    for side in (-1, 1):
        x = side * (half * 0.72)
        s.poly(
            [
                (0, -0.65),
                (side * half, -0.65),
                (x + side * (leg * 0.75 + flare), hem),
                (x - side * (leg * 0.75 + flare), hem),
                (0, -0.1),
            ],
            s.inks.main,
        )
        if count(p, "crease"):
            s.line([(side * half * 0.55, -0.5), (x, hem)], 0.03, s.inks.shade)
        if count(p, "pockets"):
            s.arc(side * half, -0.55, 0.22, 0.22, 0, 360, 0.03, s.inks.tint)
        if count(p, "seam"):
            s.line([(side * half * 0.92, -0.4), (x + side * leg * 0.6, hem)], 0.025, (214, 160, 70))
            s.rect(x - leg * 0.75, hem - 0.1, x + leg * 0.75, hem, s.inks.tint)
    s.rect(-half, -0.72, half, -0.6, s.inks.shade)
    s.line([(0, -0.6), (0, -0.15)], 0.03, s.inks.shade)
    if count(p, "bib"):
        s.rect(-0.26, -0.98, 0.26, -0.6, s.inks.main)
        s.rect(-0.14, -0.9, 0.14, -0.7, s.inks.accent)
        for side in (-1, 1):
            s.line([(side * 0.22, -0.95), (side * 0.36, -1)], 0.07, s.inks.shade)


def skirt(s: Sketch, p: Parameters, dice: Dice) -> None:
    hem, flare = -0.6 + 2 * number(p, "length", 0.6), number(p, "flare", 0.4)
    s.poly([(-0.36, -0.6), (0.36, -0.6), (0.36 + flare, hem), (-0.36 - flare, hem)], s.inks.main)
    for t in spread(count(p, "pleats", 4), -0.9, 0.9):
        s.line([(t * 0.36, -0.5), (t * (0.36 + flare), hem)], 0.04, s.inks.shade)
    s.rect(-0.37, -0.66, 0.37, -0.52, s.inks.shade)


def bikini(s: Sketch, p: Parameters, dice: Dice) -> None:
    for side in (-1, 1):
        s.line([(side * 0.35, -0.4), (side * 0.12, -0.95)], 0.04, s.inks.shade)
        s.poly([(side * 0.04, -0.15), (side * 0.65, -0.15), (side * 0.36, -0.55)], s.inks.main)
        s.line([(side * 0.6, -0.16), (side * 0.9, -0.1)], 0.04, s.inks.shade)
        s.oval(side * 0.62, 0.4, 0.08, 0.08, s.inks.accent)
    s.poly([(-0.62, 0.36), (0.62, 0.36), (0.12, 0.85), (-0.12, 0.85)], s.inks.main)
    s.line([(-0.6, 0.38), (0.6, 0.38)], 0.05, s.inks.accent)
