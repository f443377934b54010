"""Shoes, bags, jewellery and other things worn or carried."""

from __future__ import annotations

from eval.simulate.dice import Dice
from eval.simulate.shapes.parts import Parameters, count, fitted, number, spread, star, within, word
from eval.simulate.sketch import Sketch, around


def shoe(s: Sketch, p: Parameters, dice: Dice) -> None:
    heel, sole, shaft = number(p, "heel"), number(p, "sole", 0.1), number(p, "shaft")
    base = 0.6
    lift = base - heel
    if count(p, "open") == 2:
        s.poly([(-0.9, base), (0.85, base), (0.85, base - 0.1), (-0.9, base - 0.06)], s.inks.wood)
        s.rect(-0.92, base, 0.88, base + sole, s.inks.ink, 0.03)
        for x in spread(count(p, "straps", 3), -0.6, 0.4):
            s.arc(x, base, 0.18, 0.42, 180, 360, 0.14, s.inks.main)
        s.line([(0.7, base - 0.05), (0.72, base - 0.5), (0.4, base - 0.5)], 0.08, s.inks.main)
        return
    ankle = lift - 0.42 - shaft
    if heel > 0.3:
        s.poly(
            [
                (-0.9, base - 0.02),
                (-0.6, base - 0.24),
                (0.0, base - 0.2),
                (0.5, lift - 0.24),
                (0.85, lift - 0.28),
                (0.85, lift),
                (0.5, lift + 0.02),
                (-0.1, base - 0.02),
            ],
            s.inks.main,
        )
        s.poly([(0.68, lift), (0.85, lift), (0.8, base + sole), (0.74, base + sole)], s.inks.main)
        if count(p, "open"):
            s.poly([(-0.1, base - 0.19), (0.5, lift - 0.22), (0.8, lift - 0.26), (0.5, lift - 0.1)], s.inks.ink)
        return
    s.poly(
        [
            (-0.92, base),
            (-0.88, base - 0.2),
            (-0.6, base - 0.32),
            (-0.12, lift - 0.4),
            (0.0, ankle),
            (0.78, ankle),
            (0.8, lift - 0.1),
            (0.85, base),
        ],
        s.inks.main,
    )
    s.oval(0.4, ankle, 0.39, 0.06, s.inks.shade)
    _shoe_sole(s, p, base, sole, heel)
    laces = count(p, "laces")
    for i in range(laces):
        t = i / max(1, laces - 1)
        x, y = -0.42 + 0.42 * t, base - 0.38 - (base - 0.38 - ankle - 0.1) * t * (0.9 if shaft > 0.2 else 0.55)
        s.line([(x - 0.1, y - 0.03), (x + 0.12, y + 0.05)], 0.05, s.inks.contrast)
    for y in spread(count(p, "buckles"), ankle + 0.15, base - 0.2) if count(p, "buckles") else ():
        s.rect(-0.25, y - 0.05, 0.3, y + 0.05, s.inks.ink)
        s.rect(-0.12, y - 0.07, 0.08, y + 0.07, s.inks.metal)
    for x in (0.0, 0.18, 0.36) if count(p, "stripe") else ():
        s.line([(x, base - 0.05), (x + 0.12, lift - 0.4)], 0.06, s.inks.accent)
    if count(p, "swoosh"):
        s.poly([(-0.3, base - 0.12), (0.0, base - 0.08), (0.7, base - 0.4), (0.0, base - 0.2)], s.inks.contrast)
    for x, y in (
        ((0.2, 0.3), (0.5, 0.1), (0.3, -0.1), (0.55, 0.42), (-0.3, 0.44), (0.6, -0.2)) if count(p, "dots") else ()
    ):
        s.oval(x, y, 0.07, 0.07, s.inks.accent)


def _shoe_sole(s: Sketch, p: Parameters, base: float, sole: float, heel: float) -> None:
    tone = s.inks.pale if ("stripe" in p or "swoosh" in p) else s.inks.ink
    s.rect(-0.95, base, 0.88, base + sole, tone, 0.03)
    if heel > 0.03:
        s.rect(0.45, base, 0.86, base + sole + heel, tone)
    for x in spread(8, -0.9, 0.75) if count(p, "lugs") else ():
        s.rect(x, base + sole, x + 0.12, base + sole + 0.08, s.inks.ink)
    if count(p, "blade"):
        for x in (-0.5, 0.5):
            s.rect(x - 0.05, base + sole, x + 0.05, 0.88, s.inks.metal)
        s.rect(-0.98, 0.84, 0.92, 0.93, s.inks.metal)
    for x in spread(count(p, "wheels"), -0.72, 0.68) if count(p, "wheels") else ():
        s.oval(x, 0.82, 0.17, 0.17, s.inks.accent)
        s.oval(x, 0.82, 0.06, 0.06, s.inks.pale)


def bag(s: Sketch, p: Parameters, dice: Dice) -> None:
    x0, y0, x1, y1 = box = fitted(number(p, "aspect", 1), 0.74)
    handle = number(p, "handle")
    if count(p, "wheels"):
        for x in (-0.22, 0.2):
            s.rect(x, y0 - handle * 0.6, x + 0.04, y0, s.inks.metal)
        s.rect(-0.22, y0 - handle * 0.6, 0.24, y0 - handle * 0.6 + 0.06, s.inks.ink)
        for x in spread(count(p, "wheels") + 1, x0 + 0.12, x1 - 0.12):
            s.oval(x, y1 + 0.08, 0.1, 0.1, s.inks.ink)
    elif handle > 0:
        s.arc(0, y0 + 0.05, 0.3 if handle < 0.4 else x1 * 0.75, handle, 180, 360, 0.07, s.inks.shade)
    for side in (-1, 1) if count(p, "straps") else ():
        s.arc(side * x1, 0.1, 0.24, y1 * 0.75, 0, 360, 0.08, s.inks.shade)
    s.rect(*box, s.inks.main, 0.06 if "fold" in p else 0.14)
    if count(p, "baby"):
        s.rect(x0 - 0.1, 0.3, x1 + 0.1, 0.46, s.inks.shade)
        s.oval(0, y0, 0.28, 0.28, s.inks.skin)
        s.oval(0, y0 - 0.12, 0.26, 0.16, s.inks.accent)
        for side in (-1, 1):
            s.oval(side * 0.35, y1 + 0.05, 0.12, 0.16, s.inks.skin)
    if count(p, "roll"):
        s.rect(x0 - 0.15, y0 - 0.26, x1 + 0.15, y0 + 0.02, s.inks.accent, 0.12)
        s.arc(0, y0 - 0.22, 0.2, handle, 180, 360, 0.06, s.inks.shade)
        s.line([(x0 - 0.2, y1 - 0.1), (x1 + 0.2, y1 - 0.1)], 0.05, s.inks.ink)
    for x in spread(count(p, "ribs"), x0 + 0.12, x1 - 0.12) if count(p, "ribs") else ():
        s.rect(x - 0.02, y0 + 0.05, x + 0.02, y1 - 0.05, s.inks.shade)
    if count(p, "flap"):
        s.rect(*within(box, 0.5, 0.25, 1, 0.75), s.inks.shade, 0.05)
        s.oval(*within(box, 0.6, 0.5, 0, 0)[:2], 0.06, 0.06, s.inks.metal)
    if count(p, "fold"):
        s.line([(x0, y0 + 0.06), (x1, y0 + 0.06)], 0.03, s.inks.tint)
        s.line([(x0, y1 - 0.06), (x1, y1 - 0.06)], 0.03, s.inks.tint)
        s.rect(x0 + 0.15, y0 - 0.1, x1 - 0.5, y0 + 0.01, (150, 190, 150))
    if count(p, "pocket"):
        s.rect(*within(box, 0.15, 0.52, 0.85, 0.92), s.inks.shade, 0.08)
    if count(p, "zip"):
        s.arc(0, y0 + 0.32, x1 * 0.8, 0.22, 180, 360, 0.04, s.inks.metal)
    if count(p, "clasp"):
        s.rect(x0, y0 + 0.02, x1, y0 + 0.2, s.inks.shade)
        s.rect(-0.1, y0 + 0.12, 0.1, y0 + 0.3, (210, 176, 80))


def strip(s: Sketch, p: Parameters, dice: Dice) -> None:
    if word(p, "kind") == "belt":
        s.arc(0.1, 0, 0.72, 0.6, 0, 360, 0.17, s.inks.main)
        s.rect(-0.9, -0.2, -0.4, 0.2, s.inks.metal, 0.05)
        s.rect(-0.8, -0.1, -0.5, 0.1, s.inks.shade)
        s.rect(-0.66, -0.02, -0.3, 0.02, s.inks.metal)
        return
    s.arc(0, -0.4, 0.5, 0.4, 0, 360, 0.26, s.inks.main)
    for x in (-0.32, 0.2):
        s.poly([(x, -0.2), (x + 0.26, -0.2), (x + 0.34, 0.75), (x - 0.04, 0.75)], s.inks.main)
        for y in (0.1, 0.35, 0.6):
            s.rect(x - 0.01, y, x + 0.3, y + 0.1, s.inks.accent)
        for t in spread(5, x, x + 0.3):
            s.line([(t, 0.75), (t, 0.92)], 0.04, s.inks.shade)


def hat(s: Sketch, p: Parameters, dice: Dice) -> None:
    crown, brim = number(p, "crown", 0.4), number(p, "brim", 0.6)
    s.arc(0.1, 0.25, 0.66, crown * 1.9, 180, 360, 1.4, s.inks.main)
    s.arc(0.1, 0.25, 0.3, crown * 1.9, 180, 360, 0.03, s.inks.shade)
    s.oval(0.1, 0.25 - crown * 1.9, 0.07, 0.05, s.inks.shade)
    if count(p, "peak"):
        s.poly([(-0.5, 0.1), (-0.4 - brim, 0.36), (-0.3 - brim, 0.44), (0.1, 0.32)], s.inks.shade)
    star(s, -0.22, -0.05, 0.14, s.inks.accent)


def jewel(s: Sketch, p: Parameters, dice: Dice) -> None:
    kind, gem = word(p, "kind"), number(p, "gem", 0.1) * 1.3
    stone = dice.pick(((220, 240, 255), (220, 60, 90), (70, 150, 230), (80, 200, 130)))
    if kind == "ring":
        s.ring(0, 0.25, 0.62, 0.15, s.inks.main)
        s.poly([(-gem, -0.5), (gem, -0.5), (gem * 1.6, -0.68), (0, -0.3), (-gem * 1.6, -0.68)], s.inks.metal)
        s.poly([(-gem * 1.6, -0.68), (-gem, -0.86), (gem, -0.86), (gem * 1.6, -0.68), (0, -0.32)], stone)
    elif kind == "necklace":
        s.arc(0, -0.4, 0.62, 0.95, 0, 180, 0.05, s.inks.main)
        s.arc(0, -0.4, 0.62, 0.4, 180, 360, 0.03, s.inks.shade)
        s.oval(0, 0.68, gem * 1.3, gem * 1.5, s.inks.main)
        s.oval(0, 0.68, gem * 0.8, gem, stone)
    elif kind == "earrings":
        for x in (-0.42, 0.42):
            s.arc(x, -0.55, 0.14, 0.2, 150, 400, 0.05, s.inks.main)
            s.oval(x, -0.3, gem, gem, s.inks.main)
            s.poly([(x, -0.2), (x + 0.22, 0.4), (x, 0.65), (x - 0.22, 0.4)], s.inks.main)
            s.oval(x, 0.35, gem, gem * 1.1, stone)
    else:
        for i, (dx, dy) in enumerate(around(16)):
            s.oval(dx * 0.75, dy * 0.58, gem * 1.2, gem * 1.2, stone if i % 4 == 0 else s.inks.main)
        s.arc(0, 0, 0.75, 0.58, 0, 360, 0.04, s.inks.shade)


def glove(s: Sketch, p: Parameters, dice: Dice) -> None:
    s.oval(-0.1, -0.25, 0.6, 0.62, s.inks.main)
    s.oval(0.48, 0.0, 0.26, 0.36, s.inks.shade)
    s.rect(-0.55, 0.1, 0.4, 0.6, s.inks.main, 0.1)
    s.rect(-0.6, 0.5, 0.44, 0.92, s.inks.pale, 0.05)
    for x in spread(count(p, "fingers"), -0.4, 0.3) if count(p, "fingers") else ():
        s.line([(x, -0.8), (x, -0.2)], 0.04, s.inks.shade)
    s.arc(-0.1, -0.2, 0.45, 0.45, 200, 280, 0.06, s.inks.tint)


def saddle(s: Sketch, p: Parameters, dice: Dice) -> None:
    s.poly(
        [(-0.9, -0.5), (-0.6, -0.3), (0.1, -0.25), (0.7, -0.6), (0.95, -0.45), (0.5, 0.05), (-0.6, 0.05)], s.inks.main
    )
    s.poly([(-0.6, -0.1), (0.35, -0.1), (0.3, 0.6), (-0.3, 0.7), (-0.65, 0.3)], s.inks.shade)
    s.line([(0, 0.0), (0.05, 0.7)], 0.06, s.inks.ink)
    s.ring(0.05, 0.82, 0.15, 0.05, s.inks.metal)
