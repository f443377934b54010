"""Musical instruments."""

from __future__ import annotations

from eval.simulate.dice import Dice
from eval.simulate.shapes.parts import (
    WHITE,
    Parameters,
    count,
    spread,
    word,
)
from eval.simulate.sketch import Sketch


def guitar(s: Sketch, p: Parameters, dice: Dice) -> None:
    kind = word(p, "body")
    neck = -0.88
    s.rect(-0.06, neck, 0.06, 0.2, s.inks.wood if kind != "violin" else s.inks.ink)
    s.rect(-0.11, neck - 0.1, 0.11, neck + 0.14, s.inks.ink)
    if kind == "electric":
        s.poly(
            [
                (-0.1, 0.1),
                (-0.42, -0.25),
                (-0.45, 0.2),
                (-0.36, 0.4),
                (-0.5, 0.8),
                (0, 0.96),
                (0.5, 0.8),
                (0.36, 0.4),
                (0.42, 0.2),
                (0.35, -0.1),
                (0.1, 0.1),
            ],
            s.inks.main,
        )
        s.poly([(-0.05, 0.2), (0.3, 0.2), (0.26, 0.8), (0, 0.75)], s.inks.pale)
        for y in (0.3, 0.48):
            s.rect(-0.14, y, 0.14, y + 0.08, s.inks.ink)
        s.oval(0.25, 0.75, 0.06, 0.06, s.inks.metal)
    else:
        slim = 0.8 if kind == "violin" else 1.0
        s.oval(0, 0.14, 0.36 * slim, 0.3, s.inks.main)
        s.oval(0, 0.6, 0.5 * slim, 0.38, s.inks.main)
        s.rect(-0.3 * slim, 0.2, 0.3 * slim, 0.5, s.inks.main)
        if kind == "acoustic":
            s.oval(0, 0.34, 0.16, 0.16, s.inks.ink)
            s.rect(-0.2, 0.68, 0.2, 0.74, s.inks.ink)
        else:
            for x in (-0.18, 0.18):
                s.arc(x, 0.46, 0.06, 0.16, 90, 270, 0.04, s.inks.ink)
                s.oval(x * 1.9, 0.36, 0.1, 0.12, s.inks.wood)
            s.rect(-0.07, 0.1, 0.07, 0.4, s.inks.ink)
            s.poly([(-0.08, 0.95), (0.08, 0.95), (0.05, 0.6), (-0.05, 0.6)], s.inks.ink)
            s.line([(0.7, -0.9), (0.6, 0.9)], 0.05, s.inks.wood)
    for x in (-0.03, 0.03):
        s.line([(x, neck), (x, 0.7)], 0.012, s.inks.pale)


def piano(s: Sketch, p: Parameters, dice: Dice) -> None:
    digital = count(p, "grand") == 2
    y0 = -0.1 if digital else 0.05
    if digital:
        for side in (-1, 1):
            s.line([(side * 0.6, 0.2), (-side * 0.6, 0.95)], 0.06, s.inks.metal)
        s.rect(-0.98, -0.4, 0.98, 0.25, s.inks.main, 0.04)
        s.rect(-0.2, -0.33, 0.2, -0.2, (90, 190, 210))
        for x in (-0.7, -0.55, -0.4, 0.4, 0.55, 0.7):
            s.oval(x, -0.27, 0.04, 0.04, s.inks.metal)
    else:
        s.rect(-0.85, -0.85, 0.85, 0.9, s.inks.main)
        s.rect(-0.75, -0.7, 0.75, -0.1, s.inks.tint)
        s.rect(-0.4, -0.4, 0.4, -0.1, WHITE)
        s.rect(-0.92, 0.0, 0.92, 0.3, s.inks.shade)
        s.rect(-0.2, 0.8, 0.2, 0.86, (210, 176, 80))
    half = 0.9 if digital else 0.8
    s.rect(-half, y0, half, y0 + 0.2, WHITE)
    for i, x in enumerate(spread(18, -half + 0.05, half - 0.05)):
        if i % 7 not in (2, 6):
            s.rect(x - 0.02, y0, x + 0.03, y0 + 0.12, s.inks.ink)


def drums(s: Sketch, p: Parameters, dice: Dice) -> None:
    s.oval(0, 0.4, 0.5, 0.5, s.inks.main)
    s.oval(0, 0.4, 0.42, 0.42, s.inks.pale)
    for x, y in ((-0.4, -0.2), (0.4, -0.2), (-0.75, 0.3), (0.78, 0.35))[: max(0, count(p, "count", 4) - 1)]:
        s.rect(x - 0.25, y, x + 0.25, y + 0.3, s.inks.main)
        s.oval(x, y, 0.25, 0.09, s.inks.pale)
    for side in (-1, 1):
        s.line([(side * 0.8, -0.7), (side * 0.7, 0.9)], 0.03, s.inks.metal)
        s.oval(side * 0.75, -0.7, 0.3, 0.06, (214, 180, 80))


def horn(s: Sketch, p: Parameters, dice: Dice) -> None:
    if word(p, "kind") == "sax":
        s.line([(-0.55, -0.75), (-0.2, -0.88), (-0.1, -0.6), (0.0, 0.4)], 0.12, s.inks.main)
        s.arc(0.25, 0.45, 0.33, 0.4, 0, 190, 0.2, s.inks.main)
        s.poly([(0.38, 0.5), (0.58, 0.5), (0.85, -0.15), (0.2, -0.15)], s.inks.main)
        s.oval(0.52, -0.15, 0.33, 0.1, s.inks.shade)
        for y in spread(6, -0.5, 0.4):
            s.oval(-0.02 + y * 0.05, y, 0.07, 0.07, s.inks.tint)
        s.rect(-0.7, -0.8, -0.5, -0.68, s.inks.ink)
        return
    s.rect(-0.9, -0.65, -0.4, 0.65, s.inks.main, 0.06)
    s.rect(0.4, -0.65, 0.9, 0.65, s.inks.main, 0.06)
    for i, x in enumerate(spread(8, -0.4, 0.3)):
        s.rect(x, -0.6, x + 0.1, 0.6, s.inks.shade if i % 2 else s.inks.pale)
    s.rect(0.62, -0.55, 0.86, 0.55, WHITE)
    for y in spread(9, -0.5, 0.48):
        s.rect(0.62, y, 0.76, y + 0.05, s.inks.ink)
    for a, _ in s.grid((-0.82, -0.5, -0.5, 0.5), 6, 3):
        s.oval(a[0] + 0.04, a[1] + 0.05, 0.03, 0.03, s.inks.pale)
